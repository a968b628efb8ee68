import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { CredentialsError } from './credentials-error.ts'
import { openRevocations } from './revocations.ts'
import { principalKey } from './session-keys.ts'
import {
  afterList,
  eventually,
  openCredentialsRoom,
  openSecondProcess,
  type CredentialsRoom,
} from './testing/credentials-room.ts'
import { janesGrant } from './testing/grants.ts'
import type { NewRevocation, PolicySource, Session } from './types.ts'

type Members = Omit<NewRevocation, 'reason' | 'issuedBefore' | 'expiresAt'>

const roleArn = 'arn:minio:iam:::role/abc'
const roleGrant = janesGrant({ source: { kind: 'role', arn: roleArn, name: 'uploader' } })
const reason = 'test'

describe('revocation', () => {
  let room: CredentialsRoom

  beforeEach(async () => {
    room = await openCredentialsRoom()
  })
  afterEach(() => room.close())

  async function issue(grant = janesGrant(), by = room): Promise<Session> {
    const made = by.sessions.issue(grant)
    return (await by.sessions.open(made.accessKeyId, made.sessionToken)).session
  }

  function isRevoked(session: Session, by = room): boolean {
    return by.revocations.find(session) !== undefined
  }

  /** What each member of a rule must say to meet jane's session under a role. */
  function jane(session: Session): Required<Members> {
    return {
      session: session.accessKeyId,
      principal: principalKey(session.principal),
      provider: 'keycloak',
      role: roleArn,
      policySource: 'role/uploader',
      tenant: 'default',
      sealingKey: session.sealingKey,
    }
  }

  it('meets a session by each member alone', async () => {
    const session = await issue(roleGrant)
    for (const [member, value] of Object.entries(jane(session))) {
      const fresh = await openCredentialsRoom()
      const rule = await fresh.revocations.revoke({ [member]: value, reason })
      assert.deepEqual(fresh.revocations.find(session), rule, member)
      await fresh.close()
    }
  })

  it('spares a session that differs in any one of the members that the rule names', async () => {
    const session = await issue(roleGrant)
    const all = jane(session)
    await room.revocations.revoke({ ...all, tenant: 'other', reason })
    for (const member of Object.keys(all)) {
      await room.revocations.revoke({ ...all, [member]: 'something else', reason })
    }
    assert.equal(isRevoked(session), false)
    await room.revocations.revoke({ ...all, reason })
    assert.equal(isRevoked(session), true)
  })

  it('agrees with the plain definition for any set of rules', async () => {
    const sessions = [
      await issue(),
      await issue(roleGrant),
      await issue(janesGrant({ source: { kind: 'user', name: 'alice' }, tenant: 'b' })),
      await issue(janesGrant({ source: { kind: 'root' } })),
      await issue(janesGrant({ source: { kind: 'policies', names: ['readonly', 'writeonly'] } })),
    ]
    const pick = <T>(...values: T[]): fc.Arbitrary<T | undefined> =>
      fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
    const anyMembers = fc
      .record({
        session: pick(...sessions.map(({ accessKeyId }) => accessKeyId)),
        principal: pick(principalKey(sessions[0]?.principal ?? assert.fail()), 'x'),
        provider: pick('keycloak', 'other'),
        role: pick(roleArn),
        policySource: pick('root', 'user/alice', 'policy/readonly', 'policy/writeonly', 'role/x'),
        tenant: pick('default', 'b'),
      })
      .map((members) =>
        Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)),
      )
      .filter((members) => Object.keys(members).length > 0)
    await fc.assert(
      fc.asyncProperty(fc.array(anyMembers, { maxLength: 4 }), async (rules) => {
        const fresh = await openCredentialsRoom()
        for (const rule of rules) await fresh.revocations.revoke({ ...rule, reason })
        for (const session of sessions) {
          const plain = rules.some((rule) => meetsPlainly(rule, session))
          assert.equal(isRevoked(session, fresh), plain)
        }
        await fresh.close()
      }),
      { numRuns: 60 },
    )
  })

  it('meets what was made from a session that it meets, however late, and by what that one had', async () => {
    const parent = await issue(roleGrant)
    const { accessKeyId, sealingKey, issuedAt, source } = parent
    room.clock.advance(5000)
    const childOf = (own: PolicySource): Promise<Session> =>
      issue(
        janesGrant({
          issuedAt: room.clock.now(),
          source: own,
          lineage: {
            parentAccessKeyId: 'ASIAOTHER',
            ancestors: [
              { accessKeyId, sealingKey, issuedAt, source },
              {
                ...parent,
                accessKeyId: 'ASIAOTHER',
                issuedAt: room.clock.now(),
                source: { kind: 'root' },
              },
            ],
          },
        }),
      )
    const other = { kind: 'role', arn: 'arn:other', name: 'other' } as const
    const child = await childOf(other)
    const before = new Date(room.clock.now().getTime() - 1000)
    const rules: readonly Members[] = [
      { session: accessKeyId },
      { role: roleArn },
      { policySource: 'role/uploader' },
      { principal: principalKey(parent.principal) },
      { session: accessKeyId, role: roleArn, provider: 'keycloak' },
    ]
    const met = async (rule: Members, session: Session): Promise<boolean> => {
      const fresh = await openCredentialsRoom()
      await fresh.revocations.revoke({ ...rule, issuedBefore: before, reason })
      const found = isRevoked(session, fresh)
      await fresh.close()
      return found
    }
    for (const rule of rules) assert.equal(await met(rule, child), true, JSON.stringify(rule))
    const spared: readonly Members[] = [
      { role: 'arn:other' },
      { session: 'ASIAOTHER' },
      { session: accessKeyId, role: 'arn:other' },
      { policySource: 'root' },
      { session: child.accessKeyId },
    ]
    for (const rule of spared) assert.equal(await met(rule, child), false, JSON.stringify(rule))
  })

  it('meets what was issued in the very millisecond, and spares a sign-in one millisecond later', async () => {
    room.clock.advance(250)
    const before = await issue()
    await room.revocations.revoke({ provider: 'keycloak', reason })
    const same = await issue()
    room.clock.advance(1)
    const after = await issue()
    assert.deepEqual(
      [before, same, after].map((session) => isRevoked(session)),
      [true, true, false],
    )
  })

  it('meets a decision that is older than the rule, though its token was made later', async () => {
    const grant = janesGrant()
    room.clock.advance(5000)
    await room.revocations.revoke({ provider: 'keycloak', reason })
    room.clock.advance(5000)
    assert.equal(isRevoked(await issue(grant)), true)
  })

  it('takes an instant of the past, and meets only what is older', async () => {
    const old = await issue()
    room.clock.advance(60_000)
    const young = await issue(janesGrant({ issuedAt: room.clock.now() }))
    const issuedBefore = new Date('2026-01-01T12:00:30Z')
    await room.revocations.revoke({ tenant: 'default', issuedBefore, reason })
    assert.deepEqual([isRevoked(old), isRevoked(young)], [true, false])
  })

  it('meets the sessions that were made from a revoked key', async () => {
    const session = await issue(janesGrant({ lineage: { parentAccessKeyId: 'AKIAPARENT' } }))
    await room.revocations.revoke({ session: 'AKIAPARENT', reason })
    assert.equal(isRevoked(session), true)
  })

  it('refuses a rule that names nobody, or somebody by the empty text', async () => {
    const empty: NewRevocation[] = [{ reason }, { reason, principal: '' }]
    for (const rule of [...empty, { reason, tenant: 'default', provider: '' }]) {
      await assert.rejects(room.revocations.revoke(rule))
    }
    const { entries } = await room.state.list('revocation/')
    assert.equal(entries.length, 0)
  })

  it('is in force here before `revoke` returns, for a session in the cache too', async () => {
    const made = room.sessions.issue(janesGrant())
    const { session } = await room.sessions.open(made.accessKeyId, made.sessionToken)
    room.sessions.assertLive(session, room.clock.now())
    room.state.silence() // what comes now does not come by the watch
    await room.revocations.revoke({ session: made.accessKeyId, reason })
    const again = await room.sessions.open(made.accessKeyId, made.sessionToken)
    assert.equal(again.session, session)
    assert.throws(
      () => room.sessions.assertLive(again.session, room.clock.now()),
      (error: unknown) => error instanceof CredentialsError && error.code === 'session_revoked',
    )
  })

  it('reaches a second process by the watch, within the promise', async () => {
    const other = await openSecondProcess(room)
    const session = await issue(janesGrant(), other)
    other.sessions.assertLive(session, room.clock.now())
    const started = performance.now()
    await room.revocations.revoke({ session: session.accessKeyId, reason })
    await eventually(() => isRevoked(session, other), 'seen by the second process')
    assert.ok(performance.now() - started < 2000)
    await other.close()
  })

  it('is there after a restart', async () => {
    const session = await issue()
    await room.revocations.revoke({ session: session.accessKeyId, reason })
    const restarted = await openSecondProcess(room)
    assert.equal(isRevoked(session, restarted), true)
    await restarted.close()
  })

  it('is not taken away by a list that was read before it and arrives after it', async () => {
    const session = await issue()
    const view = room.state.connect()
    let gate: Promise<void> | undefined
    let open = (): void => undefined
    const state = afterList(view, async () => gate)
    const other = await openRevocations(state, { clock: room.clock.now, random: randomBytes })
    gate = new Promise((resolve) => (open = resolve))
    const listed = view.reads
    view.silence()
    await room.state.commit([], [{ kind: 'put', key: 'elsewhere', value: '{}' }])
    view.compact()
    view.silence(false)
    await eventually(() => view.reads > listed, 'the list has been read')
    view.silence() // the rule does not come by the watch either
    await other.revoke({ session: session.accessKeyId, reason })
    open()
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.ok(other.find(session))
    await other.close()
  })

  it('rejects, and is not in force, when the store does not take it', async () => {
    const session = await issue()
    room.state.failing = true
    await assert.rejects(room.revocations.revoke({ session: session.accessKeyId, reason }))
    assert.equal(isRevoked(session), false)
  })

  it('drops by itself once no session that it could meet is alive, and not before', async () => {
    const week = 604_800_000
    const longest = await issue(janesGrant({ expiresAt: new Date('2026-01-08T12:00:00Z') }))
    // A shorter wish would let the session live again.
    const expiresAt = new Date('2026-01-01T12:00:01Z')
    await room.revocations.revoke({ provider: 'keycloak', expiresAt, reason })
    room.clock.advance(week - 1)
    await eventually(() => room.revocations.isFresh(room.clock.now()), 'the watch has gone on')
    assert.equal(isRevoked(longest), true)
    room.clock.advance(3_600_001)
    await eventually(() => room.revocations.list().length === 0, 'dropped')
    assert.equal(isRevoked(longest), false)
    assert.ok(longest.expiresAt < room.clock.now())
  })
})

