import type { PolicySource, Session, SessionPrincipal } from '../credentials/types.ts'
import type { Evidence, Principal } from '../identity/index.ts'
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
  | 'role_not_trusted' // the trust policy, or the caller's own policies, do not let it take the role
  | 'unknown_tenant' // there is no tenant of that name, or more than one
  | 'denied' // a Deny statement for the sts action
  | 'caller_not_allowed' // this kind of caller may not take this way
  | 'expired' // the grant would already be over

/** The ways to a grant, as policies name them: `Deny` on one of these is heeded when credentials are asked for. */
export type IssueAction =
  | 'sts:AssumeRole'
  | 'sts:AssumeRoleWithWebIdentity'
  | 'sts:AssumeRoleWithClientGrants'
  | 'sts:AssumeRoleWithLDAPIdentity'
  | 'sts:AssumeRoleWithCertificate'
  | 'sts:AssumeRoleWithCustomToken'
  | 'sts:GetSessionToken'
  | 'sts:GetFederationToken'

/** What a caller asks for, beside proving who it is. Everything in it is untrusted but `client`. */
export type GrantRequest = Readonly<{
  action: IssueAction
  roleArn?: string | undefined
  roleSessionName?: string | undefined
  durationSeconds?: number | undefined
  /** IAM policy document as sent. */
  sessionPolicy?: string | undefined
  /** ARNs of named policies that narrow the session together with `sessionPolicy`. */
  policyArns?: readonly string[] | undefined
  /** As sent, doubles and all. */
  tags?: readonly (readonly [key: string, value: string])[] | undefined
  transitiveTagKeys?: readonly string[] | undefined
  externalId?: string | undefined
  sourceIdentity?: string | undefined
  /** Where the credentials are to work, when the caller says so: of many tenants, not of one. */
  tenant?: TenantName | undefined
  client: Readonly<{ source: string; secure: boolean; userAgent?: string | undefined }>
}>

/** A tenant of a Kubernetes cluster: its namespace, and its own name where that was given. */
export type TenantName = Readonly<{ namespace: string; name?: string | undefined }>

/** Where stored policies are found by name. */
export type PolicyBook = Pick<GrantDirectory, 'findPolicy'>

/** A role as grants need it. */
export type GrantRole = Readonly<{
  name: string
  /** `arn:aws:iam::000000000000:role/NAME` */
  arn: string
  id: string
  trustPolicy: NamedPolicy['policy']
  maxSessionSeconds: number
  tags: ReadonlyMap<string, string>
}>

/** Who and what there is now: the part of the administration's directory that grants are made from. */
export interface GrantDirectory {
  findPolicy(name: string): NamedPolicy | undefined
  findUser(
    name: string,
  ): Readonly<{ createdAt: Date; tags: ReadonlyMap<string, string> }> | undefined
  /** `undefined`: there is no such user, or it is disabled. A policy that is not there comes as a broken one. */
  policiesOf(user: string): readonly NamedPolicy[] | undefined
  boundaryOf(user: string): NamedPolicy | undefined
  findRole(nameOrArn: string): GrantRole | undefined
  /** Made through the IAM API; by ARN. */
  findProvider(arn: string): Readonly<{ createdAt: Date }> | undefined
  policiesOfRole(arn: string): readonly NamedPolicy[] | undefined
  boundaryOfRole(arn: string): NamedPolicy | undefined
  policiesAttachedTo(
    subject: Readonly<{ kind: 'ldap-user' | 'ldap-group'; name: string; directory: string }>,
  ): readonly NamedPolicy[]
}

/** What the rule that let a client certificate in gives to it. */
export type CertificateMapping =
  /** All of them must exist. */
  | Readonly<{ kind: 'policies'; policies: readonly string[] }>
  /** Name or ARN of a role; its trust policy has the last word. */
  | Readonly<{ kind: 'role'; role: string }>

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
  /** The same for MinIO's identity plugin: for custom tokens alone. */
  | Readonly<{ kind: 'plugin'; provider: string; roleArn: string; policies: readonly string[] }>

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
  directory: GrantDirectory
  providers: readonly ProviderMapping[]
  /** Absent: nobody gets anything for a certificate. */
  certificates?:
    | Readonly<{ mappingOf(principal: Principal): CertificateMapping | undefined }>
    | undefined
  /** Names of policies beyond which nobody in the tenant may go but the root key. */
  tenantCeiling?: readonly string[] | undefined
  limits: GrantLimits
  clock: () => Date
}>

/** What the exchange asks of whoever decides. */
export interface Authorizer {
  /** The evidence, with what the role ARN says of who is to judge it. Throws a GrantError `unknown_role`. */
  addressed(evidence: Evidence, roleArn: string | undefined): Evidence
  /** A grant for a principal, each kind by its own way. Throws a GrantError. */
  authorize(principal: Principal, request: GrantRequest): Grant
  /** A role for the owner of a session, which was opened and found alive. Throws a GrantError. */
  authorizeSession(session: Session, request: GrantRequest): Grant
}

export interface Grants extends Authorizer {
  /**
   * A grant for a principal whose token was verified. Throws a GrantError.
   * A role ARN that is not known is passed over when a claim-based provider vouches for the principal.
   */
  authorizeWebIdentity(principal: Principal, request: GrantRequest): Grant
  /**
   * A grant for root or a user, proven by the signature of a long-lived key. Throws a GrantError.
   * A role ARN that is not known is passed over: then the session has what the caller itself has.
   */
  authorizeUser(principal: Principal, request: GrantRequest): Grant
  /** By the policies attached to the person and its groups, or by a role. Throws a GrantError. */
  authorizeLdap(principal: Principal, request: GrantRequest): Grant
  /** By the rule that let the certificate in, or by a role. Throws a GrantError. */
  authorizeCertificate(principal: Principal, request: GrantRequest): Grant
  /** By the plugin's own role, or by one of the directory. Throws a GrantError. */
  authorizeCustomToken(principal: Principal, request: GrantRequest): Grant
  /** Whether the ARN is that of a role of the directory, which chooses its providers by its trust policy. */
  namesRole(roleArn: string | undefined): boolean
  /** The providers that the trust policy of a role lets in, as they are named there. `undefined`: no role of ours. */
  providersTrustedBy(roleArn: string | undefined): readonly string[] | undefined
  /**
   * The provider that a caller means by its role ARN. `undefined`: the claim-based ones, told apart by the token.
   * Throws a GrantError `unknown_role` when the ARN names no role and there is no claim-based provider.
   */
  chooseProvider(roleArn: string | undefined): string | undefined
  findProviderByRoleArn(roleArn: string): string | undefined
  /**
   * The role ARN of the plugin that a caller of AssumeRoleWithCustomToken means: its own, or that of the only plugin
   * where a role of the directory is asked for. Throws a GrantError `unknown_role` when there are plugins, and none of
   * this ARN.
   */
  choosePlugin(roleArn: string): string
  /**
   * The policies that a role has now. `undefined`: there is no such role. A name that is not there, or not any more,
   * comes as a broken policy, which denies everything: what it would have denied is not known.
   */
  policiesOfRole(roleArn: string): readonly NamedPolicy[] | undefined
}
