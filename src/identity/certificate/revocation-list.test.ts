import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tags } from './der.ts'
import { parseRevocationList } from './revocation-list.ts'

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  const head = [tag, ...(length < 0x80 ? [length] : long)]
  return Buffer.concat([Buffer.from(head), content])
}
const sequence = (...parts: readonly Buffer[]) => tlv(tags.sequence, ...parts)
const hex = (text: string) => Buffer.from(text, 'hex')
const integer = (text: string) => tlv(tags.integer, hex(text))
const time = tlv(tags.utcTime, Buffer.from('260101000000Z'))
/** ecdsa-with-SHA256 */
const algorithm = sequence(tlv(tags.objectIdentifier, hex('2a8648ce3d040302')))
const signature = tlv(tags.bitString, hex('00ff'))
const extension = (oid: string, isCritical: boolean, value: Buffer) =>
  sequence(
    tlv(tags.objectIdentifier, hex(oid)),
    ...(isCritical ? [tlv(tags.boolean, hex('ff'))] : []),
    tlv(tags.octetString, value),
  )
/** `reasonCode`, RFC 5280 section 5.3.1: keyCompromise. */
const compromised = sequence(extension('551d15', false, tlv(0x0a, hex('01'))))
/** `certificateIssuer`, section 5.3.3. */
const ofAnother = sequence(extension('551d1d', true, sequence()))

function revoked(...entries: readonly Buffer[]): readonly string[] {
  const body = sequence(integer('01'), algorithm, sequence(), time, time, sequence(...entries))
  return [...parseRevocationList(sequence(body, algorithm, signature)).revoked]
}

describe('the entries of a revocation list (RFC 5280, section 5.1.2.6)', () => {
  it('are serial numbers, with reasons or without', () => {
    assert.deepEqual(
      revoked(
        sequence(integer('7f'), time),
        sequence(integer('00ff'), time, compromised),
        sequence(integer('0102'), time, compromised),
      ),
      ['7f', '00ff', '0102'],
    )
  })

  it('may be very many', () => {
    const entries = Array.from({ length: 300 }, (_, index) =>
      sequence(integer(`01${index.toString(16).padStart(4, '0')}`), time, compromised),
    )
    assert.equal(revoked(...entries).length, 300)
  })

  it('are refused when they speak of another authority’s certificates', () => {
    const good = sequence(integer('01'), time, compromised)
    assert.throws(
      () => revoked(good, sequence(integer('02'), time, ofAnother)),
      /not a complete one/,
    )
  })

  it('are refused when they are none, rather than left out', () => {
    const wrong = [
      sequence(),
      sequence(integer('01')),
      sequence(time, integer('01')),
      sequence(integer('0001'), time),
      sequence(integer(''), time),
      sequence(integer('01'), time, hex('30')),
      sequence(integer('01'), time, time),
      sequence(integer('01'), time, compromised, compromised),
      tlv(tags.set, integer('01'), time),
      hex('30050201'),
    ]
    for (const entry of wrong) {
      assert.throws(() => revoked(entry), SyntaxError, entry.toString('hex'))
      assert.throws(() => revoked(entry, sequence(integer('01'), time)), entry.toString('hex'))
    }
  })
})
