import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { Secret } from '../secret.ts'
import { CredentialsError } from './credentials-error.ts'
import {
  openCredentialsRoom,
  openSecondProcess,
  type CredentialsRoom,
} from './testing/credentials-room.ts'
import { eventually } from './testing/credentials-room.ts'
import { anyGrant, janesGrant } from './testing/grants.ts'
import type { Credentials, CredentialsErrorCode, OpenedSession } from './types.ts'

function refused(code: CredentialsErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof CredentialsError && error.code === code
}

async function assertRefused(
  open: () => OpenedSession | Promise<OpenedSession>,
  code: CredentialsErrorCode,
): Promise<void> {
  await assert.rejects(async () => open(), refused(code))
}

describe('sealed sessions', () => {
  let room: CredentialsRoom
  const open = (made: Credentials, token = made.sessionToken): Promise<OpenedSession> =>
    Promise.resolve(room.sessions.open(made.accessKeyId, token))

  before(async () => {
    room = await openCredentialsRoom()
  })
  after(() => room.close())

  it('gives back every member of any grant', async () => {
    await fc.assert(
      fc.asyncProperty(anyGrant, async (grant) => {
        const made = room.sessions.issue(grant)
        const { session, secretAccessKey } = await open(made)
        const { trace: _trace, ...expected } = grant
        const { accessKeyId, sealingKey, ...members } = session
        assert.deepEqual(members, expected)
        assert.equal(accessKeyId, made.accessKeyId)
        assert.equal(sealingKey, room.ring.activeKey.id)
        assert.ok(secretAccessKey.equals(made.secretAccessKey))
        assert.deepEqual(made.expiresAt, grant.expiresAt)
      }),
      { numRuns: 300 },
    )
  })

  it('makes ids, secrets and tokens of the documented form, each its own', () => {
    const made = Array.from({ length: 200 }, () => room.sessions.issue(janesGrant()))
    for (const { accessKeyId, secretAccessKey, sessionToken } of made) {
      assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/)
      assert.match(secretAccessKey.reveal(), /^[A-Za-z0-9+/]{40}$/)
      assert.match(sessionToken.reveal(), /^dps2\.[a-z2-7]{16}\.[A-Za-z0-9_-]+$/)
    }
    assert.equal(new Set(made.map(({ accessKeyId }) => accessKeyId)).size, 200)
    assert.equal(new Set(made.map(({ secretAccessKey }) => secretAccessKey.reveal())).size, 200)
  })

  it('derives the secret from the access key id, as the first 30 bytes of an HMAC-SHA-256', () => {
    const { accessKeyId, secretAccessKey } = room.sessions.issue(janesGrant())
    const mac = createHmac('sha256', room.ring.activeKey.secret).update(accessKeyId).digest()
    assert.equal(secretAccessKey.reveal(), mac.subarray(0, 30).toString('base64'))
  })

  it('shows nothing of the session in the token', () => {
    const token = room.sessions.issue(janesGrant()).sessionToken.reveal()
    const shown = Buffer.from(token.split('.')[2] ?? '', 'base64url').toString('latin1')
    assert.doesNotMatch(shown, /jane|keycloak|readwrite/)
  })

  it('refuses a token with any one character changed', async () => {
    const made = room.sessions.issue(janesGrant())
    const text = made.sessionToken.reveal()
    for (let index = 0; index < text.length; index += 1) {
      for (const other of ['A', 'z', '_', '.', '=', ' ']) {
        if (text[index] === other) continue
        const changed = text.slice(0, index) + other + text.slice(index + 1)
        const opening = async (): Promise<OpenedSession> => open(made, new Secret(changed))
        // A changed key id is looked for in the store: a few of them are enough.
        if (index >= 5 && index < 21 && other !== 'z') continue
        await assert.rejects(opening, refused('token_invalid'), `at ${index}: ${other}`)
      }
    }
  })

  it('refuses every bit flip of the sealed bytes', async () => {
    const made = room.sessions.issue(janesGrant())
    const [version, keyId, body = ''] = made.sessionToken.reveal().split('.')
    const sealed = Buffer.from(body, 'base64url')
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const token = new Secret(`${version}.${keyId}.${changed.toString('base64url')}`)
      await assertRefused(() => open(made, token), 'token_invalid')
    }
  })

  it('refuses every truncation, an appended character, and the empty token', async () => {
    const made = room.sessions.issue(janesGrant())
    const text = made.sessionToken.reveal()
    for (let length = 0; length < text.length; length += 1) {
      await assertRefused(() => open(made, new Secret(text.slice(0, length))), 'token_invalid')
    }
    for (const more of ['A', '=', '==', '\n', ' ', '.', 'AAAA', '\0']) {
      await assertRefused(() => open(made, new Secret(text + more)), 'token_invalid')
      await assertRefused(() => open(made, new Secret(more + text)), 'token_invalid')
    }
  })

  it('refuses the other spellings that a lax base64 decoder takes for the same bytes', async () => {
    // Fifty claims' lengths, so that both kinds of tails with unused bits come up.
    for (let length = 0; length < 6; length += 1) {
      const made = room.sessions.issue(janesGrant({ sessionName: 'n'.repeat(2 + length) }))
      const text = made.sessionToken.reveal()
      const same = Buffer.from(text.split('.')[2] ?? '', 'base64url')
      for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
        const other = text.slice(0, -1) + last
        if (other === text) continue
        if (Buffer.from(other.split('.')[2] ?? '', 'base64url').equals(same)) {
          await assertRefused(() => open(made, new Secret(other)), 'token_invalid')
        }
      }
    }
  })

  it('refuses a token without its access key, and an access key without its token', async () => {
    const jane = room.sessions.issue(janesGrant())
    const john = room.sessions.issue(janesGrant())
    assert.throws(() => room.sessions.open(jane.accessKeyId, undefined), refused('token_missing'))
    for (const accessKeyId of [john.accessKeyId, 'AKIAIOSFODNN7EXAMPLE', '', 'ASIA', 'alice']) {
      await assertRefused(() => room.sessions.open(accessKeyId, jane.sessionToken), 'token_invalid')
    }
  })

  it('still refuses the wrong access key when the token is already in the cache', async () => {
    const jane = room.sessions.issue(janesGrant())
    const john = room.sessions.issue(janesGrant())
    await open(jane)
    await assertRefused(
      () => room.sessions.open(john.accessKeyId, jane.sessionToken),
      'token_invalid',
    )
  })

  it('refuses a token under another version or another key of the same ring', async () => {
    const made = room.sessions.issue(janesGrant())
    const [, keyId = '', body] = made.sessionToken.reveal().split('.')
    const next = room.ring.list().find(({ status }) => status === 'next')?.id
    for (const text of [
      `dps1.${keyId}.${body}`,
      `dps3.${keyId}.${body}`,
      `dps2.${next}.${body}`,
      `dpm1.${keyId}.${body}`,
    ]) {
      await assertRefused(() => open(made, new Secret(text)), 'token_invalid')
    }
  })

  it('refuses a token of another house', async () => {
    const other = await openCredentialsRoom()
    const made = other.sessions.issue(janesGrant())
    await other.close()
    await assertRefused(() => open(made), 'token_invalid')
    // … and under our own key id
    const body = made.sessionToken.reveal().split('.')[2]
    const forged = new Secret(`dps2.${room.ring.activeKey.id}.${body}`)
    await assertRefused(() => open(made, forged), 'token_invalid')
  })

  it('refuses a token of a mebibyte without asking the store or hashing it', async () => {
    const { accessKeyId } = room.sessions.issue(janesGrant())
    const token = new Secret(`dps2.${'a'.repeat(16)}.${'A'.repeat(1_048_576)}`)
    const reads = room.state.reads
    const started = performance.now()
    for (let count = 0; count < 10_000; count += 1) {
      assert.throws(() => room.sessions.open(accessKeyId, token), refused('token_invalid'))
    }
    assert.ok(performance.now() - started < 5000) // a hash each would take ten times as long
    assert.equal(room.state.reads, reads)
  })

  it('asks the store a few times only, however many tokens name unknown keys', async () => {
    const { accessKeyId } = room.sessions.issue(janesGrant())
    const reads = room.state.reads
    const body = randomBytes(200).toString('base64url')
    const garbage = Array.from({ length: 500 }, (_, index) => {
      const keyId = index.toString(2).replaceAll('1', 'b').replaceAll('0', 'a').padStart(16, 'c')
      return assertRefused(
        () => room.sessions.open(accessKeyId, new Secret(`dps2.${keyId}.${body}`)),
        'token_invalid',
      )
    })
    await Promise.all(garbage)
    assert.ok(room.state.reads - reads <= 2, `${room.state.reads - reads} reads`)
  })

  it('compresses session policies, and says how full the token is', () => {
    const statement = '{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/*"]}'
    const policy = `{"Version":"2012-10-17","Statement":[${Array(30).fill(statement).join()}]}`
    assert.ok(policy.length > 2000)
    const small = room.sessions.issue(janesGrant())
    const large = room.sessions.issue(janesGrant({ sessionPolicies: [[policy]] }))
    assert.ok(large.sessionToken.reveal().length < 1000)
    for (const made of [small, large]) {
      const share = (made.sessionToken.reveal().length / 4096) * 100
      assert.equal(made.packedPolicySize, Math.ceil(share))
    }
  })

  it('refuses to issue a token longer than 4 KiB, and issues one that just fits', async () => {
    const noise = randomBytes(6000).toString('base64')
    const withNoise = (bytes: number): Credentials =>
      room.sessions.issue(janesGrant({ sessionPolicies: [[noise.slice(0, bytes)]] }))
    assert.throws(() => withNoise(5000), refused('session_too_large'))
    let fits = 1000
    for (let step = 2048; step >= 1; step /= 2) {
      try {
        withNoise(fits + step)
        fits += step
      } catch {
        // too much: a smaller step
      }
    }
    const made = withNoise(fits)
    assert.ok(made.sessionToken.reveal().length <= 4096)
    assert.equal(made.packedPolicySize, 100)
    assert.equal((await open(made)).session.sessionPolicies[0]?.[0]?.length, fits)
  })

  it('refuses to issue what compresses well but unpacks to more than can be opened', () => {
    const bomb = janesGrant({ sessionPolicies: [['A'.repeat(10_000_000)]] })
    assert.throws(() => room.sessions.issue(bomb), refused('session_too_large'))
  })

  it('refuses to issue what lives longer than the longest session, or has no real instants', () => {
    const eightDays = janesGrant({ expiresAt: new Date('2026-01-09T12:00:00Z') })
    assert.throws(() => room.sessions.issue(eightDays), RangeError)
    assert.throws(() => room.sessions.issue(janesGrant({ expiresAt: new Date(Number.NaN) })))
    assert.throws(() => room.sessions.issue(janesGrant({ issuedAt: new Date(Number.NaN) })))
  })

  it('keeps no more opened sessions than it was told, and opens the forgotten ones again', async () => {
    const tiny = await openSecondProcess(room, { cacheSize: 2 })
    const made = Array.from({ length: 5 }, () => room.sessions.issue(janesGrant()))
    const opened = async ({ accessKeyId, sessionToken }: Credentials): Promise<OpenedSession> =>
      tiny.sessions.open(accessKeyId, sessionToken)
    const [first, ...others] = made
    assert.ok(first)
    const once = await opened(first)
    assert.equal(await opened(first), once)
    for (const other of others) await opened(other)
    assert.notEqual(await opened(first), once)
    assert.deepEqual(await opened(first), once)
    await tiny.close()
  })
})

