import { cannedPolicies } from '../policy/index.ts'
import type { NamedPolicy, Policy } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import type { Change, Entry } from '../state.ts'
import { providerNameOf, roleName } from './arn.ts'
import { Derived } from './derived.ts'
import { ldapSubject, read, splitKey } from './documents.ts'
import type { AccessKeyDocument } from './documents.ts'
import {
  declaredGroup,
  declaredPolicy,
  declaredRole,
  declaredUser,
  storedAccessKey,
  storedGroup,
  storedPolicy,
  storedProvider,
  storedRole,
  storedUser,
} from './entities.ts'
import type { AdministrationOptions } from './options.ts'
import type { DeclaredGroup, Overlay } from './overlay.ts'
import { emptyTables, ldapTag } from './tables.ts'
import type { Tables } from './tables.ts'
import type {
  AccessKey,
  Attachment,
  Directory,
  Group,
  LdapSubject,
  RegisteredProvider,
  Role,
  StoredPolicy,
  User,
} from './types.ts'

export type SnapshotOptions = Readonly<{
  overlay: Overlay
  openSecret(accessKeyId: string, sealed: string): string
  /** A stored document that cannot be used; the rest still counts. */
  onBroken(key: string, error: unknown): void
  ldapHome?: AdministrationOptions['ldapHome']
}>

/** The directory in memory: what the configuration file declares, over what the store holds, over the canned policies. */
export class Snapshot implements Directory {
  readonly #options: SnapshotOptions
  readonly #tables: Tables
  /** User -> groups of the file. */
  readonly #declaredGroups: ReadonlyMap<string, readonly string[]>
  /** Everything that follows from the tables; forgotten at each change. */
  #derived: Derived

  constructor(options: SnapshotOptions) {
    this.#options = options
    this.#tables = emptyTables()
    this.#declaredGroups = groupsByMember(options.overlay.groups ?? [])
    this.#derived = new Derived(this.#tables, this.#declaredGroups, this.#options.ldapHome)
    this.reset([])
  }

