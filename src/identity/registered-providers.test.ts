import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  createIssuerKey,
  reuseKey,
  signToken,
  startOidcIssuer,
  type OidcIssuer,
} from '../../test/fakes/oidc-issuer.ts'
import { Secret } from '../secret.ts'
import {
  createFetchText,
  createOpenIdVerifier,
  IdentityError,
  type IdentityErrorCode,
  type OpenIdProvider,
  type OpenIdVerifier,
  type Principal,
} from './index.ts'
import type { RegisteredOpenIdProvider } from './registered-providers.ts'

const now = new Date('2026-03-01T12:00:00Z')
const clock = () => now
const mine = createIssuerKey('RS256', 'k')

function arnOf(url: string): string {
  return `arn:aws:iam::000000000000:oidc-provider/${url.replace(/^https?:\/\//, '')}`
}

function made(url: string, ...clientIds: string[]): RegisteredOpenIdProvider {
  return { arn: arnOf(url), url, clientIds, createdAt: new Date(0) }
}

describe('a provider made through the IAM API', () => {
  let idp: OidcIssuer
  let other: OidcIssuer
  let arn: string
  const table = new Map<string, RegisteredOpenIdProvider>()
  const put = (...providers: RegisteredOpenIdProvider[]) =>
    providers.forEach((provider) => table.set(provider.arn, provider))
  const open = (providers: readonly OpenIdProvider[] = []): OpenIdVerifier =>
    createOpenIdVerifier({
      clock,
      providers,
      registered: {
        directory: { find: (name) => table.get(name), list: () => [...table.values()] },
      },
    })
  const verify = (verifier: OpenIdVerifier, token: string, ...trustedProviders: string[]) =>
    verifier.verify({ kind: 'web-identity', token: new Secret(token), trustedProviders }, now)
  const forApp = (members: object = {}) => idp.token(idp.claims({ aud: 'app', ...members }))

  before(async () => {
    idp = await startOidcIssuer({ now: clock, key: mine, path: '/realms/a' })
    other = await startOidcIssuer({ now: clock, key: createIssuerKey('RS256', 'k') })
    arn = arnOf(idp.issuer)
  })
  after(() => Promise.all([idp.close(), other.close()]))
  beforeEach(() => {
    table.clear()
    put(made(idp.issuer, 'app', 'cli'))
  })

  it('vouches under its ARN for the tokens of each of its client ids', async () => {
    const verifier = open()
    for (const aud of ['app', 'cli', ['elsewhere', 'cli']]) {
      const principal = proven(await verify(verifier, idp.token(idp.claims({ aud })), arn))
      assert.equal(principal.provider, arn)
      assert.equal(principal.issuer, idp.issuer)
      assert.equal(principal.subject, 'alice')
      assert.equal(principal.oneTime, undefined)
    }
  })

  it('is nobody unless the role that is asked for names its ARN', async () => {
    const verifier = open()
    const asked = idp.requests.get('/jwks')
    assert.equal(await verify(verifier, forApp()), undefined, 'no provider is named')
    for (const name of [idp.issuer, `${arn}/`, arn.toUpperCase(), 'a', '']) {
      assert.equal(await verify(verifier, forApp(), name), undefined, name)
    }
    const evidence = { kind: 'web-identity', token: new Secret(forApp()) } as const
    assert.equal(await verifier.verify(evidence, now), undefined, 'without a role')
    assert.equal(await verifier.verify({ ...evidence, provider: arn }, now), undefined, 'by name')
    assert.equal(idp.requests.get('/jwks'), asked)
  })

  for (const [name, members] of [
    ['another audience', { aud: 'other' }],
    ['an audience in another case', { aud: 'App' }],
    ['no audience', { aud: undefined }],
    ['an empty list', { aud: [] }],
    ['one of its client ids as azp alone', { aud: 'other', azp: 'app' }],
    ['no azp either', { aud: 'other', azp: undefined }],
  ] as const) {
    it(`refuses a token with ${name}`, () =>
      refuses(verify(open(), forApp(members), arn), 'token_audience'))
  }

  it('without client ids refuses every token', async () => {
    put(made(idp.issuer))
    for (const members of [{}, { aud: '' }, { aud: undefined }, { aud: [], azp: '' }]) {
      await refuses(verify(open(), forApp(members), arn), 'token_audience')
    }
  })

  it('refuses what its issuer did not sign, or not as itself', async () => {
    const verifier = open()
    await refuses(
      verify(verifier, signToken(idp.claims({ aud: 'app' }), other.signingKey), arn),
      'token_signature',
    )
    for (const iss of [
      `${idp.issuer}/`,
      idp.issuer.toUpperCase(),
      other.issuer,
      'https://elsewhere.example',
    ]) {
      await refuses(verify(verifier, forApp({ iss }), arn), 'token_issuer')
    }
    await refuses(verify(verifier, forApp({ exp: 1 }), arn), 'token_expired')
    const hs = idp.token(idp.claims({ aud: 'app' }), { header: { alg: 'HS256' } })
    await refuses(verify(verifier, hs, arn), 'token_algorithm')
    await refuses(
      verify(
        verifier,
        signToken(idp.claims({ aud: 'app' }), reuseKey(mine, { alg: 'PS256' })),
        arn,
      ),
      'token_algorithm',
    )
  })

  it('may have a slash at the end of its issuer, when it says so itself', async () => {
    const slashed = await startOidcIssuer({ now: clock })
    const iss = `${slashed.issuer}/`
    slashed.answerJson('/.well-known/openid-configuration', {
      issuer: iss,
      jwks_uri: `${slashed.issuer}/jwks`,
    })
    put(made(slashed.issuer, 'app'))
    const verifier = open()
    const name = arnOf(slashed.issuer)
    assert.equal(
      proven(await verify(verifier, slashed.token(slashed.claims({ iss, aud: 'app' })), name))
        .issuer,
      iss,
    )
    await refuses(
      verify(verifier, slashed.token(slashed.claims({ aud: 'app' })), name),
      'token_issuer',
    )
    await slashed.close()
  })

  it('is gone for the next token when it is deleted, and there when it is made', async () => {
    const verifier = open()
    table.clear()
    assert.equal(await verify(verifier, forApp(), arn), undefined)
    put(made(idp.issuer, 'app'))
    assert.ok(await verify(verifier, forApp(), arn))
    put(made(idp.issuer, 'cli'))
    await refuses(verify(verifier, forApp(), arn), 'token_audience')
    table.clear()
    assert.equal(await verify(verifier, forApp(), arn), undefined)
  })

  it('vouches for nobody when it is deleted or changed while its keys are fetched', async () => {
    for (const change of [
      () => table.clear(),
      () => put(made(idp.issuer, 'cli')),
      () => put({ ...made(idp.issuer, 'app', 'cli'), createdAt: new Date(1) }),
    ]) {
      put(made(idp.issuer, 'app', 'cli'))
      const fetch = createFetchText()
      const verifier = createOpenIdVerifier({
        clock,
        providers: [],
        registered: { directory: { find: (name) => table.get(name), list: () => [] } },
        fetch: async (url, request) => {
          const answer = await fetch(url, request)
          if (url.endsWith('/jwks')) change()
          return answer
        },
      })
      await refuses(verify(verifier, forApp(), arn), 'token_issuer')
    }
  })

  describe('beside a configured one of the same issuer', () => {
    const configured = (mode: 'claim' | 'role' = 'claim'): OpenIdProvider => ({
      name: 'sso',
      configUrl: idp.configUrl,
      clientId: 'sso-client',
      mode: { kind: mode },
    })

    it('judges what is for its client ids, where the role names it; the other one judges the rest', async () => {
      for (const mode of ['claim', 'role'] as const) {
        const verifier = open([configured(mode)])
        const forSso = idp.token(idp.claims({ aud: 'sso-client' }))
        assert.equal(proven(await verify(verifier, forApp(), arn, 'sso')).provider, arn)
        assert.equal(proven(await verify(verifier, forSso, arn, 'sso')).provider, 'sso')
        assert.equal(
          proven(await verify(verifier, forSso, arn)).provider,
          'sso',
          'and trust refuses it',
        )
        await refuses(verify(verifier, forApp(), 'sso'), 'token_audience')
      }
    })

    it('lends it no audience, and gets none', async () => {
      const verifier = open([configured()])
      await refuses(
        verify(verifier, idp.token(idp.claims({ aud: 'third' })), arn),
        'token_audience',
      )
      const evidence = { kind: 'web-identity', token: new Secret(forApp()) } as const
      await refuses(verifier.verify(evidence, now), 'token_audience')
      await refuses(verifier.verify({ ...evidence, provider: 'sso' }, now), 'token_audience')
    })

    it('comes first where both have the audience', async () => {
      const verifier = open([{ ...configured(), clientId: 'app' }])
      assert.equal(proven(await verify(verifier, forApp(), arn)).provider, arn)
      assert.equal(proven(await verify(verifier, forApp(), 'sso')).provider, 'sso')
    })

    it('shares no keys with it: each fetches its own', async () => {
      const verifier = open([configured()])
      const before = idp.requests.get('/jwks') ?? 0
      await verify(verifier, forApp(), arn)
      await verify(verifier, idp.token(idp.claims({ aud: 'sso-client' })), arn)
      assert.equal((idp.requests.get('/jwks') ?? 0) - before, 2)
    })
  })

  it('never verifies the tokens of another one with the same key id', async () => {
    put(made(other.issuer, 'app'))
    const verifier = open()
    const names = [arn, arnOf(other.issuer)]
    assert.equal(
      proven(await verify(verifier, other.token(other.claims({ aud: 'app' })), ...names)).provider,
      names[1],
    )
    await refuses(
      verify(verifier, signToken(other.claims({ aud: 'app' }), mine), ...names),
      'token_signature',
    )
  })

  it('that is away touches nobody else', async () => {
    const away = await startOidcIssuer({ now: clock })
    put(made(away.issuer, 'app'))
    const token = away.token(away.claims({ aud: 'app' }))
    await away.goAway()
    const verifier = open()
    const names = [arnOf(away.issuer), arn]
    await refuses(verify(verifier, token, ...names), 'provider_unavailable')
    assert.ok(await verify(verifier, forApp(), ...names))
    assert.equal(verifier.registeredStatus(names[0] ?? '')?.ready, false)
    assert.match(verifier.registeredStatus(names[0] ?? '')?.error ?? '', /ECONNREFUSED/)
  })

  it('is not asked before a token needs it, were there a thousand', async () => {
    const asked: string[] = []
    const urls = Array.from({ length: 1000 }, (_, index) => `https://idp-${index}.example`)
    put(...urls.map((url) => made(url, 'app')))
    const fetch = createFetchText()
    const verifier = createOpenIdVerifier({
      clock,
      providers: [],
      registered: {
        directory: { find: (name) => table.get(name), list: () => [...table.values()] },
      },
      fetch: (url, request) => {
        asked.push(url)
        return fetch(url, request)
      },
    })
    verifier.start()
    assert.deepEqual(verifier.status(), [])
    assert.equal(verifier.registeredStatus(arn), undefined)
    const foreign = { iss: 'https://idp-7.example.org' }
    await refuses(verify(verifier, forApp(foreign), ...urls.map(arnOf)), 'token_issuer')
    assert.deepEqual(asked, [])
    await verify(verifier, forApp(), ...urls.map(arnOf), arn)
    assert.deepEqual(asked, [idp.configUrl, `${idp.issuer}/jwks`])
    verifier.close()
  })

  it('shows in the status once it was asked, until it is deleted', async () => {
    const verifier = open()
    await verify(verifier, forApp(), arn)
    const [status] = verifier.status()
    assert.equal(status?.provider, arn)
    assert.equal(status.mode, 'registered')
    assert.equal(status.ready, true)
    assert.equal(status.issuer, idp.issuer)
    assert.deepEqual(verifier.registeredStatus(arn), status)
    table.clear()
    assert.deepEqual(verifier.status(), [])
    assert.equal(verifier.registeredStatus(arn), undefined)
  })

  it('is never asked over plain http beyond this machine, whatever the store says', async () => {
    const asked: string[] = []
    for (const url of [
      'http://idp.example',
      'http://127.0.0.1.example',
      'file:///etc',
      'https://a:b@idp.example',
    ]) {
      put({ ...made(url, 'app'), arn })
      const verifier = createOpenIdVerifier({
        clock,
        providers: [],
        registered: { directory: { find: (name) => table.get(name), list: () => [] } },
        fetch: async (address) => {
          asked.push(address)
          throw new Error('was asked')
        },
      })
      await refuses(verify(verifier, forApp({ iss: url }), arn), 'provider_unavailable')
    }
    assert.deepEqual(asked, [])
  })
})

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
