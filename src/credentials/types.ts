import type { Secret } from '../secret.ts'

/** Where the base policies of a session come from; named things are looked up when the session is used. */
export type PolicySource =
  /** Everything, narrowed by session policies only. */
  | Readonly<{ kind: 'root' }>
  /** The policies that the user and its groups have then. */
  | Readonly<{ kind: 'user'; name: string }>
  /** These named policies (policy claim). Never empty. */
  | Readonly<{ kind: 'policies'; names: readonly string[] }>
  /**
   * The policies that the role has then. `id` is that of a role of the directory: one that is made again under the same
   * name has another one, and gives nothing to the sessions of the first. Absent: the role of a provider.
   */
  | Readonly<{ kind: 'role'; arn: string; name: string; id?: string }>
  /** The policies attached then to this normalised DN and to those of the principal's groups. */
  | Readonly<{ kind: 'ldap'; user: string }>
  /**
   * What bindings in a Kubernetes cluster give to a service account: named policies, documents that stand in the bindings
   * themselves, and those of a role. All of the names must exist when the session is used.
   */
  | Readonly<{
      kind: 'binding'
      /** `sts.min.io/PolicyBinding/NAMESPACE/NAME`, for revocation and for people. Never empty. */
      bindings: readonly string[]
      names: readonly string[]
      documents: readonly string[]
      roleArn?: string
    }>

/** Who stands behind a session: the storable part of a Principal. */
export type SessionPrincipal = Readonly<{
  kind:
    | 'root'
    | 'user'
    | 'web-identity'
    | 'ldap'
    | 'certificate'
    | 'custom-token'
    | 'service-account'
  provider: string
  issuer: string
  subject: string
  displayName: string
  groups: readonly string[]
  /** Only the claims that policies may read (`jwt:*`, `ldap:*`, `cert:*`), as strings or lists of strings. */
  claims: ReadonlyMap<string, string | readonly string[]>
}>

/** A session that another one was made from, by taking a role. */
export type Ancestor = Readonly<{
  accessKeyId: string
  sealingKey: string
  issuedAt: Date
  source: PolicySource
}>

/**
 * What a session token stands for (DESIGN section 3). `issuedAt` is the instant of the grant in milliseconds, since
 * revocation compares it; `expiresAt` is a whole second.
 */
export type Session = Readonly<{
  accessKeyId: string
  /** Id of the ring key that sealed the token. */
  sealingKey: string
  tenant: string
  principal: SessionPrincipal
  source: PolicySource
  /** From the request's RoleSessionName, else derived; 2 to 64 of `[\w+=,.@-]`. */
  sessionName: string
  /** Layers of session policy documents (normalised JSON): within a layer they unite, layers intersect. */
  sessionPolicies: readonly (readonly string[])[]
  /** Names of policies in these same layers: the n-th list unites with the n-th list of documents. Looked up at use. */
  sessionPolicyNames: readonly (readonly string[])[]
  /** Session tags: `aws:PrincipalTag/K`. */
  tags: ReadonlyMap<string, string>
  /** Keys of the tags that go along when the session takes another role. */
  transitiveTagKeys: readonly string[]
  sourceIdentity?: string
  /** How it came about, where that shows in its name: absent for AssumeRole in all its forms. */
  way?: 'session-token' | 'federation'
  issuedAt: Date
  expiresAt: Date
  /** `ancestors`: the first session before the second. What revokes one of them revokes what was made from it. */
  lineage: Readonly<{ parentAccessKeyId?: string; jti?: string; ancestors?: readonly Ancestor[] }>
}>

/** What leaves the house. */
export type Credentials = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  sessionToken: Secret
  expiresAt: Date
  /** Length of the token as a percentage (1 to 100, rounded up) of the longest one allowed: `PackedPolicySize`. */
  packedPolicySize: number
}>

/** A session whose seal held. Nobody has yet asked whether it is expired or revoked: `assertLive` does. */
export type OpenedSession = Readonly<{ session: Session; secretAccessKey: Secret }>

/**
 * "Every session that matches and was issued at `issuedBefore` or earlier", to the millisecond, and all that was made
 * from it, whenever. Members present are ANDed; at least one is, and none is empty.
 */
export type RevocationRule = Readonly<{
  id: string
  /** Access key id of the session, or of the key that it was made from. */
  session?: string
  /** `kind`, `provider` and `subject` of the principal, as `principalKey()` joins them. */
  principal?: string
  provider?: string
  /** ARN of the role. */
  role?: string
  /**
   * One of the texts of `policySourceKeys()`: `root`, `user/alice`, `policy/readonly`, `role/name`, `ldap/DN`,
   * `binding/GROUP/KIND/NAMESPACE/NAME`.
   */
  policySource?: string
  tenant?: string
  /** Id of the ring key that sealed the session. */
  sealingKey?: string
  issuedBefore: Date
  /** No session that the rule could meet lives beyond this: then the rule drops. */
  expiresAt: Date
  reason: string
}>

/**
 * What `revoke` takes. `issuedBefore`: now when absent. `expiresAt` may lengthen the life of the rule, never shorten
 * it below the longest session that it could meet.
 */
export type NewRevocation = Omit<RevocationRule, 'id' | 'issuedBefore' | 'expiresAt'> &
  Readonly<{ issuedBefore?: Date; expiresAt?: Date }>

/** `next` is published, so that every process holds it before it seals; `retiring` only opens. */
export type RingKeyStatus = 'next' | 'active' | 'retiring'

/** What may be told of a ring key. */
export type RingKeyInfo = Readonly<{
  id: string
  status: RingKeyStatus
  createdAt: Date
  retiredAt?: Date
  /** Retiring keys: the last session that it may have sealed is over by then, and the key is dropped. */
  lastExpiry?: Date
}>

export type CredentialsErrorCode =
  | 'token_invalid' // garbled, foreign, or for another access key: InvalidToken 400
  | 'token_missing' // temporary key without token: InvalidAccessKeyId 403
  | 'token_expired' // ExpiredToken 400
  | 'session_revoked' // ExpiredToken 400, message says revoked
  | 'session_too_large' // PackedPolicyTooLarge 400
  | 'revocations_stale' // ServiceUnavailable 503: watch lost for longer than the promise
