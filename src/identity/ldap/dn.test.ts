import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { formatDn, isWithin, normaliseDn, parseDn, type Dn } from './dn.ts'

const type = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)
const value = fc
  .string({ unit: fc.constantFrom(...' #,+"\\<>;=/*()aZéЖ🙂\n\0\x7f'.split('')), minLength: 1 })
  .filter((text) => text.isWellFormed())
const name = fc.array(fc.record({ type, value }), { minLength: 1, maxLength: 3 })
const names = fc.array(name, { minLength: 1, maxLength: 6 })

/** Spells a name in one of the many ways that mean the same. */
function spell(dn: Dn, dice: () => number): string {
  const spaces = () => ' '.repeat(dice() % 3)
  const letter = (char: string) => {
    const bytes = [...Buffer.from(char)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`)
    const isFree = /[a-zA-Z0-9/*()éЖ🙂]/u.test(char)
    return isFree && dice() % 3 > 0 ? char : bytes.join('')
  }
  const cased = (text: string) => (dice() % 2 === 0 ? text.toUpperCase() : text)
  return dn
    .map((attributes) =>
      attributes
        .map(({ type, value }) => [type, Array.from(value, letter).join('')] as const)
        .map(
          ([type, value]) => `${spaces()}${cased(type)}${spaces()}=${spaces()}${value}${spaces()}`,
        )
        .join('+'),
    )
    .join(',')
}

describe('distinguished names (RFC 4514)', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(names, (dn) => {
        const written = formatDn(dn)
        assert.equal(formatDn(parseDn(written)), written)
        const sorted = (dn: Dn) => dn.map((name) => name.map((a) => JSON.stringify(a)).toSorted())
        const known = dn.map((name) => name.map((a) => ({ ...a, type: parseType(a.type) })))
        assert.deepEqual(sorted(parseDn(written)), sorted(known))
      }),
    )
  })

  it('writes every spelling of one name alike', () => {
    const dice = fc.infiniteStream(fc.nat(5))
    fc.assert(
      fc.property(names, dice, (dn, stream) => {
        const roll = () => Number(stream.next().value)
        assert.equal(formatDn(parseDn(spell(dn, roll))), formatDn(parseDn(formatDn(dn))))
      }),
    )
  })

  it('normalises what is normal to itself, and every case of it', () => {
    fc.assert(
      fc.property(names, (dn) => {
        const normal = normaliseDn(formatDn(dn))
        assert.equal(normaliseDn(normal), normal)
      }),
    )
    assert.equal(
      normaliseDn('UID = Alice , OU=People,DC=Example, dc=ORG'),
      'uid=alice,ou=people,dc=example,dc=org',
    )
    assert.equal(normaliseDn('CN=ИВАН,dc=x'), normaliseDn('cn=\\d0\\98\\D0\\B2ан,DC=X'))
    assert.equal(normaliseDn('cn=ΟΔΟΣ'), normaliseDn('cn=οδοσ'))
  })

  it('knows the escapes of OpenLDAP and Active Directory for one comma', () => {
    assert.equal(normaliseDn('cn=Smith\\2C Jane,dc=x'), normaliseDn('CN=Smith\\, Jane,DC=x'))
  })

  it('keeps names with special characters apart', () => {
    const distinct = ['cn=a,cn=b', 'cn=a\\,cn\\=b', 'cn=a+cn=b', 'cn=a\\+cn=b', 'cn=a\\\\,cn=b']
    assert.equal(new Set(distinct.map(normaliseDn)).size, distinct.length)
    assert.notEqual(normaliseDn('cn=a  b'), normaliseDn('cn=a b'))
    assert.notEqual(normaliseDn('cn=\\ a'), normaliseDn('cn= a'))
    assert.notEqual(normaliseDn('cn=a\\ '), normaliseDn('cn=a '))
  })

  it('lets the parts of one relative name come in any order', () => {
    assert.equal(
      normaliseDn('uid=a+cn=b,dc=x'),
      normaliseDn('cn=B + 0.9.2342.19200300.100.1.1=A,DC=x'),
    )
  })

  const wrong = {
    nothing: '',
    'a name without a type': 'alice',
    'an empty value': 'cn=,dc=x',
    'a value of spaces alone': 'cn=  ,dc=x',
    'an empty part': 'cn=a,,dc=x',
    'a last comma': 'cn=a,',
    'a quoted value': 'cn="a",dc=x',
    'an unescaped semicolon': 'cn=a;dc=x',
    'half an escape': 'cn=a\\2,dc=x',
    'a backslash at the end': 'cn=a\\',
    'an escape that is none': 'cn=\\zz',
    'bytes that are not UTF-8': 'cn=\\ff',
    'a value in BER': 'cn=#0401',
    'bytes that somebody failed to decode': 'cn=a\uFFFD,dc=x',
    'a NUL': 'cn=a\0b',
    'a type with an underscore': 'c_n=a',
    'a very long name': `cn=${'a'.repeat(9000)}`,
    'very many parts': Array.from({ length: 200 }, () => 'cn=a').join(','),
    'very many values in one part': Array.from({ length: 200 }, () => 'cn=a').join('+'),
  }
  for (const [what, text] of Object.entries(wrong)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseDn(text), TypeError)
    })
  }

  it('answers any text with a name or a TypeError, and soon', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        try {
          normaliseDn(text)
        } catch (error) {
          assert.ok(error instanceof TypeError)
        }
      }),
    )
    const began = performance.now()
    for (const text of [
      `cn=a${' '.repeat(8000)}`,
      `cn=${'\\'.repeat(8000)}`,
      `cn${' '.repeat(8000)}`,
    ]) {
      try {
        parseDn(text)
      } catch {
        // The time is what is asked for.
      }
    }
    assert.ok(performance.now() - began < 500)
  })

  it('sees what lies below what', () => {
    const base = 'ou=people,dc=example,dc=org'
    assert.ok(isWithin(`uid=a,${base}`, base))
    assert.ok(isWithin(base, base))
    assert.ok(!isWithin('dc=org', base))
    assert.ok(!isWithin('uid=a\\,ou\\=people,dc=example,dc=org', base))
    assert.ok(!isWithin('xou=people,dc=example,dc=org', base))
  })
})

function parseType(type: string): string {
  return parseDn(`${type}=x`)[0]?.[0]?.type ?? ''
}