describe('the promise of two seconds', () => {
  let room: CredentialsRoom

  beforeEach(async () => {
    room = await openCredentialsRoom()
  })
  afterEach(() => room.close())

  it('holds while the watch lives, and is broken two seconds after its last sign of life', async () => {
    room.state.silence()
    await new Promise((resolve) => setTimeout(resolve, 50))
    room.clock.advance(2000)
    assert.equal(room.revocations.isFresh(room.clock.now()), true)
    room.clock.advance(1)
    assert.equal(room.revocations.isFresh(room.clock.now()), false)
    room.state.silence(false)
    await eventually(() => room.revocations.isFresh(room.clock.now()), 'fresh again')
  })

  it('is not kept alive by a clock that was set back', async () => {
    room.state.silence()
    await new Promise((resolve) => setTimeout(resolve, 50))
    room.clock.advance(-3_600_000)
    assert.equal(room.revocations.isFresh(room.clock.now()), false)
  })

  it('survives cut watches, an unreachable store and dropped history: nothing is missed', async () => {
    const other = await openSecondProcess(room)
    const made = other.sessions.issue(janesGrant())
    const { session } = await other.sessions.open(made.accessKeyId, made.sessionToken)
    other.state.failing = true
    other.state.cut()
    await room.revocations.revoke({ session: made.accessKeyId, reason })
    room.state.compact()
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal(other.revocations.find(session), undefined)
    other.state.failing = false
    await eventually(() => other.revocations.find(session) !== undefined, 'listed again')
    assert.ok(other.errors.length > 0)
    await other.close()
  })

  it('gives up a watch that hangs without a word, and begins another', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    await eventually(() => other.errors.length > 0, 'given up')
    other.state.silence(false)
    const rule = await room.revocations.revoke({ tenant: 'default', reason })
    await eventually(() => other.revocations.list().length === 1, rule.id)
    await other.close()
  })

  it('is broken while a rule is in the store that cannot be understood, since it may mean anybody', async () => {
    const spoilt = [
      'garbage',
      '{"schema":2,"rule":{}}',
      '{"schema":1,"rule":{"id":"x","issuedBefore":"2026-01-01T00:00:00Z","expiresAt":"2027-01-01T00:00:00Z","reason":""}}',
      '{"schema":1,"rule":{"id":"x","binding":"b","tenant":"t","issuedBefore":"2026-01-01T00:00:00Z","expiresAt":"2027-01-01T00:00:00Z","reason":""}}',
    ]
    for (const value of spoilt) {
      await room.state.commit([], [{ kind: 'put', key: 'revocation/x', value }])
      await eventually(() => !room.revocations.isFresh(room.clock.now()), value)
      await room.state.commit([], [{ kind: 'delete', key: 'revocation/x' }])
      await eventually(() => room.revocations.isFresh(room.clock.now()), 'fresh again')
    }
    assert.equal(room.errors.length, spoilt.length)
  })

  it('needs a store at the start', async () => {
    room.state.failing = true
    await assert.rejects(openSecondProcess(room, { state: room.state }))
    room.state.failing = false
  })
})

