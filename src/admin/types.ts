import type { BrokenPolicy, NamedPolicy, Policy } from '../policy/index.ts'
import type { Secret } from '../secret.ts'

/** `file`: declared in the configuration, read-only at run time; `api`: kept in the store; `built-in`: canned policies. */
export type ManagedBy = 'file' | 'api' | 'built-in'

export type Tags = ReadonlyMap<string, string>

export type User = Readonly<{
  name: string
  /** `AIDA` and 16 characters: another one when a user is made again under the same name. */
  id: string
  status: 'enabled' | 'disabled'
  /** Names of the attached policies. */
  policies: readonly string[]
  /** Named `user NAME: POLICY`. */
  inlinePolicies: readonly NamedPolicy[]
  /** Name of the policy beyond which it may do nothing. */
  permissionsBoundary?: string
  tags: Tags
  createdAt: Date
  managedBy: ManagedBy
}>

export type Group = Readonly<{
  name: string
  /** `AGPA` and 16 characters. */
  id: string
  policies: readonly string[]
  /** Named `group NAME: POLICY`. */
  inlinePolicies: readonly NamedPolicy[]
  /** Names of users, in order. */
  members: readonly string[]
  createdAt: Date
  managedBy: ManagedBy
}>

export type RoleArn = `arn:aws:iam::000000000000:role/${string}`

export type Role = Readonly<{
  name: string
  arn: RoleArn
  /** `AROA` and 16 characters, random: a role made again under its name has another one, so old sessions stay dead. */
  id: string
  path: '/'
  description?: string
  /** A broken one trusts nobody. */
  trustPolicy: Policy | BrokenPolicy
  policies: readonly string[]
  /** Named `role NAME: POLICY`. */
  inlinePolicies: readonly NamedPolicy[]
  /** 3600 to 43200. */
  maxSessionSeconds: number
  permissionsBoundary?: string
  tags: Tags
  createdAt: Date
  managedBy: ManagedBy
}>

export type AccessKey = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  /** Name of the user that owns it. */
  user: string
  status: 'Active' | 'Inactive'
  /** For people. */
  name?: string
  description?: string
  /** From this instant on it is no key any more. */
  expiresAt?: Date
  /** Narrows what the user may do, for this key alone: a layer of its own. Absent: all that the user may. */
  policy?: Policy | BrokenPolicy
  createdAt: Date
  managedBy: ManagedBy
}>

/** Each absent member has the value of a key that is just made: active, without end, as wide as its user. */
export type NewAccessKey = Readonly<{
  /** Made here, unless an administrator brings both: id 3 to 128 of `[A-Za-z0-9_.@+-]`, secret 8 to 128 characters. */
  accessKeyId?: string
  secretAccessKey?: Secret
  status?: AccessKey['status']
  name?: string
  description?: string
  expiresAt?: Date
  /** Text of a session policy. */
  policy?: string
}>

/** A whole key of another server. */
export type BroughtAccessKey = NewAccessKey &
  Readonly<{ accessKeyId: string; secretAccessKey: Secret }>

/** In what a stored key is not the one that was brought. */
export type AccessKeyDifference =
  | 'user'
  | 'secret'
  | 'status'
  | 'name'
  | 'description'
  | 'expiry'
  | 'policy'

export type PolicyVersion = Readonly<{
  /** `v1`, `v2`, …: never given twice in the life of a policy. */
  id: string
  /** The document, normalised. */
  text: string
  createdAt: Date
}>

/** `policy` is the default version, the one that acts. */
export type StoredPolicy = NamedPolicy &
  Readonly<{
    createdAt: Date
    updatedAt: Date
    managedBy: ManagedBy
    /** `ANPA` and 16 characters. */
    id: string
    description?: string
    tags: Tags
    defaultVersion: string
    /** Oldest first; one for policies of the file and built-in ones. */
    versions: readonly PolicyVersion[]
  }>

