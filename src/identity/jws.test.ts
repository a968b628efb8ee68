import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { IdentityError } from './identity-error.ts'
import { longestToken, parseJws } from './jws.ts'

const b64 = (text: string) => Buffer.from(text).toString('base64url')
const header = b64('{"alg":"RS256","kid":"a"}')
const payload = b64('{"sub":"alice"}')
const signature = b64('signature')
const whole = `${header}.${payload}.${signature}`
const withHeader = (members: object) =>
  `${b64(JSON.stringify({ alg: 'RS256', ...members }))}.${payload}.${signature}`

function assertMalformed(token: string): void {
  assert.throws(
    () => parseJws(token),
    (error) => error instanceof IdentityError && error.code === 'token_malformed',
  )
}

describe('the form of a token (RFC 7515 section 7.1)', () => {
  it('is taken apart', () => {
    const jws = parseJws(whole)
    assert.deepEqual(jws.header, { alg: 'RS256', kid: 'a' })
    assert.equal(jws.payload.toString(), '{"sub":"alice"}')
    assert.equal(jws.signedText.toString(), `${header}.${payload}`)
    assert.equal(jws.signature.toString(), 'signature')
  })

  const refused = new Map([
    ['nothing', ''],
    ['garbage', 'garbage'],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${whole}.`],
    ['the five parts of a JWE', `${header}.a.b.c.d`],
    ['thousands of dots', '.'.repeat(10_000)],
    ['JSON serialization', JSON.stringify({ payload, protected: header, signature })],
    ['a space before', ` ${whole}`],
    ['a line feed after', `${whole}\n`],
    ['a space inside a part', `${header}.${payload.slice(0, 3)} ${payload.slice(3)}.${signature}`],
    ['padding', `${header}.${b64('{"a":1}')}=.${signature}`],
    ['the other alphabet', `${header}.${b64('{"a":"???>>>"}').replace('_', '/')}.${signature}`],
    ['a question mark inside', `${header}.${payload}?.${signature}`],
    ['unused bits that are set', `${header}.${payload}.${b64('a').slice(0, 1)}R`],
    ['one character alone', `${header}.${payload}.A`],
    ['other letters', `${header}.${payload}.ÄÖÜ`],
    ['a header that is no JSON', `${b64('alg')}.${payload}.${signature}`],
    ['a header that is a list', `${b64('["RS256"]')}.${payload}.${signature}`],
    ['a header that is not UTF-8', `${Buffer.from([0xff]).toString('base64url')}.${payload}.`],
    ['a header with doubled alg', `${b64('{"alg":"none","alg":"RS256"}')}.${payload}.${signature}`],
    ['an empty header', `.${payload}.${signature}`],
    ['no alg', `${b64('{}')}.${payload}.${signature}`],
    ['an alg that is no text', withHeader({ alg: ['RS256'] })],
    ['a kid that is no text', withHeader({ kid: 7 })],
    ['a kid without end', withHeader({ kid: 'k'.repeat(2000) })],
    ['crit', withHeader({ crit: ['exp'], exp: 1 })],
    ['empty crit', withHeader({ crit: [] })],
    ['b64:false with crit', withHeader({ crit: ['b64'], b64: false })],
    ['b64:false without crit', withHeader({ b64: false })],
    ['a compressed payload', withHeader({ zip: 'DEF' })],
    ['an encrypted one', withHeader({ enc: 'A128GCM' })],
    ['a logout token', withHeader({ typ: 'logout+jwt' })],
    ['a DPoP proof', withHeader({ typ: 'dpop+jwt' })],
    ['a typ that is no text', withHeader({ typ: 1 })],
    ['more than 16 KiB', `${header}.${'A'.repeat(longestToken)}.${signature}`],
  ])
  for (const [name, token] of refused) it(`refuses ${name}`, () => assertMalformed(token))

  it('takes the types of id tokens and access tokens, in any case', () => {
    for (const typ of ['JWT', 'jwt', 'JOSE', 'at+jwt', 'AT+JWT', 'application/at+jwt']) {
      assert.equal(parseJws(withHeader({ typ })).header.alg, 'RS256')
    }
  })

  it('drops every way to bring a key along', () => {
    const members = { jwk: {}, jku: 'http://a/', x5u: 'http://a/', x5c: ['a'], x5t: 'a' }
    assert.deepEqual(parseJws(withHeader(members)).header, { alg: 'RS256' })
  })

  it('never throws anything but token_malformed', () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(b64))
    const tokens = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 6 }).map((p) => p.join('.')),
    )
    fc.assert(
      fc.property(tokens, (token) => {
        try {
          parseJws(token)
        } catch (error) {
          assert(error instanceof IdentityError)
          assert.equal(error.code, 'token_malformed')
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('has one spelling only: any other text of the same parts is refused', () => {
    const edits = fc.tuple(
      fc.nat(whole.length),
      fc.constantFrom('=', ' ', '\n', '+', '/', '?', '\0'),
    )
    fc.assert(
      fc.property(edits, ([at, extra]) =>
        assertMalformed(whole.slice(0, at) + extra + whole.slice(at)),
      ),
    )
  })
})