describe('whether a session is live', () => {
  let room: CredentialsRoom

  before(async () => {
    room = await openCredentialsRoom()
  })
  after(() => room.close())

  it('ends at its expiry, to the second', async () => {
    const made = room.sessions.issue(janesGrant())
    const { session } = await room.sessions.open(made.accessKeyId, made.sessionToken)
    room.sessions.assertLive(session, new Date('2026-01-01T12:59:59.999Z'))
    for (const instant of ['2026-01-01T13:00:00Z', '2027-01-01T00:00:00Z']) {
      const late = (): void => room.sessions.assertLive(session, new Date(instant))
      assert.throws(late, refused('token_expired'))
    }
  })

  it('never ends later than the grant: a part of a second is cut off', () => {
    const made = room.sessions.issue(
      janesGrant({ expiresAt: new Date('2026-01-01T12:30:00.900Z') }),
    )
    assert.deepEqual(made.expiresAt, new Date('2026-01-01T12:30:00Z'))
  })

  it('ends with the longest session that is allowed now, whatever was allowed when it began', async () => {
    const made = room.sessions.issue(janesGrant({ expiresAt: new Date('2026-01-03T12:00:00Z') }))
    const strict = await openSecondProcess(room, { longestSessionSeconds: 3600 })
    const { session } = await strict.sessions.open(made.accessKeyId, made.sessionToken)
    const at = (instant: string) => (): void =>
      strict.sessions.assertLive(session, new Date(instant))
    at('2026-01-01T12:59:59Z')()
    assert.throws(at('2026-01-01T13:00:00Z'), refused('token_expired'))
    await strict.close()
  })

  it('says expired before revoked, and revoked before stale', async () => {
    const made = room.sessions.issue(janesGrant())
    const second = await openSecondProcess(room)
    const { session } = await second.sessions.open(made.accessKeyId, made.sessionToken)
    const live = room.sessions.issue(janesGrant())
    const other = await second.sessions.open(live.accessKeyId, live.sessionToken)
    await second.revocations.revoke({ session: made.accessKeyId, reason: 'lost laptop' })
    second.state.failing = true
    second.state.silence()
    room.clock.advance(2001)
    const at = (instant: Date) => (): void => second.sessions.assertLive(session, instant)
    assert.throws(at(new Date('2026-01-01T13:00:00Z')), refused('token_expired'))
    assert.throws(at(room.clock.now()), refused('session_revoked'))
    assert.throws(
      () => second.sessions.assertLive(other.session, room.clock.now()),
      refused('revocations_stale'),
    )
    await second.close()
  })

  it('is judged fresh for a request whose body took long to come', async () => {
    const made = room.sessions.issue(janesGrant())
    const { session } = await room.sessions.open(made.accessKeyId, made.sessionToken)
    const arrived = room.clock.now()
    room.clock.advance(10_000)
    await eventually(() => room.revocations.isFresh(room.clock.now()), 'fresh')
    room.sessions.assertLive(session, arrived)
  })
})
