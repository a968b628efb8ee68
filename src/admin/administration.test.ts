import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { createVault } from '../credentials/index.ts'
import { Secret } from '../secret.ts'
import { openAdministration } from './index.ts'
import { allow, clock, nothing, open, refuses, withFileUser } from './testing/house.ts'

describe('users', () => {
  it('are there at once when made, with nothing attached', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    assert.equal(admin.findUser('alice')?.status, 'enabled')
    assert.deepEqual(admin.policiesOf('alice'), [])
    await admin.close()
  })

  it('are refused under a name that is taken, ill-formed or declared in the file', async () => {
    const { admin } = await open({ overlay: withFileUser })
    await admin.createUser('alice')
    await refuses(admin.createUser('alice'), 'already_exists')
    await refuses(admin.createUser('filed'), 'already_exists')
    for (const name of ['', 'a/b', 'a b', '../x', 'ä', 'a'.repeat(65), 'a*', 'a:b']) {
      await refuses(admin.createUser(name), 'invalid_name')
    }
    await admin.close()
  })

  it('never go by the names of root, which policies take for root itself', async () => {
    const { admin } = await open()
    for (const name of ['root', '000000000000'])
      await refuses(admin.createUser(name), 'invalid_name')
    await admin.createUser('Root')
    await admin.close()
  })

  it('take their keys with them and end their sessions when deleted', async () => {
    const { admin, revoked } = await open()
    await admin.createUser('alice')
    const key = await admin.createAccessKey('alice')
    await admin.deleteUser('alice')
    assert.equal(admin.findUser('alice'), undefined)
    assert.equal(admin.findAccessKey(key.accessKeyId), undefined)
    assert.equal(admin.policiesOf('alice'), undefined)
    assert.deepEqual(revoked, ['alice'])
    await refuses(admin.deleteUser('alice'), 'no_such_entity')
    await admin.close()
  })

  it('leave no key behind when a key is made while they are deleted', async () => {
    const { admin, state } = await open()
    for (let round = 0; round < 20; round++) {
      await admin.createUser('alice')
      await Promise.allSettled([
        admin.deleteUser('alice'),
        admin.createAccessKey('alice'),
        admin.createAccessKey('alice'),
      ])
      await admin.deleteUser('alice').catch(() => undefined)
      const { entries } = await state.list('admin/')
      assert.deepEqual(entries, [])
    }
    await admin.close()
  })

  it('lose every policy while disabled', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
    await admin.setUserStatus('alice', 'disabled')
    assert.equal(admin.policiesOf('alice'), undefined)
    await admin.setUserStatus('alice', 'enabled')
    assert.equal(admin.policiesOf('alice')?.length, 1)
    await admin.close()
  })

  it('that the file declares are not changed here', async () => {
    const { admin } = await open({ overlay: withFileUser })
    await refuses(admin.deleteUser('filed'), 'unmodifiable')
    await refuses(admin.setUserStatus('filed', 'disabled'), 'unmodifiable')
    await refuses(admin.attachUserPolicy('filed', 'readwrite'), 'unmodifiable')
    await refuses(admin.createAccessKey('filed'), 'unmodifiable')
    await refuses(admin.deleteAccessKey('FILEDKEY'), 'unmodifiable')
    assert.deepEqual(
      admin.policiesOf('filed')?.map(({ name }) => name),
      ['readonly'],
    )
    await admin.close()
  })
})

describe('access keys', () => {
  it('are sealed at rest', async () => {
    const { admin, state } = await open()
    await admin.createUser('alice')
    const key = await admin.createAccessKey('alice')
    const { entries } = await state.list('')
    assert.ok(entries.length > 0)
    for (const { value } of entries) assert.ok(!value.includes(key.secretAccessKey.reveal()))
    assert.ok(
      key.secretAccessKey.equals(
        admin.findAccessKey(key.accessKeyId)?.secretAccessKey ?? new Secret(''),
      ),
    )
    await admin.close()
  })

  it('may be brought along, but not twice and not in a shape that cannot work', async () => {
    const { admin } = await open({ overlay: withFileUser })
    await admin.createUser('alice')
    const bring = (accessKeyId: string, secret = 'a long enough secret') =>
      admin.createAccessKey('alice', { accessKeyId, secretAccessKey: new Secret(secret) })
    await bring('MYKEY')
    await refuses(bring('MYKEY'), 'already_exists')
    await refuses(bring('FILEDKEY'), 'already_exists')
    await refuses(bring('ASIASOMETHING'), 'invalid_key')
    await refuses(bring('a/b'), 'invalid_key')
    await refuses(bring('OTHER', 'short'), 'invalid_key')
    await refuses(admin.createAccessKey('nobody'), 'no_such_entity')
    await admin.close()
  })

  it('of a stored user count for nothing once the file declares a user of that name', async () => {
    const first = await open()
    await first.admin.createUser('filed')
    const { accessKeyId } = await first.admin.createAccessKey('filed')
    await first.admin.close()
    const { admin } = await open({ state: first.state, overlay: withFileUser })
    assert.equal(admin.findAccessKey(accessKeyId), undefined)
    assert.deepEqual(
      admin.listAccessKeys('filed').map((key) => key.accessKeyId),
      ['FILEDKEY'],
    )
    await admin.close()
  })

  it('can be switched off and on, and are bounded in number', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    const { accessKeyId } = await admin.createAccessKey('alice')
    await admin.setAccessKeyStatus(accessKeyId, 'Inactive')
    assert.equal(admin.findAccessKey(accessKeyId)?.status, 'Inactive')
    for (let count = 1; count < 10; count++) await admin.createAccessKey('alice')
    await refuses(admin.createAccessKey('alice'), 'limit_exceeded')
    await refuses(admin.setAccessKeyStatus('UNKNOWN', 'Active'), 'no_such_entity')
    await admin.close()
  })

  it('that another master key sealed are reported and count as absent', async () => {
    const first = await open()
    await first.admin.createUser('alice')
    const { accessKeyId } = await first.admin.createAccessKey('alice')
    await first.admin.close()
    const errors: string[] = []
    const admin = await openAdministration({
      state: first.state,
      vault: createVault(createSecretKey(randomBytes(32)), randomBytes),
      overlay: nothing,
      rolePolicies: new Set(),
      revokeUser: () => Promise.resolve(),
      revokeRole: () => Promise.resolve(),
      revokeProvider: () => Promise.resolve(),
      clock,
      random: randomBytes,
      onError: (what) => errors.push(what),
    })
    assert.equal(admin.findAccessKey(accessKeyId), undefined)
    assert.equal(errors.length, 1)
    await admin.close()
  })
})

