import type { AccessKey, Directory } from '../admin/index.ts'
import { CredentialsError } from '../credentials/index.ts'
import type { Session } from '../credentials/index.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import { explain, isAllowed } from '../policy/index.ts'
import type { Access as PolicyAccess, Decision, Question } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import {
  parseCredential,
  parseQuery,
  readAuthentication,
  SigningKeys,
  verifyPostPolicySignature,
  verifySignature,
} from '../sigv4/index.ts'
import type { Authentication, Scope, Verified } from '../sigv4/index.ts'
import { AccessError } from './access-error.ts'
import type { Identity, KeyLimits, KnownCaller } from './caller.ts'
import { identityTrace, principalOf } from './denial.ts'
import type { DenialTrace } from './denial.ts'
import { bindingOf, question } from './question.ts'
import type { RoleBook } from './question.ts'
import type { BindingSources, GrantDirectory } from '../grants/index.ts'

export type { RoleBook } from './question.ts'

export type AccessOptions = Readonly<{
  root: Readonly<{ accessKeyId: string; secretAccessKey: Secret }>
  directory: Omit<GrantDirectory, 'findUser'> & Pick<Directory, 'findAccessKey' | 'findUser'>
  roles: RoleBook
  /** Names of policies beyond which nobody may go but the root key. Absent: there is no such bound. */
  tenantCeiling?: readonly string[] | undefined
  sessions: Readonly<{
    open(
      accessKeyId: string,
      token: Secret | undefined,
    ):
      | { session: Session; secretAccessKey: Secret }
      | Promise<{ session: Session; secretAccessKey: Secret }>
    assertLive(session: Session, now: Date): void
  }>
  /** Seals a denial's trace. */
  sealDenial(trace: DenialTrace): string
  /** Told of each denial; must neither block nor throw. */
  onDenial(trace: DenialTrace, encodedMessage: string): void
  /** Lets policies mean what they mean at MinIO where AWS is stricter. */
  policyCompat?: Question['compat'] | undefined
  /** Demanded in signatures, when the configuration is strict about it. */
  region?: string
  random: (bytes: number) => Buffer
  signingKeyCache?: number
}>

type Signed = Exclude<Authentication, { kind: 'anonymous' }>
type Claim = Readonly<{ accessKeyId: string; sessionToken?: Secret; scope: Scope }>
type Key = Readonly<{ identity: Identity; secret: Secret }>

/** Handed back by a face as it got it; who it is, is looked up here and not read from the value. */
type ProvenCaller = Pick<KnownCaller, 'kind'>

export interface Access {
  /** Proves who signed. `bodySha256`: for services whose signature covers the body as it was read (STS, IAM). */
  authenticate(
    request: HttpRequest,
    expect: Readonly<{
      services: readonly string[]
      bodySha256?: string
      anyRegion?: boolean
      /** The scope may have no region: clients of MinIO's administration name none. */
      emptyRegion?: boolean
    }>,
  ): Promise<KnownCaller>
  /**
   * Proves who signed the `policy` of a browser form. The request itself is not signed, so its own authentication
   * stays anonymous. All signed fields must be there.
   */
  authenticateForm(fields: ReadonlyMap<string, string>, request: HttpRequest): Promise<KnownCaller>
  /** Throws `access_denied` unless every access is allowed; an empty list is refused. */
  authorize(caller: ProvenCaller, request: HttpRequest, accesses: readonly PolicyAccess[]): void
  isAllowed(caller: ProvenCaller, request: HttpRequest, accesses: readonly PolicyAccess[]): boolean
  readsObjectTags(caller: ProvenCaller): boolean
}

