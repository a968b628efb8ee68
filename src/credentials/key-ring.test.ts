import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CredentialsError } from './credentials-error.ts'
import { MasterKeyError, openKeyRing, type KeyRing } from './key-ring.ts'
import {
  beforeGet,
  eventually,
  newMasterKey,
  openCredentialsRoom,
  openSecondProcess,
  type CredentialsRoom,
} from './testing/credentials-room.ts'
import { FakeClock } from './testing/fake-clock.ts'
import { janesGrant } from './testing/grants.ts'
import { MemoryState } from './testing/memory-state.ts'

const day = 86_400_000

function statuses(ring: KeyRing): string[] {
  return ring.list().map(({ status }) => status)
}

describe('the key ring at the first start', () => {
  it('holds one active and one next key, and shows no key material', async () => {
    const room = await openCredentialsRoom()
    assert.deepEqual(statuses(room.ring).sort(), ['active', 'next'])
    for (const info of room.ring.list()) {
      assert.deepEqual(Object.keys(info).sort(), ['createdAt', 'id', 'status'])
    }
    await room.close()
  })

  it('is stored sealed: the stored text holds none of the key bytes', async () => {
    const made: Buffer[] = []
    const state = new MemoryState()
    const random = (bytes: number): Buffer => {
      const fresh = randomBytes(bytes)
      made.push(Buffer.from(fresh))
      return fresh
    }
    const clock = new FakeClock().now
    const ring = await openKeyRing(state, { masterKey: newMasterKey(), clock, random })
    const stored = (await state.get('keyring/sessions'))?.value ?? ''
    const keys = made.filter((bytes) => bytes.length === 32)
    assert.equal(keys.length, 2)
    for (const key of keys) {
      for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
        assert.ok(!stored.includes(key.toString(encoding)))
      }
    }
    await ring.close()
  })

  it('is the same ring for all processes that start at once', async () => {
    const clock = new FakeClock()
    const masterKey = newMasterKey()
    const store = new MemoryState({ clock: clock.now })
    // Every process has looked, and seen nothing, before the first one writes.
    let arrived = 0
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    const rings = await Promise.all(
      Array.from({ length: 5 }, () => {
        let first = true
        const state = beforeGet(store.connect(), async () => {
          if (!first) return
          first = false
          if ((arrived += 1) === 5) open()
          await gate
        })
        return openKeyRing(state, { masterKey, clock: clock.now, random: randomBytes })
      }),
    )
    const ids = new Set(rings.map((ring) => ring.activeKey.id))
    assert.equal(ids.size, 1)
    await Promise.all(rings.map((ring) => ring.close()))
  })

  it('is found again by the next start, with live sessions opening as before', async () => {
    const first = await openCredentialsRoom()
    const made = first.sessions.issue(janesGrant())
    await first.close()
    const second = await openSecondProcess(first)
    const { secretAccessKey } = await second.sessions.open(made.accessKeyId, made.sessionToken)
    assert.ok(secretAccessKey.equals(made.secretAccessKey))
    await second.close()
  })

  it('refuses another master key, with words that say so, and leaves the ring alone', async () => {
    const room = await openCredentialsRoom()
    const before = await room.state.get('keyring/sessions')
    const opening = openSecondProcess(room, { masterKey: newMasterKey() })
    await assert.rejects(opening, (error: unknown) => {
      return error instanceof MasterKeyError && /another master key/.test(error.message)
    })
    assert.deepEqual(await room.state.get('keyring/sessions'), before)
    await room.close()
  })

  it('refuses a stored ring that is garbage, rather than to make a new one', async () => {
    const garbage = ['', '{', 'null', '{}', '{"schema":2,"keys":[]}', '{"schema":1,"keys":[]}']
    for (const value of garbage) {
      const state = new MemoryState()
      await state.commit([], [{ kind: 'put', key: 'keyring/sessions', value }])
      await assert.rejects(openCredentialsRoom({ state }))
      assert.equal((await state.get('keyring/sessions'))?.value, value)
    }
  })
})

