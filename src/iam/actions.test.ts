import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { principalKey } from '../credentials/index.ts'
import { call, document, element, makeWorld, root } from './testing/world.ts'
import type { World } from './testing/world.ts'

const policyText = JSON.stringify(document('s3:GetObject', 'arn:aws:s3:::b/*'))
const local = 'arn:aws:iam::000000000000:policy/'

/** Runs calls of root in order; each must answer this status and code. */
async function expectCodes(
  world: World,
  steps: readonly (readonly [string, Readonly<Record<string, string>>, number, string?])[],
): Promise<void> {
  for (const [action, fields, status, code] of steps) {
    const answer = await call(world, root, action, fields)
    assert.equal(answer.response.status, status, `${action}: ${answer.text}`)
    assert.equal(answer.code, code, action)
  }
}

describe('users (AWS IAM API reference)', () => {
  it('are made once, found, and gone when deleted', async (t) => {
    const world = await makeWorld(t)
    const UserName = 'ann'
    await expectCodes(world, [
      ['GetUser', { UserName }, 404, 'NoSuchEntity'],
      ['CreateUser', { UserName, Path: '/' }, 200],
      ['CreateUser', { UserName }, 409, 'EntityAlreadyExists'],
      ['GetUser', { UserName }, 200],
      ['DeleteUser', { UserName }, 200],
      ['DeleteUser', { UserName }, 404, 'NoSuchEntity'],
    ])
  })

  it('answer as the API reference shows it', async (t) => {
    const world = await makeWorld(t)
    const { text } = await call(world, root, 'CreateUser', { UserName: 'ann' })
    assert.match(
      text,
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<CreateUserResponse xmlns="https:\/\/iam.amazonaws.com\/doc\/2010-05-08\/"><CreateUserResult><User>/,
    )
    assert.equal(element(text, 'Arn'), 'arn:aws:iam::000000000000:user/ann')
    assert.match(element(text, 'UserId') ?? '', /^AIDA[A-Z0-9]{16}$/)
    assert.equal(element(text, 'CreateDate'), '2026-03-04T05:06:07Z')
    assert.match(
      text,
      /<ResponseMetadata><RequestId>0123456789ABCDEF<\/RequestId><\/ResponseMetadata><\/CreateUserResponse>$/,
    )
  })

  it('of the file are not changed here', async (t) => {
    const world = await makeWorld(t)
    const UserName = 'file-user'
    await expectCodes(world, [
      ['DeleteUser', { UserName }, 400, 'UnmodifiableEntity'],
      ['SetUserStatus', { UserName, Status: 'disabled' }, 400, 'UnmodifiableEntity'],
      ['CreateAccessKey', { UserName }, 400, 'UnmodifiableEntity'],
      ['DeleteAccessKey', { UserName, AccessKeyId: 'filekey' }, 400, 'UnmodifiableEntity'],
      ['AttachUserPolicy', { UserName, PolicyArn: `${local}from-file` }, 400, 'UnmodifiableEntity'],
      ['CreateUser', { UserName }, 409, 'EntityAlreadyExists'],
    ])
  })

  it('may leave out their own name, root and others may not', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob', document('iam:*', 'arn:aws:iam::000000000000:user/bob'))
    assert.equal(element((await call(world, key, 'GetUser')).text, 'UserName'), 'bob')
    assert.equal(
      element((await call(world, key, 'ListAccessKeys')).text, 'AccessKeyId'),
      key.accessKeyId,
    )
    assert.equal(
      element((await call(world, root, 'GetUser')).text, 'Arn'),
      'arn:aws:iam::000000000000:root',
    )
    assert.equal((await call(world, root, 'CreateAccessKey')).code, 'ValidationError')
    assert.equal((await call(world, root, 'ListAccessKeys')).code, 'ValidationError')
  })

  it('are listed page by page, ordered by name, none twice and none left out', async (t) => {
    const world = await makeWorld(t)
    const names = ['ann', 'bob', 'cyd', 'dan', 'eve']
    for (const name of names) await world.admin.createUser(name)
    const seen: (string | undefined)[] = []
    let Marker: string | undefined
    do {
      const fields: Record<string, string> = { MaxItems: '2', ...(Marker ? { Marker } : {}) }
      const { text } = await call(world, root, 'ListUsers', fields)
      seen.push(...[...text.matchAll(/<UserName>([^<]*)</g)].map(([, name]) => name))
      Marker = element(text, 'Marker')
      if (seen.length === 2) await world.admin.deleteUser('bob')
    } while (Marker !== undefined)
    assert.deepEqual(seen, [...names, 'file-user'])
  })

  it('are not listed with a foreign marker or a page size out of range', async (t) => {
    const world = await makeWorld(t)
    for (const fields of [
      { Marker: '!!' },
      { Marker: '_w' },
      { MaxItems: '0' },
      { MaxItems: '1001' },
      { MaxItems: '1e2' },
    ]) {
      assert.equal(
        (await call(world, root, 'ListUsers', fields)).code,
        'ValidationError',
        JSON.stringify(fields),
      )
    }
  })
})

