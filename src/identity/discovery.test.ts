import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { issuersOf, parseDiscovery } from './discovery.ts'

const origin = 'https://login.example'
const settings = {
  configUrl: `${origin}/.well-known/openid-configuration`,
  issuer: undefined,
  insecureHttp: false,
}
const parse = (members: object, over: Partial<Parameters<typeof parseDiscovery>[1]> = {}) =>
  parseDiscovery(JSON.stringify({ issuer: origin, jwks_uri: `${origin}/keys`, ...members }), {
    ...settings,
    ...over,
  })

describe('a discovery document (OpenID Connect Discovery 1.0)', () => {
  it('gives issuer and addresses', () => {
    const algorithms = ['RS256', 5]
    const userinfo = { userinfo_endpoint: `${origin}/me` }
    assert.deepEqual(parse({ ...userinfo, id_token_signing_alg_values_supported: algorithms }), {
      issuer: origin,
      jwksUri: `${origin}/keys`,
      userinfoEndpoint: `${origin}/me`,
      algorithms: new Set(['RS256']),
    })
  })

  it('may speak for the address it is at, with or without a slash, and for nobody else', () => {
    assert.equal(parse({ issuer: `${origin}/` }).issuer, `${origin}/`)
    for (const issuer of [
      `${origin}//`,
      `${origin}/a`,
      'https://login.example.org',
      'HTTPS://login.example',
      5,
    ]) {
      assert.throws(() => parse({ issuer }))
    }
    assert.deepEqual(issuersOf('https://a.example/openid-configuration'), [])
    assert.deepEqual(issuersOf(`${settings.configUrl}?p=policy`), [])
  })

  it('has to name a configured issuer exactly', () => {
    const issuer = 'https://sts.example/tenant/'
    assert.equal(parse({ issuer }, { issuer }).issuer, issuer)
    assert.throws(() => parse({ issuer }, { issuer: issuer.slice(0, -1) }), /not the expected one/)
    assert.throws(() => parse({}, { issuer }), /not the expected one/)
  })

  it('never leads from https to plain http, loopback or not', () => {
    for (const address of [
      'http://login.example/keys',
      'http://127.0.0.1/keys',
      'ftp://a/',
      '/keys',
      '',
      5,
    ]) {
      assert.throws(() => parse({ jwks_uri: address }), TypeError)
      assert.throws(() => parse({ userinfo_endpoint: address }), TypeError)
    }
  })

  it('may lead to plain http on loopback from there, and anywhere where the operator says so', () => {
    const configUrl = 'http://localhost:1/.well-known/openid-configuration'
    const document = { issuer: 'http://localhost:1', jwks_uri: 'http://127.0.0.1:1/keys' }
    assert.equal(parse(document, { configUrl }).jwksUri, 'http://127.0.0.1:1/keys')
    const beyond = { ...document, jwks_uri: 'http://idp.internal/keys' }
    assert.throws(() => parse(beyond, { configUrl }), TypeError)
    assert.ok(parse(beyond, { configUrl, insecureHttp: true }))
  })

  it('leads to no address that holds a password', () => {
    assert.throws(() => parse({ jwks_uri: 'https://a:b@login.example/keys' }), /credentials/)
  })
})
