import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { principalKey } from '../credentials/index.ts'
import { call, document, makeWorld, root } from './testing/world.ts'

const Tenant = 'store/main'
const Binding = 'daypass.dev/Binding/store/readers'
const Provider = 'local'
const Subject = 'system:serviceaccount:shop:web'
const IssuedBefore = '2026-03-04T05:06:09.123Z'
const issuedBefore = new Date(IssuedBefore)

describe('RevokeTenantSessions', () => {
  it('ends what a binding gave, what an account got, or all that an operator sealed, up to that instant', async (t) => {
    const world = await makeWorld(t)
    for (const fields of [
      { Tenant, IssuedBefore, Binding, Reason: 'deleted' },
      { Tenant, IssuedBefore, Provider, Subject },
      { Tenant, IssuedBefore },
    ]) {
      const { response } = await call(world, root, 'RevokeTenantSessions', fields)
      assert.equal(response.status, 200)
    }
    const person = { kind: 'web-identity', provider: Provider, subject: Subject } as const
    assert.deepEqual(world.revoked, [
      { tenant: Tenant, policySource: `binding/${Binding}`, issuedBefore, reason: 'deleted' },
      { tenant: Tenant, principal: principalKey(person), issuedBefore, reason: '' },
      { tenant: Tenant, issuedBefore, reason: '' },
    ])
  })

  it('adds no rule for what one ends already, and one for what none does', async (t) => {
    const world = await makeWorld(t)
    const revoke = (fields: Readonly<Record<string, string>>) =>
      call(world, root, 'RevokeTenantSessions', { Tenant, IssuedBefore, ...fields })
    await revoke({ Binding })
    await revoke({ Binding })
    await revoke({ Binding, IssuedBefore: '2026-03-04T05:00:00Z' })
    assert.equal(world.revoked.length, 1)
    await revoke({ Binding, IssuedBefore: '2026-03-04T05:06:10Z' })
    await revoke({ Binding, Tenant: 'store/other' })
    await revoke({ Binding: `${Binding}-2` })
    assert.equal(world.revoked.length, 4)
    await revoke({ IssuedBefore: '2026-03-04T05:07:00Z' })
    await revoke({ Provider, Subject })
    assert.equal(world.revoked.length, 5, 'a rule for the whole tenant ends those of each account')
  })

  it('is a right of its own, and gives no other one', async (t) => {
    const world = await makeWorld(t)
    const operator = await world.makeUser('operator', document('admin:RevokeTenantSessions'))
    const other = await world.makeUser('other', document('admin:RevokeSessions'))
    const status = async (...words: Parameters<typeof call>) =>
      (await call(...words)).response.status
    const fields = { Tenant, IssuedBefore }
    assert.equal(await status(world, operator, 'RevokeTenantSessions', fields), 200)
    assert.equal(await status(world, operator, 'RevokeSessions', { Root: 'true' }), 403)
    assert.equal(await status(world, operator, 'ListRevocations'), 403)
    assert.equal(await status(world, other, 'RevokeTenantSessions', fields), 403)
    assert.equal(world.revoked.length, 1)
  })

  for (const [title, fields] of [
    ['no tenant', { IssuedBefore, Binding }],
    ['the name of its own sessions', { Tenant: 'default', IssuedBefore }],
    ['a tenant with a path', { Tenant: 'a/b/c', IssuedBefore }],
    ['no instant', { Tenant, Binding }],
    ['a day without a time', { Tenant, IssuedBefore: '2026-03-04' }],
    ['an instant that is far ahead', { Tenant, IssuedBefore: '2026-03-04T05:21:08Z' }],
    ['half a principal', { Tenant, IssuedBefore, Provider }],
    ['the other half', { Tenant, IssuedBefore, Subject }],
    ['both at once', { Tenant, IssuedBefore, Provider, Subject, Binding }],
    ['a binding of another kind', { Tenant, IssuedBefore, Binding: 'x/Binding/store/readers' }],
    ['an overlong reason', { Tenant, IssuedBefore, Reason: 'x'.repeat(257) }],
    ['a session', { Tenant, IssuedBefore, AccessKeyId: 'ASIAABCDEFGHIJKLMNOP' }],
  ] as const) {
    it(`refuses ${title}`, async (t) => {
      const world = await makeWorld(t)
      const { response } = await call(world, root, 'RevokeTenantSessions', fields)
      assert.equal(response.status, 400)
      assert.deepEqual(world.revoked, [])
    })
  }
})
