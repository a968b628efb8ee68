import assert from 'node:assert/strict'
import { createHmac, createPublicKey, randomBytes, type KeyObject } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import {
  base64url,
  createIssuerKey,
  reuseKey,
  signText,
  signToken,
  startOidcIssuer,
  type OidcIssuer,
} from '../../test/fakes/oidc-issuer.ts'
import { Secret } from '../secret.ts'
import {
  createOpenIdVerifier,
  IdentityError,
  type Evidence,
  type IdentityErrorCode,
  type OpenIdProvider,
  type OpenIdVerifier,
  type Principal,
} from './index.ts'

const now = new Date('2026-03-01T12:00:00Z')
const seconds = now.getTime() / 1000
const clock = () => now

const rsa = createIssuerKey('RS256', 'rsa')
const ec = createIssuerKey('ES256', 'ec')
const shared = createIssuerKey('RS256', 'shared')
const alsoShared = createIssuerKey('RS256', 'shared')

describe('a token of an OpenID provider', () => {
  let here: OidcIssuer
  let there: OidcIssuer
  let verifier: OpenIdVerifier

  before(async () => {
    here = await startOidcIssuer({ now: clock, key: rsa })
    there = await startOidcIssuer({ now: clock, key: alsoShared, path: '/realms/there' })
    here.publish(rsa.jwk, ec.jwk, shared.jwk)
    verifier = createOpenIdVerifier({
      clock,
      providers: [provider('here', here), provider('there', there)],
    })
  })
  after(() => Promise.all([here.close(), there.close()]))

  const verify = (token: string, more: Partial<Extract<Evidence, { kind: 'web-identity' }>> = {}) =>
    verifier.verify({ kind: 'web-identity', token: new Secret(token), ...more }, now)

  it('makes a principal of its claims', async () => {
    const token = here.token(
      here.claims({
        groups: ['a', 'b', 'a', '', 7],
        preferred_username: 'Alice',
        jti: 'id-1',
        nonce: { deep: [1] },
        ['__proto__']: 'x',
      }),
    )
    const principal = proven(await verify(token))
    assert.equal(principal.kind, 'web-identity')
    assert.equal(principal.provider, 'here')
    assert.equal(principal.issuer, here.issuer)
    assert.equal(principal.subject, 'alice')
    assert.equal(principal.displayName, 'Alice')
    assert.deepEqual(principal.groups, ['a', 'b'])
    assert.equal(principal.jti, 'id-1')
    assert.deepEqual(principal.expiresAt, new Date(now.getTime() + 300_000))
    assert.deepEqual(principal.claims.get('nonce'), { deep: [1] })
    assert.equal(principal.claims.get('constructor'), undefined)
  })

  it('is known by the name it has, or the mail address, or the subject', async () => {
    const nameOf = async (members: object) =>
      proven(await verify(here.token(here.claims({ ...members })))).displayName
    assert.equal(await nameOf({ email: 'a@b.example' }), 'a@b.example')
    assert.equal(await nameOf({ preferred_username: '', email: 5 }), 'alice')
  })

  it('may name one group as a text; other shapes are no groups', async () => {
    const groupsOf = async (groups: unknown) =>
      proven(await verify(here.token(here.claims({ groups })))).groups
    assert.deepEqual(await groupsOf('a,b'), ['a,b'])
    for (const groups of [{ a: 1 }, 5, null, true, '', [['a']], undefined]) {
      assert.deepEqual(await groupsOf(groups), [])
    }
  })

  for (const alg of [
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ]) {
    it(`may be signed with ${alg}`, async () => {
      const key = createIssuerKey(alg)
      const issuer = await startOidcIssuer({ now: clock, key })
      const own = createOpenIdVerifier({ clock, providers: [provider('own', issuer)] })
      const verifyOwn = (token: string) =>
        own.verify({ kind: 'web-identity', token: new Secret(token) }, now)
      try {
        assert.equal(proven(await verifyOwn(issuer.token())).subject, 'alice')
        await refuses(verifyOwn(spoil(issuer.token())), 'token_signature')
        await refuses(verifyOwn(shorten(issuer.token())), 'token_signature')
      } finally {
        await issuer.close()
      }
    })
  }

  describe('is refused for its form', () => {
    const forms = new Map([
      ['nothing', ''],
      ['garbage', 'garbage'],
      ['random bytes', randomBytes(500).toString('base64url')],
      ['five parts', 'eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d'],
      ['a payload that is no JSON', signToken('alice', rsa)],
      ['a payload that is a list', signToken('[]', rsa)],
      ['an empty payload', signToken('', rsa)],
      ['doubled claims', signToken('{"iss":"a","iss":"b"}', rsa)],
      ['a nested token', signToken(signToken({}, rsa), rsa, { cty: 'JWT' })],
      ['17 KiB', signToken({ padding: 'x'.repeat(17_000) }, rsa)],
    ])
    for (const [name, token] of forms) {
      it(name, () => refuses(verify(token), 'token_malformed'))
    }

    it('a compressed payload', () => {
      const payload = deflateRawSync(JSON.stringify(here.claims()))
      const text = `${base64url(JSON.stringify({ alg: 'RS256', kid: 'rsa', zip: 'DEF' }))}.${base64url(payload)}`
      return refuses(verify(`${text}.${base64url(signText(text, rsa))}`), 'token_malformed')
    })

    it('an unencoded payload', () => {
      const header = { b64: false, crit: ['b64'] }
      return refuses(verify(here.token(here.claims(), { header })), 'token_malformed')
    })

    it('a critical extension', () =>
      refuses(verify(here.token(here.claims(), { header: { crit: ['exp'] } })), 'token_malformed'))

    it('padding, spaces and unused bits', async () => {
      const token = here.token()
      await refuses(verify(`${token}=`), 'token_malformed')
      await refuses(verify(`${token} `), 'token_malformed')
      await refuses(verify(token.replace('.', '. ')), 'token_malformed')
      await refuses(verify(withUnusedBits(token)), 'token_malformed')
    })
  })

  describe('is refused for its algorithm', () => {
    it('none, in any spelling, with and without a signature', async () => {
      for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
        const token = here.token(here.claims(), { header: { alg } })
        await refuses(verify(token), 'token_algorithm')
        await refuses(verify(token.slice(0, token.lastIndexOf('.') + 1)), 'token_algorithm')
      }
    })

    for (const [name, secret] of [
      ['the client secret', () => Buffer.from('client secret')],
      ['an empty secret', () => Buffer.alloc(0)],
      ['the client id', () => Buffer.from('daypass')],
      ['the PEM of the public key', () => Buffer.from(pemOf(rsa.privateKey))],
      ['the modulus', () => Buffer.from(rsa.jwk.n ?? '', 'base64url')],
    ] as const) {
      it(`HS256 with ${name}`, async () => {
        for (const alg of ['HS256', 'HS384', 'HS512']) {
          const text = `${base64url(JSON.stringify({ alg, kid: 'rsa' }))}.${base64url(JSON.stringify(here.claims()))}`
          const hmac = createHmac(`sha${alg.slice(2)}`, secret())
            .update(text)
            .digest('base64url')
          await refuses(verify(`${text}.${hmac}`), 'token_algorithm')
        }
      })
    }

    it('RS256 over an EC key', () =>
      refuses(verify(signToken(here.claims(), { ...rsa, kid: 'ec' })), 'token_algorithm'))

    it('ES256 over an RSA key', () =>
      refuses(verify(signToken(here.claims(), { ...ec, kid: 'rsa' })), 'token_algorithm'))

    it('ES384 over a P-256 key', () =>
      refuses(verify(signToken(here.claims(), reuseKey(ec, { alg: 'ES384' }))), 'token_algorithm'))

    it('PS256 over a key that is for RS256', () =>
      refuses(verify(signToken(here.claims(), reuseKey(rsa, { alg: 'PS256' }))), 'token_algorithm'))

    it('one that the operator did not list, before anybody is asked', async () => {
      const issuer = await startOidcIssuer({ now: clock, key: rsa })
      const providers = [{ ...provider('own', issuer), algorithms: ['ES256'] }]
      const own = createOpenIdVerifier({ clock, providers })
      const token = new Secret(issuer.token())
      await refuses(own.verify({ kind: 'web-identity', token }, now), 'token_algorithm')
      assert.equal(issuer.requests.size, 0)
      await issuer.close()
    })

    it('one that the provider does not advertise, unless the operator listed it', async () => {
      const issuer = await startOidcIssuer({ now: clock, key: rsa })
      issuer.answerJson('/.well-known/openid-configuration', {
        issuer: issuer.issuer,
        jwks_uri: `${issuer.issuer}/jwks`,
        id_token_signing_alg_values_supported: ['ES256', 'HS256', 5],
      })
      const token = new Secret(issuer.token())
      const own = createOpenIdVerifier({ clock, providers: [provider('own', issuer)] })
      await refuses(own.verify({ kind: 'web-identity', token }, now), 'token_algorithm')
      const providers = [{ ...provider('own', issuer), algorithms: ['RS256'] }]
      const listed = createOpenIdVerifier({ clock, providers })
      assert.equal(
        proven(await listed.verify({ kind: 'web-identity', token }, now)).subject,
        'alice',
      )
      await issuer.close()
    })
  })

  describe('is refused for its signature', () => {
    it('when one bit of any part is another', async () => {
      await refuses(verify(spoil(here.token())), 'token_signature')
      const [header, , signature] = here.token().split('.')
      const other = base64url(JSON.stringify(here.claims({ sub: 'root' })))
      await refuses(verify(`${header}.${other}.${signature}`), 'token_signature')
      await refuses(verify(`${header}.${other}.`), 'token_signature')
    })

    it('when a stranger signed with the right kid', () =>
      refuses(verify(signToken(here.claims(), createIssuerKey('RS256', 'rsa'))), 'token_signature'))

    for (const kid of [
      'unknown',
      '',
      '../../../etc/passwd',
      'http://127.0.0.1:1/key',
      '__proto__',
      "' OR 1=1 --",
    ]) {
      it(`when its kid is ${JSON.stringify(kid)}`, () =>
        refuses(verify(signToken(here.claims(), reuseKey(rsa, { kid }))), 'token_signature'))
    }

    it('when the key is one that it brings along, and nobody goes there', async () => {
      const stranger = createIssuerKey('RS256', 'stranger')
      const pem = pemOf(stranger.privateKey)
      for (const header of [
        { jwk: stranger.jwk },
        { jku: `${there.issuer}/keys` },
        { x5u: `${there.issuer}/cert` },
        { x5c: [Buffer.from(pem).toString('base64')] },
      ]) {
        for (const kid of ['stranger', 'rsa', undefined]) {
          const token = signToken(here.claims(), stranger, { ...header, kid })
          await refuses(verify(token), 'token_signature')
        }
      }
      assert.equal(there.requests.get('/keys'), undefined)
      assert.equal(there.requests.get('/cert'), undefined)
    })

    it('when a provider signs for another one, the kid shared or not', async () => {
      await refuses(verify(signToken(here.claims(), alsoShared)), 'token_signature')
      await refuses(verify(signToken(there.claims(), shared)), 'token_signature')
      await refuses(verify(signToken(there.claims(), rsa)), 'token_signature')
      assert.equal(proven(await verify(signToken(here.claims(), shared))).provider, 'here')
      assert.equal(proven(await verify(there.token())).provider, 'there')
    })

    it('before its claims are judged', () =>
      refuses(verify(spoil(here.token(here.claims({ exp: 1, sub: '' })))), 'token_signature'))
  })

  describe('is refused for its claims', () => {
    const refusals: [string, Record<string, unknown>, IdentityErrorCode][] = [
      ['no issuer', { iss: undefined }, 'token_claims'],
      ['an issuer that is a list', { iss: ['a'] }, 'token_claims'],
      ['an unknown issuer', { iss: 'https://elsewhere.example' }, 'token_issuer'],
      ['an empty issuer', { iss: '' }, 'token_issuer'],
      ['another audience', { aud: 'other' }, 'token_audience'],
      ['an audience in another case', { aud: 'Daypass' }, 'token_audience'],
      ['a list without us', { aud: ['a', 'b'] }, 'token_audience'],
      ['an empty list', { aud: [] }, 'token_audience'],
      ['an empty list and azp', { aud: [], azp: 'daypass' }, 'token_audience'],
      ['a list with more than texts', { aud: ['daypass', 5] }, 'token_audience'],
      ['a nested list', { aud: [['daypass']] }, 'token_audience'],
      ['a comma list', { aud: 'other,daypass' }, 'token_audience'],
      ['an object', { aud: { daypass: true } }, 'token_audience'],
      ['no audience', { aud: undefined }, 'token_audience'],
      ['no audience but azp', { aud: undefined, azp: 'daypass' }, 'token_audience'],
      ['another azp', { aud: 'other', azp: 'another' }, 'token_audience'],
      ['azp in a list', { aud: 'other', azp: ['daypass'] }, 'token_audience'],
      ['azp with a further audience', { aud: 'other', azp: 'further' }, 'token_audience'],
      ['an exp of now', { exp: seconds }, 'token_expired'],
      ['a past exp', { exp: seconds - 0.5 }, 'token_expired'],
      ['an exp of 0', { exp: 0 }, 'token_expired'],
      ['a negative exp', { exp: -1e300 }, 'token_expired'],
      ['no exp', { exp: undefined }, 'token_claims'],
      ['an exp that is null', { exp: null }, 'token_claims'],
      ['an exp that is text', { exp: String(seconds + 60) }, 'token_claims'],
      ['an exp in a list', { exp: [seconds + 60] }, 'token_claims'],
      ['an exp beyond all dates', { exp: 1e300 }, 'token_claims'],
      ['an nbf that is text', { nbf: String(seconds) }, 'token_claims'],
      ['a future nbf', { nbf: seconds + 6 }, 'token_not_yet_valid'],
      ['an nbf beyond all dates', { nbf: 1e300 }, 'token_not_yet_valid'],
      ['a future iat', { iat: seconds + 6 }, 'token_not_yet_valid'],
      ['an iat that is text', { iat: 'now' }, 'token_claims'],
      ['no sub', { sub: undefined }, 'token_claims'],
      ['an empty sub', { sub: '' }, 'token_claims'],
      ['a sub that is a number', { sub: 7 }, 'token_claims'],
      ['a sub in a list', { sub: ['alice'] }, 'token_claims'],
      ['a sub with a NUL', { sub: 'alice\0' }, 'token_claims'],
      ['a sub with a line feed', { sub: 'alice\nroot' }, 'token_claims'],
      ['a sub of half a character', { sub: '\ud800' }, 'token_malformed'],
      [
        'a logout token',
        { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
        'token_claims',
      ],
    ]
    for (const [name, members, code] of refusals) {
      it(name, () => refuses(verify(here.token(here.claims(members))), code))
    }

    it('an exp of 1e999', () =>
      refuses(
        verify(
          here.token(JSON.stringify(here.claims({ exp: 0 })).replace('"exp":0', '"exp":1e999')),
        ),
        'token_claims',
      ))

    it('an issuer that differs by a slash, a case or a port', async () => {
      const { issuer } = here
      const others = [
        `${issuer}/`,
        issuer.toUpperCase(),
        issuer.replace('127.0.0.1', 'localhost'),
        `${issuer} `,
      ]
      for (const iss of others) {
        await refuses(verify(here.token(here.claims({ iss }))), 'token_issuer')
        const named = verify(here.token(here.claims({ iss })), { provider: 'here' })
        await refuses(named, 'token_issuer')
      }
    })
  })

  describe('is taken', () => {
    const good: [string, Record<string, unknown>][] = [
      ['with us in a list of audiences', { aud: ['other', 'daypass'] }],
      ['with a further audience', { aud: 'further' }],
      ['when issued to us for others (azp)', { aud: 'account', azp: 'daypass' }],
      ['with an exp of a fraction', { exp: seconds + 0.25 }],
      ['with a clock that is 5 s ahead', { nbf: seconds + 5, iat: seconds + 5 }],
      ['without iat', { iat: undefined }],
      ['with an nbf of long ago', { nbf: -1e300 }],
      ['with a claim events that is no security event', { events: 'party' }],
      ['with a sub of other letters', { sub: 'Ålice 🦊 "<&>"' }],
    ]
    for (const [name, members] of good) {
      it(name, async () => {
        const principal = proven(await verify(here.token(here.claims(members))))
        assert.ok((principal.expiresAt?.getTime() ?? 0) > now.getTime())
      })
    }

    it('without a kid, when one key only can have signed it', async () => {
      const token = signToken(here.claims(), ec, { kid: undefined })
      assert.equal(proven(await verify(token)).subject, 'alice')
      await refuses(
        verify(here.token(here.claims(), { header: { kid: undefined } })),
        'token_signature',
      )
    })
  })

  it('throws nothing but IdentityErrors, whatever comes', async () => {
    const json = fc.jsonValue({ maxDepth: 3 })
    const names = fc.constantFrom(
      'iss',
      'sub',
      'aud',
      'azp',
      'exp',
      'nbf',
      'iat',
      'groups',
      'events',
      'jti',
    )
    const tokens = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.json(), fc.json(), fc.base64String())
        .map(([h, p, s]) => `${base64url(h)}.${base64url(p)}.${s}`),
      fc.dictionary(names, json).map((members) => here.token(here.claims(members))),
      fc
        .dictionary(fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', 'cty'), json)
        .map((header) => here.token(here.claims(), { header })),
    )
    const property = fc.asyncProperty(tokens, fc.option(fc.string()), async (token, name) => {
      try {
        const named = name === null ? {} : { provider: name }
        const principal = await verify(token, named)
        if (principal !== undefined) assert.equal(typeof principal.subject, 'string')
      } catch (error) {
        assert(error instanceof IdentityError, String(error))
      }
    })
    await fc.assert(property, { numRuns: 400 })
  })

  it('never stands in a refusal', async () => {
    const token = spoil(here.token())
    await verify(token).catch((error: IdentityError) => {
      const [, payload = ''] = token.split('.')
      const text = JSON.stringify([error.message, error.detail, String(error.cause), error.stack])
      assert.ok(!text.includes(payload) && !text.includes('alice'))
    })
  })
})

