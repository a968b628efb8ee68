import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assert as check, property, uint8Array } from 'fast-check'
import { parseCertificate } from './certificate.ts'
import {
  children,
  readBoolean,
  readCount,
  readDer,
  readInteger,
  readObjectIdentifier,
} from './der.ts'
import { readText, readTime } from './der-values.ts'
import { readName } from './distinguished-name.ts'
import { parseRevocationList } from './revocation-list.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const read = (text: string) => readDer(hex(text))
const element = (tag: number, content: string | Buffer) => {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
}

describe('reading DER (X.690)', () => {
  it('takes one encoding of each value', () => {
    assert.equal(readInteger(read('02 01 7f')), '7f')
    assert.equal(readInteger(read('02 02 00 80')), '0080')
    assert.equal(readCount(read('02 02 00 80')), 128)
    assert.equal(readBoolean(read('01 01 ff')), true)
    assert.equal(readObjectIdentifier(read('06 03 55 1d 25')), '2.5.29.37')
    assert.equal(readObjectIdentifier(read('06 06 2a 86 48 86 f7 0d')), '1.2.840.113549')
    assert.equal(children(read('30 06 02 01 01 02 01 02')).length, 2)
    assert.equal(readDer(element(0x04, 'x'.repeat(127))).content.length, 127)
  })

  it('refuses every other', () => {
    const wrong = [
      '',
      '30',
      '30 80 00 00',
      '30 81 01 00',
      '30 82 00 81',
      '30 01',
      '02 01 01 00',
      '1f 01 00',
      '30 85 00 00 00 00 00',
      '30 84 ff ff ff ff',
    ]
    for (const bytes of wrong) assert.throws(() => read(bytes), SyntaxError, bytes)
    const values: readonly (readonly [string, (text: string) => unknown])[] = [
      ['02 00', (text) => readInteger(read(text))],
      ['02 02 00 7f', (text) => readInteger(read(text))],
      ['02 02 ff 80', (text) => readInteger(read(text))],
      ['02 01 ff', (text) => readCount(read(text))],
      ['02 05 01 00 00 00 00', (text) => readCount(read(text))],
      ['01 01 01', (text) => readBoolean(read(text))],
      ['06 00', (text) => readObjectIdentifier(read(text))],
      ['06 02 55 80', (text) => readObjectIdentifier(read(text))],
      ['06 03 55 80 01', (text) => readObjectIdentifier(read(text))],
      ['30 03 02 01', (text) => children(read(text))],
    ]
    for (const [bytes, of] of values) assert.throws(() => of(bytes), SyntaxError, bytes)
  })

  it('takes texts without control characters, in the encodings that names have', () => {
    const text = (tag: number, content: string | Buffer) => readText(readDer(element(tag, content)))
    assert.equal(text(0x0c, 'Zoë'), 'Zoë')
    assert.equal(text(0x13, 'Zoe'), 'Zoe')
    assert.equal(text(0x1e, hex('005a 006f 00eb')), 'Zoë')
    const wrong = [
      [0x0c, 'alice\u0000.example'],
      [0x13, 'alice\u0000'],
      [0x0c, 'a\nb'],
      [0x0c, hex('c3 28')],
      [0x13, hex('e9')],
      [0x1e, hex('00')],
      [0x1e, hex('d800')],
      [0x02, 'a'],
    ] as const
    for (const [tag, content] of wrong) assert.throws(() => text(tag, content), SyntaxError)
  })

  it('takes times that there are, in UTC', () => {
    const time = (tag: number, text: string) => readTime(readDer(element(tag, text))).toISOString()
    assert.equal(time(0x17, '260301120000Z'), '2026-03-01T12:00:00.000Z')
    assert.equal(time(0x17, '500101000000Z'), '1950-01-01T00:00:00.000Z')
    assert.equal(time(0x18, '20500101000000Z'), '2050-01-01T00:00:00.000Z')
    const wrong = ['260230000000Z', '2603011200Z', '260301120000+0100', '20260301120000Z', '']
    for (const text of wrong) assert.throws(() => time(0x17, text), SyntaxError, text)
    assert.throws(() => time(0x18, '20260301120000.5Z'), SyntaxError)
  })

  it('writes a name as RFC 4514 says', () => {
    const attribute = (oid: string, value: Buffer) =>
      element(0x31, element(0x30, Buffer.concat([element(0x06, hex(oid)), value])))
    const name = Buffer.concat([
      attribute('55040a', element(0x0c, ' Ex+am,ple ')),
      attribute('550403', element(0x0c, '#a\\"')),
      attribute('2a03', element(0x0c, 'x')),
    ])
    assert.equal(
      readName(readDer(element(0x30, name))).text,
      String.raw`1.2.3=#0c0178,CN=\#a\\\",O=\ Ex\+am\,ple\ `,
    )
  })

  it('meets an error, never a crash, whatever the bytes (property)', () => {
    check(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        const buffer = Buffer.concat([hex('30'), Buffer.from([bytes.length & 0x7f]), bytes])
        for (const parse of [parseCertificate, parseRevocationList, readDer]) {
          try {
            parse(buffer)
          } catch (error) {
            assert.ok(error instanceof Error)
          }
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('takes bounded time for deep and for wide nonsense', () => {
    const began = performance.now()
    const deep = Buffer.alloc(65_536, 0x30)
    assert.throws(() => parseRevocationList(deep))
    const wide = Buffer.concat([
      hex('30 83 00ffff'.replace('83 00ffff', '82 fff0')),
      Buffer.alloc(0xfff0, 0),
    ])
    assert.throws(() => parseRevocationList(wide))
    assert.ok(performance.now() - began < 2000)
  })
})
