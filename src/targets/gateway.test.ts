import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { ExchangeError } from '../exchange.ts'
import { createTargets } from './index.ts'
import type { SharedSessionKeys, Target, TargetEvent } from './index.ts'
import { boundGrant } from './testing/bound.ts'

const id = 'aaaaaaaaaaaaaaaa'

function issue(t: TestContext, sessionKeys: () => Promise<SharedSessionKeys>) {
  const log: TargetEvent[] = []
  const targets = createTargets({
    targetOf: (tenant): Target => ({
      kind: 'gateway',
      tenant,
      findPolicy: () => undefined,
      asksTenant: true,
      sessionKeys,
    }),
    clock: () => new Date(),
    random: randomBytes,
    log: (event) => log.push(event),
  })
  t.after(() => targets.close())
  return { log, given: targets.issue(boundGrant()) }
}

describe('credentials of a gateway tenant', () => {
  it('are sealed by the active one of the shared keys, which stays whole', async (t) => {
    const key = randomBytes(32)
    const before = Buffer.from(key)
    const keys = new Map([
      [id, key],
      ['bbbbbbbbbbbbbbbb', randomBytes(32)],
    ])
    const { accessKeyId, sessionToken } = await issue(t, async () => ({ active: id, keys })).given
    assert.match(accessKeyId, /^ASIA/)
    assert.match(sessionToken.reveal(), new RegExp(`^dps2\\.${id}\\.`))
    assert.ok(key.equals(before))
  })

  it('are not given while the keys cannot be had, and the log says why', async (t) => {
    const { given, log } = issue(t, () => Promise.reject(new Error('there is no Secret keys')))
    await assert.rejects(given, (error) => {
      assert.ok(error instanceof ExchangeError && error.code === 'target_unavailable')
      assert.doesNotMatch(error.message, /Secret/)
      return true
    })
    assert.match(log[0]?.reason ?? '', /there is no Secret keys/)
  })

  it('are not given where no key is active', async (t) => {
    await assert.rejects(issue(t, async () => ({ active: id, keys: new Map() })).given)
  })
})
