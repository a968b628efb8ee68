import type { PolicySource, Session, SessionPrincipal } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import type { NamedPolicy } from '../policy/index.ts'

/** One line of an explained decision, in the order in which things were looked at. */
export type TraceStep = Readonly<{
  /** `token`, `provider`, `mapping`, `policy readonly`, `session policy`, … */
  step: string
  outcome: 'ok' | 'refused'
  /** A sentence for people. Never a secret. */
  detail: string
}>

declare const authorized: unique symbol // not exported from the room

/** The decision made concrete: who, with which policies, until when, and why. Only `grants/` makes one. */
export type Grant = Readonly<{
  principal: SessionPrincipal
  tenant: string
  source: PolicySource
  sessionName: string
  sessionPolicies: readonly (readonly string[])[]
  sessionPolicyNames: readonly (readonly string[])[]
  tags: ReadonlyMap<string, string>
  transitiveTagKeys: readonly string[]
  sourceIdentity?: string
  way?: 'session-token' | 'federation'
  issuedAt: Date
  expiresAt: Date
  lineage: Session['lineage']
  trace: readonly TraceStep[]
  [authorized]: true
}>

export type GrantErrorCode =
  | 'invalid_parameter' // DurationSeconds, RoleSessionName, … : detail.parameter
  | 'malformed_policy' // the session policy does not parse
  | 'session_policy_too_large'
  | 'no_policy' // claim missing or names nothing that exists; role without policies
  | 'unknown_role'
  | 'denied' // a Deny statement for the sts action
  | 'caller_not_allowed' // this kind of caller may not take this way
  | 'expired' // the grant would already be over

/** The ways to a grant, as policies name them: `Deny` on one of these is heeded when credentials are asked for. */
export type IssueAction =
  | 'sts:AssumeRole'
  | 'sts:AssumeRoleWithWebIdentity'
  | 'sts:AssumeRoleWithClientGrants'

/** What a caller asks for, beside proving who it is. Everything in it is untrusted but `client`. */
export type GrantRequest = Readonly<{
  action: IssueAction
  roleArn?: string | undefined
  roleSessionName?: string | undefined
  durationSeconds?: number | undefined
  /** IAM policy document as sent. */
  sessionPolicy?: string | undefined
  client: Readonly<{ source: string; secure: boolean; userAgent?: string | undefined }>
}>

/** Where stored policies are found by name. */
export interface PolicyBook {
  find(name: string): NamedPolicy | undefined
}

/** Which policies a user has now. `undefined`: there is no such user, or it is disabled. */
export interface UserBook {
  policiesOf(name: string): readonly NamedPolicy[] | undefined
}

/** How a provider's principals come by their policies. `provider` is the name that verified principals carry. */
export type ProviderMapping =
  | Readonly<{
      kind: 'claim'
      provider: string
      claimName: string
      claimPrefix?: string | undefined
      /** Reads `a.b` as member `b` of the object `a`; otherwise the name is one flat member, dots and all. */
      dottedPath?: boolean | undefined
    }>
  /** All of the named policies must exist. */
  | Readonly<{ kind: 'role'; provider: string; roleArn: string; policies: readonly string[] }>

export type GrantLimits = Readonly<{
  minSeconds: number
  maxSeconds: number
  /** For calls signed by a key that name no duration. */
  defaultSeconds: number
  /**
   * Given in place of whatever duration is asked for, and of the default (MinIO's `MINIO_STS_DURATION`). Calls by token
   * that ask for none keep the token's own end, as they do at MinIO.
   */
  fixedSeconds?: number | undefined
  /** Bytes of the session policy after white space is taken out. */
  maxSessionPolicyBytes: number
  /** Lets an asked-for duration go beyond the end of the token that proved the caller. */
  insecureOutliveToken?: boolean | undefined
}>

export type GrantsOptions = Readonly<{
  tenant: string
  policies: PolicyBook
  users: UserBook
  providers: readonly ProviderMapping[]
  limits: GrantLimits
  clock: () => Date
}>

export interface Grants {
  /**
   * A grant for a principal whose token was verified. Throws a GrantError.
   * A role ARN that is not known is passed over when a claim-based provider vouches for the principal.
   */
  authorizeWebIdentity(principal: Principal, request: GrantRequest): Grant
  /** A grant for root or a user, proven by the signature of a long-lived key. Throws a GrantError. */
  authorizeUser(principal: Principal, request: GrantRequest): Grant
  /**
   * The provider that a caller means by its role ARN. `undefined`: the claim-based ones, told apart by the token.
   * Throws a GrantError `unknown_role` when the ARN names no role and there is no claim-based provider.
   */
  chooseProvider(roleArn: string | undefined): string | undefined
  findProviderByRoleArn(roleArn: string): string | undefined
  /**
   * The policies that a role has now. `undefined`: there is no such role. A name that is not there, or not any more,
   * comes as a broken policy, which denies everything: what it would have denied is not known.
   */
  policiesOfRole(roleArn: string): readonly NamedPolicy[] | undefined
}
