import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { rememberRingKeys } from './index.ts'
import { sharedRingKey } from './shared-keys.ts'
import { boundTenant } from './testing/bound-grant.ts'

const id = 'aaaaaaaaaaaaaaaa'

describe('derived keys that are remembered', () => {
  it('are those that would be derived, and derived once', () => {
    const [bytes, ringKeyOf] = [randomBytes(32), rememberRingKeys()]
    const derived = sharedRingKey(id, bytes, boundTenant)
    const key = ringKeyOf(id, bytes, boundTenant)
    for (const purpose of ['session', 'secret', 'message'] as const) {
      assert.ok(key[purpose].equals(derived[purpose]))
    }
    assert.equal(ringKeyOf(id, Buffer.from(bytes), boundTenant), key)
  })

  it('are others for other bytes under the same id, for another id and for another tenant', () => {
    const [bytes, ringKeyOf] = [randomBytes(32), rememberRingKeys()]
    const key = ringKeyOf(id, bytes, boundTenant)
    assert.notEqual(ringKeyOf(id, bytes, 'other/tenant'), key)
    assert.equal(ringKeyOf('bbbbbbbbbbbbbbbb', bytes, boundTenant).id, 'bbbbbbbbbbbbbbbb')
    const now = randomBytes(32)
    const next = ringKeyOf(id, now, boundTenant)
    assert.ok(next.session.equals(sharedRingKey(id, now, boundTenant).session))
    assert.ok(!next.session.equals(key.session))
  })

  it('do not change with the bytes that they were derived from', () => {
    const [bytes, ringKeyOf] = [randomBytes(32), rememberRingKeys()]
    const key = ringKeyOf(id, bytes, boundTenant)
    bytes.fill(0)
    const zero = ringKeyOf(id, bytes, boundTenant)
    assert.ok(!zero.session.equals(key.session))
  })
})
