import type { NamedPolicy } from '../policy/index.ts'
import type { AdministrationOptions } from './options.ts'
import { ldapTag } from './tables.ts'
import type { Tables } from './tables.ts'
import type { AccessKey, Attachment, LdapSubject, Role, User } from './types.ts'

/** What follows from the tables, worked out when first asked for. Lives until the tables change. */
export class Derived {
  readonly #tables: Tables
  /** User -> groups of the file. */
  readonly #declaredGroups: ReadonlyMap<string, readonly string[]>
  readonly #ldapHome: AdministrationOptions['ldapHome']
  readonly #ofUser = new Map<string, readonly NamedPolicy[]>()
  readonly #ofRole = new Map<string, readonly NamedPolicy[]>()
  readonly #ofLdap = new Map<string, readonly NamedPolicy[]>()
  #members: ReadonlyMap<string, readonly string[]> | undefined
  #keys: ReadonlyMap<string, readonly AccessKey[]> | undefined
  #attachments: ReadonlyMap<string, readonly Attachment[]> | undefined

  constructor(
    tables: Tables,
    declaredGroups: ReadonlyMap<string, readonly string[]>,
    ldapHome: AdministrationOptions['ldapHome'],
  ) {
    this.#ldapHome = ldapHome
    this.#tables = tables
    this.#declaredGroups = declaredGroups
  }

  policiesOf(name: string): readonly NamedPolicy[] | undefined {
    const user = this.#tables.users.get(name)
    if (user?.status !== 'enabled') return undefined
    return remembered(this.#ofUser, name, () => {
      const groups = this.groupsOf(name).map((group) => this.policiesOfGroup(group))
      return unique([...this.#bound(user), ...groups.flat()])
    })
  }

  policiesOfRole(name: string): readonly NamedPolicy[] | undefined {
    const role = this.#tables.roles.get(name)
    return role && remembered(this.#ofRole, name, () => this.#bound(role))
  }

  policiesAttachedTo(subject: LdapSubject): readonly NamedPolicy[] {
    const { kind, name, directory } = subject
    const home = this.#ldapHome?.(name)
    // What was attached without a word about the directory is the people's of one of them, and of no other one.
    const isHome = home === undefined || directory === undefined || directory === home
    const meant = directory ?? home
    const places: readonly LdapSubject[] = [
      ...(meant === undefined ? [] : [{ kind, name, directory: meant }]),
      ...(isHome ? [{ kind, name }] : []),
    ]
    const found = places.flatMap((place) => this.#attachedAt(ldapTag(place)))
    return found.length > 1 ? unique(found) : found
  }

  #attachedAt(tag: string): readonly NamedPolicy[] {
    const attached = this.#tables.ldap.get(tag)
    if (!attached) return []
    const { policies, problem } = attached
    return remembered(this.#ofLdap, tag, () => [
      ...policies.map((policy) => this.#named(policy)),
      ...(problem === undefined ? [] : [broken(tag, problem)]),
    ])
  }

  /** With the directory that it is taken for, where there are several. */
  #whole(subject: LdapSubject): LdapSubject {
    const directory = subject.directory ?? this.#ldapHome?.(subject.name)
    return { ...subject, ...(directory !== undefined && { directory }) }
  }

  boundary(holder: User | Role | undefined): NamedPolicy | undefined {
    const name = holder?.permissionsBoundary
    return name === undefined ? undefined : this.#named(name)
  }

  groupsOf(user: string): readonly string[] {
    if (!this.#tables.users.has(user)) return []
    const stored = this.#tables.memberships.get(user) ?? []
    const declared = this.#declaredGroups.get(user) ?? []
    return [...new Set([...stored, ...declared])].sort()
  }

  membersOf(group: string): readonly string[] {
    this.#members ??= this.#gatherMembers()
    return this.#members.get(group) ?? []
  }

  accessKeysOf(user: string): readonly AccessKey[] {
    this.#keys ??= this.#gatherKeys()
    return this.#keys.get(user) ?? []
  }

  attachments(policy: string | undefined): readonly Attachment[] {
    this.#attachments ??= this.#gatherAttachments()
    if (policy !== undefined) return this.#attachments.get(policy) ?? []
    return [...this.#attachments.values()].flat()
  }

  #bound(
    holder: Readonly<{ policies: readonly string[]; inlinePolicies: readonly NamedPolicy[] }>,
  ): readonly NamedPolicy[] {
    return [...holder.policies.map((policy) => this.#named(policy)), ...holder.inlinePolicies]
  }

  /** A group that is named but not there may have had a Deny. */
  policiesOfGroup(name: string): readonly NamedPolicy[] {
    const group = this.#tables.groups.get(name)
    return group
      ? this.#bound(group)
      : [broken(`group ${name}`, `there is no group named "${name}"`)]
  }

  #named(policy: string): NamedPolicy {
    const found = this.#tables.policies.get(policy)
    return found ?? broken(policy, `there is no policy named "${policy}"`)
  }

  #gatherMembers(): ReadonlyMap<string, readonly string[]> {
    const members = new Map<string, string[]>()
    for (const user of [...this.#tables.users.keys()].sort()) {
      for (const group of this.groupsOf(user)) push(members, group, user)
    }
    return members
  }

  #gatherKeys(): ReadonlyMap<string, readonly AccessKey[]> {
    const keys = new Map<string, AccessKey[]>()
    for (const id of [...this.#tables.accessKeys.keys()].sort()) {
      const key = this.#tables.accessKeys.get(id)
      if (key) push(keys, key.user, key)
    }
    return keys
  }

  #gatherAttachments(): ReadonlyMap<string, readonly Attachment[]> {
    const found = new Map<string, Attachment[]>()
    const { users, groups, roles, ldap } = this.#tables
    const add = (
      subject: Attachment['subject'],
      policies: readonly string[],
      boundary?: string,
    ): void => {
      for (const policy of policies) push(found, policy, { policy, subject, as: 'policy' })
      if (boundary !== undefined) {
        push(found, boundary, { policy: boundary, subject, as: 'boundary' })
      }
    }
    for (const { name, policies, permissionsBoundary } of users.values())
      add({ kind: 'user', name }, policies, permissionsBoundary)
    for (const { name, policies } of groups.values()) add({ kind: 'group', name }, policies)
    for (const { name, policies, permissionsBoundary } of roles.values())
      add({ kind: 'role', name }, policies, permissionsBoundary)
    for (const { subject, policies } of ldap.values()) add(this.#whole(subject), policies)
    return found
  }
}

function remembered<T>(cache: Map<string, T>, name: string, work: () => T): T {
  const known = cache.get(name)
  if (known !== undefined) return known
  const value = work()
  cache.set(name, value)
  return value
}

function push<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name)
  if (list) list.push(item)
  else lists.set(name, [item])
}

function broken(name: string, problem: string): NamedPolicy {
  return { name, policy: { kind: 'broken', problem } }
}

/** A policy that a user has twice, once through a group, speaks once. Names are unique: inline ones carry their holder's. */
function unique(policies: readonly NamedPolicy[]): readonly NamedPolicy[] {
  return [...new Map(policies.map((policy) => [policy.name, policy])).values()]
}
