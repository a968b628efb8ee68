import { createHash } from 'node:crypto'
import { createAccess } from '../../access/index.ts'
import type { AccessOptions } from '../../access/index.ts'
import { CredentialsError } from '../../credentials/index.ts'
import type { Session } from '../../credentials/index.ts'
import { createExchange } from '../../exchange.ts'
import type { ExchangeEvent, ExchangeObservation } from '../../exchange.ts'
import { createGrants } from '../../grants/index.ts'
import type { Grant, GrantRole } from '../../grants/index.ts'
import { header } from '../../http.ts'
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
export const pluginArn = 'arn:minio:iam:::role/idmp-hook'
export const uploaderArn = 'arn:aws:iam::000000000000:role/uploader'
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
    /** No way in but keys and OpenID tokens. */
    plain?: boolean
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

/** For whoever has a key here, for the tokens of dex and for everybody of the other three kinds; tags and all. */
const roles: readonly GrantRole[] = [
  {
    name: 'uploader',
    arn: uploaderArn,
    id: 'AROAUPLOADER22222222',
    trustPolicy: parsePolicy(
      JSON.stringify({
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: '*', Federated: ['dex', 'corp', 'tls', 'hook'] },
          Action: 'sts:*',
          Condition: { StringNotEquals: { 'sts:ExternalId': 'wrong' } },
        },
      }),
      'trust',
    ),
    maxSessionSeconds: 3600,
    tags: new Map(),
  },
]

function findPolicy(name: string) {
  const policy = policies.get(name)
  return policy && { name, policy }
}

function policiesOf(user: string) {
  return attached.get(user)?.flatMap((name) => findPolicy(name) ?? [])
}

const directory: AccessOptions['directory'] = {
  findPolicy,
  policiesOf,
  findUser: (name) => ({
    name,
    id: `AIDA${name.toUpperCase()}`,
    status: name === 'carol' ? 'disabled' : 'enabled',
    policies: attached.get(name) ?? [],
    inlinePolicies: [],
    tags: new Map(),
    createdAt: new Date(0),
    managedBy: 'file',
  }),
  boundaryOf: () => undefined,
  findRole: (arn) => roles.find((role) => role.arn === arn),
  findProvider: () => undefined,
  policiesOfRole: (arn) =>
    roles.some((role) => role.arn === arn)
      ? [findPolicy('readwrite')].flatMap((p) => p ?? [])
      : undefined,
  boundaryOfRole: () => undefined,
  policiesAttachedTo: ({ name }) =>
    name === 'cn=devs,dc=example' ? [findPolicy('readonly')].flatMap((p) => p ?? []) : [],
  findAccessKey: (id) => {
    const key = owners.get(id)
    if (!key) return undefined
    const { user, accessKeyId, secret } = key
    const status = 'Active'
    return { accessKeyId, user, secretAccessKey: secret, status, createdAt: now, managedBy: 'file' }
  },
}

/**
 * A token `{"refuse": code}` is refused with that code; another one is a proven token with these claims. Passwords and
 * custom tokens likewise; the text of a certificate is its subject.
 */
const provider: Verifier = {
  async verify(evidence) {
    switch (evidence.kind) {
      case 'web-identity': {
        const claims = new Map(Object.entries(readToken(evidence.token)))
        return proven({ kind: 'web-identity', provider: evidence.provider ?? 'dex', claims })
      }
      case 'ldap': {
        readToken(evidence.password)
        const subject = `uid=${evidence.username},dc=example`
        const groups = evidence.username === 'ann' ? ['cn=devs,dc=example'] : []
        const fields = { kind: 'ldap', provider: 'corp', subject, groups } as const
        return proven({
          ...fields,
          claims: new Map([['ldap:username', evidence.username]]),
          expiresAt: undefined,
        })
      }
      case 'certificate': {
        const [leaf] = evidence.chain
        if (!leaf) throw new IdentityError('certificate_missing', 'None was sent')
        const subject = leaf.toString()
        if (subject === 'bad') throw new IdentityError('certificate_refused', 'Not one of ours')
        return proven({
          kind: 'certificate',
          provider: 'tls',
          subject,
          claims: new Map([['cn', subject]]),
        })
      }
      case 'custom-token': {
        if (evidence.roleArn !== pluginArn) return undefined
        const claims = new Map(Object.entries(readToken(evidence.token)))
        return proven({ kind: 'custom-token', provider: 'hook', issuer: pluginArn, claims })
      }
      case 'service-account':
      case 'signature':
        return undefined
    }
  },
}

const openIdOnly: Verifier = {
  verify: async (evidence, at) =>
    evidence.kind === 'web-identity' ? provider.verify(evidence, at) : undefined,
}

type ProvenFields = {
  [K in keyof Principal as K extends string ? K : never]?: Principal[K] | undefined
}

function proven(fields: ProvenFields): Principal {
  const principal = {
    issuer: 'https://idp.example.com',
    subject: 'alice',
    displayName: 'Alice',
    groups: [],
    expiresAt: new Date('2023-11-14T22:13:20Z'),
    ...fields,
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand belongs to the identity room
  return principal as unknown as Principal
}

type Token = Record<string, unknown> & { refuse?: IdentityErrorCode }

function readToken(text: Secret): Token {
  const claims = parseToken(text)
  if (!claims.refuse) return claims
  const detail = claims.refuse === 'throttled' ? { retryAfterSeconds: 17 } : {}
  throw new IdentityError(claims.refuse, `Refused: ${claims.refuse}`, { detail })
}

function parseToken(text: Secret): Token {
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
  const plugin = {
    kind: 'plugin',
    provider: 'hook',
    roleArn: pluginArn,
    policies: ['readonly'],
  } as const
  const grants = createGrants({
    tenant: 'default',
    directory,
    providers: [...(options.claimProviders === false ? [] : [claim]), role, plugin],
    certificates: {
      mappingOf: ({ subject }) =>
        subject === 'nobody' ? undefined : { kind: 'policies', policies: ['readonly'] },
    },
    limits: {
      minSeconds: 900,
      maxSeconds: 43_200,
      defaultSeconds: 3600,
      maxSessionPolicyBytes: 2048,
    },
    clock,
  })
  const exchange = createExchange({
    identity: combineVerifiers([options.plain ? openIdOnly : provider, createAccessKeyVerifier()]),
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
    usedTokens: { use: async () => true },
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
    ...(options.plain ? {} : { clientChain: readChain }),
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

/** Over TLS only; the header stands for the handshake. `forged`: a proxy that does not prove itself. */
function readChain(request: HttpRequest): readonly Buffer[] | undefined {
  const subject = header(request, 'test-certificate')
  if (subject === 'forged') throw new IdentityError('certificate_refused', 'No proxy of ours')
  if (!request.secure) return undefined
  return subject === undefined ? [] : [Buffer.from(subject)]
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