describe('access keys (AWS IAM API reference)', () => {
  it('may be narrower than their user, end, and have a name', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const made = await call(world, root, 'CreateAccessKey', {
      UserName: 'ann',
      Status: 'Inactive',
      KeyName: 'backup',
      Description: 'every night',
      ExpireDate: '2027-01-31T12:00:00Z',
      PolicyDocument: JSON.stringify(document('s3:GetObject')),
    })
    assert.equal(element(made.text, 'HasPolicy'), 'true')
    const AccessKeyId = element(made.text, 'AccessKeyId') ?? ''
    const { text } = await call(world, root, 'GetAccessKey', { AccessKeyId })
    assert.equal(element(text, 'Status'), 'Inactive')
    assert.equal(element(text, 'ExpireDate'), '2027-01-31T12:00:00Z')
    assert.match(decodeURIComponent(element(text, 'PolicyDocument') ?? ''), /s3:GetObject/)
    assert.doesNotMatch(text, /Secret/)
  })

  for (const [title, fields, code] of [
    ['an end that is no instant', { ExpireDate: 'tomorrow' }, 'ValidationError'],
    ['an end without a zone', { ExpireDate: '2027-01-31T12:00:00' }, 'ValidationError'],
    ['an end on a day that is none', { ExpireDate: '2027-13-31T12:00:00Z' }, 'ValidationError'],
    ['an empty end', { ExpireDate: '' }, 'ValidationError'],
    ['a policy that is none', { PolicyDocument: 'null' }, 'MalformedPolicyDocument'],
    ['an empty policy', { PolicyDocument: '' }, 'MalformedPolicyDocument'],
    ['an unknown status', { Status: 'on' }, 'ValidationError'],
    ['half a pair', { SecretAccessKey: 'a long enough secret' }, 'ValidationError'],
  ] as const) {
    it(`are not made with ${title}`, async (t) => {
      const world = await makeWorld(t)
      await world.admin.createUser('ann')
      await expectCodes(world, [['CreateAccessKey', { UserName: 'ann', ...fields }, 400, code]])
      assert.deepEqual(world.admin.listAccessKeys('ann'), [])
    })
  }

  it('of another server are brought, compared and replaced by who may import, and the secret stays off the record', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const helper = await world.makeUser('bob', document(['iam:CreateAccessKey', 'iam:List*']))
    const fields = {
      UserName: 'ann',
      AccessKeyId: 'ann',
      SecretAccessKey: 'a secret from elsewhere',
    }
    for (const action of ['CreateAccessKey', 'CompareAccessKey', 'ReplaceAccessKey']) {
      assert.equal((await call(world, helper, action, fields)).code, 'AccessDenied', action)
    }
    const before = await call(world, root, 'CompareAccessKey', fields)
    assert.equal(element(before.text, 'Exists'), 'false')
    await expectCodes(world, [
      ['ReplaceAccessKey', fields, 404, 'NoSuchEntity'],
      ['CreateAccessKey', fields, 200],
      ['CreateAccessKey', fields, 409, 'EntityAlreadyExists'],
      ['CompareAccessKey', { ...fields, SecretAccessKey: '' }, 400, 'ValidationError'],
    ])
    const other = {
      ...fields,
      SecretAccessKey: 'another secret from elsewhere',
      Status: 'Inactive',
    }
    const compared = await call(world, root, 'CompareAccessKey', other)
    assert.match(compared.text, /<member>secret<\/member><member>status<\/member>/)
    await expectCodes(world, [['ReplaceAccessKey', other, 200]])
    const same = await call(world, root, 'CompareAccessKey', other)
    assert.equal(element(same.text, 'Exists'), 'true')
    assert.doesNotMatch(same.text, /<member>/)
    assert.doesNotMatch(JSON.stringify(world.audit), /from elsewhere/)
    assert.doesNotMatch(same.text + compared.text, /from elsewhere/)
  })

  it('show their secret once, in the answer that makes them', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const made = await call(world, root, 'CreateAccessKey', { UserName: 'ann' })
    const AccessKeyId = element(made.text, 'AccessKeyId') ?? ''
    const secret = element(made.text, 'SecretAccessKey') ?? ''
    assert.ok(world.admin.findAccessKey(AccessKeyId)?.secretAccessKey.reveal() === secret && secret)
    for (const action of ['ListAccessKeys', 'GetUser']) {
      assert.doesNotMatch((await call(world, root, action, { UserName: 'ann' })).text, /Secret/)
    }
    assert.doesNotMatch((await call(world, root, 'ListAllAccessKeys')).text, /Secret/)
    assert.equal(
      element((await call(world, root, 'GetAccessKeyLastUsed', { AccessKeyId })).text, 'UserName'),
      'ann',
    )
  })

  it('stop and start working', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob', document('iam:*'))
    const fields = { UserName: 'bob', AccessKeyId: key.accessKeyId }
    await expectCodes(world, [['UpdateAccessKey', { ...fields, Status: 'Inactive' }, 200]])
    assert.equal((await call(world, key, 'ListUsers')).code, 'InvalidClientTokenId')
    await expectCodes(world, [['UpdateAccessKey', { ...fields, Status: 'Active' }, 200]])
    assert.equal((await call(world, key, 'ListUsers')).response.status, 200)
    await expectCodes(world, [
      ['DeleteAccessKey', fields, 200],
      ['DeleteAccessKey', fields, 404, 'NoSuchEntity'],
    ])
    assert.equal((await call(world, key, 'ListUsers')).code, 'InvalidClientTokenId')
  })

  it('are not reached through another user', async (t) => {
    const world = await makeWorld(t)
    const victim = await world.makeUser('victim')
    const key = await world.makeUser('bob', document('iam:*', 'arn:aws:iam::000000000000:user/bob'))
    const AccessKeyId = victim.accessKeyId
    assert.equal((await call(world, key, 'DeleteAccessKey', { AccessKeyId })).code, 'NoSuchEntity')
    const own = { AccessKeyId, UserName: 'bob', Status: 'Inactive' }
    assert.equal((await call(world, key, 'UpdateAccessKey', own)).code, 'NoSuchEntity')
    assert.equal(
      (await call(world, key, 'DeleteAccessKey', { AccessKeyId, UserName: 'victim' })).code,
      'AccessDenied',
    )
    assert.equal(world.admin.findAccessKey(AccessKeyId)?.status, 'Active')
  })

  it('are imported whole or not at all', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const UserName = 'ann'
    await expectCodes(world, [
      ['CreateAccessKey', { UserName, AccessKeyId: 'imported' }, 400, 'ValidationError'],
      ['CreateAccessKey', { UserName, SecretAccessKey: 'long enough' }, 400, 'ValidationError'],
      [
        'CreateAccessKey',
        { UserName, AccessKeyId: 'imported', SecretAccessKey: 'short' },
        400,
        'ValidationError',
      ],
      [
        'CreateAccessKey',
        { UserName, AccessKeyId: 'ASIAAAAAAAAAAAAAAAAA', SecretAccessKey: 'long enough' },
        400,
        'ValidationError',
      ],
      [
        'CreateAccessKey',
        { UserName, AccessKeyId: 'imported', SecretAccessKey: 'long enough' },
        200,
      ],
      [
        'CreateAccessKey',
        { UserName, AccessKeyId: 'imported', SecretAccessKey: 'long enough' },
        409,
        'EntityAlreadyExists',
      ],
      ['CreateAccessKey', { UserName: 'nobody' }, 404, 'NoSuchEntity'],
    ])
  })
})

