import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { takesAtMost } from '../../test/bounds/processor-time.ts'
import { array, assert as check, asyncProperty, constantFrom, tuple } from 'fast-check'
import { actions } from './actions.ts'
import { wireErrorOf } from './wire-errors.ts'
import { call, document, element, formOf, makeWorld, post, read, root } from './testing/world.ts'

const UserName = 'ann'
const tag = (number: number | string, Key: string, Value: string) => ({
  [`Tags.member.${number}.Key`]: Key,
  [`Tags.member.${number}.Value`]: Value,
})

describe('lists of the query protocol', () => {
  it('are read in order, and an empty one is none', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser(UserName)
    const fields = { UserName, ...tag(1, 'a', 'x'), ...tag(2, 'b', '') }
    assert.equal((await call(world, root, 'TagUser', fields)).response.status, 200)
    assert.equal((await call(world, root, 'TagUser', { UserName, Tags: '' })).response.status, 200)
    assert.deepEqual(
      [...(world.admin.findUser(UserName)?.tags ?? [])],
      [
        ['a', 'x'],
        ['b', ''],
      ],
    )
  })

  it('are refused with gaps, halves, other numbers, other members, or as one text', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser(UserName)
    const bad: readonly Readonly<Record<string, string>>[] = [
      tag(2, 'a', 'x'),
      { ...tag(1, 'a', 'x'), ...tag(3, 'b', 'x') },
      tag(0, 'a', 'x'),
      tag('01', 'a', 'x'),
      { 'Tags.member.1.Key': 'a' },
      { 'Tags.member.1.Value': 'a' },
      { ...tag(1, 'a', 'x'), 'Tags.member.1.More': 'x' },
      { 'Tags.1.Key': 'a', 'Tags.1.Value': 'x' },
      { Tags: 'a=b' },
      { 'Tags.member.1': 'a' },
      { ...tag(1, 'a', 'x'), ...tag(2, 'a', 'y') },
    ]
    for (const fields of bad) {
      const { code } = await call(world, root, 'TagUser', { UserName, ...fields })
      assert.equal(code, 'ValidationError', JSON.stringify(fields))
    }
    const twice = { UserName, ...tag(1, 'a', 'x'), ...tag(2, 'A', 'y') }
    assert.equal((await call(world, root, 'TagUser', twice)).code, 'InvalidInput')
    const none = await call(world, root, 'UntagUser', { UserName })
    assert.equal(none.code, 'ValidationError')
    assert.equal(world.admin.findUser(UserName)?.tags.size, 0)
  })

  it('stand in the audit as they came', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser(UserName)
    await call(world, root, 'TagUser', { UserName, ...tag(1, 'a', 'x') })
    assert.deepEqual(world.audit[0]?.parameters, { UserName, ...tag(1, 'a', 'x') })
  })

  it('of 64 KiB cost no time', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser(UserName)
    const names = Array.from({ length: 1800 }, (_, index) => `Tags.member.${1800 - index}.Key=a`)
    for (const more of [names.join('&'), `Tags${'.a'.repeat(30_000)}=`, 'Tags.member.1.Key=']) {
      const body = `${formOf('TagUser', { UserName })}&${more}`
      await takesAtMost(200, async () => {
        const { code } = read(await world.face.handle(post(body, root)))
        assert.equal(code, 'ValidationError')
      })
    }
  })
})

