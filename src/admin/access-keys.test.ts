import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import type { BroughtAccessKey } from './index.ts'
import { allow, open, refuses, withFileUser } from './testing/house.ts'

const brought: BroughtAccessKey = {
  accessKeyId: 'backup-job',
  secretAccessKey: new Secret('a long enough secret'),
}
const end = new Date('2027-01-01T00:00:00Z')
const whole: BroughtAccessKey = {
  ...brought,
  status: 'Inactive',
  name: 'backup',
  description: 'every night',
  expiresAt: end,
  policy: allow('s3:GetObject'),
}

describe('what a key has of its own', () => {
  it('is there again after a restart, its policy in an order of its own', async () => {
    const first = await open()
    await first.admin.createUser('alice')
    await first.admin.createAccessKey('alice', whole)
    await first.admin.close()
    const { admin } = await open({ state: first.state })
    const key = admin.findAccessKey('backup-job')
    assert.equal(key?.status, 'Inactive')
    assert.equal(key?.name, 'backup')
    assert.equal(key?.description, 'every night')
    assert.deepEqual(key?.expiresAt, end)
    assert.equal(key?.policy?.kind, 'session')
    await admin.close()
  })

  it('is refused where it cannot be what it says', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    const without = (change: object) => admin.createAccessKey('alice', { ...brought, ...change })
    await refuses(without({ policy: '' }), 'malformed_policy')
    await refuses(without({ policy: '{}' }), 'malformed_policy')
    await refuses(without({ policy: 'null' }), 'malformed_policy')
    await refuses(
      without({ policy: allow('s3:GetObject').replace('Allow', 'allow') }),
      'malformed_policy',
    )
    await refuses(without({ policy: ' '.repeat(21_000) }), 'limit_exceeded')
    await refuses(without({ name: 'a\nb' }), 'invalid_value')
    await refuses(without({ name: 'a'.repeat(129) }), 'invalid_value')
    await refuses(without({ description: '\u0000' }), 'invalid_value')
    await refuses(without({ expiresAt: new Date(Number.NaN) }), 'invalid_value')
    await refuses(admin.createAccessKey('alice', { accessKeyId: 'half' }), 'invalid_key')
    await refuses(
      admin.createAccessKey('alice', { secretAccessKey: new Secret('half of a pair') }),
      'invalid_key',
    )
    assert.deepEqual(admin.listAccessKeys(), [])
    await admin.close()
  })

  it('is never lost from a document that cannot be read: the key is gone with it', async () => {
    const { admin, state } = await open()
    await admin.createUser('alice')
    await admin.createAccessKey('alice', whole)
    const entry = await state.get('admin/accesskey/backup-job')
    const value = JSON.stringify({ ...JSON.parse(entry?.value ?? ''), schema: 99 })
    await state.commit([], [{ kind: 'put', key: 'admin/accesskey/backup-job', value }])
    await admin.createUser('bob')
    assert.equal(admin.findAccessKey('backup-job'), undefined)
    await admin.close()
  })

  it('denies everything when its stored policy does not parse any more', async () => {
    const { admin, state } = await open()
    await admin.createUser('alice')
    await admin.createAccessKey('alice', whole)
    const entry = await state.get('admin/accesskey/backup-job')
    const value = JSON.stringify({ ...JSON.parse(entry?.value ?? ''), policy: '{"a":1}' })
    await state.commit([], [{ kind: 'put', key: 'admin/accesskey/backup-job', value }])
    await admin.createUser('bob')
    assert.equal(admin.findAccessKey('backup-job')?.policy?.kind, 'broken')
    await admin.close()
  })
})

describe('a key that is brought a second time', () => {
  it('is told to be the same, or in what it differs', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    assert.equal(admin.compareAccessKey('alice', whole), undefined)
    await admin.createAccessKey('alice', whole)
    assert.deepEqual(admin.compareAccessKey('alice', whole), [])
    const spaced = { ...whole, policy: `  ${whole.policy}\n` }
    assert.deepEqual(admin.compareAccessKey('alice', spaced), [], 'white space is no difference')
    const { policy: _policy, expiresAt: _end, ...open_ } = whole
    assert.deepEqual(admin.compareAccessKey('alice', open_), ['expiry', 'policy'])
    const other = { ...brought, secretAccessKey: new Secret('another long secret') }
    assert.deepEqual(admin.compareAccessKey('bob', other), [
      'user',
      'secret',
      'status',
      'name',
      'description',
      'expiry',
      'policy',
    ])
    await admin.close()
  })

  it('is replaced whole, and only for the user whose key it is', async () => {
    const { admin } = await open({ overlay: withFileUser })
    await admin.createUser('alice')
    await admin.createUser('bob')
    await refuses(admin.replaceAccessKey('alice', whole), 'no_such_entity')
    await admin.createAccessKey('alice', whole)
    await refuses(admin.replaceAccessKey('bob', brought), 'already_exists')
    await refuses(admin.replaceAccessKey('alice', { ...whole, policy: '{' }), 'malformed_policy')
    await refuses(
      admin.replaceAccessKey('filed', { ...brought, accessKeyId: 'FILEDKEY' }),
      'unmodifiable',
    )
    assert.deepEqual(admin.compareAccessKey('alice', whole), [])
    await admin.replaceAccessKey('alice', brought)
    assert.deepEqual(admin.compareAccessKey('alice', brought), [])
    assert.equal(admin.listAccessKeys('alice').length, 1)
    await admin.close()
  })

  it('may be one of many: ten are for those that are made here', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    for (let count = 0; count < 12; count++) {
      await admin.createAccessKey('alice', { ...brought, accessKeyId: `job-${count}` })
    }
    await refuses(admin.createAccessKey('alice'), 'limit_exceeded')
    await admin.close()
  })
})
