import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createIssuerKey } from '../../test/fakes/oidc-issuer.ts'
import { findKey, parseKeySet } from './key-set.ts'
import { hasRocaShape } from './roca.ts'

const rsa = createIssuerKey('RS256', 'rsa').jwk
const ec = createIssuerKey('ES256', 'ec').jwk
const read = (...keys: unknown[]) => parseKeySet(JSON.stringify({ keys }))
const bits = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' })
const text = (value: string) => Buffer.from(value).toString('base64url')

describe('a JWK set (RFC 7517)', () => {
  it('gives each key the algorithms it may verify', () => {
    const { keys } = read(rsa, { ...ec, alg: undefined }, createIssuerKey('EdDSA', 'ed').jwk)
    assert.deepEqual(
      keys.map(({ kid, algorithms }) => [kid, ...algorithms]),
      [
        ['rsa', 'RS256'],
        ['ec', 'ES256'],
        ['ed', 'EdDSA'],
      ],
    )
    const [any] = read({ ...rsa, alg: undefined }).keys
    assert.deepEqual(
      [...(any?.algorithms ?? [])],
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    )
  })

  const skipped = new Map<string, unknown>([
    ['a symmetric key', { kty: 'oct', k: text('a secret of a client, published'), alg: 'HS256' }],
    ['a symmetric key that claims RS256', { kty: 'oct', k: text('secret'), alg: 'RS256' }],
    ['a private key', { ...rsa, d: text('d') }],
    ['a key for encryption', { ...rsa, use: 'enc' }],
    ['a key whose use is no text', { ...rsa, use: ['sig'] }],
    ['a key that only signs', { ...rsa, key_ops: ['sign'] }],
    ['a key with strange key_ops', { ...rsa, key_ops: 'verify' }],
    ['a key with no key_ops at all', { ...rsa, key_ops: [] }],
    ['RSA with 1024 bits', bits(1024)],
    ['RSA with exponent 3', bits(2048, 3)],
    ['RSA with exponent 1', { ...rsa, e: 'AQ' }],
    ['RSA with an even exponent', { ...rsa, e: Buffer.from([1, 0, 2]).toString('base64url') }],
    ['RSA with a huge exponent', { ...rsa, e: Buffer.alloc(32, 255).toString('base64url') }],
    ['RSA with an even modulus', { ...rsa, n: Buffer.alloc(256, 254).toString('base64url') }],
    ['RSA with a huge modulus', { ...rsa, n: Buffer.alloc(2000, 255).toString('base64url') }],
    ['RSA without modulus', { ...rsa, n: undefined }],
    ['RSA with a modulus that is a number', { ...rsa, n: 5 }],
    ['EC off the curve', { ...ec, x: ec.y, y: ec.x }],
    ['EC with the coordinates of another curve', { ...ec, crv: 'P-384' }],
    ['EC with another curve than its alg', { ...ec, alg: 'ES384' }],
    [
      'secp256k1',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
    ],
    ['X25519', generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })],
    ['an alg that is none', { ...rsa, alg: 'none' }],
    ['an alg that is not ours', { ...rsa, alg: 'RSA-OAEP' }],
    ['another kty than the members', { ...rsa, kty: 'EC' }],
    ['no kty', { ...rsa, kty: undefined }],
    ['a kid that is a number', { ...rsa, kid: 1 }],
    ['null', null],
    ['a text', 'key'],
  ])
  for (const [name, jwk] of skipped) {
    it(`leaves out ${name}, and keeps the rest`, () => {
      const set = read(jwk, ec)
      assert.deepEqual(
        set.keys.map(({ kid }) => kid),
        ['ec'],
      )
      assert.equal(set.skipped.length, 1)
    })
  }

  it('leaves out all keys that share a kid', () => {
    const set = read(rsa, { ...ec, kid: 'rsa' }, { ...ec, kid: 'other' })
    assert.deepEqual(
      set.keys.map(({ kid }) => kid),
      ['other'],
    )
    assert.deepEqual(set.skipped, [{ kid: 'rsa', reason: 'several keys share the kid' }])
  })

  it('counts a kid once when only one of its keys is for signatures', () => {
    assert.equal(read(rsa, { ...ec, kid: 'rsa', use: 'enc' }).keys.length, 1)
  })

  for (const text of ['', '[]', '{}', '{"keys":{}}', '{"keys":null}', '{"keys":[],"keys":[]}']) {
    it(`refuses ${text || 'nothing'} as a whole`, () => {
      assert.throws(() => parseKeySet(text), SyntaxError)
    })
  }

  it('refuses more than 200 keys', () => {
    assert.throws(() => read(...Array.from({ length: 201 }, () => null)), SyntaxError)
  })
})

describe('which key a token means', () => {
  const set = read(rsa, ec, createIssuerKey('ES256', 'ec2').jwk)

  it('is the one that it names', () => {
    assert.equal(findKey(set, { alg: 'RS256', kid: 'rsa' })?.kid, 'rsa')
    assert.equal(findKey(set, { alg: 'RS256', kid: 'RSA' }), undefined)
    assert.equal(findKey(set, { alg: 'RS256', kid: '' }), undefined)
    assert.equal(findKey(set, { alg: 'RS256', kid: '__proto__' }), undefined)
  })

  it('is the only fitting one when it names none, and nothing when there are two', () => {
    assert.equal(findKey(set, { alg: 'RS256' })?.kid, 'rsa')
    assert.equal(findKey(set, { alg: 'ES256' }), undefined)
    assert.equal(findKey(set, { alg: 'EdDSA' }), undefined)
  })
})

describe('CVE-2017-15361', () => {
  it('takes sound moduli for sound', () => {
    for (const { n } of [rsa, bits(2048), bits(3072)]) {
      const hex = Buffer.from(n ?? '', 'base64url').toString('hex')
      assert.equal(hasRocaShape(BigInt(`0x${hex}`)), false)
    }
  })

  it('knows a number that is a power of 65537 modulo every small prime', () => {
    assert.equal(hasRocaShape(65_537n ** 128n), true)
  })
})
