import type { Administration, Tags } from '../admin/index.ts'
import type { NewRevocation, RevocationRule, RingKeyInfo } from '../credentials/index.ts'
import type { HttpRequest } from '../http.ts'
import type { Access, NamedPolicy, Question } from '../policy/index.ts'
import type { Value } from './value.ts'

/** Who signed the request, as `access/` proves it; the face reads only this much. */
export type IamCaller = Readonly<{
  identity: SignedIdentity | Readonly<{ kind: 'anonymous' }>
  /** `query`: by a presigned link. */
  authentication: Readonly<{ kind: 'anonymous' | 'header' | 'query' }>
}>

export type SignedIdentity =
  | Readonly<{ kind: 'root'; accessKeyId: string }>
  | Readonly<{ kind: 'user'; accessKeyId: string; user: string }>
  | Readonly<{
      kind: 'session'
      accessKeyId: string
      session: Readonly<{
        principal: Readonly<{ provider: string; subject: string }>
        way?: 'session-token' | 'federation'
      }>
    }>

/** One permission that a call needs: `iam:CreateUser` on `arn:aws:iam::000000000000:user/bob`. */
export type Permission = Readonly<{ action: string; resource: string; about?: About }>

/** What a call says beside its resource, for the conditions of policies. */
export type About = Readonly<{
  /** The resource is made by this very call: nothing that has its name now is meant. */
  isNew?: boolean
  policyArn?: string
  /** The boundary that the call sets. */
  permissionsBoundary?: string
  tags?: Tags
  tagKeys?: readonly string[]
}>

/** A permission as policies are asked for it. */
export type IamAccess = Pick<Access, 'action' | 'resource' | 'iam'>

/** The key ring that seals sessions. */
interface SessionKeys {
  list(): readonly RingKeyInfo[]
  /** Ends no live session. */
  rotate(): Promise<unknown>
}

interface SessionRevocations {
  /** Resolves when the rule is durable and seen by this process. */
  revoke(rule: NewRevocation): Promise<RevocationRule>
  list(): readonly RevocationRule[]
}

/**
 * One line of the audit. `started` is written before a change is made (if it cannot be, nothing is changed), `done`
 * or `failed` after it and before the answer, `refused` when the caller may not make it. Holds no secret.
 */
export type IamAuditEvent = Readonly<{
  kind: 'admin'
  requestId: string
  at: Date
  action: string
  outcome: 'started' | 'done' | 'failed' | 'refused'
  caller: Readonly<{ kind: SignedIdentity['kind']; accessKeyId: string; name: string }>
  source: string
  permissions: readonly Pick<Permission, 'action' | 'resource'>[]
  /** As sent, without secrets. */
  parameters: Readonly<Record<string, string>>
  /** The answer to a change that was made, without secrets. */
  result?: Value
  /** Our code of the refusal or failure. */
  code?: string
  decisionId?: string
}>

export type IamFaceOptions<Caller extends IamCaller = IamCaller> = Readonly<{
  admin: Administration
  keys: SessionKeys
  revocations: SessionRevocations
  /** Proves who signed; `bodySha256` is the lower-case hex hash of the body that really came. Throws a refusal. */
  authenticate(request: HttpRequest, bodySha256: string): Promise<Caller>
  /**
   * Returns when the caller may; else throws a refusal with code `access_denied`, whose `detail` may carry
   * `decisionId` and `encodedMessage` (both strings).
   */
  authorize(caller: Caller, request: HttpRequest, access: IamAccess): void | Promise<void>
  /** Resolves only when the record is durable. */
  audit(event: IamAuditEvent): Promise<void>
  /** A fault of ours, for the log; the caller sees a constant text. */
  logFault(requestId: string, error: unknown): void
  clock(): Date
  /** Names of the policies beyond which nobody may go but the root key: answers about others go by them, too. */
  tenantCeiling?: readonly string[] | undefined
  /** The policy of a bucket, for questions about who may do what; absent: they go by identities alone. */
  findBucketPolicy?(bucket: string): Promise<NamedPolicy | undefined>
  /** How policies are read when requests are judged, so that answers agree with it. */
  policyCompat?: Question['compat'] | undefined
  /** How it stands with the keys of an OpenID provider, by ARN; absent: nobody looks. */
  providerState?(arn: string): ProviderState | undefined
  /** Absent: there is none. */
  directories?: LdapDirectories | undefined
  /** Whether people may come in by a provider of this name, or ARN; absent: nobody knows. */
  knowsProvider?(name: string): boolean
}>

/** The directory services (LDAP), as far as administration asks about them. */
export type LdapDirectories = Readonly<{
  /** As the configuration calls them. */
  names: readonly string[]
  /** The one spelling of a distinguished name; throws a TypeError for what is none. */
  normaliseDn(name: string): string
  /** The directory that a normalised name is taken for when nobody says. */
  homeOf(name: string): string
  /** Normalised names of those who may have live sessions and logged in under this name, in whatever case. */
  peopleNamed(directory: string, username: string): Promise<readonly string[]>
}>

/** What an action works with. */
export type ActionContext = Readonly<{
  admin: Administration
  keys: SessionKeys
  revocations: SessionRevocations
  caller: SignedIdentity
  now: Date
  tenantCeiling?: readonly string[] | undefined
  /** The policy of a bucket, for questions about who may do what; absent: they go by identities alone. */
  findBucketPolicy?(bucket: string): Promise<NamedPolicy | undefined>
  /** How policies are read when requests are judged, so that answers agree with it. */
  policyCompat?: Question['compat'] | undefined
  /** How it stands with the keys of an OpenID provider, by ARN; absent: nobody looks. */
  providerState?(arn: string): ProviderState | undefined
  /** Absent: there is none. */
  directories?: LdapDirectories | undefined
  /** Whether people may come in by a provider of this name, or ARN; absent: nobody knows. */
  knowsProvider?(name: string): boolean
}>

/** `unasked`: no token has needed its keys so far. `problem`: why they could not be had. */
export type ProviderState = Readonly<{ state: 'ready' | 'away' | 'unasked'; problem?: string }>

export type IamErrorCode =
  | 'missing_action'
  | 'unknown_action'
  | 'wrong_version'
  | 'malformed_form'
  | 'duplicate_parameter'
  | 'unknown_parameter'
  | 'missing_parameter'
  | 'invalid_parameter'
  | 'not_supported' // AWS has it, this server has not
  | 'body_too_large'
  | 'body_too_slow'
  | 'body_incomplete'
  | 'method_not_allowed'
  | 'no_such_entity'
  | 'not_authenticated' // no signature at all
  | 'access_denied'
