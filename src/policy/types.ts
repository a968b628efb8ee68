/** What the policy room takes and gives. See `index.ts` for the functions. */

/**
 * `identity`: stored and named; `session`: sent by a caller, narrows only; `bucket`: has principals; `trust`: says who
 * may take a role.
 */
export type PolicyKind = 'identity' | 'session' | 'bucket' | 'trust'

/** A policy under the name by which people know it. A broken one denies everything in its layer. */
export type NamedPolicy = Readonly<{ name: string; policy: Policy | BrokenPolicy }>
export type BrokenPolicy = Readonly<{ kind: 'broken'; problem: string }>

/** A parsed, validated, compiled and frozen document. Only `parsePolicy` makes one. */
export interface Policy {
  readonly kind: PolicyKind
  /** Normalised compact JSON of the document: parses to an equal policy; its byte length is what limits count. */
  readonly text: string
  /** For `lint`: allowed, yet probably not what was meant. */
  readonly warnings: readonly string[]
  /** True when a condition or variable reads `s3:ExistingObjectTag/*`: only then are tags fetched. */
  readonly readsObjectTags: boolean
}

/** Who asks, as far as bucket policies and the order of evaluation care (iam-policy.md sections 7 and 8). */
export type PolicyPrincipal =
  | Readonly<{ kind: 'anonymous' }>
  | Readonly<{ kind: 'root'; account: string }>
  /** A session of root: everything, unless session policies narrow it; bucket policies bind it. */
  | Readonly<{ kind: 'root-session'; account: string }>
  | Readonly<{ kind: 'user'; account: string; arn: string }>
  /** `userArn`: the user whose keys made the session; a bucket policy that names the user binds it as well. */
  | Readonly<{ kind: 'session'; account: string; arn: string; roleArn?: string; userArn?: string }>

/** One thing that the request needs. Copying an object needs two of them. */
export type Access = Readonly<{
  /** As AWS spells it: `s3:GetObject`. */
  action: string
  /** `arn:aws:s3:::bucket/key` with the decoded key, or `*` for calls on the account. */
  resource: string
  s3?: S3Facts
  iam?: IamFacts
  /** The policy of this access's bucket, if it has one. */
  bucketPolicy?: NamedPolicy
}>

/**
 * The facts that conditions and variables may read, one typed record per namespace. Only code that knows a fact
 * fills it in: no request header or query parameter reaches a namespace by its name (iam-policy.md section 5).
 * Member names are the condition keys' own spelling; comparison ignores case, except after the `/` of tag keys.
 */
export type Facts = Readonly<{
  aws: AwsFacts
  /** `aws:PrincipalTag/K` */
  principalTags?: ReadonlyMap<string, string>
  /** `aws:RequestTag/K`; `aws:TagKeys` follows from it. */
  requestTags?: ReadonlyMap<string, string>
  sts?: Readonly<{
    RoleSessionName?: string
    SourceIdentity?: string
    DurationSeconds?: number
    ExternalId?: string
    TransitiveTagKeys?: readonly string[]
  }>
  /** `jwt:*`: claims of a verified token, by claim name. */
  jwt?: ReadonlyMap<string, string | readonly string[]>
  ldap?: Readonly<{ user?: string; username?: string; groups?: readonly string[] }>
  /** `cert:*`: of a verified client certificate. */
  cert?: CertificateFacts
  /** `<provider>:<claim>` and `<issuer without https://>:<claim>`. */
  federated?: FederatedFacts
}>

export type CertificateFacts = Readonly<{
  cn?: string
  issuer_cn?: string
  serial?: string
  organization?: readonly string[]
  organizational_unit?: readonly string[]
  san_dns?: readonly string[]
  san_uri?: readonly string[]
}>

/** What a provider vouches for. `claims` as they stood in the token: texts, numbers, truths, lists, objects. */
export type FederatedFacts = Readonly<{
  /** Its name in the configuration; of one made through the IAM API, its URL without the scheme. */
  provider: string
  /** `iss` of the token. Absent where the provider is no issuer of tokens. */
  issuer?: string
  claims: ReadonlyMap<string, unknown>
}>

/** What a call of the administration is about, beside its resource (AWS service authorization reference, IAM). */
export type IamFacts = Readonly<{
  /** `iam:PolicyARN`: the policy to attach or to detach. */
  PolicyARN?: string
  /** `iam:PermissionsBoundary`: of the user or role, be it that the call sets it or that it is there. */
  PermissionsBoundary?: string
  /** `aws:RequestTag/K`; `aws:TagKeys` follows from it. */
  requestTags?: ReadonlyMap<string, string>
  /** `aws:TagKeys` where the call names keys alone. */
  tagKeys?: readonly string[]
  /** `aws:ResourceTag/K`, `iam:ResourceTag/K`: of what the call is about. */
  resourceTags?: ReadonlyMap<string, string>
}>