describe('policies', () => {
  it('include the canned ones, which are not changed or deleted here', async () => {
    const { admin } = await open()
    assert.deepEqual(
      admin.listPolicies().map(({ name }) => name),
      ['consoleAdmin', 'diagnostics', 'readonly', 'readwrite', 'writeonly'],
    )
    await refuses(admin.createPolicy('readonly', allow('s3:*')), 'already_exists')
    await refuses(admin.updatePolicy('readonly', allow('s3:*')), 'unmodifiable')
    await refuses(admin.deletePolicy('readonly'), 'unmodifiable')
    await admin.close()
  })

  it('act at once for whoever has them attached', async () => {
    const { admin } = await open()
    await admin.createPolicy('p', allow('s3:GetObject'))
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'p')
    const before = admin.policiesOf('alice')?.[0]?.policy
    await admin.updatePolicy('p', allow('s3:PutObject'))
    const after = admin.policiesOf('alice')?.[0]?.policy
    assert.ok(before && after && 'text' in before && 'text' in after)
    assert.match(before.text, /GetObject/)
    assert.match(after.text, /PutObject/)
    await admin.close()
  })

  it('are refused when malformed, ill-named, unknown or too large', async () => {
    const { admin } = await open()
    await refuses(admin.createPolicy('p', '{'), 'malformed_policy')
    await refuses(
      admin.createPolicy('p', allow('s3:*').replace('Action', 'Aktion')),
      'malformed_policy',
    )
    await refuses(admin.createPolicy('a,b', allow('s3:*')), 'invalid_name')
    await refuses(admin.updatePolicy('p', allow('s3:*')), 'no_such_entity')
    await refuses(admin.createPolicy('p', ' '.repeat(30_000) + allow('s3:*')), 'limit_exceeded')
    assert.equal(admin.findPolicy('p'), undefined)
    await admin.close()
  })

  it('are not deleted while a user or a role has them', async () => {
    const { admin } = await open({ roles: ['ofRole'] })
    await admin.createPolicy('p', allow('s3:*'))
    await admin.createPolicy('ofRole', allow('s3:*'))
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'p')
    await refuses(admin.deletePolicy('p'), 'delete_conflict')
    await refuses(admin.deletePolicy('ofRole'), 'delete_conflict')
    await admin.detachUserPolicy('alice', 'p')
    await admin.deletePolicy('p')
    await refuses(admin.detachUserPolicy('alice', 'p'), 'no_such_entity')
    await refuses(admin.attachUserPolicy('alice', 'p'), 'no_such_entity')
    await admin.close()
  })

  it('are never left attached and gone when both happen at once', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    for (let round = 0; round < 20; round++) {
      await admin.createPolicy('p', allow('s3:*'))
      await Promise.allSettled([admin.attachUserPolicy('alice', 'p'), admin.deletePolicy('p')])
      const attached = admin.findUser('alice')?.policies.includes('p')
      assert.equal(attached, admin.findPolicy('p') !== undefined)
      if (attached) await admin.detachUserPolicy('alice', 'p')
      await admin.deletePolicy('p').catch(() => undefined)
    }
    await admin.close()
  })

  it('that a stored document spoils deny everything in place of what was there', async () => {
    const { admin, state, errors } = await open()
    await state.commit([], [{ kind: 'put', key: 'admin/policy/readonly', value: '{"schema":99}' }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(admin.findPolicy('readonly')?.policy.kind, 'broken')
    assert.equal(errors.length, 1)
    await admin.close()
  })
})

describe('two processes over one store', () => {
  it("see each other's changes, and lose none", async () => {
    const one = await open()
    const two = await open({ state: one.state })
    await one.admin.createUser('alice')
    const names = ['readonly', 'writeonly', 'readwrite', 'diagnostics']
    await Promise.all(
      names.map((name, index) => (index % 2 ? one : two).admin.attachUserPolicy('alice', name)),
    )
    assert.deepEqual(one.admin.findUser('alice')?.policies, names.sort())
    await one.admin.close()
    await two.admin.close()
  })
})
