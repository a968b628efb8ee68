import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { ExchangeError } from '../exchange.ts'
import { createSessions } from '../credentials/index.ts'
import { sharedRingKey } from '../credentials/shared-keys.ts'
import { createTargets } from './index.ts'
import type { GatewayTarget, SharedSessionKeys, Target, TargetEvent } from './index.ts'
import { allow, boundGrant } from './testing/bound.ts'

const id = 'aaaaaaaaaaaaaaaa'

type Policies = Partial<Pick<GatewayTarget, 'findPolicy' | 'asksTenant'>>

function issue(
  t: TestContext,
  sessionKeys: () => Promise<SharedSessionKeys>,
  policies: Policies = {},
) {
  const log: TargetEvent[] = []
  const targets = createTargets({
    targetOf: (tenant): Target => ({
      kind: 'gateway',
      tenant,
      findPolicy: () => undefined,
      asksTenant: true,
      sessionKeys,
      ...policies,
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

  it('carry policies that are resources of the cluster; what else they name is for the tenant to find', async (t) => {
    const bytes = randomBytes(32)
    const keys = async () => ({ active: id, keys: new Map([[id, bytes]]) })
    const text = allow('s3:GetObject', 'arn:aws:s3:::a/*')
    const key = sharedRingKey(id, bytes, 'store/main')
    const ring = { activeKey: key, find: () => key, fetch: async () => key }
    const revocations = { find: () => undefined, isFresh: () => true }
    const ground = { clock: () => new Date(), random: randomBytes }
    const sessions = createSessions({ ring, revocations, ...ground })
    for (const [findPolicy, names, documents] of [
      [() => undefined, ['readonly'], []],
      [() => text, [], [text]],
    ] as const) {
      const { accessKeyId, sessionToken } = await issue(t, keys, { findPolicy }).given
      const { session } = await sessions.open(accessKeyId, sessionToken)
      assert.ok(session.source.kind === 'binding')
      assert.deepEqual([session.source.names, session.source.documents], [names, documents])
    }
  })

  it('are not given for a policy that is a resource and not valid, whatever the tenant has under that name', async (t) => {
    const keys = async () => ({ active: id, keys: new Map([[id, randomBytes(32)]]) })
    await assert.rejects(issue(t, keys, { findPolicy: () => '' }).given, (error) => {
      assert.ok(error instanceof ExchangeError && error.code === 'malformed_policy')
      assert.match(error.message, /"readonly"/)
      return true
    })
  })

  it('are not given for a policy that must be a resource and is none', async (t) => {
    const keys = async () => ({ active: id, keys: new Map([[id, randomBytes(32)]]) })
    await assert.rejects(issue(t, keys, { asksTenant: false }).given, (error) => {
      assert.ok(error instanceof ExchangeError && error.code === 'no_policy')
      assert.match(error.message, /"readonly"/)
      return true
    })
  })
})