export type AwsFacts = Readonly<{
  CurrentTime: Date // `aws:EpochTime` follows from it
  SourceIp?: string
  SecureTransport?: boolean
  UserAgent?: string
  Referer?: string
  username?: string
  userid?: string
  principaltype?: 'Account' | 'User' | 'AssumedRole' | 'FederatedUser' | 'Anonymous'
  PrincipalArn?: string
  PrincipalAccount?: string
  groups?: readonly string[]
  TokenIssueTime?: Date
  FederatedProvider?: string
  RequestedRegion?: string
}>

/** `s3:*` facts of one access. */
export type S3Facts = Readonly<{
  authType?: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST'
  signatureversion?: 'AWS4-HMAC-SHA256'
  /** Milliseconds; presigned requests only. */
  signatureAge?: number
  prefix?: string
  delimiter?: string
  'max-keys'?: number
  versionid?: string
  LocationConstraint?: string
  ResourceAccount?: string
  TlsVersion?: number
  ObjectCreationOperation?: boolean
  /** Tags of the stored object: `s3:ExistingObjectTag/K`. Absent: not fetched or no object. */
  existingObjectTags?: ReadonlyMap<string, string>
  /** Tags that the request sets: `s3:RequestObjectTag/K`, `s3:RequestObjectTagKeys`. */
  requestObjectTags?: ReadonlyMap<string, string>
  /** What the request asks for: `s3:object-lock-mode`, `-retain-until-date`, `-remaining-retention-days`, `-legal-hold`. */
  objectLock?: Readonly<{
    mode?: 'GOVERNANCE' | 'COMPLIANCE'
    retainUntil?: Date
    legalHold?: 'ON' | 'OFF'
  }>
  /**
   * Exactly the request headers that are condition keys, by lower-case name without `s3:`: `x-amz-acl`,
   * `x-amz-content-sha256`, `x-amz-storage-class`, `if-none-match`, … Other names in it are never read.
   */
  headers?: ReadonlyMap<string, string>
}>

/**
 * Everything that one judgement needs. Layers (iam-policy.md section 9): documents within a layer unite, layers
 * intersect, an explicit deny anywhere wins.
 */
export type Question = Readonly<{
  principal: PolicyPrincipal
  /** All of them must be allowed. Empty means no. */
  accesses: readonly Access[]
  facts: Facts
  /** The bound policies: one layer. */
  identity: readonly NamedPolicy[]
  /** Session policies, boundaries, tenant ceilings: each layer must allow. */
  ceilings: readonly Ceiling[]
  /**
   * `minio`: four action names stand in for their neighbours as they did there (iam-policy.md section 2), and an object ARN
   * covers bucket actions. For installations whose policies were written for MinIO; absent: the rules of AWS.
   */
  compat?: 'minio'
}>

/** Who wants to take a role: the owner of a key or a session, or somebody whom a provider vouches for. */
export type TrustCaller =
  | Readonly<{ kind: 'key'; principal: Exclude<PolicyPrincipal, { kind: 'anonymous' }> }>
  | Readonly<{
      kind: 'federated'
      /** Its name in the configuration, or the ARN of one that was made through the IAM API. */
      provider: string
      issuer?: string
      /** The provider was made through the IAM API: only its ARN lets its people in, never its issuer. */
      registered?: true
    }>

/** "May this caller take this role, in this way?" */
export type TrustQuestion = Readonly<{
  caller: TrustCaller
  /** ARN of the role: the resource that the caller's own policies name. */
  role: string
  /** Of kind `trust`. */
  trustPolicy: NamedPolicy
  /** `sts:AssumeRole…`, and `sts:TagSession`, `sts:SetSourceIdentity` where they are needed. All must be allowed. */
  actions: readonly string[]
  facts: Facts
  /** The policies of a key's owner or a session. A provider's people have none yet. */
  identity: readonly NamedPolicy[]
  ceilings: readonly Ceiling[]
}>

export type Ceiling = Readonly<{ name: string; policies: readonly NamedPolicy[] }>

/** The judgement with its reasons. `explain` makes it; `isAllowed` gives only the yes or no, and always the same one. */
export type Decision = Readonly<{ allowed: boolean; accesses: readonly AccessDecision[] }>
export type AccessDecision = Readonly<{
  action: string
  resource: string
  outcome: 'allow' | 'explicit-deny' | 'implicit-deny'
  /** One sentence for people: `no statement of "readonly" allows s3:PutObject on arn:aws:s3:::b/k`. */
  reason: string
  layers: readonly LayerVerdict[]
}>
export type LayerVerdict = Readonly<{
  layer: 'root' | 'trust' | 'identity' | 'bucket' | 'ceiling'
  name: string
  verdict: 'allow' | 'deny' | 'no-match'
  policies: readonly Readonly<{
    policy: string
    verdict: 'allow' | 'deny' | 'no-match'
    /** The statements that decided, by index in the document. */
    statements: readonly Readonly<{ index: number; sid?: string; effect: 'Allow' | 'Deny' }>[]
    /** Why a broken or missing policy could not speak. */
    problem?: string
  }>[]
}>

export type PolicyErrorCode = 'malformed_policy' | 'policy_too_large'
