import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  assertBucketPolicyFits,
  isPublic,
  PolicyError,
  wouldLockOut,
  type Policy,
  type PolicyPrincipal,
} from './index.ts'
import { account, alice, noon, policyOf, user } from './testing/ask.ts'

const grant = {
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::bucket/*',
}

function bucketPolicy(...statements: readonly object[]): Policy {
  return policyOf(statements, 'bucket')
}

describe('a bucket policy fits its bucket', () => {
  const fits = (change: object): string => {
    const policy = bucketPolicy(grant, { ...grant, ...change })
    try {
      assertBucketPolicyFits(policy, 'bucket')
    } catch (error) {
      assert.ok(error instanceof PolicyError)
      assert.equal(error.code, 'malformed_policy')
      return error.message
    }
    return 'fits'
  }

  test('with resources in it', () => {
    const inside = [
      'arn:aws:s3:::bucket',
      'arn:aws:s3:::bucket/*',
      'arn:aws-cn:s3:::bucket/a?',
      'arn:aws:s3:::bucket/${aws:username}/*',
    ]
    assert.equal(fits({ Resource: inside }), 'fits')
  })

  const outside = [
    '*',
    'arn:aws:s3:::*',
    'arn:aws:s3:::bucket2/*',
    'arn:aws:s3:::bucke',
    'arn:aws:s3:::bucket*',
    'arn:aws:s3:::buck?t/*',
    'arn:aws:s3:::${aws:username}/*',
    'arn:aws:iam::000000000000:user/bucket',
  ]
  for (const resource of outside) {
    test(`and not with ${resource}`, () => {
      const says = /^Statement\[1\]\.Resource: .* is not inside the bucket "bucket"/
      assert.match(fits({ Resource: ['arn:aws:s3:::bucket/*', resource] }), says)
    })
  }

  test('and not with a NotResource outside', () => {
    const { Resource: _, ...rest } = grant
    const policy = bucketPolicy({ ...rest, NotResource: 'arn:aws:s3:::other/*' })
    assert.throws(() => assertBucketPolicyFits(policy, 'bucket'), /Statement\[0\]\.NotResource/)
  })

  test('with S3 actions on buckets and objects, the unknown among them', () => {
    for (const Action of ['*', '*:*', 's3:*', 's3:List*', 's3:NotYetInvented', 'S3:GETOBJECT']) {
      assert.equal(fits({ Action }), 'fits')
    }
  })

  test('and not with other services or calls on the account', () => {
    for (const Action of ['admin:*', 'sts:AssumeRole', 's3:ListAllMyBuckets']) {
      const says = /^Statement\[1\]\.Action: .* is no S3 action on a bucket or an object/
      assert.match(fits({ Action: ['s3:GetObject', Action] }), says)
    }
  })

  test('and never when it is of another kind', () => {
    const identity = policyOf({ Effect: 'Allow', Action: '*', Resource: '*' })
    assert.throws(() => assertBucketPolicyFits(identity, 'bucket'), PolicyError)
    assert.throws(() => isPublic(identity), PolicyError)
  })
})

describe('a writer is locked out', () => {
  const writes = ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy']
  const deny = { Effect: 'Deny', Principal: '*', Action: writes, Resource: 'arn:aws:s3:::bucket' }
  const lockedOut = (change: object, writer: PolicyPrincipal = user): boolean =>
    wouldLockOut(bucketPolicy({ ...deny, ...change }), 'bucket', writer, noon)

  test('by a deny of both ways back', () => {
    assert.equal(lockedOut({}), true)
    assert.equal(lockedOut({ Action: 's3:*' }), true)
    assert.equal(lockedOut({ Principal: { AWS: alice } }), true)
    assert.equal(lockedOut({ Principal: { AWS: account } }), true)
    assert.equal(lockedOut({}, { kind: 'root-session', account }), true)
  })

  test('but not by a deny that leaves one, spares the writer or means another bucket', () => {
    for (const Action of writes) assert.equal(lockedOut({ Action }), false)
    assert.equal(lockedOut({ Principal: { AWS: `${alice}2` } }), false)
    assert.equal(lockedOut({ Resource: 'arn:aws:s3:::bucket/*' }), false)
    const absent = { Null: { 'aws:PrincipalTag/x': 'false' } }
    assert.equal(lockedOut({ Condition: absent }), false)
  })

  test('unless the writer is root', () => {
    assert.equal(lockedOut({}, { kind: 'root', account }), false)
  })
})

describe('IsPublic (Amazon S3 User Guide, "The meaning of public")', () => {
  const open = (change: object): boolean => isPublic(bucketPolicy({ ...grant, ...change }))
  const when = (condition: object): boolean => open({ Condition: condition })

  test('an Allow to everybody is public', () => {
    assert.equal(open({}), true)
    assert.equal(open({ Principal: { AWS: '*' } }), true)
    assert.equal(open({ Principal: { AWS: [alice, '*'] } }), true)
    assert.equal(isPublic(bucketPolicy({ ...grant, Effect: 'Deny' }, grant)), true)
  })

  test('a Deny, or an Allow to somebody, is not', () => {
    assert.equal(open({ Effect: 'Deny' }), false)
    assert.equal(open({ Principal: { AWS: alice } }), false)
    assert.equal(open({ Principal: { AWS: account } }), false)
  })

  test('fixed principals and narrow addresses take the public away', () => {
    assert.equal(when({ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } }), false)
    assert.equal(when({ StringEquals: { 'aws:PrincipalArn': alice } }), false)
    assert.equal(when({ ArnLike: { 'AWS:principalarn': alice } }), false)
    assert.equal(when({ 'ForAnyValue:StringEquals': { 'aws:userid': 'AIDA' } }), false)
  })

  const stillPublic: readonly object[] = [
    { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } },
    { IpAddress: { 'aws:SourceIp': ['10.0.0.1', '0.0.0.0/1'] } },
    { IpAddress: { 'aws:SourceIp': '::/0' } },
    { IpAddress: { 'aws:SourceIp': '::ffff:0.0.0.0/96' } },
    { IpAddressIfExists: { 'aws:SourceIp': '10.0.0.0/8' } },
    { 'ForAllValues:StringEquals': { 'aws:PrincipalArn': alice } },
    { StringEqualsIfExists: { 'aws:PrincipalArn': alice } },
    { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    { StringNotEquals: { 'aws:PrincipalArn': alice } },
    { StringLike: { 'aws:PrincipalArn': '*' } },
    { StringLike: { 'aws:userid': '${aws:userid}' } },
    { StringEquals: { 'aws:Referer': 'https://site' } },
    { StringEquals: { 's3:prefix': 'pub/' } },
    { Null: { 'aws:PrincipalArn': 'true' } },
    { Bool: { 'aws:SecureTransport': 'true' } },
  ]
  for (const condition of stillPublic) {
    test(`${JSON.stringify(condition)} does not`, () => {
      assert.equal(when(condition), true)
    })
  }
})