describe('which provider judges a token', () => {
  let one: OidcIssuer
  let two: OidcIssuer
  before(async () => {
    one = await startOidcIssuer({ now: clock, key: rsa })
    two = await startOidcIssuer({ now: clock, key: ec })
  })
  after(() => Promise.all([one.close(), two.close()]))

  const ask = (providers: readonly OpenIdProvider[], token: string, name?: string) =>
    createOpenIdVerifier({ clock, providers }).verify(
      {
        kind: 'web-identity',
        token: new Secret(token),
        ...(name !== undefined && { provider: name }),
      },
      now,
    )
  const role = (name: string, issuer: OidcIssuer) =>
    ({ ...provider(name, issuer), mode: { kind: 'role' } }) as const

  it('is the named one, claim mode or role mode', async () => {
    const providers = [provider('claim', one), role('role', two)]
    assert.equal(proven(await ask(providers, two.token(), 'role')).provider, 'role')
    assert.equal(proven(await ask(providers, one.token(), 'claim')).provider, 'claim')
    await refuses(ask(providers, one.token(), 'role'), 'token_issuer')
  })

  it('is never a role provider unless it is named', async () => {
    await refuses(ask([provider('claim', one), role('role', two)], two.token()), 'token_issuer')
    assert.equal(await ask([role('role', two)], two.token()), undefined)
  })

  it('is nobody for an unknown name, without providers, and for other evidence', async () => {
    assert.equal(await ask([provider('claim', one)], one.token(), 'other'), undefined)
    assert.equal(await ask([provider('claim', one)], one.token(), ''), undefined)
    assert.equal(await ask([], one.token()), undefined)
    const verifier = createOpenIdVerifier({ clock, providers: [provider('claim', one)] })
    const signer = { kind: 'root', accessKeyId: 'a' } as const
    assert.equal(await verifier.verify({ kind: 'signature', signer }, now), undefined)
  })

  it('is the one with the audience, where several share an issuer', async () => {
    const providers = [
      { ...provider('a', one), clientId: 'client-a', audiences: [] },
      { ...provider('b', one), clientId: 'client-b', audiences: [] },
    ]
    for (const name of ['a', 'b']) {
      const token = one.token(one.claims({ aud: `client-${name}` }))
      assert.equal(proven(await ask(providers, token)).provider, name)
    }
    await refuses(ask(providers, one.token(one.claims({ aud: 'client-c' }))), 'token_audience')
  })

  it('is asked nothing for an issuer that it cannot have', async () => {
    const issuer = await startOidcIssuer({ now: clock, key: rsa })
    await refuses(ask([provider('own', issuer)], one.token()), 'token_issuer')
    assert.equal(issuer.requests.size, 0)
    await issuer.close()
  })

  it('may have another issuer than its address says, when that is configured', async () => {
    const issuer = await startOidcIssuer({ now: clock, key: rsa })
    const iss = 'https://login.example/tenant'
    const jwks = { issuer: iss, jwks_uri: `${issuer.issuer}/jwks` }
    issuer.answerJson('/.well-known/openid-configuration', jwks)
    const token = issuer.token(issuer.claims({ iss }))
    const configured = { ...provider('own', issuer), issuer: iss }
    assert.equal(proven(await ask([configured], token)).issuer, iss)
    await refuses(ask([provider('own', issuer)], token), 'token_issuer')
    await refuses(ask([provider('own', issuer)], issuer.token()), 'provider_unavailable')
    await refuses(ask([configured], issuer.token()), 'token_issuer')
    await issuer.close()
  })
})

