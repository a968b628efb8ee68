import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { array, assert as check, constantFrom, property, string, stringMatching } from 'fast-check'
import { isSpiffeId, parseDnsPattern, parseUriPattern } from './name-pattern.ts'

const segment = stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
const hostile = constantFrom(
  'a',
  '/',
  '.',
  '..',
  '*',
  '%2F',
  '%2f',
  '%',
  '?',
  '#',
  ':',
  '\\',
  'é',
  '',
)

describe('a pattern for URIs', () => {
  const fits = (pattern: string, uri: string) => parseUriPattern(pattern)(uri)

  it('without a star is the URI itself, and nothing near it', () => {
    const uri = 'spiffe://example.org/ns/a/sa/b'
    assert.ok(fits(uri, uri))
    const near = [`${uri}/`, `${uri}b`, ` ${uri}`, `${uri}\n`, uri.toUpperCase(), `x${uri}`, '']
    for (const other of near) assert.ok(!fits(uri, other), other)
    assert.ok(fits('urn:example:robot', 'urn:example:robot'))
    assert.ok(!fits('urn:example:robot', 'urn:example:robot:2'))
  })

  it('with a star takes one segment, or a part of one', () => {
    const pattern = 'spiffe://example.org/ns/*/sa/web-*'
    for (const uri of ['/ns/a/sa/web-1', '/ns/a.b/sa/web-a-b']) {
      assert.ok(fits(pattern, `spiffe://example.org${uri}`), uri)
    }
    const others = [
      '/ns/a/b/sa/web-1',
      '/ns//sa/web-1',
      '/ns/a/sa/web-',
      '/ns/a/sa/web',
      '/ns/a/sa/web-1/x',
      '/ns/a/sa',
      '/ns/../sa/web-1',
      '/ns/./sa/web-1',
      '/ns/%2e%2e/sa/web-1',
      '/ns/a%2Fb/sa/web-1',
      '/ns/a/sa/web-1?x',
      '/ns/a/sa/web-1#x',
      '/ns/*/sa/web-1',
    ]
    for (const uri of others) assert.ok(!fits(pattern, `spiffe://example.org${uri}`), uri)
    assert.ok(!fits(pattern, 'spiffe://example.org.evil/ns/a/sa/web-1'))
    assert.ok(!fits('https://example.org/*', 'https://example.org/a%2Fb'))
    assert.ok(!fits('https://example.org/*', 'https://example.org/..'))
    assert.ok(!fits('https://example.org/.*', 'https://example.org/..'))
  })

  it('never crosses a separator, whatever stands in its place (property)', () => {
    check(
      property(array(hostile, { maxLength: 6 }), (parts) => {
        const text = parts.join('')
        const uri = `https://example.org/a/${text}/z`
        const expected = /^[A-Za-z0-9._~-]+$/.test(text) && text !== '.' && text !== '..'
        assert.equal(fits('https://example.org/a/*/z', uri), expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('takes exactly the ids of its shape (property)', () => {
    check(
      property(segment, segment, segment, (a, b, c) => {
        assert.ok(fits('spiffe://example.org/*/x/*', `spiffe://example.org/${a}/x/${b}`))
        assert.ok(!fits('spiffe://example.org/*/x/*', `spiffe://example.org/${a}/x/${b}/${c}`))
        assert.ok(!fits('spiffe://example.org/*', `spiffe://${a.toLowerCase()}.test/${b}`))
      }),
    )
  })

  it('takes nothing and never fails on random text (property)', () => {
    const pattern = parseUriPattern('spiffe://example.org/*')
    check(property(string({ unit: 'binary' }), (text) => assert.equal(pattern(text), false)))
  })

  it('costs little, whatever it meets', () => {
    const pattern = parseUriPattern(`https://example.org/${'a*/'.repeat(500)}z`)
    const began = performance.now()
    for (let turn = 0; turn < 10; turn += 1) pattern(`https://example.org/${'a'.repeat(65_536)}`)
    assert.ok(performance.now() - began < 2000)
  })

  it('is refused with a star where names are handed out, or when it is no URI', () => {
    const wrong = [
      '',
      '*',
      'spiffe:*',
      'spiffe://*',
      'spiffe://*/ns',
      'spiffe://*.org/ns',
      's*://example.org/ns',
      'spiffe://example.org/a*b*',
      'spiffe://example.org/**',
      'spiffe://Example.org/*',
      'spiffe://example.org/a//*',
      'spiffe://example.org/../*',
      'SPIFFE://example.org/*',
      'urn:example:*',
      'https:///*',
      'example.org/*',
    ]
    for (const pattern of wrong) assert.throws(() => parseUriPattern(pattern), TypeError, pattern)
  })
})

describe('a pattern for DNS names', () => {
  const fits = (pattern: string, name: string) => parseDnsPattern(pattern)(name)

  it('takes one label in place of its star', () => {
    assert.ok(fits('*.web.Example.com', 'a.web.example.com'))
    assert.ok(fits('node-*.example.com', 'node-7.example.com'))
    const others = [
      'web.example.com',
      '.web.example.com',
      'a.b.web.example.com',
      '*.web.example.com',
      'a.web.example.com.',
      'a.web.example.com.evil.test',
      'axweb.example.com',
    ]
    for (const name of others) assert.ok(!fits('*.web.example.com', name), name)
    assert.ok(!fits('node-*.example.com', 'node-.example.com'))
    assert.ok(!fits('a.example.com', 'axexample.com'))
  })

  it('never crosses a dot (property)', () => {
    check(
      property(array(hostile, { maxLength: 6 }), (parts) => {
        const text = parts.join('')
        const expected = /^[a-z0-9_-]+$/.test(text)
        assert.equal(fits('*.example.com', `${text}.example.com`), expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('is refused with a star for a whole domain, or when it is no name', () => {
    const wrong = [
      '',
      '*',
      '*.com',
      'a.*',
      '*.*.com',
      'a.**.b.c',
      '*a*.b.c',
      'a..b',
      '.a.b',
      'a b.c.d',
    ]
    for (const pattern of wrong) assert.throws(() => parseDnsPattern(pattern), TypeError, pattern)
  })
})

describe('a SPIFFE id (SPIFFE-ID standard, section 2)', () => {
  it('has one spelling', () => {
    for (const id of [
      'spiffe://example.org',
      'spiffe://example.org/a/b-1/C_2',
      'spiffe://10.0.0.1/x',
    ]) {
      assert.ok(isSpiffeId(id), id)
    }
    const wrong = [
      'spiffe://',
      'spiffe:///a',
      'spiffe://example.org/',
      'spiffe://example.org/a/',
      'spiffe://example.org//a',
      'spiffe://example.org/./a',
      'spiffe://example.org/a/..',
      'spiffe://user@example.org/a',
      'spiffe://example.org:1/a',
      'spiffe://example.org/a?b',
      'spiffe://example.org/a#b',
      'spiffe://example.org/%61',
      'spiffe://exämple.org/a',
      'Spiffe://example.org/a',
      `spiffe://example.org/${'a'.repeat(3000)}`,
    ]
    for (const id of wrong) assert.ok(!isSpiffeId(id), id)
  })
})
