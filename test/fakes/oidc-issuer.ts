import {
  generateKeyPairSync,
  randomUUID,
  sign,
  constants,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A key that the fake signs with; what it publishes of it may be changed by `publish`. */
export type IssuerKey = Readonly<{
  kid: string
  alg: string
  privateKey: KeyObject
  jwk: JsonWebKey
}>

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/**
 * An OpenID provider for tests: it really signs, and is reached over real HTTP on loopback. What it answers, and
 * whether, can be changed while it runs; what it was asked is counted.
 */
export type OidcIssuer = Readonly<{
  issuer: string
  configUrl: string
  /** Requests so far, by path: `/.well-known/openid-configuration`, `/jwks`, `/userinfo`. */
  requests: ReadonlyMap<string, number>
  /** Tokens are signed by this one if not said otherwise. */
  signingKey: IssuerKey
  /** Claims that make a good token for `audience` now; members given here replace or, as `undefined`, remove. */
  claims(members?: Record<string, unknown>): Record<string, unknown>
  /** A compact JWS. `claims` may be raw text; `header` members replace or remove likewise. */
  token(claims?: Record<string, unknown> | string, options?: TokenOptions): string
  /** The JWK set from now on. */
  publish(...jwks: readonly object[]): void
  /** What a path answers from now on: anything at all, or a JSON value with status 200. */
  answer(path: string, answer: Answer): void
  answerJson(path: string, value: unknown): void
  /** Stops listening, and drops who is connected. `comeBack` listens on the same port again. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}>

export type TokenOptions = Readonly<{ key?: IssuerKey; header?: Record<string, unknown> }>

export type OidcIssuerOptions = Readonly<{
  audience?: string
  now?: () => Date
  key?: IssuerKey
  /** Appended to the origin, such as `/realms/a`. */
  path?: string
}>

const wellKnown = '/.well-known/openid-configuration'

export async function startOidcIssuer(options: OidcIssuerOptions = {}): Promise<OidcIssuer> {
  const { audience = 'daypass', now = () => new Date(), path = '' } = options
  const signingKey = options.key ?? createIssuerKey()
  const answers = new Map<string, Answer>()
  const requests = new Map<string, number>()
  const server = createServer((request, response) => {
    const asked = (request.url ?? '').slice(path.length)
    requests.set(asked, (requests.get(asked) ?? 0) + 1)
    const answer = answers.get(asked)
    if (answer === undefined) response.writeHead(404).end()
    else answer(request, response)
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const { port } = address
  const issuer = `http://127.0.0.1:${port}${path}`
  const answerJson = (asked: string, value: unknown) => answers.set(asked, jsonAnswer(value))
  const claims: OidcIssuer['claims'] = (members = {}) => {
    const seconds = Math.floor(now().getTime() / 1000)
    return {
      iss: issuer,
      sub: 'alice',
      aud: audience,
      iat: seconds,
      exp: seconds + 300,
      ...members,
    }
  }
  answerJson(wellKnown, {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    authorization_endpoint: `${issuer}/auth`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
  })
  answerJson('/jwks', { keys: [signingKey.jwk] })
  return {
    issuer,
    configUrl: `${issuer}${wellKnown}`,
    requests,
    signingKey,
    claims,
    token: (payload = claims(), { key = signingKey, header } = {}) =>
      signToken(payload, key, header),
    publish: (...jwks) => answerJson('/jwks', { keys: jwks }),
    answer: (asked, answer) => answers.set(asked, answer),
    answerJson,
    goAway: stop,
    comeBack: () => listen(port),
    close: stop,
  }
}

/** A fresh key pair: `RS256` unless said otherwise. */
export function createIssuerKey(alg = 'RS256', kid = `key-${randomUUID()}`): IssuerKey {
  const { privateKey, publicKey } = generate(alg)
  return {
    kid,
    alg,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  }
}

/** The same key under another name or algorithm. */
export function reuseKey(
  key: IssuerKey,
  members: Partial<Pick<IssuerKey, 'kid' | 'alg'>>,
): IssuerKey {
  return { ...key, ...members, jwk: { ...key.jwk, ...members } }
}

/** Signs whatever is given: nothing here looks at whether it makes sense. */
export function signToken(
  claims: object | string,
  key: IssuerKey,
  header: Record<string, unknown> = {},
): string {
  const protectedHeader = { alg: key.alg, typ: 'JWT', kid: key.kid, ...header }
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const signedText = `${base64url(JSON.stringify(protectedHeader))}.${base64url(payload)}`
  return `${signedText}.${signText(signedText, key).toString('base64url')}`
}

export function signText(text: string, { alg, privateKey }: IssuerKey): Buffer {
  const data = Buffer.from(text)
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('Ed')) return sign(null, data, privateKey)
  if (alg.startsWith('ES')) return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('RS')) return sign(hash, data, privateKey)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign(hash, data, { key: privateKey, padding, saltLength: Number(alg.slice(2)) / 8 })
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url')
}

function generate(alg: string): Readonly<{ privateKey: KeyObject; publicKey: KeyObject }> {
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519')
  const curves = new Map([
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
  ])
  const namedCurve = curves.get(alg)
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function jsonAnswer(value: unknown): Answer {
  return (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
}
