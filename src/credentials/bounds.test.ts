import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { keepsItsBounds } from '../../test/bounds/index.ts'
import { Secret } from '../secret.ts'
import { sealBytes, subkey } from './aead.ts'
import { CredentialsError } from './credentials-error.ts'
import { createMessageSealer, type MessageSealer } from './messages.ts'
import { unpack } from './packing.ts'
import { parseRevocation } from './revocation-document.ts'
import { parseRing } from './ring-document.ts'
import { decodeSession } from './session-codec.ts'
import { openCredentialsRoom, type CredentialsRoom } from './testing/credentials-room.ts'

const isRefusal = (error: unknown) => error instanceof CredentialsError
const json = ['[', '{"a":', '"', '{},', '"a",', '\\u0061', '"__proto__":1,', '1', '\\']

describe('bounds of what is sealed', () => {
  let room: CredentialsRoom
  let sealer: MessageSealer
  before(async () => {
    room = await openCredentialsRoom()
    sealer = createMessageSealer(room.ring, { random: randomBytes })
  })
  after(() => room.close())

  keepsItsBounds({
    name: 'a session token',
    parse: (text) => room.sessions.open('ASIA234567ABCDEF2345', new Secret(text)),
    refuses: isRefusal,
    words: ['dps2.', 'dps1.', '.', 'a', 'A', '_', '='],
    frames: [
      (rest) => rest,
      (rest) => `dps2.${'a'.repeat(16)}.${rest.slice(0, 4000)}`,
      (rest) => `dps2.${room.ring.activeKey.id}.${rest.slice(0, 4000)}`,
    ],
  })
  keepsItsBounds({
    name: 'a sealed message',
    parse: (text) => sealer.open('denial', text),
    refuses: isRefusal,
    words: ['dpm1.', '.', 'a', 'A', '_', '='],
    frames: [(rest) => rest, (rest) => `dpm1.${room.ring.activeKey.id}.${rest}`],
  })
  keepsItsBounds({
    name: 'what is unpacked',
    parse: (text) => unpack(Buffer.from(text, 'latin1'), 65_536),
    refuses: () => false,
    words: ['\u0000', '\u0001', '\u0002', '\u00ff', '\u0004', '\u00cb\u0048'],
    frames: [(rest) => rest, (rest) => `\u0001${rest}`],
    hostile: {
      'a bomb of 32 MiB': `\u0001${deflateRawSync(Buffer.alloc(2 ** 25)).toString('latin1')}`,
      'a bomb of 60 MiB': `\u0001${deflateRawSync(Buffer.alloc(60 * 2 ** 20)).toString('latin1')}`,
    },
  })
  const bomb = Buffer.concat([Buffer.of(1), deflateRawSync(Buffer.alloc(2 ** 21))])
  keepsItsBounds({
    name: 'a token that holds a bomb, under our own seal',
    parse: (accessKeyId) => {
      const { id, session } = room.ring.activeKey
      const key = subkey(session, accessKeyId)
      const sealed = sealBytes(key, randomBytes(12), `dps2.${id}`, bomb).toString('base64url')
      return room.sessions.open(accessKeyId, new Secret(`dps2.${id}.${sealed}`))
    },
    refuses: isRefusal,
    words: ['A'],
    frames: [() => 'ASIA234567ABCDEF2345'],
  })
  keepsItsBounds({
    name: 'a message that says much, well sealed',
    parse: (text) => sealer.open('denial', sealer.seal('denial', text)),
    refuses: isRefusal,
    words: json,
  })
  for (const [name, parse] of [
    ['a session', (text: string) => decodeSession(Buffer.from(text), 'dps2')],
    ['the key ring', parseRing],
    ['a revocation', parseRevocation],
  ] as const) {
    keepsItsBounds({
      name: `what the store or a seal holds of ${name}`,
      parse,
      // The seal, or the store, vouches for it: what does not fit is our own fault, and any error says so.
      refuses: (error) => error instanceof Error && !(error instanceof RangeError),
      words: json,
      frames: [
        (rest) => rest,
        (rest) => `[${rest}1]`,
        (rest) => `{"schema":1,"keys":[${rest}1]}`,
        (rest) => `{"schema":1,"rule":{${rest}"id":"a"}}`,
        (rest) =>
          `["t",1,"p","i","s","d",[],[],["user","u"],"n",[${rest}[]],[],null,1,1,null,null,[],[],null,[]]`,
      ],
    })
  }
})
