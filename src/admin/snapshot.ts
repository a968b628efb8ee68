import { cannedPolicies, parsePolicy, PolicyError } from '../policy/index.ts'
import type { BrokenPolicy, NamedPolicy, Policy } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import type { Change, Entry } from '../state.ts'
import { read, splitKey } from './documents.ts'
import type { AccessKeyDocument, PolicyDocument, UserDocument } from './documents.ts'
import type { AccessKey, Directory, StoredPolicy, User } from './types.ts'

export type Overlay = Readonly<{
  policies: readonly StoredPolicy[]
  users: readonly User[]
  accessKeys: readonly AccessKey[]
}>

export type SnapshotOptions = Readonly<{
  overlay: Overlay
  openSecret(accessKeyId: string, sealed: string): string
  /** A stored document that cannot be used; the rest still counts, and the entity itself counts as absent. */
  onBroken(key: string, error: unknown): void
}>

/** The directory in memory: what the configuration file declares, over what the store holds, over the canned policies. */
export class Snapshot implements Directory {
  readonly #options: SnapshotOptions
  readonly #policies = new Map<string, StoredPolicy>()
  readonly #users = new Map<string, User>()
  readonly #accessKeys = new Map<string, AccessKey>()
  readonly #bound = new Map<string, readonly NamedPolicy[]>()

  constructor(options: SnapshotOptions) {
    this.#options = options
    this.reset([])
  }

  reset(entries: readonly Entry[]): void {
    for (const map of [this.#policies, this.#users, this.#accessKeys, this.#bound]) map.clear()
    for (const [name, policy] of cannedPolicies) this.#policies.set(name, canned(name, policy))
    for (const entry of entries) this.#put(entry)
    const { policies, users, accessKeys } = this.#options.overlay
    for (const policy of policies) this.#policies.set(policy.name, policy)
    for (const user of users) this.#users.set(user.name, user)
    for (const key of accessKeys) this.#accessKeys.set(key.accessKeyId, key)
  }

  apply(change: Change): void {
    this.#bound.clear()
    if (change.kind === 'put') return this.#put(change.entry)
    const [kind, name] = splitKey(change.key)
    if (this.#fromFile(kind, name)) return
    if (kind === 'user') this.#users.delete(name)
    if (kind === 'accesskey') this.#accessKeys.delete(name)
    if (kind === 'policy') {
      const built = cannedPolicies.get(name)
      if (built) this.#policies.set(name, canned(name, built))
      else this.#policies.delete(name)
    }
  }

  findPolicy(name: string): StoredPolicy | undefined {
    return this.#policies.get(name)
  }

  findUser(name: string): User | undefined {
    return this.#users.get(name)
  }

  findAccessKey(accessKeyId: string): AccessKey | undefined {
    const key = this.#accessKeys.get(accessKeyId)
    return key && this.#isOwned(key) ? key : undefined
  }

  policiesOf(name: string): readonly NamedPolicy[] | undefined {
    const user = this.#users.get(name)
    if (user?.status !== 'enabled') return undefined
    const known = this.#bound.get(name)
    if (known) return known
    const bound = user.policies.map((policy) => this.#policies.get(policy) ?? missing(policy))
    this.#bound.set(name, bound)
    return bound
  }

  listPolicies(): readonly StoredPolicy[] {
    return sorted(this.#policies)
  }

  listUsers(): readonly User[] {
    return sorted(this.#users)
  }

  listAccessKeys(user?: string): readonly AccessKey[] {
    return sorted(this.#accessKeys).filter(
      (key) => this.#isOwned(key) && (user === undefined || key.user === user),
    )
  }

  /** A user that the file declares has the keys of the file only, not those of a stored user of the same name. */
  #isOwned(key: AccessKey): boolean {
    return key.managedBy === this.#users.get(key.user)?.managedBy
  }

  #put(entry: Entry): void {
    const [kind, name] = splitKey(entry.key)
    if (this.#fromFile(kind, name)) return
    try {
      if (kind === 'policy')
        this.#policies.set(name, storedPolicy(name, read('policy', entry.value)))
      if (kind === 'user') this.#users.set(name, asUser(name, read('user', entry.value)))
      if (kind === 'accesskey')
        this.#accessKeys.set(name, this.#storedKey(name, read('accesskey', entry.value)))
    } catch (error) {
      this.#options.onBroken(entry.key, error)
      // A policy must not fall back to a canned one of the same name, nor an entity to what it was before.
      if (kind === 'policy') this.#policies.set(name, unreadable(name))
      if (kind === 'user') this.#users.delete(name)
      if (kind === 'accesskey') this.#accessKeys.delete(name)
    }
  }

  #fromFile(kind: string, name: string): boolean {
    const found =
      kind === 'policy'
        ? this.#policies.get(name)
        : kind === 'user'
          ? this.#users.get(name)
          : this.#accessKeys.get(name)
    return found?.managedBy === 'file'
  }

  #storedKey(accessKeyId: string, document: AccessKeyDocument): AccessKey {
    return {
      accessKeyId,
      secretAccessKey: new Secret(this.#options.openSecret(accessKeyId, document.secret)),
      user: document.user,
      status: document.status,
      createdAt: new Date(document.createdAt),
      managedBy: 'api',
    }
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
}

function canned(name: string, policy: Policy): StoredPolicy {
  return { name, policy, createdAt: new Date(0), updatedAt: new Date(0), managedBy: 'built-in' }
}

function missing(name: string): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `there is no policy named "${name}"` } }
}

function unreadable(name: string): StoredPolicy {
  const policy: BrokenPolicy = { kind: 'broken', problem: 'the stored document cannot be read' }
  return { name, policy, createdAt: new Date(0), updatedAt: new Date(0), managedBy: 'api' }
}

function storedPolicy(name: string, document: PolicyDocument): StoredPolicy {
  return {
    name,
    policy: parseStored(document.text),
    createdAt: new Date(document.createdAt),
    updatedAt: new Date(document.updatedAt),
    managedBy: 'api',
  }
}

/** A stored document that no longer parses denies everything in its layer; it is never treated as absent. */
function parseStored(text: string): Policy | BrokenPolicy {
  try {
    return parsePolicy(text, 'identity')
  } catch (error) {
    if (error instanceof PolicyError) return { kind: 'broken', problem: error.message }
    throw error
  }
}

/** The user that a stored document stands for. */
export function asUser(name: string, document: UserDocument): User {
  return {
    name,
    status: document.status,
    policies: document.policies,
    createdAt: new Date(document.createdAt),
    managedBy: 'api',
  }
}
