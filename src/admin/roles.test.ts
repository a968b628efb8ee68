import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePolicy } from '../policy/index.ts'
import { allow, nothing, open, refuses, trust } from './testing/house.ts'

const role = { kind: 'role', name: 'r' } as const
const arn = 'arn:aws:iam::000000000000:role/r'

describe('roles', () => {
  it('are found by name and by ARN, with their policies', async () => {
    const { admin } = await open()
    const made = await admin.createRole({
      name: 'r',
      trustPolicy: trust(),
      description: 'for tests',
    })
    assert.match(made.id, /^AROA[A-Z2-7]{16}$/)
    assert.equal(made.arn, arn)
    assert.equal(made.maxSessionSeconds, 3600)
    assert.equal(made.trustPolicy.kind, 'trust')
    assert.deepEqual(admin.findRole(arn), admin.findRole('r'))
    assert.deepEqual(admin.policiesOfRole(arn), [])
    await admin.attachPolicy(role, 'readonly')
    await admin.putInlinePolicy(role, 'own', allow('s3:PutObject'))
    assert.deepEqual(
      admin.policiesOfRole('r')?.map(({ name }) => name),
      ['readonly', 'role r: own'],
    )
    for (const other of [
      'x',
      'arn:aws:iam::000000000000:role/x',
      'arn:aws:iam::1:role/r',
      `${arn}/`,
    ]) {
      assert.equal(admin.findRole(other), undefined)
      assert.equal(admin.policiesOfRole(other), undefined)
    }
    await admin.close()
  })

  it('are refused without a trust policy that parses, and with members out of bounds', async () => {
    const { admin } = await open()
    const make = (change: object) =>
      admin.createRole({ name: 'r', trustPolicy: trust(), ...change })
    await refuses(make({ trustPolicy: '{' }), 'malformed_policy')
    await refuses(make({ trustPolicy: '' }), 'malformed_policy')
    await refuses(make({ trustPolicy: allow('s3:GetObject') }), 'malformed_policy')
    for (const maxSessionSeconds of [0, 3599, 43_201, 3600.5, NaN]) {
      await refuses(make({ maxSessionSeconds }), 'invalid_value')
    }
    await refuses(make({ description: 'x'.repeat(1001) }), 'invalid_value')
    await refuses(make({ permissionsBoundary: 'unknown' }), 'no_such_entity')
    for (const name of ['', 'a/b', 'a:b', 'a'.repeat(65)]) {
      await refuses(make({ name }), 'invalid_name')
    }
    assert.deepEqual(admin.listRoles(), [])
    await make({})
    await refuses(make({}), 'already_exists')
    await refuses(admin.updateTrustPolicy('r', '{}'), 'malformed_policy')
    await refuses(admin.updateTrustPolicy('x', trust()), 'no_such_entity')
    await refuses(admin.updateRole('r', { maxSessionSeconds: 1 }), 'invalid_value')
    await admin.close()
  })

  it('change their trust, their description and their longest session', async () => {
    const { admin } = await open()
    await admin.createRole({ name: 'r', trustPolicy: trust(), description: 'old' })
    await admin.updateTrustPolicy('r', trust({ AWS: 'arn:aws:iam::000000000000:user/alice' }))
    const { trustPolicy } = admin.findRole('r') ?? {}
    assert.ok(trustPolicy && 'text' in trustPolicy)
    assert.match(trustPolicy.text, /user\/alice/)
    await admin.updateRole('r', { maxSessionSeconds: 7200 })
    assert.equal(admin.findRole('r')?.description, 'old')
    assert.equal(admin.findRole('r')?.maxSessionSeconds, 7200)
    await admin.updateRole('r', { description: '' })
    assert.equal(admin.findRole('r')?.description, undefined)
    await admin.close()
  })

  it('end their sessions when deleted, and are others when made again', async () => {
    const { admin, revoked } = await open()
    const first = await admin.createRole({ name: 'r', trustPolicy: trust() })
    await admin.attachPolicy(role, 'readonly')
    await refuses(admin.deleteRole('r'), 'delete_conflict')
    assert.deepEqual(revoked, [])
    await admin.deleteRole('r', 'cascade')
    assert.deepEqual(revoked, [arn])
    assert.equal(admin.policiesOfRole(arn), undefined)
    const second = await admin.createRole({ name: 'r', trustPolicy: trust() })
    assert.notEqual(second.id, first.id)
    assert.deepEqual(admin.policiesOfRole(arn), [], 'nothing of the old one is left')
    await refuses(admin.deleteRole('x'), 'no_such_entity')
    await admin.close()
  })

  it('never keep a policy that is gone, nor lose one, when both happen at once', async () => {
    const one = await open()
    const two = await open({ state: one.state })
    for (let round = 0; round < 10; round++) {
      await one.admin.createRole({ name: 'r', trustPolicy: trust() })
      await one.admin.createPolicy('p', allow('s3:*'))
      await Promise.allSettled([
        two.admin.attachPolicy(role, 'p'),
        one.admin.deletePolicy('p'),
        one.admin.deleteRole('r'),
        two.admin.setBoundary(role, 'p'),
      ])
      const stored = await one.state.get('admin/role/r')
      const document = stored && JSON.parse(stored.value)
      const isNamed = document?.policies.includes('p') || document?.boundary === 'p'
      assert.ok(!isNamed || (await one.state.get('admin/policy/p')), 'attached and gone')
      await one.admin.deleteRole('r', 'cascade').catch(() => undefined)
      await one.admin.createUser(`round-${round}`)
      await one.admin.deletePolicy('p').catch(() => undefined)
    }
    await one.admin.close()
    await two.admin.close()
  })

  it('take many changes at once from one process', async () => {
    const { admin } = await open()
    await admin.createPolicy('p', allow('s3:*'))
    const names = Array.from({ length: 40 }, (_, index) => `r${index}`)
    await Promise.all(names.map((name) => admin.createRole({ name, trustPolicy: trust() })))
    await Promise.all(names.map((name) => admin.attachPolicy({ kind: 'role', name }, 'p')))
    assert.equal(admin.listAttachments('p').length, 40)
    await admin.close()
  })

  it('that the file declares are not changed here', async () => {
    const declared = {
      name: 'r',
      trustPolicy: parsePolicy(trust(), 'trust'),
      policies: ['readonly', 'gone'],
      inlinePolicies: [{ name: 'own', policy: parsePolicy(allow('s3:*'), 'identity') }],
    }
    const { admin } = await open({ overlay: { ...nothing, roles: [declared] } })
    assert.deepEqual(
      admin.policiesOfRole(arn)?.map(({ name, policy }) => [name, policy.kind]),
      [
        ['readonly', 'identity'],
        ['gone', 'broken'],
        ['role r: own', 'identity'],
      ],
    )
    await refuses(admin.deleteRole('r', 'cascade'), 'unmodifiable')
    await refuses(admin.updateTrustPolicy('r', trust()), 'unmodifiable')
    await refuses(admin.createRole({ name: 'r', trustPolicy: trust() }), 'already_exists')
    await refuses(admin.tag({ kind: 'role', name: 'r' }, new Map([['a', 'b']])), 'unmodifiable')
    await admin.close()
  })

  it('whose stored trust policy no longer parses trust nobody', async () => {
    const { admin, state } = await open()
    await admin.createRole({ name: 'r', trustPolicy: trust() })
    const entry = await state.get('admin/role/r')
    assert.ok(entry)
    const value = JSON.stringify({ ...JSON.parse(entry.value), trustPolicy: allow('s3:*') })
    await state.commit([], [{ kind: 'put', key: entry.key, value }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(admin.findRole('r')?.trustPolicy.kind, 'broken')
    await admin.close()
  })
})

describe('policy versions', () => {
  it('are at most five, numbered for ever, and one of them acts', async () => {
    const { admin } = await open()
    await admin.createPolicy('p', allow('s3:Get*'))
    for (let number = 2; number <= 5; number++) {
      const version = await admin.createPolicyVersion('p', allow('s3:Put*'), number === 3)
      assert.equal(version.id, `v${number}`)
    }
    assert.equal(admin.findPolicy('p')?.defaultVersion, 'v3')
    await refuses(admin.createPolicyVersion('p', allow('s3:*'), true), 'limit_exceeded')
    await refuses(admin.deletePolicyVersion('p', 'v3'), 'delete_conflict')
    await refuses(admin.deletePolicyVersion('p', 'v9'), 'no_such_entity')
    await refuses(admin.setDefaultPolicyVersion('p', 'v9'), 'no_such_entity')
    await admin.deletePolicyVersion('p', 'v5')
    assert.equal((await admin.createPolicyVersion('p', allow('s3:*'), false)).id, 'v6')
    await admin.setDefaultPolicyVersion('p', 'v1')
    const { policy } = admin.findPolicy('p') ?? {}
    assert.ok(policy && 'text' in policy)
    assert.match(policy.text, /s3:Get\*/)
    await refuses(admin.deletePolicy('p', 'bare'), 'delete_conflict')
    await admin.deletePolicy('p')
    await refuses(admin.createPolicyVersion('readonly', allow('s3:*'), true), 'unmodifiable')
    await admin.close()
  })

  it('make room when the document is replaced, and keep the one that acted', async () => {
    const { admin } = await open()
    await admin.createPolicy('p', allow('s3:Get*'))
    for (let turn = 0; turn < 7; turn++) await admin.updatePolicy('p', allow('s3:Put*'))
    const { versions, defaultVersion } = admin.findPolicy('p') ?? {}
    assert.deepEqual(
      versions?.map(({ id }) => id),
      ['v4', 'v5', 'v6', 'v7', 'v8'],
    )
    assert.equal(defaultVersion, 'v8')
    await admin.close()
  })
})

describe('tags', () => {
  const alice = { kind: 'user', name: 'alice' } as const

  it('are told apart without regard to case, and the later spelling stays', async () => {
    const { admin } = await open()
    await admin.createUser('alice', { tags: new Map([['Team', 'a']]) })
    await admin.tag(alice, new Map([['team', 'b']]))
    assert.deepEqual([...(admin.findUser('alice')?.tags ?? [])], [['team', 'b']])
    await admin.untag(alice, ['TEAM', 'absent'])
    assert.equal(admin.findUser('alice')?.tags.size, 0)
    await admin.close()
  })

  it('are refused when there are too many, twice, reserved, or of other letters', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    const many = Array.from({ length: 51 }, (_, index) => [`k${index}`, ''] as const)
    await refuses(admin.tag(alice, new Map(many)), 'limit_exceeded')
    await admin.tag(alice, new Map(many.slice(0, 50)))
    await refuses(admin.tag(alice, new Map([['one more', '']])), 'limit_exceeded')
    for (const [key, value] of [
      ['', 'x'],
      ['aws:x', 'x'],
      ['AWS:x', 'x'],
      ['a*', 'x'],
      ['a', '<'],
      ['a'.repeat(129), 'x'],
      ['a', 'x'.repeat(257)],
      ['a', '\ud800'],
    ] as const) {
      await refuses(admin.tag(alice, new Map([[key, value]])), 'invalid_value')
    }
    const twice = new Map([
      ['a', '1'],
      ['A', '2'],
    ])
    await refuses(admin.createUser('bob', { tags: twice }), 'invalid_value')
    await refuses(admin.tag({ kind: 'policy', name: 'readonly' }, new Map()), 'unmodifiable')
    await admin.close()
  })
})

describe('OpenID Connect providers', () => {
  const url = 'https://login.example.org/tenant'
  const arn = 'arn:aws:iam::000000000000:oidc-provider/login.example.org/tenant'
  const thumbprints = ['a'.repeat(40)]

  it('are kept with their audiences, and end their sessions when deleted', async () => {
    const { admin, revoked } = await open()
    const made = await admin.createProvider({ url, clientIds: ['app', 'app'], thumbprints })
    assert.equal(made.arn, arn)
    assert.deepEqual(made.clientIds, ['app'])
    await refuses(admin.createProvider({ url, clientIds: [], thumbprints: [] }), 'already_exists')
    await admin.addClientId(arn, 'other')
    await admin.removeClientId(arn, 'app')
    await admin.removeClientId(arn, 'never there')
    assert.deepEqual(admin.findProvider(arn)?.clientIds, ['other'])
    await admin.tag({ kind: 'provider', name: arn }, new Map([['a', 'b']]))
    assert.equal(admin.findProvider(arn)?.tags.get('a'), 'b')
    await admin.deleteProvider(arn)
    assert.deepEqual(revoked, [arn])
    await refuses(admin.deleteProvider(arn), 'no_such_entity')
    await refuses(admin.addClientId(arn, 'x'), 'no_such_entity')
    await refuses(admin.addClientId('nonsense', 'x'), 'no_such_entity')
    await admin.close()
  })

  it('are refused under a URL that no issuer can have', async () => {
    const { admin } = await open()
    for (const bad of [
      '',
      'http://login.example.org',
      'https://',
      'https://Login.example.org',
      'https://login.example.org/',
      'https://login.example.org/a?b',
      'https://login.example.org/a#b',
      'https://user@login.example.org',
      'https://login.example.org//a',
      'https://login.example.org/a b',
      'https://login.example.org:0',
      'https://login.example.org:99999',
      `https://login.example.org/${'a'.repeat(255)}`,
    ]) {
      const make = admin.createProvider({ url: bad, clientIds: ['a'], thumbprints: [] })
      await refuses(make, 'invalid_value')
    }
    const make = (clientIds: string[], prints: string[]) =>
      admin.createProvider({ url, clientIds, thumbprints: prints })
    await refuses(make([''], []), 'invalid_value')
    await refuses(make(['a b'], []), 'invalid_value')
    await refuses(make(['a'], ['xyz']), 'invalid_value')
    const tooMany = Array.from({ length: 101 }, (_, index) => `c${index}`)
    await refuses(make(tooMany, []), 'limit_exceeded')
    assert.deepEqual(admin.listProviders(), [])
    await admin.close()
  })
})