describe('rotation', () => {
  let room: CredentialsRoom

  beforeEach(async () => {
    room = await openCredentialsRoom()
  })
  afterEach(() => room.close())

  it('makes next active, active retiring, and a new next', async () => {
    const [active, next] = room.ring.list()
    const after = await room.ring.rotate()
    const status = new Map(after.map((info) => [info.id, info.status]))
    assert.equal(status.get(active?.id ?? ''), 'retiring')
    assert.equal(status.get(next?.id ?? ''), 'active')
    assert.equal(after.length, 3)
    assert.equal(room.ring.activeKey.id, next?.id)
  })

  it('ends no live session, however often it comes', async () => {
    const made = room.sessions.issue(janesGrant())
    for (let count = 0; count < 20; count += 1) await room.ring.rotate()
    const fresh = await openSecondProcess(room)
    for (const { sessions } of [room, fresh]) {
      const { session } = await sessions.open(made.accessKeyId, made.sessionToken)
      sessions.assertLive(session, room.clock.now())
    }
    await fresh.close()
  })

  it('keeps a retiring key until the longest session that it sealed is over, then drops it', async () => {
    const first = room.ring.activeKey.id
    const week = new Date(room.clock.now().getTime() + 7 * day)
    const made = room.sessions.issue(janesGrant({ expiresAt: week }))
    await room.ring.rotate()
    room.clock.advance(7 * day - 1)
    await room.ring.dropExpired()
    const { session } = await room.sessions.open(made.accessKeyId, made.sessionToken)
    assert.equal(session.sealingKey, first)
    const { lastExpiry } = room.ring.list().find(({ id }) => id === first) ?? {}
    assert.ok(lastExpiry && lastExpiry > week)
    room.clock.advance(lastExpiry.getTime() - room.clock.now().getTime())
    await room.ring.dropExpired()
    assert.ok(!room.ring.list().some(({ id }) => id === first))
  })

  it('no longer opens what a dropped key sealed, not even from the cache', async () => {
    const made = room.sessions.issue(janesGrant())
    await room.sessions.open(made.accessKeyId, made.sessionToken)
    await room.ring.rotate()
    room.clock.advance(8 * day)
    await eventually(() => room.revocations.isFresh(room.clock.now()), 'fresh again')
    await room.ring.rotate()
    await assert.rejects(
      async () => room.sessions.open(made.accessKeyId, made.sessionToken),
      (error: unknown) => error instanceof CredentialsError && error.code === 'token_invalid',
    )
  })

  it('is one rotation when processes rotate at once', async () => {
    const others = await Promise.all([1, 2, 3].map(() => openSecondProcess(room)))
    const rings = [room, ...others].map(({ ring }) => ring)
    const answers = await Promise.all(rings.map((ring) => ring.rotate()))
    for (const answer of answers) assert.deepEqual(answer, answers[0])
    assert.equal(answers[0]?.length, 3)
    await Promise.all(others.map((other) => other.close()))
  })

  it('is a rotation each when they come one after the other, seen or not', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    await room.ring.rotate()
    const after = await other.ring.rotate()
    assert.equal(after.filter(({ status }) => status === 'retiring').length, 2)
    await other.close()
  })

  it('reaches the other processes by the watch', async () => {
    const other = await openSecondProcess(room)
    await room.ring.rotate()
    await eventually(() => other.ring.activeKey.id === room.ring.activeKey.id, 'seen by the watch')
    await other.close()
  })

  it('needs no watch for a token of the next key, since that is published before it seals', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    other.state.failing = true
    await room.ring.rotate()
    const made = room.sessions.issue(janesGrant())
    const opened = other.sessions.open(made.accessKeyId, made.sessionToken)
    assert.ok(!(opened instanceof Promise))
    await other.close()
  })

  it('lets a process that has seen neither key ask the store, once for many tokens', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    await room.ring.rotate()
    await room.ring.rotate()
    const reads = other.state.reads
    const made = Array.from({ length: 50 }, () => room.sessions.issue(janesGrant()))
    const opened = await Promise.all(
      made.map(async (one) => other.sessions.open(one.accessKeyId, one.sessionToken)),
    )
    assert.equal(opened.length, 50)
    assert.equal(other.state.reads - reads, 1)
    await other.close()
  })

  it('answers "try again", not "invalid", when the store should be asked and is silent', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    await room.ring.rotate()
    await room.ring.rotate()
    other.state.failing = true
    const made = room.sessions.issue(janesGrant())
    await assert.rejects(
      async () => other.sessions.open(made.accessKeyId, made.sessionToken),
      (error: unknown) => error instanceof CredentialsError && error.code === 'revocations_stale',
    )
    other.state.failing = false
    assert.ok(await other.sessions.open(made.accessKeyId, made.sessionToken))
    await other.close()
  })

  it('is followed again after the watch was cut, and after its history was dropped', async () => {
    const other = await openSecondProcess(room)
    other.state.silence()
    await room.ring.rotate()
    room.state.compact()
    other.state.cut()
    other.state.silence(false)
    await eventually(() => other.ring.activeKey.id === room.ring.activeKey.id, 'seen after the cut')
    await other.close()
  })

  it('keeps its keys when the stored ring is spoilt or deleted, and reports it', async () => {
    const { id } = room.ring.activeKey
    await room.state.commit([], [{ kind: 'put', key: 'keyring/sessions', value: 'garbage' }])
    await eventually(() => room.errors.length === 1, 'reported')
    await room.state.commit([], [{ kind: 'delete', key: 'keyring/sessions' }])
    await eventually(() => room.errors.length === 2, 'reported')
    assert.equal(room.ring.activeKey.id, id)
    await assert.rejects(room.ring.rotate(), /gone from the store/)
  })

  it('seals no more once the store has been silent for a quarter of an hour', async () => {
    room.state.silence()
    room.clock.advance(900_001)
    assert.throws(() => room.sessions.issue(janesGrant()), /not been confirmed/)
    room.state.silence(false)
    await eventually(() => room.revocations.isFresh(room.clock.now()), 'fresh again')
    await sleep(50)
    room.sessions.issue(janesGrant())
  })
})
