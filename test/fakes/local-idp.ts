import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import * as client from 'openid-client'

/** A real OpenID provider (`oidc-provider`) on loopback, for tests and for trying things out. */
export type LocalIdp = Readonly<{
  issuer: string
  configUrl: string
  close(): Promise<void>
}>

export type LocalIdpOptions = Readonly<{
  /** Default: any free one. */
  port?: number
  clientId?: string
  /** What is said of whoever signs in: claims by login name. Unknown names are let in too, with no claims. */
  accounts: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}>

const callback = 'http://127.0.0.1:1/callback'
/** Public: the provider listens on loopback only, lets everybody in, and is nothing to protect. */
const clientSecret = 'local-idp'
const defaultClientId = 'daypass'

export async function startLocalIdp(options: LocalIdpOptions): Promise<LocalIdp> {
  const server = createServer()
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the provider has no port')
  const issuer = `http://127.0.0.1:${address.port}`
  const handle = quietly(() => createProvider(issuer, options)).callback()
  server.on('request', (request, response) => void handle(request, response))
  return {
    issuer,
    configUrl: `${issuer}/.well-known/openid-configuration`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function createProvider(issuer: string, options: LocalIdpOptions): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const names = new Set(Object.values(options.accounts).flatMap((claims) => Object.keys(claims)))
  return new Provider(issuer, {
    clients: [
      {
        client_id: options.clientId ?? defaultClientId,
        client_secret: clientSecret,
        redirect_uris: [callback],
        application_type: 'native',
      },
    ],
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'local', use: 'sig', alg: 'RS256' }],
    },
    cookies: { keys: ['cookie key'] },
    claims: { openid: ['sub', ...names], profile: ['preferred_username'] },
    // Claims stand in the id token, not only behind the userinfo endpoint.
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        preferred_username: accountId,
        ...options.accounts[accountId],
      }),
    }),
    features: { devInteractions: { enabled: true }, userinfo: { enabled: true } },
    ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
  })
}

/** The provider warns of its development settings, which are meant here. */
function quietly<T>(make: () => T): T {
  const { warn, info } = console
  console.warn = () => undefined
  console.info = () => undefined
  try {
    return make()
  } finally {
    Object.assign(console, { warn, info })
  }
}

/** Signs in as a person with a browser would: code flow with PKCE, sign-in form, consent form. */
export async function signIn(
  issuer: string,
  login: string,
  clientId = defaultClientId,
): Promise<Readonly<{ idToken: string; accessToken: string }>> {
  const config = await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    execute: [client.allowInsecureRequests],
  })
  const verifier = client.randomPKCECodeVerifier()
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const end = await walk(start, login)
  const tokens = await client.authorizationCodeGrant(config, end, { pkceCodeVerifier: verifier })
  return { idToken: tokens.id_token ?? '', accessToken: tokens.access_token }
}

/** Follows redirects and fills in the forms until the callback is reached. */
async function walk(start: URL, login: string): Promise<URL> {
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
    form = new URLSearchParams({ prompt, login, password: 'any' })
  }
  throw new Error('the sign-in led nowhere')
}