describe('principalKey', () => {
  it('is one for everybody from outside of one provider and subject, whatever the proof was', () => {
    const of = (kind: 'web-identity' | 'ldap' | 'certificate' | 'custom-token' | 'user'): string =>
      principalKey({ kind, provider: 'corp', subject: 'ann' })
    for (const kind of ['ldap', 'certificate', 'custom-token'] as const) {
      assert.equal(of(kind), of('web-identity'))
    }
    assert.notEqual(of('user'), of('web-identity'))
  })

  it('differs for principals that differ, wherever the border between their members lies', () => {
    const of = (provider: string, subject: string): string =>
      principalKey({ kind: 'web-identity', provider, subject })
    assert.notEqual(of('a', 'bc'), of('ab', 'c'))
    assert.notEqual(of('a:', 'b'), of('a', ':b'))
    assert.notEqual(of('', '1:a:b'), of('1:a', 'b'))
    const anyPrincipal = fc.record({
      kind: fc.constantFrom('root' as const, 'user' as const, 'web-identity' as const),
      provider: fc.string({ unit: fc.constantFrom('a', ':', '1', '2'), maxLength: 5 }),
      subject: fc.string({ unit: fc.constantFrom('a', ':', '1', '2'), maxLength: 5 }),
    })
    fc.assert(
      fc.property(anyPrincipal, anyPrincipal, (one, other) => {
        const same =
          one.kind === other.kind &&
          one.provider === other.provider &&
          one.subject === other.subject
        assert.equal(principalKey(one) === principalKey(other), same)
      }),
      { numRuns: 5000 },
    )
  })
})

/** The definition, without an index. All rules of the test are as old as all sessions. */
function meetsPlainly(rule: Members, session: Session): boolean {
  const { source } = session
  const sources =
    source.kind === 'policies' ? source.names.map((name) => `policy/${name}`) : [source.kind]
  if (source.kind === 'user') sources.push(`user/${source.name}`)
  if (source.kind === 'role') sources.push(`role/${source.name}`)
  return (
    (rule.session === undefined || rule.session === session.accessKeyId) &&
    (rule.principal === undefined || rule.principal === principalKey(session.principal)) &&
    (rule.provider === undefined || rule.provider === session.principal.provider) &&
    (rule.role === undefined || (source.kind === 'role' && source.arn === rule.role)) &&
    (rule.policySource === undefined || sources.includes(rule.policySource)) &&
    (rule.tenant === undefined || rule.tenant === session.tenant)
  )
}