/** An OpenID Connect provider as the IAM API keeps it. */
export type RegisteredProvider = Readonly<{
  arn: `arn:aws:iam::000000000000:oidc-provider/${string}`
  /** `https://…`, the issuer. */
  url: string
  /** Accepted audiences. Empty: none. */
  clientIds: readonly string[]
  /** Kept for the clients that send them; TLS is judged by its certificate authorities. */
  thumbprints: readonly string[]
  tags: Tags
  createdAt: Date
  managedBy: ManagedBy
}>

/**
 * Who may have policies. `ldap-*` names are normalised DNs, and two directories may have one in common. `directory` left
 * out: the only one, or the one that names like this are taken for (`AdministrationOptions.ldapHome`).
 */
export type LdapSubject = Readonly<{
  kind: 'ldap-user' | 'ldap-group'
  name: string
  directory?: string
}>
export type PolicyHolder = Readonly<{ kind: 'user' | 'group' | 'role'; name: string }>

/** One policy on one holder. `boundary`: it limits the holder and grants nothing. */
export type Attachment = Readonly<{
  policy: string
  subject: PolicyHolder | LdapSubject
  as: 'policy' | 'boundary'
}>

/** What other rooms read: synchronous, from the snapshot that the store's watch keeps fresh. */
export interface Directory {
  findPolicy(name: string): StoredPolicy | undefined
  findUser(name: string): User | undefined
  findGroup(name: string): Group | undefined
  findRole(nameOrArn: string): Role | undefined
  findAccessKey(accessKeyId: string): AccessKey | undefined
  /** By ARN. */
  findProvider(arn: string): RegisteredProvider | undefined
  /**
   * The policies that bind the user now, as one layer: attached, inline, and those of its groups. A name without a
   * policy is there as a broken one. `undefined`: unknown or disabled.
   */
  policiesOf(user: string): readonly NamedPolicy[] | undefined
  /** A ceiling of its own; `undefined`: there is none. */
  boundaryOf(user: string): NamedPolicy | undefined
  /** Attached and inline. `undefined`: there is no such role. */
  policiesOfRole(nameOrArn: string): readonly NamedPolicy[] | undefined
  /** What a group gives its members. `undefined`: there is no such group. */
  policiesOfGroup(name: string): readonly NamedPolicy[] | undefined
  boundaryOfRole(nameOrArn: string): NamedPolicy | undefined
  /** Names, in order. */
  groupsOf(user: string): readonly string[]
  /** Empty: none. */
  policiesAttachedTo(subject: LdapSubject): readonly NamedPolicy[]
  /** All of them, or those of one policy. */
  listAttachments(policy?: string): readonly Attachment[]
  listPolicies(): readonly StoredPolicy[]
  listUsers(): readonly User[]
  listGroups(): readonly Group[]
  listRoles(): readonly Role[]
  listAccessKeys(user?: string): readonly AccessKey[]
  listProviders(): readonly RegisteredProvider[]
}

export type NewUser = Readonly<{ permissionsBoundary?: string; tags?: Tags }>

export type NewPolicy = Readonly<{ description?: string; tags?: Tags }>

export type NewProvider = Readonly<{
  url: string
  clientIds: readonly string[]
  thumbprints: readonly string[]
  tags?: Tags
}>

export type NewRole = Readonly<{
  name: string
  /** Text of the trust policy. */
  trustPolicy: string
  description?: string
  maxSessionSeconds?: number
  permissionsBoundary?: string
  tags?: Tags
}>

/** `bare`: refused while anything hangs on it, as AWS does. `cascade`: everything that hangs on it goes with it. */
export type Deletion = 'bare' | 'cascade'

/** What carries tags. Providers go by ARN. */
export type Tagged = Readonly<{ kind: 'user' | 'role' | 'policy' | 'provider'; name: string }>

/** The one administration model. Every change is validated, committed durably and visible to this process on return. */
export interface Administration extends Directory {
  createUser(name: string, more?: NewUser): Promise<User>
  /** A revocation rule ends its sessions. Cascades unless told otherwise. */
  deleteUser(name: string, how?: Deletion): Promise<void>
  /** A revocation rule ends the sessions of one that is disabled. */
  setUserStatus(name: string, status: User['status']): Promise<void>
  attachUserPolicy(name: string, policy: string): Promise<void>
  detachUserPolicy(name: string, policy: string): Promise<void>

