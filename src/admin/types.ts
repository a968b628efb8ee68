import type { NamedPolicy } from '../policy/index.ts'
import type { Secret } from '../secret.ts'

/** `file`: declared in the configuration, read-only at run time; `api`: kept in the store; `built-in`: canned policies. */
export type ManagedBy = 'file' | 'api' | 'built-in'

export type User = Readonly<{
  name: string
  status: 'enabled' | 'disabled'
  /** Names of the attached policies. */
  policies: readonly string[]
  createdAt: Date
  managedBy: ManagedBy
}>

export type AccessKey = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  /** Name of the user that owns it. */
  user: string
  status: 'Active' | 'Inactive'
  createdAt: Date
  managedBy: ManagedBy
}>

export type StoredPolicy = NamedPolicy &
  Readonly<{ createdAt: Date; updatedAt: Date; managedBy: ManagedBy }>

/** What other rooms read: synchronous, from the snapshot that the store's watch keeps fresh. */
export interface Directory {
  findPolicy(name: string): StoredPolicy | undefined
  findUser(name: string): User | undefined
  findAccessKey(accessKeyId: string): AccessKey | undefined
  /** The policies that bind the user now; a name without a policy is there as a broken one. `undefined`: unknown or disabled. */
  policiesOf(user: string): readonly NamedPolicy[] | undefined
  listPolicies(): readonly StoredPolicy[]
  listUsers(): readonly User[]
  listAccessKeys(user?: string): readonly AccessKey[]
}

/** The one administration model. Every change is validated, committed durably and visible to this process on return. */
export interface Administration extends Directory {
  createUser(name: string): Promise<User>
  /** Its access keys go with it, and a revocation rule ends its sessions. */
  deleteUser(name: string): Promise<void>
  setUserStatus(name: string, status: User['status']): Promise<void>
  attachUserPolicy(name: string, policy: string): Promise<void>
  detachUserPolicy(name: string, policy: string): Promise<void>
  /** Made here, unless an administrator brings both: id 3 to 128 of `[A-Za-z0-9_.-]`, secret 8 to 128 characters. */
  createAccessKey(
    user: string,
    given?: Readonly<{ accessKeyId: string; secretAccessKey: Secret }>,
  ): Promise<AccessKey>
  deleteAccessKey(accessKeyId: string): Promise<void>
  setAccessKeyStatus(accessKeyId: string, status: AccessKey['status']): Promise<void>
  createPolicy(name: string, text: string): Promise<StoredPolicy>
  /** Replaces the document; acts at once in every live session that names it. */
  updatePolicy(name: string, text: string): Promise<StoredPolicy>
  /** Refused while attached to a user. */
  deletePolicy(name: string): Promise<void>
  close(): Promise<void>
}

export type AdminErrorCode =
  | 'no_such_entity'
  | 'already_exists'
  | 'delete_conflict' // still attached or in use
  | 'invalid_name'
  | 'invalid_key' // a given access key id or secret that breaks the rules
  | 'unmodifiable' // declared in the file or built in
  | 'malformed_policy'
  | 'limit_exceeded'
  | 'conflict' // lost a race twice: try again
