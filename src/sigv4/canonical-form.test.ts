import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { canonicalHeaders, lowerNames, squeeze } from './headers.ts'
import { decodePath, encodePath, parseQuery, SigV4Error } from './index.ts'
import { refusal } from './testing/wire.ts'
import { formatTimestamp, parseDateHeader, parseTimestamp } from './timestamp.ts'
import { canonicalPath, canonicalQuery } from './uri.ts'

// Byte by byte, as the specification puts it.
function encodeSlowly(text: string, alsoUnreserved: string): string {
  const unreserved = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~${alsoUnreserved}`
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte)
    if (unreserved.includes(character)) return character
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

const unicode = fc.string({ unit: 'grapheme' })

describe('S3 surface, section 3: the path', () => {
  it('encodes each byte but the unreserved, once', () => {
    fc.assert(
      fc.property(unicode, (key) => {
        const encoded = encodePath(`/${key}`)
        assert.equal(encoded, encodeSlowly(`/${key}`, '/'))
        assert.equal(encodePath(Buffer.from(`/${key}`)), encoded)
        assert.equal(decodePath(encoded), `/${key}`)
        assert.equal(canonicalPath(encoded), encoded)
      }),
    )
  })

  it('normalises nothing, and makes / of an empty path', () => {
    for (const path of ['//', '/a/../b', '/./', '/a/', '/a//b/.']) {
      assert.equal(canonicalPath(path), path)
    }
    assert.equal(canonicalPath(''), '/')
  })

  it('keeps a plus, and encodes raw bytes', () => {
    assert.equal(decodePath('/a+b%2Bc'), '/a+b+c')
    assert.equal(canonicalPath('/a+b'), '/a%2Bb')
    assert.equal(canonicalPath('/\xc3\xa4 %c3%a4'), '/%C3%A4%20%C3%A4')
  })

  it('refuses what is no Unicode', () => {
    for (const path of [
      '%',
      '%a',
      '%g0',
      '%ff',
      '%C0%80',
      '%ED%A0%80',
      '%F4%90%80%80',
      '\xff',
      '\u0100',
    ]) {
      assert.throws(() => decodePath(path), refusal('invalid_uri'))
      assert.throws(() => canonicalPath(`/${path}`), refusal('invalid_uri'))
      assert.throws(() => parseQuery(`a=${path}`), refusal('invalid_uri'))
      assert.throws(() => parseQuery(path), refusal('invalid_uri'))
    }
    assert.throws(() => encodePath('\ud800'), refusal('invalid_uri'))
    assert.throws(() => encodePath(Buffer.from([0xff])), refusal('invalid_uri'))
  })

  it('throws nothing but SigV4Error for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        for (const parse of [decodePath, parseQuery, canonicalPath, encodePath]) {
          try {
            parse(raw)
          } catch (error) {
            assert.ok(error instanceof SigV4Error)
          }
        }
      }),
    )
  })
})

describe('S3 surface, section 3: the query', () => {
  it('splits on & and the first =, keeps order and duplicates, takes + for a space', () => {
    assert.deepEqual(parseQuery('b=2&a=1&b=1=1&&c&;d=;&e=a+b%2B&=x'), [
      ['b', '2'],
      ['a', '1'],
      ['b', '1=1'],
      ['c', ''],
      [';d', ';'],
      ['e', 'a b+'],
      ['', 'x'],
    ])
    assert.deepEqual(parseQuery(''), [])
    assert.deepEqual(parseQuery('constructor&__proto__=1'), [
      ['constructor', ''],
      ['__proto__', '1'],
    ])
  })

  it('sorts by name, then by value, in bytes', () => {
    const canonical = (raw: string) => canonicalQuery(parseQuery(raw))
    assert.equal(canonical('a-b=1&a=2'), 'a=2&a-b=1') // "-" is less than "="
    assert.equal(canonical('a=2&A=1&a=10&a'), 'A=1&a=&a=10&a=2')
    assert.equal(canonical('prefix=a/b c&x=%7E%2a'), 'prefix=a%2Fb%20c&x=~%2A')
    assert.equal(canonical('%E1%88%B4=1&z=1'), '%E1%88%B4=1&z=1')
  })

  it('is one for all spellings and orders of the same pairs', () => {
    const pair = fc.tuple(unicode, unicode).filter((both) => both.join('') !== '')
    const encode = (part: string) => encodeSlowly(part, '')
    const spell = (part: string) =>
      encode(part)
        .replaceAll('%20', '+')
        .replace(/%../g, (hex) => hex.toLowerCase())
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 6 }), (pairs) => {
        const plain = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`)
        const other = pairs.map(([name, value]) => `${spell(name)}=${spell(value)}`)
        const canonical = canonicalQuery(parseQuery(plain.join('&')))
        assert.equal(canonicalQuery(parseQuery(other.toReversed().join('&&'))), canonical)
        assert.deepEqual(
          canonical.split('&').toSorted(),
          pairs.length === 0 ? [''] : plain.toSorted(),
        )
      }),
    )
  })
})

describe('S3 surface, section 3: header values', () => {
  for (const [raw, expected] of [
    ['a', 'a'],
    ['  a  b\t\tc \r\n d  ', 'a b c d'],
    ['"a   b"', '"a b"'],
    ['', ''],
    ['   ', ''],
    ['a\u00a0', 'a\u00a0'], // the last byte of a UTF-8 letter
    ['\u00a0a\u00a0\u00a0b\u0085', '\u00a0a\u00a0\u00a0b\u0085'],
  ] as const) {
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(raw)}`, () => {
      assert.equal(squeeze(raw), expected)
    })
  }

  it('joins values in order of arrival by a bare comma', () => {
    const headers = lowerNames([
      ['X-A', ' 2 '],
      ['Other', 'x'],
      ['x-a', '1'],
    ])
    assert.equal(canonicalHeaders(headers, ['missing', 'x-a']), 'missing:\nx-a:2,1\n')
  })

  it('agrees with the plain definition', () => {
    const spaced = fc
      .array(fc.constantFrom(' ', '\t', '\n', 'a', '\u00a0'))
      .map((all) => all.join(''))
    fc.assert(
      fc.property(spaced, (raw) => {
        assert.equal(
          squeeze(raw),
          raw
            .split(/[ \t\n]+/)
            .filter((word) => word !== '')
            .join(' '),
        )
      }),
    )
  })
})

describe('timestamps', () => {
  it('reads what it writes', () => {
    const instants = fc.date({
      min: new Date('1970-01-01'),
      max: new Date('9999-12-31'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instants, (instant) => {
        const seconds = new Date(Math.floor(instant.getTime() / 1000) * 1000)
        assert.deepEqual(parseTimestamp(formatTimestamp(instant)), seconds)
        assert.deepEqual(parseDateHeader(instant.toUTCString()), seconds)
        assert.deepEqual(parseDateHeader(instant.toISOString()), seconds)
      }),
    )
  })

  for (const bad of [
    '',
    '20260101',
    '20260101T000000',
    '20260101t000000z',
    '20261301T000000Z',
    '20260101T006000Z',
    '20260101T000060Z',
    ' 20260101T000000Z',
    '20260101T000000Z\n',
    '+20260101T000000Z',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => {
      assert.equal(parseTimestamp(bad), undefined)
      assert.equal(parseDateHeader(bad), undefined)
    })
  }
})
