import type { MemberlessGroup } from './entities.ts'
import type {
  AccessKey,
  LdapSubject,
  RegisteredProvider,
  Role,
  StoredPolicy,
  User,
} from './types.ts'

/** The policies of one user or group of a directory service. */
export type LdapAttachments = Readonly<{
  subject: LdapSubject
  policies: readonly string[]
  problem?: string
}>

export type Tables = Readonly<{
  policies: Map<string, StoredPolicy>
  users: Map<string, User>
  /** User -> groups, as its document names them. */
  memberships: Map<string, readonly string[]>
  groups: Map<string, MemberlessGroup>
  roles: Map<string, Role>
  accessKeys: Map<string, AccessKey>
  /** By the name in the ARN. */
  providers: Map<string, RegisteredProvider>
  ldap: Map<string, LdapAttachments>
}>

export function emptyTables(): Tables {
  return {
    policies: new Map(),
    users: new Map(),
    memberships: new Map(),
    groups: new Map(),
    roles: new Map(),
    accessKeys: new Map(),
    providers: new Map(),
    ldap: new Map(),
  }
}

export function ldapTag({ kind, name, directory }: LdapSubject): string {
  return directory === undefined ? `${kind} ${name}` : `${kind} ${name} of ${directory}`
}
