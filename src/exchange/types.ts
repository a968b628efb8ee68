import type {
  Credentials,
  CredentialsErrorCode,
  PolicySource,
  Session,
} from '../credentials/index.ts'
import type { Grant, GrantErrorCode, GrantRequest, TraceStep } from '../grants/index.ts'
import type { Evidence, IdentityErrorCode } from '../identity/index.ts'

/** What a caller presents; or a session of ours that was opened, that signed, and that is alive: it takes a role. */
export type Presented = Evidence | Readonly<{ kind: 'session'; session: Session }>

export type ExchangeRequest = Readonly<{
  /** Our request id; it is the decision id too. */
  id: string
  evidence: Presented
  grant: GrantRequest
}>
export type RefusedRequest = Omit<ExchangeRequest, 'evidence'> &
  Readonly<{
    evidence?: Presented
    /** The key that signed or, when the code is `caller_unproven`, that is said to have signed. */
    accessKeyId?: string | undefined
  }>
export type Issued = Readonly<{ grant: Grant; credentials: Credentials }>

export type ExchangeErrorCode =
  | IdentityErrorCode
  | GrantErrorCode
  | Extract<CredentialsErrorCode, 'session_too_large'>
  | 'caller_unproven' // a signature that did not verify; the face knows the particulars
  | 'target_unavailable' // the tenant's own STS, or its policies, could not be reached; detail.retryAfterSeconds
  | 'target_refused' // the tenant's own STS said no
  | 'token_replayed' // good for one exchange, which it has had
  | 'replay_unknown' // the store that remembers used tokens does not answer
  | 'audit_unavailable'

export type ExchangeObservation = Readonly<{
  action: GrantRequest['action']
  outcome: 'issued' | 'internal' | ExchangeErrorCode
  seconds: number
}>

/** What the audit log keeps of an exchange. No secret is in it; a token shows as its SHA-256. */
export type ExchangeEvent = ExchangeIssued | ExchangeRefused
export type ExchangeFacts = Readonly<{
  kind: 'exchange'
  at: Date
  /** Request id and decision id. */
  decisionId: string
  action: GrantRequest['action']
  client: GrantRequest['client']
  /** As presented; it proves something only where there is a principal. */
  proof?: Readonly<
    | { kind: 'token'; sha256: string }
    | { kind: 'signature'; accessKeyId: string }
    | { kind: 'login'; username: string }
    /** SHA-256 of the client's own certificate. */
    | { kind: 'certificate'; sha256: string }
  >
  principal?: Readonly<Record<'kind' | 'provider' | 'issuer' | 'subject' | 'displayName', string>>
  trace: readonly TraceStep[]
}>
export type ExchangeIssued = ExchangeFacts &
  Readonly<{
    outcome: 'issued'
    accessKeyId: string
    tenant: string
    source: PolicySource
    sessionName: string
    sessionPolicies: readonly (readonly string[])[]
    sessionPolicyNames: readonly (readonly string[])[]
    tags: ReadonlyMap<string, string>
    sourceIdentity?: string
    /** The session that this one was made from. */
    parentAccessKeyId?: string
    issuedAt: Date
    expiresAt: Date
    jti?: string
  }>
export type ExchangeRefused = ExchangeFacts &
  Readonly<{
    outcome: 'refused'
    code: ExchangeErrorCode | 'internal'
    message: string
  }>
