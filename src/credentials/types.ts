import type { Secret } from '../secret.ts'

/** Where the base policies of a session come from; named things are looked up when the session is used. */
export type PolicySource =
  /** Everything, narrowed by session policies only. */
  | Readonly<{ kind: 'root' }>
  /** The policies that the user and its groups have then. */
  | Readonly<{ kind: 'user'; name: string }>
  /** These named policies (policy claim). Never empty. */
  | Readonly<{ kind: 'policies'; names: readonly string[] }>
  /** The policies that the role has then. */
  | Readonly<{ kind: 'role'; arn: string; name: string }>

/** Who stands behind a session: the storable part of a Principal. */
export type SessionPrincipal = Readonly<{
  kind: 'root' | 'user' | 'web-identity'
  provider: string
  issuer: string
  subject: string
  displayName: string
  groups: readonly string[]
  /** Only the claims that policies may read (iam-policy.md section 5, `jwt:*`), as strings or lists of strings. */
  claims: ReadonlyMap<string, string | readonly string[]>
}>

/** What a session token stands for (DESIGN section 3). Times are whole seconds. */
export type Session = Readonly<{
  accessKeyId: string
  tenant: string
  principal: SessionPrincipal
  source: PolicySource
  /** From the request's RoleSessionName, else derived; 2 to 64 of `[\w+=,.@-]`. */
  sessionName: string
  /** Layers of session policy documents (normalised JSON): within a layer they unite, layers intersect. */
  sessionPolicies: readonly (readonly string[])[]
  /** Session tags: `aws:PrincipalTag/K`. */
  tags: ReadonlyMap<string, string>
  sourceIdentity?: string
  issuedAt: Date
  expiresAt: Date
  lineage: Readonly<{ parentAccessKeyId?: string; jti?: string }>
}>

/** What leaves the house. */
export type Credentials = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  sessionToken: Secret
  expiresAt: Date
  /** Percentage of the size that a session may take: `PackedPolicySize`. */
  packedPolicySize: number
}>

/** "Every session that matches and was issued before `issuedBefore`". Members present are ANDed; at least one is. */
export type RevocationRule = Readonly<{
  id: string
  session?: string // access key id
  /** `kind`, `provider` and `subject` of the principal, as `principalKey()` joins them. */
  principal?: string
  provider?: string
  role?: string
  policySource?: string
  tenant?: string
  sealingKey?: string
  issuedBefore: Date
  /** No session that the rule could meet lives beyond this: then the rule drops. */
  expiresAt: Date
  reason: string
}>

export type CredentialsErrorCode =
  | 'token_invalid' // garbled, foreign, or for another access key: InvalidToken 400
  | 'token_missing' // temporary key without token: InvalidAccessKeyId 403
  | 'token_expired' // ExpiredToken 400
  | 'session_revoked' // ExpiredToken 400, message says revoked
  | 'session_too_large' // PackedPolicyTooLarge 400
  | 'revocations_stale' // ServiceUnavailable 503: watch lost for longer than the promise
