import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { Secret } from '../secret.ts'
import { sealBytes, subkey } from './aead.ts'
import { CredentialsError } from './credentials-error.ts'
import { createMessageSealer, type MessageSealer } from './messages.ts'
import { pack, unpack } from './packing.ts'
import { openCredentialsRoom, type CredentialsRoom } from './testing/credentials-room.ts'
import { janesGrant } from './testing/grants.ts'

describe('sealed messages', () => {
  let room: CredentialsRoom
  let sealer: MessageSealer

  before(async () => {
    room = await openCredentialsRoom()
    sealer = createMessageSealer(room.ring, { random: randomBytes })
  })
  after(() => room.close())

  function assertInvalid(kind: string, text: string): void {
    assert.throws(
      () => sealer.open(kind, text),
      (error: unknown) => error instanceof CredentialsError && error.code === 'token_invalid',
      text.slice(0, 60),
    )
  }

  /** What an attacker who holds the key could make; nobody else can. */
  function forge(kind: string, packed: Buffer): string {
    const { id, message } = room.ring.activeKey
    const salt = randomBytes(16)
    const body = sealBytes(subkey(message, salt), randomBytes(12), `dpm1.${id}.${kind}`, packed)
    return `dpm1.${id}.${Buffer.concat([salt, body]).toString('base64url')}`
  }

  it('open to the value that was sealed, whatever JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, kind) => {
        const opened = sealer.open(kind, sealer.seal(kind, value))
        assert.deepEqual(opened, JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('of one kind never open as another', () => {
    const text = sealer.seal('list-objects', { after: 'key' })
    for (const kind of ['denial', '', 'list-object', 'list-objects ', 'LIST-OBJECTS']) {
      assertInvalid(kind, text)
    }
  })

  it('never come twice alike, though they say the same', () => {
    assert.notEqual(sealer.seal('k', 1), sealer.seal('k', 1))
  })

  it('open after a rotation, and in no other house', async () => {
    const text = sealer.seal('k', 'v')
    await room.ring.rotate()
    assert.equal(sealer.open('k', text), 'v')
    const other = await openCredentialsRoom()
    const foreign = createMessageSealer(other.ring, { random: randomBytes })
    assert.throws(() => foreign.open('k', text), CredentialsError)
    await other.close()
  })

  it('do not open when one character is changed, missing or added', () => {
    const text = sealer.seal('k', { some: 'value' })
    for (let index = 0; index < text.length; index += 1) {
      const other = text[index] === 'A' ? 'B' : 'A'
      assertInvalid('k', text.slice(0, index) + other + text.slice(index + 1))
      assertInvalid('k', text.slice(0, index) + text.slice(index + 1))
    }
    for (const more of ['A', '.', '=', '\n', ' ']) assertInvalid('k', text + more)
  })

  it('are not session tokens, and session tokens are not messages', async () => {
    const made = room.sessions.issue(janesGrant())
    const [, id, body] = made.sessionToken.reveal().split('.')
    assertInvalid('k', made.sessionToken.reveal())
    assertInvalid('k', `dpm1.${id}.${body}`)
    const message = sealer.seal('k', 1).replace('dpm1', 'dps1')
    await assert.rejects(async () => room.sessions.open(made.accessKeyId, new Secret(message)))
  })

  it('are refused when they are garbage, empty or huge', () => {
    const { id } = room.ring.activeKey
    const garbage = [
      '',
      '.',
      'dpm1',
      `dpm1.${id}.`,
      `dpm1.${id}.AAAA`,
      'dpm1.aaaaaaaaaaaaaaaa.AAAA',
    ]
    for (const text of garbage) assertInvalid('k', text)
    assertInvalid('k', `dpm1.${id}.${'A'.repeat(1_048_576)}`)
    assertInvalid('k', `dpm1.${id}.${randomBytes(48_000).toString('base64url')}`)
  })

  it('print a secret that strayed into them as [secret]', () => {
    const text = sealer.seal('k', { token: new Secret('hunter2') })
    assert.deepEqual(sealer.open('k', text), { token: '[secret]' })
  })

  it('are not made when nobody could open them', () => {
    const tooLarge = (error: unknown): boolean =>
      error instanceof CredentialsError && error.code === 'session_too_large'
    assert.throws(() => sealer.seal('k', randomBytes(60_000).toString('base64')), tooLarge)
    assert.throws(() => sealer.seal('k', 'A'.repeat(1_100_000)), tooLarge)
    const large = 'A'.repeat(1_000_000)
    assert.equal(sealer.open('k', sealer.seal('k', large)), large)
  })

  it('inflate no further than a mebibyte, even under the right key', () => {
    const bomb = deflateRawSync(Buffer.alloc(40_000_000, 0x20))
    assert.ok(bomb.length < 48_000)
    assertInvalid('k', forge('k', Buffer.concat([Buffer.of(1), bomb])))
    assert.equal(sealer.open('k', forge('k', Buffer.concat([Buffer.of(0), Buffer.from('7')]))), 7)
  })
})

describe('packing', () => {
  it('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        assert.deepEqual(unpack(pack(Buffer.from(bytes)), 3000), Buffer.from(bytes))
      }),
    )
  })

  it('never makes bytes longer by more than the one that says how', () => {
    for (const length of [0, 1, 511, 512, 10_000]) {
      assert.ok(pack(randomBytes(length)).length <= length + 1)
    }
  })

  it('refuses what is too long, empty, cut off or of an unknown kind', () => {
    const packed = pack(Buffer.alloc(2000, 'ab'))
    assert.equal(unpack(packed, 1999), undefined)
    assert.equal(unpack(pack(Buffer.alloc(100)), 99), undefined)
    assert.equal(unpack(Buffer.alloc(0), 10), undefined)
    assert.equal(unpack(packed.subarray(0, packed.length - 3), 5000), undefined)
    assert.equal(unpack(Buffer.of(2, 1, 2, 3), 10), undefined)
  })
})
