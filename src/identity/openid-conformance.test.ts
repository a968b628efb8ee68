import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { Provider } from 'oidc-provider'
import * as client from 'openid-client'
import { createIssuerKey } from '../../test/fakes/oidc-issuer.ts'
import { Secret } from '../secret.ts'
import { createOpenIdVerifier, type OpenIdProvider } from './index.ts'

// Not our own idea of a provider: a certified one, and a client that signs in as a browser would.
describe('an id token of a real OpenID provider', () => {
  const callback = 'http://127.0.0.1:1/callback'
  const key = createIssuerKey('RS256', 'sig')
  let server: Server
  let issuer: string
  let tokens: { id: string; access: string }

  before(async () => {
    server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    issuer = `http://127.0.0.1:${address.port}`
    const handle = openProvider().callback()
    server.on('request', (request, response) => void handle(request, response))
    tokens = await signIn()
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  function openProvider(): Provider {
    const silenced = console.warn
    console.warn = () => {}
    try {
      return new Provider(issuer, {
        clients: [
          {
            client_id: 'daypass',
            client_secret: 'secret',
            redirect_uris: [callback],
            application_type: 'native',
          },
        ],
        jwks: {
          keys: [
            { ...key.privateKey.export({ format: 'jwk' }), kid: 'sig', use: 'sig', alg: 'RS256' },
          ],
        },
        cookies: { keys: ['cookie key'] },
        claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
        findAccount: (_: unknown, accountId: string) => ({
          accountId,
          claims: () => ({ sub: accountId, preferred_username: 'Alice', groups: ['staff'] }),
        }),
        features: { devInteractions: { enabled: true }, userinfo: { enabled: true } },
        ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
      })
    } finally {
      console.warn = silenced
    }
  }

  async function signIn(): Promise<{ id: string; access: string }> {
    const options = { execute: [client.allowInsecureRequests] }
    const config = await client.discovery(new URL(issuer), 'daypass', 'secret', undefined, options)
    const verifier = client.randomPKCECodeVerifier()
    const start = client.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const end = await walk(start)
    const answer = await client.authorizationCodeGrant(config, end, { pkceCodeVerifier: verifier })
    return { id: answer.id_token ?? '', access: answer.access_token }
  }

  /** Follows redirects and fills in the two forms, sign-in and consent, until the callback is reached. */
  async function walk(start: URL): Promise<URL> {
    const cookies = new Map<string, string>()
    let url = start
    let form: URLSearchParams | undefined
    for (let step = 0; step < 20; step += 1) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const body = form === undefined ? {} : { method: 'POST', body: form }
      const page = await fetch(url, { redirect: 'manual', headers: { cookie }, ...body })
      for (const line of page.headers.getSetCookie()) {
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
        cookies.set(name, value)
      }
      form = undefined
      const location = page.headers.get('location')
      const text = await page.text()
      if (location !== null) {
        url = new URL(location, url)
        if (url.href.startsWith(callback)) return url
        continue
      }
      const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1] ?? ''
      url = new URL(/action="([^"]+)"/.exec(text)?.[1] ?? '', url)
      form = new URLSearchParams({ prompt, login: 'alice', password: 'any' })
    }
    throw new Error('the sign-in led nowhere')
  }

  const open = (members: Partial<OpenIdProvider> = {}) =>
    createOpenIdVerifier({
      clock: () => new Date(),
      providers: [
        {
          name: 'real',
          configUrl: `${issuer}/.well-known/openid-configuration`,
          clientId: 'daypass',
          mode: { kind: 'claim' },
          ...members,
        },
      ],
    })
  const evidence = () => ({
    kind: 'web-identity' as const,
    token: new Secret(tokens.id),
    accessToken: new Secret(tokens.access),
  })

  it('proves who signed in', async () => {
    const principal = await open().verify(evidence(), new Date())
    assert.equal(principal?.issuer, issuer)
    assert.equal(principal.subject, 'alice')
    assert.ok((principal.expiresAt?.getTime() ?? 0) > Date.now())
  })

  it('is completed by what userinfo says', async () => {
    const principal = await open({ claimUserinfo: true }).verify(evidence(), new Date())
    assert.equal(principal?.displayName, 'Alice')
    assert.deepEqual(principal.groups, ['staff'])
  })

  it('is refused for another client, and an hour later', async () => {
    const other = open({ clientId: 'other' }).verify(evidence(), new Date())
    await assert.rejects(other, { code: 'token_audience' })
    const later = open().verify(evidence(), new Date(Date.now() + 3_700_000))
    await assert.rejects(later, { code: 'token_expired' })
  })

  it('is not what an opaque access token is', async () => {
    const token = new Secret(tokens.access)
    await assert.rejects(open().verify({ kind: 'web-identity', token }, new Date()), {
      code: 'token_malformed',
    })
  })
})