describe('every action', () => {
  const names = constantFrom(
    'UserName',
    'RoleName',
    'GroupName',
    'PolicyName',
    'PolicyArn',
    'PolicyDocument',
    'Tags',
    'AssumeRolePolicyDocument',
    'Url',
    'ClientIDList.member.1',
    'Marker',
    'MaxItems',
    'Path',
    'Tags.member.1.Key',
    'Tags.member.1.Value',
    'ActionNames.member.1',
    'PolicySourceArn',
    'ContextEntries.member.1.ContextKeyName',
    'PolicyInputList.member.1',
    'VersionId',
    'ContextEntries.member.1.ContextKeyValues.member.1',
    'ResourceArns.member.1',
    'Filter',
    'OpenIDConnectProviderArn',
    'PrincipalKind',
    'PrincipalName',
    'ActionName',
    'ResourceArn',
  )
  const values = constantFrom(
    '',
    'ann',
    'p',
    '*',
    '/',
    'true',
    '-1',
    '5',
    '\0',
    'ä',
    '{}',
    'x'.repeat(3000),
    '%00',
    'arn:aws:iam::000000000000:policy/p',
    'arn:aws:iam::000000000000:user/ann',
    'aws:SourceIp',
    'arn:aws:iam::aws:policy/readonly',
    'https://a.example.org',
    's3:GetObject',
    'ldap-user',
    JSON.stringify(document('s3:*')),
    '__proto__',
    'arn:aws:s3:::b/k',
    'cn=a',
    's3:max-keys',
  )

  it('answers any form with success or a documented error, and has no fault', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser(UserName)
    await check(
      asyncProperty(
        constantFrom(...actions.keys()),
        array(tuple(names, values), { maxLength: 6 }),
        async (action, fields) => {
          const { response, text } = await call(world, root, action, Object.fromEntries(fields))
          assert.ok(response.status < 500, text)
        },
      ),
      { numRuns: 1500 },
    )
    assert.deepEqual(world.faults, [])
  })

  it('refuses somebody without permission, whatever exists, and changes nothing', async (t) => {
    const world = await makeWorld(t)
    const nobody = await world.makeUser('nobody')
    const given = {
      UserName,
      GroupName: 'g',
      RoleName: 'r',
      PolicyName: 'p',
      PolicyArn: 'arn:aws:iam::000000000000:policy/p',
      PolicyDocument: JSON.stringify(document('s3:*')),
      AssumeRolePolicyDocument: JSON.stringify(document('s3:*')),
      PermissionsBoundary: 'arn:aws:iam::000000000000:policy/p',
      AccessKeyId: 'ABCD',
      SecretAccessKey: 'a secret of the tests',
      Status: 'enabled',
      VersionId: 'v1',
      Url: 'https://a.example.org',
      ClientID: 'a',
      OpenIDConnectProviderArn: 'arn:aws:iam::000000000000:oidc-provider/a.example.org',
      'ThumbprintList.member.1': 'a',
      'TagKeys.member.1': 'a',
      'ActionNames.member.1': 's3:GetObject',
      'PolicyInputList.member.1': '{}',
      PolicySourceArn: 'arn:aws:iam::000000000000:user/ann',
      ActionName: 's3:GetObject',
      ResourceArn: '*',
      PrincipalKind: 'ldap-user',
      PrincipalName: 'cn=a',
      Tenant: 'store/main',
      IssuedBefore: '2026-01-01T00:00:00Z',
    }
    for (const action of actions.keys()) {
      let fields: Readonly<Record<string, string>> = given
      let { code, text } = await call(world, nobody, action, fields)
      // Whatever the action does not know is left out, one by one.
      while (code === 'ValidationError') {
        const unknown = /does not know the parameter ([\w.]+) here/.exec(text)?.[1]
        const other = /(\w+) must be/.exec(text)?.[1]
        if (unknown !== undefined) {
          fields = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== unknown))
        } else if (other === 'Status') fields = { ...fields, Status: 'Active' }
        else if (other === 'AccessKeyId')
          fields = { ...fields, AccessKeyId: `ASIA${'A'.repeat(16)}` }
        else if (/exactly one way/.test(text)) {
          fields = { UserName }
        } else assert.fail(`${action}: ${text}`)
        ;({ code, text } = await call(world, nobody, action, fields))
      }
      assert.equal(code, 'AccessDenied', `${action}: ${text}`)
    }
    assert.deepEqual(
      world.audit.filter(({ outcome }) => outcome !== 'refused'),
      [],
    )
  })

  it('has a wire code for what it refuses', () => {
    for (const code of ['not_supported', 'invalid_value', 'conflict', 'limit_exceeded']) {
      assert.ok(wireErrorOf(code), code)
    }
  })
})

describe('permission for what a new thing comes with', () => {
  it('is asked for, besides that to make it', async (t) => {
    const world = await makeWorld(t)
    const maker = await world.makeUser('maker', document(['iam:CreateUser', 'iam:CreatePolicy']))
    assert.equal((await call(world, maker, 'CreateUser', { UserName })).response.status, 200)
    const tagged = { UserName: 'bob', ...tag(1, 'a', 'x') }
    const { text } = await call(world, maker, 'CreateUser', tagged)
    assert.match(
      element(text, 'Message') ?? '',
      /iam:TagUser on arn:aws:iam::000000000000:user\/bob/,
    )
    const bounded = { UserName: 'bob', PermissionsBoundary: 'arn:aws:iam::aws:policy/readonly' }
    assert.equal((await call(world, maker, 'CreateUser', bounded)).code, 'AccessDenied')
    assert.equal(world.admin.findUser('bob'), undefined)
  })
})

describe('a path prefix', () => {
  it('is that of everything, or of nothing', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    await world.admin.attachUserPolicy('ann', 'readonly')
    for (const [action, fields] of [
      ['ListUsers', {}],
      ['ListPolicies', {}],
      ['ListAttachedUserPolicies', { UserName: 'ann' }],
      ['ListEntitiesForPolicy', { PolicyArn: 'arn:aws:iam::aws:policy/readonly' }],
    ] as const) {
      const found = async (PathPrefix: string) => {
        const answer = await call(world, root, action, { ...fields, PathPrefix })
        assert.equal(answer.code, undefined, answer.text)
        return /<(?:UserName|PolicyName)>/.test(answer.text)
      }
      assert.equal(await found('/'), true, action)
      assert.equal(await found('/aws-service-role/'), false, action)
      assert.equal(await found('/x'), false, action)
      const bad = await call(world, root, action, { ...fields, PathPrefix: 'x/' })
      assert.equal(bad.code, 'ValidationError', action)
    }
  })
})