export function createAccess(options: AccessOptions): Access {
  const signingKeys = new SigningKeys(options.signingKeyCache ?? 10_000)
  const sources: BindingSources = {
    directory: options.directory,
    roles: options.roles,
    tenantCeiling: options.tenantCeiling,
    sessionPolicies: new BoundedCache(2000), // each may take tens of kilobytes
  }
  const proven = new WeakMap<ProvenCaller, Identity>()

  function make(
    identity: Identity,
    authentication: Authentication,
    verified?: Verified,
  ): KnownCaller {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that makes a caller
    const caller = {
      kind: identity.kind,
      identity,
      authentication,
      ...(verified === undefined ? {} : { verified }),
    } as KnownCaller
    proven.set(caller, identity)
    return caller
  }

  /** What is judged must be what was proven: a caller value that this room did not make is a fault of ours. */
  function identityOf(caller: ProvenCaller): Identity {
    const identity = proven.get(caller)
    if (identity) return identity
    throw new Error('a caller that was never authenticated asks for permission')
  }

  async function findKey({ accessKeyId, sessionToken: token }: Claim, now: Date): Promise<Key> {
    if (accessKeyId === options.root.accessKeyId) {
      refuseToken(token)
      return { identity: { kind: 'root', accessKeyId }, secret: options.root.secretAccessKey }
    }
    if (accessKeyId.startsWith('ASIA')) {
      const { session, secretAccessKey } = await options.sessions.open(accessKeyId, token)
      return { identity: { kind: 'session', accessKeyId, session }, secret: secretAccessKey }
    }
    const key = options.directory.findAccessKey(accessKeyId)
    const user = key && options.directory.findUser(key.user)
    if (key?.status !== 'Active' || user?.status !== 'enabled') throw unknownKey()
    if (key.expiresAt !== undefined && key.expiresAt <= now) throw unknownKey()
    refuseToken(token)
    const identity = { kind: 'user', accessKeyId, user: key.user, ...limitsOf(key) } as const
    return { identity, secret: key.secretAccessKey }
  }

  /** The signature is checked before expiry is judged, so that a stranger learns nothing about a session. */
  async function prove(
    claim: Claim,
    now: Date,
    check: (signingKey: ReturnType<SigningKeys['get']>) => void,
  ): Promise<Identity> {
    const { identity, secret } = await findKey(claim, now)
    check(signingKeys.get(claim.accessKeyId, secret, claim.scope))
    if (identity.kind === 'session') options.sessions.assertLive(identity.session, now)
    return identity
  }

  function judge(
    caller: ProvenCaller,
    request: HttpRequest,
    accesses: readonly PolicyAccess[],
  ): { allowed: boolean; explain: () => Decision } {
    const identity = identityOf(caller)
    const { policyCompat: compat } = options
    const plain = question(identity, bindingOf(identity, sources), request, accesses)
    const asked = compat === undefined ? plain : { ...plain, compat }
    return { allowed: isAllowed(asked), explain: () => explain(asked) }
  }

  function denial(caller: ProvenCaller, request: HttpRequest, decision: Decision): AccessError {
    const trace: DenialTrace = {
      decisionId: options.random(10).toString('hex'),
      at: request.receivedAt.toISOString(),
      requestId: request.id,
      source: request.source,
      principal: principalOf(identityOf(caller)),
      steps: identityTrace(identityOf(caller)),
      decision,
    }
    const encodedMessage = options.sealDenial(trace)
    options.onDenial(trace, encodedMessage)
    return new AccessError('access_denied', 'Access Denied.', {
      detail: { decisionId: trace.decisionId, encodedMessage },
    })
  }

  return {
    async authenticate(request, expect) {
      const now = request.receivedAt
      const authentication = readAuthentication(request, {
        services: expect.services,
        now,
        ...(expect.emptyRegion && { emptyRegion: true }),
        ...(options.region === undefined || expect.anyRegion ? {} : { region: options.region }),
      })
      if (authentication.kind === 'anonymous') {
        refuseAnonymousToken(request)
        return make({ kind: 'anonymous' }, authentication)
      }
      let verified: Verified | undefined
      const identity = await prove(claimOf(authentication), now, (signingKey) => {
        verified = verifySignature(request, authentication, signingKey, expect.bodySha256)
      })
      if (verified === undefined) throw new Error('a key was proven without checking the signature')
      return make(identity, authentication, verified)
    },

    async authenticateForm(fields, request) {
      const field = (name: string): string => fields.get(name) ?? ''
      const token = fields.get('x-amz-security-token')
      const credential = field('x-amz-credential')
      const claim = {
        ...parseCredential(credential, 'form'),
        ...(token === undefined ? {} : { sessionToken: new Secret(token) }),
      }
      const identity = await prove(claim, request.receivedAt, (signingKey) => {
        verifyPostPolicySignature({
          policy: field('policy'),
          credential,
          date: field('x-amz-date'),
          signature: field('x-amz-signature'),
          signingKey,
        })
      })
      return make(identity, { kind: 'anonymous', payload: { kind: 'unsigned' } })
    },

    authorize(caller, request, accesses) {
      const judgement = judge(caller, request, accesses)
      if (!judgement.allowed) throw denial(caller, request, judgement.explain())
    },

    isAllowed: (caller, request, accesses) => judge(caller, request, accesses).allowed,

    readsObjectTags(caller) {
      const { identity, ceilings } = bindingOf(identityOf(caller), sources)
      const policies = [...identity, ...ceilings.flatMap((layer) => layer.policies)]
      return policies.some(({ policy }) => policy.kind !== 'broken' && policy.readsObjectTags)
    },
  }
}

function claimOf(authentication: Signed): Claim {
  const { accessKeyId, sessionToken, scope } = authentication
  return { accessKeyId, scope, ...(sessionToken === undefined ? {} : { sessionToken }) }
}

function limitsOf({ policy, expiresAt }: AccessKey): { limits?: KeyLimits } {
  if (policy === undefined && expiresAt === undefined) return {}
  return {
    limits: {
      ...(policy === undefined ? {} : { policy: { name: 'access key policy', policy } }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  }
}

function unknownKey(): AccessError {
  return new AccessError(
    'access_key_unknown',
    'The access key id does not exist here, or it is disabled or expired.',
  )
}

function refuseToken(token: Secret | undefined): void {
  if (token === undefined) return
  throw new CredentialsError('token_invalid', 'A long-lived access key takes no session token.')
}

function refuseAnonymousToken(request: HttpRequest): void {
  const inHeader = header(request, 'x-amz-security-token') !== undefined
  const inQuery = parseQuery(request.query).some(([name]) => name === 'X-Amz-Security-Token')
  if (!inHeader && !inQuery) return
  throw new AccessError('anonymous_token', 'The request has a session token but no signature.')
}