describe('policies (AWS IAM API reference)', () => {
  it('are made, attached, replaced, detached and deleted, in no other order', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const [UserName, PolicyName, PolicyArn] = ['ann', 'p', `${local}p`]
    await expectCodes(world, [
      ['CreatePolicy', { PolicyName, PolicyDocument: policyText }, 200],
      ['CreatePolicy', { PolicyName, PolicyDocument: policyText }, 409, 'EntityAlreadyExists'],
      ['DetachUserPolicy', { UserName, PolicyArn }, 404, 'NoSuchEntity'],
      ['AttachUserPolicy', { UserName, PolicyArn }, 200],
      ['DeletePolicy', { PolicyArn }, 409, 'DeleteConflict'],
      ['CreatePolicyVersion', { PolicyArn, PolicyDocument: policyText, SetAsDefault: 'true' }, 200],
      ['DetachUserPolicy', { UserName, PolicyArn }, 200],
      ['DeletePolicy', { PolicyArn }, 409, 'DeleteConflict'],
      ['DeletePolicyVersion', { PolicyArn, VersionId: 'v2' }, 409, 'DeleteConflict'],
      ['DeletePolicyVersion', { PolicyArn, VersionId: 'v1' }, 200],
      ['DeletePolicy', { PolicyArn }, 200],
      ['GetPolicy', { PolicyArn }, 404, 'NoSuchEntity'],
      ['AttachUserPolicy', { UserName, PolicyArn }, 404, 'NoSuchEntity'],
    ])
  })

  it('are refused when malformed, too long or ill-named', async (t) => {
    const world = await makeWorld(t)
    const PolicyName = 'p'
    const long = JSON.stringify(document('s3:GetObject', `arn:aws:s3:::b/${'x'.repeat(21_000)}`))
    await expectCodes(world, [
      ['CreatePolicy', { PolicyName, PolicyDocument: '{' }, 400, 'MalformedPolicyDocument'],
      [
        'CreatePolicy',
        { PolicyName, PolicyDocument: '{"Statement":[]}' },
        400,
        'MalformedPolicyDocument',
      ],
      [
        'CreatePolicy',
        { PolicyName, PolicyDocument: policyText, Description: 'x'.repeat(1001) },
        400,
        'InvalidInput',
      ],
      ['CreatePolicy', { PolicyName: 'a,b', PolicyDocument: policyText }, 400, 'ValidationError'],
      [
        'CreatePolicyVersion',
        { PolicyArn: `${local}p`, PolicyDocument: policyText, SetAsDefault: 'true' },
        404,
        'NoSuchEntity',
      ],
    ])
    assert.ok(
      [400, 409].includes(
        (await call(world, root, 'CreatePolicy', { PolicyName, PolicyDocument: long })).response
          .status,
      ),
    )
    assert.equal(world.admin.findPolicy('p'), undefined)
  })

  it('of the file and built-in ones are shown and attached, never changed', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const builtIn = 'arn:aws:iam::aws:policy/readonly'
    const change = { PolicyDocument: policyText, SetAsDefault: 'true' }
    await expectCodes(world, [
      ['GetPolicy', { PolicyArn: builtIn }, 200],
      ['AttachUserPolicy', { UserName: 'ann', PolicyArn: builtIn }, 200],
      ['DeletePolicy', { PolicyArn: builtIn }, 400, 'UnmodifiableEntity'],
      ['CreatePolicyVersion', { PolicyArn: builtIn, ...change }, 400, 'UnmodifiableEntity'],
      [
        'CreatePolicyVersion',
        { PolicyArn: `${local}from-file`, ...change },
        400,
        'UnmodifiableEntity',
      ],
      [
        'CreatePolicy',
        { PolicyName: 'readonly', PolicyDocument: policyText },
        409,
        'EntityAlreadyExists',
      ],
    ])
  })

  it('have one ARN each: another spelling names nothing', async (t) => {
    const world = await makeWorld(t)
    for (const arn of [
      'arn:aws:iam::000000000000:policy/readonly',
      'arn:aws:iam::aws:policy/from-file',
    ]) {
      assert.equal(
        (await call(world, root, 'GetPolicy', { PolicyArn: arn })).code,
        'NoSuchEntity',
        arn,
      )
    }
    for (const arn of [
      'readonly',
      'arn:aws:iam::1:policy/x',
      `${local}a/b`,
      local,
      `${local}x\n`,
    ]) {
      assert.equal(
        (await call(world, root, 'GetPolicy', { PolicyArn: arn })).code,
        'ValidationError',
        arn,
      )
    }
  })

  it('answer their document percent-encoded, under the current version only', async (t) => {
    const world = await makeWorld(t)
    await call(world, root, 'CreatePolicy', { PolicyName: 'p', PolicyDocument: policyText })
    const PolicyArn = `${local}p`
    const { text } = await call(world, root, 'GetPolicyVersion', { PolicyArn, VersionId: 'v1' })
    assert.deepEqual(
      JSON.parse(decodeURIComponent(element(text, 'Document') ?? '')),
      JSON.parse(policyText),
    )
    assert.equal(
      (await call(world, root, 'GetPolicyVersion', { PolicyArn, VersionId: 'v2' })).code,
      'NoSuchEntity',
    )
    assert.equal(
      element((await call(world, root, 'ListPolicyVersions', { PolicyArn })).text, 'VersionId'),
      'v1',
    )
  })

  it('are listed by scope and attachment', async (t) => {
    const world = await makeWorld(t)
    const names = async (fields: Readonly<Record<string, string>>): Promise<string[]> => {
      const { text } = await call(world, root, 'ListPolicies', fields)
      return [...text.matchAll(/<PolicyName>([^<]*)</g)].map(([, name]) => name ?? '')
    }
    assert.deepEqual(await names({ Scope: 'Local' }), ['from-file'])
    assert.deepEqual(await names({ OnlyAttached: 'true' }), ['from-file'])
    assert.ok((await names({ Scope: 'AWS' })).includes('consoleAdmin'))
    assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), [])
    const attached = await call(world, root, 'ListAttachedUserPolicies', { UserName: 'file-user' })
    assert.equal(element(attached.text, 'PolicyArn'), `${local}from-file`)
  })
})