  createGroup(name: string): Promise<Group>
  /** Refused while it has members or policies, unless told to cascade. */
  deleteGroup(name: string, how?: Deletion): Promise<void>
  addUserToGroup(group: string, user: string): Promise<void>
  removeUserFromGroup(group: string, user: string): Promise<void>

  createRole(role: NewRole): Promise<Role>
  /** Refused while it has policies, unless told to cascade. A revocation rule ends its sessions. */
  deleteRole(name: string, how?: Deletion): Promise<void>
  updateTrustPolicy(role: string, text: string): Promise<void>
  /** `''` takes the description away. */
  updateRole(
    role: string,
    change: Readonly<{ description?: string; maxSessionSeconds?: number }>,
  ): Promise<void>

  attachPolicy(holder: PolicyHolder, policy: string): Promise<void>
  detachPolicy(holder: PolicyHolder, policy: string): Promise<void>
  /** Makes or replaces. */
  putInlinePolicy(holder: PolicyHolder, name: string, text: string): Promise<void>
  deleteInlinePolicy(holder: PolicyHolder, name: string): Promise<void>
  /** `undefined` takes it away. */
  setBoundary(
    holder: Readonly<{ kind: 'user' | 'role'; name: string }>,
    policy: string | undefined,
  ): Promise<void>
  attachPrincipalPolicy(subject: LdapSubject, policy: string): Promise<void>
  detachPrincipalPolicy(subject: LdapSubject, policy: string): Promise<void>

  /** Adds and replaces. */
  tag(what: Tagged, tags: Tags): Promise<void>
  /** Keys that are not there are no error. */
  untag(what: Tagged, keys: readonly string[]): Promise<void>

  /** At most ten a user, or a thousand when they are brought along. */
  createAccessKey(user: string, wish?: NewAccessKey): Promise<AccessKey>
  /**
   * In what the key of this id differs from the one that is brought, which is checked as if it were to be made. Empty:
   * in nothing. `undefined`: there is no key of this id.
   */
  compareAccessKey(
    user: string,
    brought: BroughtAccessKey,
  ): readonly AccessKeyDifference[] | undefined
  /** Puts the key that is brought in the place of the user's own key of this id, whole, in one step. */
  replaceAccessKey(user: string, brought: BroughtAccessKey): Promise<AccessKey>
  deleteAccessKey(accessKeyId: string): Promise<void>
  setAccessKeyStatus(accessKeyId: string, status: AccessKey['status']): Promise<void>

  createPolicy(name: string, text: string, more?: NewPolicy): Promise<StoredPolicy>
  /** A new default version that drops the oldest when there are five; acts at once in every live session that names it. */
  updatePolicy(name: string, text: string): Promise<StoredPolicy>
  /** At most five; a default one acts at once. */
  createPolicyVersion(name: string, text: string, asDefault: boolean): Promise<PolicyVersion>
  setDefaultPolicyVersion(name: string, version: string): Promise<void>
  /** Never the default one. */
  deletePolicyVersion(name: string, version: string): Promise<void>
  /** Refused while attached or a boundary; `bare` also while it has further versions. Cascades over those by default. */
  deletePolicy(name: string, how?: Deletion): Promise<void>

  createProvider(provider: NewProvider): Promise<RegisteredProvider>
  deleteProvider(arn: string): Promise<void>
  addClientId(arn: string, clientId: string): Promise<void>
  removeClientId(arn: string, clientId: string): Promise<void>
  updateThumbprints(arn: string, thumbprints: readonly string[]): Promise<void>
  close(): Promise<void>
}

export type AdminErrorCode =
  | 'no_such_entity'
  | 'already_exists'
  | 'delete_conflict' // still attached or in use
  | 'invalid_name'
  | 'invalid_key' // a given access key id or secret that breaks the rules
  | 'invalid_value' // a tag, a description, a duration, a URL that breaks the rules
  | 'unmodifiable' // declared in the file or built in
  | 'malformed_policy'
  | 'limit_exceeded'
  | 'conflict' // lost a race twice: try again
