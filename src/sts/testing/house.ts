import { createHash } from 'node:crypto'
import { createAccess } from '../../access/index.ts'
import type { AccessOptions } from '../../access/index.ts'
import { CredentialsError } from '../../credentials/index.ts'
import type { Session } from '../../credentials/index.ts'
import { createExchange } from '../../exchange.ts'
import type { ExchangeEvent, ExchangeObservation } from '../../exchange.ts'
import { createGrants } from '../../grants/index.ts'
import type { Grant } from '../../grants/index.ts'
import type { HttpRequest, HttpResponse } from '../../http.ts'
import { combineVerifiers, createAccessKeyVerifier, IdentityError } from '../../identity/index.ts'
import type { IdentityErrorCode, Principal, Verifier } from '../../identity/index.ts'
import { cannedPolicies, parsePolicy } from '../../policy/index.ts'
import type { NamedPolicy } from '../../policy/index.ts'
import { Secret } from '../../secret.ts'
import { signRequest } from '../../sigv4/index.ts'
import { createStsFace } from '../index.ts'
import type { StsEvent, StsFace, StsFaceOptions } from '../index.ts'

/**
 * The STS face with the real rooms behind it: signatures, access, policies, grants and the exchange. Made up are the
 * identity provider (a token says what is to become of it) and the sealing of sessions.
 */
export const now = new Date('2023-11-14T21:13:20.500Z')
export const requestId = '18EA2BB230244A9F'
export const roleArn = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0'
export const sessionToken = 'dps1.sealed/+="<>'

export const rootKey = { accessKeyId: 'admin', secret: new Secret('root-secret-key') }
export const aliceKey = { accessKeyId: 'ALICE', secret: new Secret('alice-secret-key') }
export const bobKey = { accessKeyId: 'BOB', secret: new Secret('bob-secret-key') }
export const disabledKey = { accessKeyId: 'CAROL', secret: new Secret('carol-secret-key') }
export type Key = typeof rootKey & { sessionToken?: Secret }

export type House = Readonly<{
  face: StsFace
  events: ExchangeEvent[]
  observed: ExchangeObservation[]
  log: StsEvent[]
  issued: Grant[]
  /** The key of the session that a grant has become. */
  keyOf(grant: Grant): Key
}>

export type HouseOptions = Partial<Pick<StsFaceOptions, 'compat' | 'limits' | 'region'>> &
  Readonly<{
    auditFails?: boolean
    tooLarge?: boolean
    claimProviders?: boolean
    clock?: () => Date
  }>

function document(...statements: readonly object[]): NamedPolicy['policy'] {
  return parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity')
}

