import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boundRefusals } from './refusal-budget.ts'
import type { AuditEvent, AuditLog } from '../audit.ts'

const at = new Date('2026-03-04T05:06:07Z')
const client = { source: '192.0.2.7', secure: true }
const alice = {
  kind: 'web-identity',
  provider: 'dex',
  issuer: 'https://idp.example',
  subject: 'alice',
  displayName: 'Alice',
}

function exchange(more: object = {}): AuditEvent {
  const event = {
    kind: 'exchange',
    at,
    decisionId: 'd',
    action: 'sts:AssumeRole',
    client,
    trace: [],
  }
  const refused = { ...event, outcome: 'refused', code: 'denied', message: 'no', ...more }
  return refused as unknown as AuditEvent // oxlint-disable-line typescript/no-unsafe-type-assertion -- test data
}

function denial(principal: object): AuditEvent {
  const event = { kind: 'denial', at, decisionId: 'd', requestId: 'r', source: 's', accesses: [] }
  return { ...event, principal } as unknown as AuditEvent // oxlint-disable-line typescript/no-unsafe-type-assertion -- test data
}

function change(outcome: string, name = 'deputy'): AuditEvent {
  return {
    kind: 'admin',
    at,
    requestId: 'r',
    action: 'CreateUser',
    outcome,
    caller: { kind: 'user', accessKeyId: 'k', name },
    source: 's',
    permissions: [],
    parameters: {},
  }
}

function logged() {
  const events: AuditEvent[] = []
  const log: AuditLog = {
    record: async (event) => void events.push(event),
    close: () => Promise.resolve(),
  }
  return { events, log: boundRefusals(log) }
}

async function often(log: AuditLog, event: AuditEvent, times = 500): Promise<void> {
  for (let i = 0; i < times; i += 1) await log.record(event)
}

describe('the audit of refusals', () => {
  it('keeps so many a minute of all strangers together, and says how many it passed over', async () => {
    const { events, log } = logged()
    await often(log, exchange())
    await often(log, denial({ kind: 'anonymous' }))
    assert.equal(events.length, 120)
    await log.record({ ...exchange(), at: new Date(at.getTime() + 60_000) })
    assert.equal(Object(events.at(-1)).unrecorded, 880)
    await log.record({ ...exchange(), at: new Date(at.getTime() + 60_001) })
    assert.equal(Object(events.at(-1)).unrecorded, undefined)
  })

  for (const [what, event] of [
    ['a token that is good and refused', exchange({ principal: alice })],
    [
      'a session that is denied',
      denial({ kind: 'session', subject: 'alice', arn: 'x', accessKeyId: 'k' }),
    ],
    ['a user that is denied', denial({ kind: 'user', arn: 'arn:aws:iam::000000000000:user/bob' })],
    ['an administrator that is refused', change('refused')],
  ] as const) {
    it(`keeps no more of ${what}, over and over`, async () => {
      const { events, log } = logged()
      await often(log, event)
      assert.equal(events.length, 120)
    })
  }

  it('is of each principal by itself: nobody hides behind the noise of another one', async () => {
    const { events, log } = logged()
    await often(log, exchange())
    await often(log, exchange({ principal: alice }))
    const before = events.length
    await log.record(exchange({ principal: { ...alice, subject: 'bob' } }))
    await log.record(exchange({ principal: { ...alice, provider: 'other' } }))
    await log.record(denial({ kind: 'session', subject: 'alice' }))
    await log.record(change('refused', 'alice'))
    assert.equal(events.length, before + 4)
  })

  it('never passes over what was issued or changed', async () => {
    const { events, log } = logged()
    await often(log, exchange({ principal: alice, outcome: 'issued' }))
    for (const outcome of ['started', 'done', 'failed']) await often(log, change(outcome))
    assert.equal(events.length, 2000)
  })

  it('fails where the log fails', async () => {
    const broken = {
      record: () => Promise.reject(new Error('full')),
      close: () => Promise.resolve(),
    }
    await assert.rejects(boundRefusals(broken).record(exchange()), /full/)
  })
})