describe('a token of a provider that takes each once', () => {
  let idp: OidcIssuer
  let verifier: OpenIdVerifier
  before(async () => {
    idp = await startOidcIssuer({ now: clock })
    verifier = createOpenIdVerifier({
      clock,
      providers: [{ ...provider('once', idp), oneTime: true }],
    })
  })
  after(() => idp.close())
  const verify = (members: object) =>
    verifier.verify(
      { kind: 'web-identity', token: new Secret(idp.token(idp.claims({ ...members }))) },
      now,
    )

  it('is marked as such, with its jti', async () => {
    const principal = proven(await verify({ jti: 'a' }))
    assert.equal(principal.oneTime, true)
    assert.equal(principal.jti, 'a')
  })

  it('is refused without a jti, which says what to do', async () => {
    for (const jti of [undefined, '', null, 5, ['a'], { a: 1 }]) {
      await refuses(verify({ jti }), 'token_claims')
    }
    await assert.rejects(verify({}), /jti of the token is missing.*oneTime.*have it put a jti/)
  })

  it('is no such token of another provider', async () => {
    const plain = createOpenIdVerifier({ clock, providers: [provider('plain', idp)] })
    const token = new Secret(idp.token(idp.claims({ jti: 'a' })))
    const principal = proven(await plain.verify({ kind: 'web-identity', token }, now))
    assert.equal(principal.oneTime, undefined)
  })
})