const policies = new Map([
  ...cannedPolicies,
  ['no-sts', document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' })],
  ['decoder', document({ Effect: 'Allow', Action: 'sts:Decode*', Resource: '*' })],
])
const attached = new Map([
  ['alice', ['readonly', 'decoder']],
  ['bob', ['readonly', 'no-sts']],
])
const owners = new Map([
  ['ALICE', { ...aliceKey, user: 'alice' }],
  ['BOB', { ...bobKey, user: 'bob' }],
  ['CAROL', { ...disabledKey, user: 'carol' }],
])

function findPolicy(name: string) {
  const policy = policies.get(name)
  return policy && { name, policy, createdAt: now, updatedAt: now, managedBy: 'file' as const }
}

function policiesOf(user: string) {
  return attached.get(user)?.flatMap((name) => findPolicy(name) ?? [])
}

const directory: AccessOptions['directory'] = {
  findPolicy,
  policiesOf,
  findUser: (name) => ({
    name,
    status: name === 'carol' ? 'disabled' : 'enabled',
    policies: attached.get(name) ?? [],
    createdAt: new Date(0),
    managedBy: 'file',
  }),
  findAccessKey: (id) => {
    const key = owners.get(id)
    if (!key) return undefined
    const { user, accessKeyId, secret } = key
    const status = 'Active'
    return { accessKeyId, user, secretAccessKey: secret, status, createdAt: now, managedBy: 'file' }
  },
  listPolicies: () => [],
  listUsers: () => [],
  listAccessKeys: () => [],
}

/** A token `{"refuse": code}` is refused with that code; another one is a proven token with these claims. */
const provider: Verifier = {
  async verify(evidence) {
    if (evidence.kind !== 'web-identity') return undefined
    const claims = readToken(evidence.token)
    if (claims.refuse) throw new IdentityError(claims.refuse, `Refused: ${claims.refuse}`)
    const principal = {
      kind: 'web-identity',
      provider: evidence.provider ?? 'dex',
      issuer: 'https://idp.example.com',
      subject: 'alice',
      displayName: 'Alice',
      groups: [],
      claims: new Map(Object.entries(claims)),
      expiresAt: new Date('2023-11-14T22:13:20Z'),
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand belongs to the identity room
    return principal as unknown as Principal
  },
}

function readToken(text: Secret): Record<string, unknown> & { refuse?: IdentityErrorCode } {
  try {
    return JSON.parse(text.reveal())
  } catch {
    throw new IdentityError('token_malformed', 'The token is no JWT')
  }
}

export function openHouse(options: HouseOptions = {}): House {
  const clock = options.clock ?? (() => now)
  const [events, observed, log, issued]: [
    ExchangeEvent[],
    ExchangeObservation[],
    StsEvent[],
    Grant[],
  ] = [[], [], [], []]
  const role = { kind: 'role', provider: 'okta', roleArn, policies: ['readwrite'] } as const
  const claim = { kind: 'claim', provider: 'dex', claimName: 'policy' } as const
  const grants = createGrants({
    tenant: 'default',
    policies: { find: findPolicy },
    users: { policiesOf },
    providers: options.claimProviders === false ? [role] : [claim, role],
    limits: {
      minSeconds: 900,
      maxSeconds: 43_200,
      defaultSeconds: 3600,
      maxSessionPolicyBytes: 2048,
    },
    clock,
  })
  const exchange = createExchange({
    identity: combineVerifiers([provider, createAccessKeyVerifier()]),
    grants,
    sessions: {
      issue(grant) {
        if (options.tooLarge) throw new CredentialsError('session_too_large', 'Too large')
        issued.push(grant)
        return {
          accessKeyId: `ASIA${issued.length}`,
          secretAccessKey: new Secret('secret/+key'),
          sessionToken: new Secret(sessionToken),
          expiresAt: grant.expiresAt,
          packedPolicySize: 7,
        }
      },
    },
    audit: {
      record: async (event) => {
        if (options.auditFails) throw new Error('disk full')
        events.push(event)
      },
    },
    explain: { seal: (event) => Buffer.from(JSON.stringify(event)).toString('base64url') },
    observe: (observation) => observed.push(observation),
    clock,
  })
  const access = createAccess({
    root: { accessKeyId: rootKey.accessKeyId, secretAccessKey: rootKey.secret },
    directory,
    roles: grants,
    sessions: {
      open(accessKeyId, token) {
        const grant = issued[Number(accessKeyId.slice(4)) - 1]
        if (!token) throw new CredentialsError('token_missing', 'A session token is missing')
        if (!grant || token.reveal() !== sessionToken) {
          throw new CredentialsError('token_invalid', 'The session token is not ours')
        }
        const session: Session = { ...grant, accessKeyId, sealingKey: 'k' }
        return { session, secretAccessKey: new Secret('secret/+key') }
      },
      assertLive(session, at) {
        if (session.expiresAt > at) return
        throw new CredentialsError('token_expired', 'The session has ended')
      },
    },
    sealDenial: (trace) => Buffer.from(JSON.stringify(trace)).toString('base64url'),
    onDenial: () => undefined,
    random: (bytes) => Buffer.alloc(bytes),
  })
  const face = createStsFace({
    exchange,
    access,
    openDenial: (text) => JSON.parse(Buffer.from(text, 'base64url').toString()),
    limits: { maxBodyBytes: 65_536, bodyTimeoutMs: 50 },
    compat: 'aws',
    log: (event) => log.push(event),
    ...options,
  })
  const keyOf = (grant: Grant): Key => ({
    accessKeyId: `ASIA${issued.indexOf(grant) + 1}`,
    secret: new Secret('secret/+key'),
    sessionToken: new Secret(sessionToken),
  })
  return { face, events, observed, log, issued, keyOf }
}

export type Fields = Readonly<Record<string, string>>
type Parts = Partial<HttpRequest> & Readonly<{ text?: string }>

export async function* stream(...chunks: readonly (string | Uint8Array)[]) {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

export function request({ text = '', ...parts }: Parts): HttpRequest {
  return {
    id: requestId,
    method: 'POST',
    path: '/',
    query: '',
    headers: [
      ['Host', 'sts.example.com'],
      ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
    ],
    body: stream(text),
    source: '203.0.113.5',
    secure: false,
    receivedAt: now,
    proceed: () => undefined,
    ...parts,
  }
}

const encoded = (fields: Fields) =>
  new URLSearchParams({ Version: '2011-06-15', ...fields }).toString()

/** A form as the SDKs post it. */
export function post(fields: Fields, parts: Parts = {}): HttpRequest {
  return request({ text: encoded(fields), ...parts })
}

/** Everything in the query. */
export function get(fields: Fields, parts: Parts = {}): HttpRequest {
  const query = encoded(fields).replaceAll('+', '%20')
  return request({ method: 'GET', query, headers: [['Host', 'sts.example.com']], ...parts })
}

/** A form, signed as the SDKs sign it. */
export function signed(
  fields: Fields,
  key: Key = rootKey,
  more: Readonly<{ service?: string; at?: Date; parts?: Parts }> = {},
): HttpRequest {
  const text = encoded(fields)
  return sign(request({ text, ...more.parts }), text, key, more)
}

export function sign(
  plain: HttpRequest,
  text: string,
  key: Key,
  { service = 'sts', at = now }: Readonly<{ service?: string; at?: Date }> = {},
): HttpRequest {
  const hash = createHash('sha256').update(text).digest('hex')
  const added = signRequest(plain, key, { region: 'us-east-1', service }, at, hash)
  return { ...plain, headers: [...plain.headers, ...added] }
}

export function token(claims: object = { policy: 'readonly' }): string {
  return JSON.stringify(claims)
}

export const webIdentity = (claims?: object, more: Fields = {}): Fields => ({
  Action: 'AssumeRoleWithWebIdentity',
  WebIdentityToken: token(claims),
  ...more,
})

export function text(response: HttpResponse): string {
  return typeof response.body === 'string' ? response.body : ''
}

export function elementOf(response: HttpResponse, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text(response))?.[1]
}