  reset(entries: readonly Entry[]): void {
    for (const table of Object.values(this.#tables)) table.clear()
    const { policies, users, accessKeys, groups, roles, providers } = this.#options.overlay
    for (const [name, policy] of cannedPolicies)
      this.#tables.policies.set(name, canned(name, policy))
    for (const entry of entries) this.#put(entry)
    for (const policy of policies) this.#tables.policies.set(policy.name, declaredPolicy(policy))
    for (const user of users) {
      this.#tables.users.set(user.name, declaredUser(user))
      // The groups of a stored user that the file shadows are nobody's.
      this.#tables.memberships.delete(user.name)
    }
    for (const key of accessKeys) this.#tables.accessKeys.set(key.accessKeyId, key)
    for (const group of groups ?? []) this.#tables.groups.set(group.name, declaredGroup(group))
    for (const role of roles ?? []) this.#tables.roles.set(role.name, declaredRole(role))
    for (const provider of providers ?? [])
      this.#tables.providers.set(providerNameOf(provider.arn) ?? '', provider)
    this.#forget()
  }

  apply(change: Change): void {
    this.#forget()
    if (change.kind === 'put') return this.#put(change.entry)
    const [kind, name] = splitKey(change.key)
    if (this.#fromFile(kind, name)) return
    this.#drop(kind, name)
  }

  findPolicy(name: string): StoredPolicy | undefined {
    return this.#tables.policies.get(name)
  }

  findUser(name: string): User | undefined {
    return this.#tables.users.get(name)
  }

  findGroup(name: string): Group | undefined {
    const group = this.#tables.groups.get(name)
    return group && { ...group, members: this.#derived.membersOf(name) }
  }

  findRole(nameOrArn: string): Role | undefined {
    return this.#tables.roles.get(roleName(nameOrArn))
  }

  findAccessKey(accessKeyId: string): AccessKey | undefined {
    const key = this.#tables.accessKeys.get(accessKeyId)
    return key && this.#isOwned(key) ? key : undefined
  }

  findProvider(arn: string): RegisteredProvider | undefined {
    const name = providerNameOf(arn)
    return name === undefined ? undefined : this.#tables.providers.get(name)
  }

  policiesOf(name: string): readonly NamedPolicy[] | undefined {
    return this.#derived.policiesOf(name)
  }

  boundaryOf(user: string): NamedPolicy | undefined {
    return this.#derived.boundary(this.#tables.users.get(user))
  }

  policiesOfRole(nameOrArn: string): readonly NamedPolicy[] | undefined {
    return this.#derived.policiesOfRole(roleName(nameOrArn))
  }

  policiesOfGroup(name: string): readonly NamedPolicy[] | undefined {
    return this.#tables.groups.has(name) ? this.#derived.policiesOfGroup(name) : undefined
  }

  boundaryOfRole(nameOrArn: string): NamedPolicy | undefined {
    return this.#derived.boundary(this.findRole(nameOrArn))
  }

  groupsOf(user: string): readonly string[] {
    return this.#derived.groupsOf(user)
  }

  policiesAttachedTo(subject: LdapSubject): readonly NamedPolicy[] {
    return this.#derived.policiesAttachedTo(subject)
  }

  listAttachments(policy?: string): readonly Attachment[] {
    return this.#derived.attachments(policy)
  }

  listPolicies(): readonly StoredPolicy[] {
    return sorted(this.#tables.policies)
  }

  listUsers(): readonly User[] {
    return sorted(this.#tables.users)
  }

  listGroups(): readonly Group[] {
    return sorted(this.#tables.groups).map((group) => ({
      ...group,
      members: this.#derived.membersOf(group.name),
    }))
  }

  listRoles(): readonly Role[] {
    return sorted(this.#tables.roles)
  }

  listAccessKeys(user?: string): readonly AccessKey[] {
    const keys =
      user === undefined ? sorted(this.#tables.accessKeys) : this.#derived.accessKeysOf(user)
    return keys.filter((key) => this.#isOwned(key))
  }

  listProviders(): readonly RegisteredProvider[] {
    return sorted(this.#tables.providers)
  }

  /** A user that the file declares has the keys of the file only, not those of a stored user of the same name. */
  #isOwned(key: AccessKey): boolean {
    return key.managedBy === this.#tables.users.get(key.user)?.managedBy
  }

  #forget(): void {
    this.#derived = new Derived(this.#tables, this.#declaredGroups, this.#options.ldapHome)
  }

  #put(entry: Entry): void {
    const [kind, name] = splitKey(entry.key)
    try {
      if (!this.#fromFile(kind, name)) this.#store(kind, name, entry.value)
    } catch (error) {
      this.#options.onBroken(entry.key, error)
      this.#drop(kind, name)
      this.#markBroken(kind, name)
    }
  }

  #store(kind: string, name: string, value: string): void {
    const tables = this.#tables
    switch (kind) {
      case 'policy':
        tables.policies.set(name, storedPolicy(name, read(kind, value)))
        break
      case 'user': {
        const document = read(kind, value)
        tables.users.set(name, storedUser(name, document))
        tables.memberships.set(name, document.groups)
        break
      }
      case 'group':
        tables.groups.set(name, storedGroup(name, read(kind, value)))
        break
      case 'role':
        tables.roles.set(name, storedRole(name, read(kind, value)))
        break
      case 'accesskey':
        tables.accessKeys.set(name, this.#storedKey(name, read(kind, value)))
        break
      case 'provider':
        tables.providers.set(name, storedProvider(name, read(kind, value)))
        break
      case 'ldap-user':
      case 'ldap-group': {
        const subject = ldapSubject(kind, name)
        tables.ldap.set(ldapTag(subject), { subject, policies: read(kind, value).policies })
        break
      }
    }
  }

  #drop(kind: string, name: string): void {
    const tables = this.#tables
    switch (kind) {
      case 'policy': {
        const builtIn = cannedPolicies.get(name)
        if (builtIn) tables.policies.set(name, canned(name, builtIn))
        else tables.policies.delete(name)
        break
      }
      case 'user':
        tables.users.delete(name)
        tables.memberships.delete(name)
        break
      case 'group':
        tables.groups.delete(name)
        break
      case 'role':
        tables.roles.delete(name)
        break
      case 'accesskey':
        tables.accessKeys.delete(name)
        break
      case 'provider':
        tables.providers.delete(name)
        break
      case 'ldap-user':
      case 'ldap-group':
        tables.ldap.delete(ldapTag(ldapSubject(kind, name)))
        break
    }
  }

  /**
   * An unreadable user, role or key counts as absent, which is no. But a policy must not fall back to a canned one of its
   * name, and the Deny of a group must not be lost: what cannot be read there denies everything.
   */
  #markBroken(kind: string, name: string): void {
    const problem = 'the stored document cannot be read'
    const policy = { kind: 'broken', problem } as const
    const never = new Date(0)
    if (kind === 'policy') {
      const broken = { name, policy, createdAt: never, updatedAt: never, managedBy: 'api' } as const
      this.#tables.policies.set(name, declaredPolicy(broken))
    }
    if (kind === 'group') {
      const group = declaredGroup({
        name,
        policies: [],
        inlinePolicies: [{ name: 'unreadable', policy }],
        members: [],
      })
      this.#tables.groups.set(name, { ...group, managedBy: 'api' })
    }
    if (kind === 'ldap-user' || kind === 'ldap-group') {
      const subject = ldapSubject(kind, name)
      this.#tables.ldap.set(ldapTag(subject), { subject, policies: [], problem })
    }
  }

  #fromFile(kind: string, name: string): boolean {
    const tables = this.#tables
    switch (kind) {
      case 'policy':
        return tables.policies.get(name)?.managedBy === 'file'
      case 'user':
        return tables.users.get(name)?.managedBy === 'file'
      case 'group':
        return tables.groups.get(name)?.managedBy === 'file'
      case 'role':
        return tables.roles.get(name)?.managedBy === 'file'
      case 'accesskey':
        return tables.accessKeys.get(name)?.managedBy === 'file'
      case 'provider':
        return tables.providers.get(name)?.managedBy === 'file'
    }
    return false
  }

  #storedKey(accessKeyId: string, document: AccessKeyDocument): AccessKey {
    const secret = new Secret(this.#options.openSecret(accessKeyId, document.secret))
    return storedAccessKey(accessKeyId, document, secret)
  }
}

function groupsByMember(groups: readonly DeclaredGroup[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { name, members } of groups) {
    for (const member of members) found.set(member, [...(found.get(member) ?? []), name])
  }
  return found
}

function sorted<T>(table: ReadonlyMap<string, T>): readonly T[] {
  return [...table].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
}

function canned(name: string, policy: Policy): StoredPolicy {
  const never = new Date(0)
  return declaredPolicy({
    name,
    policy,
    createdAt: never,
    updatedAt: never,
    managedBy: 'built-in',
  })
}