describe('the settings of providers', () => {
  const sound: OpenIdProvider = {
    name: 'a',
    configUrl: 'https://a.example/.well-known/openid-configuration',
    clientId: 'daypass',
    mode: { kind: 'claim' },
  }
  const create = (...providers: OpenIdProvider[]) => createOpenIdVerifier({ clock, providers })

  it('are taken when sound', () => {
    assert.equal(create(sound, { ...sound, name: 'b' }).status().length, 2)
    assert.ok(create({ ...sound, configUrl: 'http://[::1]:1/', insecureHttp: false }))
    assert.ok(create({ ...sound, configUrl: 'http://idp.internal/', insecureHttp: true }))
  })

  const unsound = new Map<string, Partial<OpenIdProvider>>([
    ['no name', { name: '' }],
    ['no client id', { clientId: '' }],
    ['an empty issuer', { issuer: '' }],
    ['an empty audience', { audiences: [''] }],
    ['plain http', { configUrl: 'http://a.example/.well-known/openid-configuration' }],
    ['plain http to a name that looks like loopback', { configUrl: 'http://127.0.0.1.example/' }],
    ['a file', { configUrl: 'file:///etc/passwd', insecureHttp: true }],
    ['credentials in the address', { configUrl: 'https://a:b@a.example/' }],
    ['no address', { configUrl: 'a.example' }],
    ['no algorithms', { algorithms: [] }],
    ['none', { algorithms: ['RS256', 'none'] }],
    ['a symmetric algorithm', { algorithms: ['HS256'] }],
    ['a minute and a second of skew', { clockSkewSeconds: 61 }],
    ['negative skew', { clockSkewSeconds: -1 }],
    ['no number as skew', { clockSkewSeconds: Number.NaN }],
    ['keys that never live', { jwksCacheSeconds: 0 }],
    ['keys that live for ever', { jwksCacheSeconds: Infinity }],
  ])
  for (const [name, members] of unsound) {
    it(`are refused: ${name}`, () =>
      assert.throws(() => create({ ...sound, ...members }), /identity provider/))
  }

  it('are refused by the name of our own users', () => {
    assert.throws(() => create({ ...sound, name: 'internal' }), /users and root/)
  })

  it('are refused when two share a name', () => {
    assert.throws(() => create(sound, sound), /share a name/)
  })
})

function provider(name: string, issuer: OidcIssuer): OpenIdProvider {
  const { configUrl } = issuer
  return { name, configUrl, clientId: 'daypass', audiences: ['further'], mode: { kind: 'claim' } }
}

function proven(principal: Principal | undefined): Principal {
  assert.ok(principal)
  return principal
}

async function refuses(verified: Promise<unknown>, code: IdentityErrorCode): Promise<void> {
  await assert.rejects(verified, (error) => {
    assert.ok(error instanceof IdentityError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

function spoil(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
  return `${header}.${payload}.${base64url(bytes)}`
}

function shorten(token: string): string {
  const [header, payload, signature = ''] = token.split('.')
  return `${header}.${payload}.${base64url(Buffer.from(signature, 'base64url').subarray(0, -1))}`
}

/** The same bytes: the last character of a 256-byte signature has two bits to spare. */
function withUnusedBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}

function pemOf(privateKey: KeyObject): string {
  return String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
}
