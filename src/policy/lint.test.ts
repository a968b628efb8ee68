import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cannedPolicies, parsePolicy, type PolicyKind } from './index.ts'
import { account, policyOf } from './testing/ask.ts'

const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }

function warnings(
  change: object,
  kind: PolicyKind = 'identity',
  base: object = allow,
): readonly string[] {
  return policyOf([{ ...base, ...change }], kind).warnings
}

function warnsOnce(change: object, says: RegExp, kind: PolicyKind = 'identity'): void {
  const found = warnings(change, kind)
  assert.equal(found.length, 1, found.join('\n'))
  assert.match(found[0] ?? '', says)
}

describe('warnings', () => {
  test('are absent for what is plainly meant', () => {
    assert.deepEqual(warnings({}), [])
    assert.deepEqual(warnings({ Action: ['s3:*', 'admin:*', 'sts:*'], Resource: '*' }), [])
    assert.deepEqual(warnings({ Resource: 'arn:aws:s3:::b*' }), [])
    assert.deepEqual(warnings({ Action: '*', Resource: 'arn:aws:s3:::b/${aws:username}/*' }), [])
  })

  test('speak of variables that are plain text', () => {
    const text = JSON.stringify({
      Statement: { ...allow, Resource: 'arn:aws:s3:::b/${aws:username}/*' },
    })
    const found = parsePolicy(text, 'identity').warnings
    assert.equal(found.length, 2)
    assert.match(found[1] ?? '', /is a variable only in documents of Version 2012-10-17/)
  })

  test('speak of services that nobody evaluates', () => {
    warnsOnce({ Action: ['s3:GetObject', 'ec2:Run*'] }, /Action: "ec2:Run\*" never matches/)
  })

  test('speak of S3 and STS actions that nobody knows', () => {
    warnsOnce(
      { Action: ['s3:GetObject', 's3:Fetch*'] },
      /"s3:Fetch\*" matches no action known here/,
    )
    warnsOnce({ Action: ['s3:GetObject', 'sts:Nap'] }, /"sts:Nap" matches no action known here/)
  })

  test('speak of NotAction and NotResource with Allow', () => {
    const { Action: _, Resource: _resource, ...bare } = allow
    const found = policyOf([{ ...bare, NotAction: 's3:Delete*', NotResource: 'arn:aws:s3:::b' }])
    assert.match(found.warnings.join('\n'), /NotAction: with Allow it reaches every service/)
    assert.match(found.warnings.join('\n'), /NotResource: with Allow it reaches all other buckets/)
    const fence = [allow, { Effect: 'Deny', NotAction: 's3:Get*', Resource: '*' }]
    assert.deepEqual(policyOf(fence).warnings, [])
  })

  test('speak of object actions on buckets, bucket actions on objects', () => {
    warnsOnce({ Resource: 'arn:aws:s3:::b' }, /Resource: "s3:GetObject" needs the ARN of objects/)
    warnsOnce({ Action: 's3:ListBucket' }, /"s3:ListBucket" needs the ARN of a bucket/)
    warnsOnce(
      { Action: 's3:ListAllMyBuckets' },
      /"s3:ListAllMyBuckets" needs the ARN of everything/,
    )
    assert.deepEqual(warnings({ Action: 's3:List*' }), [])
  })

  test('speak of condition keys that the actions never have', () => {
    const onPrefix = { Condition: { StringLike: { 's3:prefix': 'a*' } } }
    warnsOnce(onPrefix, /s3:prefix: no action of the statement has this key/)
    const listing = { ...onPrefix, Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b' }
    assert.deepEqual(warnings(listing), [])
    assert.deepEqual(warnings({ ...onPrefix, Action: '*', Resource: '*' }), [])
  })

  test('speak of ForAllValues without a guard, in an Allow', () => {
    const open = { 'ForAllValues:StringEquals': { 'aws:groups': 'a' } }
    warnsOnce({ Condition: open }, /aws:groups: also true without any value; add "Null": "false"/)
    const guard = { ...open, Null: { 'aws:Groups': 'false' } }
    assert.deepEqual(warnings({ Condition: guard }), [])
    const denials = policyOf([allow, { ...allow, Effect: 'Deny', Condition: open }])
    assert.deepEqual(denials.warnings, [])
  })

  test('speak of headers that anybody can send', () => {
    warnsOnce({ Condition: { StringLike: { 'aws:Referer': 'x*' } } }, /it proves nothing/)
  })

  test('speak of documents that allow nothing', () => {
    warnsOnce({ Effect: 'Deny' }, /^Statement: nothing is allowed by this document/, 'session')
    assert.deepEqual(warnings({ Effect: 'Deny', Principal: '*' }, 'bucket'), [])
  })

  test('speak of principals who never come', () => {
    const Principal = { Service: 'logging.s3.amazonaws.com', AWS: account }
    warnsOnce({ Principal }, /Principal\.Service: is nobody who can ask here/, 'bucket')
  })
})

describe('canned policies', () => {
  test('are the five that users of MinIO know, without a warning', () => {
    const names = ['readonly', 'writeonly', 'readwrite', 'diagnostics', 'consoleAdmin']
    assert.deepEqual([...cannedPolicies.keys()], names)
    for (const policy of cannedPolicies.values()) assert.deepEqual(policy.warnings, [])
    assert.equal(cannedPolicies.get('Readonly'), undefined)
  })
})