describe('the key ring and revocation', () => {
  it('rotates and lists', async (t) => {
    const world = await makeWorld(t)
    assert.equal(element((await call(world, root, 'ListSigningKeys')).text, 'SigningKeyId'), 'k1')
    assert.equal(element((await call(world, root, 'RotateSigningKeys')).text, 'SigningKeyId'), 'k2')
    assert.deepEqual(
      world.audit.map(({ action }) => action),
      ['RotateSigningKeys', 'RotateSigningKeys'],
    )
  })

  it('ends one session, a principal, a user, or root', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('bob')
    const session = 'ASIAABCDEFGHIJKLMNOP'
    await expectCodes(world, [
      ['RevokeSessions', { AccessKeyId: session, Reason: 'leaked' }, 200],
      ['RevokeSessions', { Provider: 'corp', Subject: 'ann/x' }, 200],
      ['RevokeSessions', { UserName: 'bob' }, 200],
      ['RevokeSessions', { Root: 'true' }, 200],
      ['RevokeSessions', { UserName: 'bbo' }, 404, 'NoSuchEntity'],
    ])
    const web = principalKey({ kind: 'web-identity', provider: 'corp', subject: 'ann/x' })
    const user = principalKey({ kind: 'user', provider: 'internal', subject: 'bob' })
    assert.deepEqual(
      world.revoked.map((rule) => [rule.session, rule.principal, rule.reason]),
      [
        [session, undefined, 'leaked'],
        [undefined, web, ''],
        [undefined, user, ''],
        [undefined, principalKey({ kind: 'root', provider: 'internal', subject: 'root' }), ''],
      ],
    )
    assert.match((await call(world, root, 'ListRevocations')).text, /leaked/)
  })

  it('ends what a binding gave, or all of a cluster', async (t) => {
    const world = await makeWorld(t)
    const binding = 'sts.min.io/PolicyBinding/store/web.1'
    await expectCodes(world, [
      ['RevokeSessions', { Binding: binding }, 200],
      ['RevokeSessions', { Cluster: 'local' }, 200],
    ])
    assert.deepEqual(
      world.revoked.map((rule) => [rule.policySource, rule.provider]),
      [
        [`binding/${binding}`, undefined],
        [undefined, 'local'],
      ],
    )
    assert.match((await call(world, root, 'ListRevocations')).text, /<PolicySource>binding\/sts/)
  })

  it('ends what a provider, a role or a policy gave, until a given time', async (t) => {
    const world = await makeWorld(t)
    const trustPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
    })
    const { arn } = await world.admin.createRole({ name: 'writer', trustPolicy })
    const ofProvider = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0'
    const IssuedBefore = '2020-01-31T09:00:00Z'
    await expectCodes(world, [
      ['RevokeSessions', { Provider: 'corp', IssuedBefore }, 200],
      ['RevokeSessions', { Role: 'writer' }, 200],
      ['RevokeSessions', { Role: arn }, 200],
      ['RevokeSessions', { Role: ofProvider }, 200],
      ['RevokeSessions', { PolicyName: 'readonly' }, 200],
      ['RevokeSessions', { Role: 'wrriter' }, 404, 'NoSuchEntity'],
      ['RevokeSessions', { PolicyName: 'readonyl' }, 404, 'NoSuchEntity'],
    ])
    assert.deepEqual(
      world.revoked.map(({ provider, role, policySource }) => provider ?? role ?? policySource),
      ['corp', arn, arn, ofProvider, 'policy/readonly'],
    )
    assert.equal(world.revoked[0]?.issuedBefore?.toISOString(), '2020-01-31T09:00:00.000Z')
  })

  for (const [title, fields] of [
    ['nobody', {}],
    ['a binding without its kind', { Binding: 'store/web' }],
    ['a binding of another kind', { Binding: 'rbac/RoleBinding/store/web' }],
    ['a cluster that has no name', { Cluster: '' }],
    ['a cluster that can have no such name', { Cluster: 'My Cluster' }],
    ['a binding and a cluster', { Binding: 'daypass.dev/Binding/s/w', Cluster: 'local' }],
    ['an empty session', { AccessKeyId: '' }],
    ['something that is no session', { AccessKeyId: 'rootkey' }],
    ['half a principal', { Subject: 'ann' }],
    ['what will be issued', { UserName: 'bob', IssuedBefore: '2999-01-01T00:00:00Z' }],
    ['by no instant', { Root: 'true', IssuedBefore: 'yesterday' }],
    ['a role and a policy', { Role: 'r', PolicyName: 'p' }],
    ['two at once', { UserName: 'bob', AccessKeyId: 'ASIAABCDEFGHIJKLMNOP' }],
    ['root, perhaps', { Root: 'false' }],
    ['one and a half', { UserName: 'bob', Subject: 'ann' }],
    ['an overlong reason', { UserName: 'bob', Reason: 'x'.repeat(257) }],
  ] as const) {
    it(`refuses to revoke ${title}`, async (t) => {
      const world = await makeWorld(t)
      await expectCodes(world, [['RevokeSessions', fields, 400, 'ValidationError']])
      assert.deepEqual(world.revoked, [])
    })
  }
})
