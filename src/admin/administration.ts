import { follow } from '../follow.ts'
import type { Follower } from '../follow.ts'
import { parsePolicy, PolicyError } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import type { Condition, Entry, State, Write } from '../state.ts'
import { AdminError } from './admin-error.ts'
import { accessKeyKey, policyKey, prefix, read, userKey, write } from './documents.ts'
import type { AccessKeyDocument, PolicyDocument, UserDocument } from './documents.ts'
import { checkAccessKey, checkPolicyName, checkUserName } from './names.ts'
import { asUser, Snapshot } from './snapshot.ts'
import type { Overlay } from './snapshot.ts'
import type { AccessKey, Administration, StoredPolicy, User } from './types.ts'

export type { Overlay } from './snapshot.ts'

/** IAM's quotas in spirit: enough for people, a bound for scripts that loop. */
const maxPoliciesPerUser = 20
const maxAccessKeysPerUser = 10
const attempts = 5

export type AdministrationOptions = Readonly<{
  state: State
  /** Seals secrets at rest; `purpose` binds a sealed text to its place. */
  vault: Readonly<{
    seal(purpose: string, plaintext: string): string
    open(purpose: string, sealed: string): string
  }>
  overlay: Overlay
  /** Policies that provider roles name: they cannot be deleted, since a role must not lose a Deny unnoticed. */
  rolePolicies: ReadonlySet<string>
  /** Ends the live sessions of a user that is deleted. */
  revokeUser(name: string): Promise<unknown>
  clock: () => Date
  random: (bytes: number) => Buffer
  onError(what: string, error: unknown): void
}>

export async function openAdministration(options: AdministrationOptions): Promise<Administration> {
  const snapshot = new Snapshot({
    overlay: options.overlay,
    openSecret: (id, sealed) => options.vault.open(accessKeyKey(id), sealed),
    onBroken: (key, error) => options.onError(`the stored entry ${key} cannot be used`, error),
  })
  const follower = await follow({
    state: options.state,
    prefix,
    clock: options.clock,
    reset: (entries) => snapshot.reset(entries),
    apply: (change) => snapshot.apply(change),
    onError: (error) => options.onError('the administration watch broke', error),
  })
  return new StoredAdministration(options, snapshot, follower)
}

type Step<T> = Readonly<{ conditions: readonly Condition[]; writes: readonly Write[]; result: T }>

class StoredAdministration implements Administration {
  readonly #options: AdministrationOptions
  readonly #snapshot: Snapshot
  readonly #follower: Follower

  constructor(options: AdministrationOptions, snapshot: Snapshot, follower: Follower) {
    this.#options = options
    this.#snapshot = snapshot
    this.#follower = follower
  }

  findPolicy = (name: string): StoredPolicy | undefined => this.#snapshot.findPolicy(name)
  findUser = (name: string): User | undefined => this.#snapshot.findUser(name)
  findAccessKey = (id: string): AccessKey | undefined => this.#snapshot.findAccessKey(id)
  policiesOf = (name: string): ReturnType<Snapshot['policiesOf']> => this.#snapshot.policiesOf(name)
  listPolicies = (): readonly StoredPolicy[] => this.#snapshot.listPolicies()
  listUsers = (): readonly User[] => this.#snapshot.listUsers()
  listAccessKeys = (user?: string): readonly AccessKey[] => this.#snapshot.listAccessKeys(user)

  async createUser(name: string): Promise<User> {
    checkUserName(name)
    this.#refuseFileUser(name, 'already_exists')
    return this.#change(async () => {
      const existing = await this.#options.state.get(userKey(name))
      if (existing)
        throw new AdminError('already_exists', `There is a user named "${name}" already`)
      const createdAt = this.#now()
      const document: UserDocument = { status: 'enabled', policies: [], accessKeys: [], createdAt }
      return {
        conditions: [{ key: userKey(name), revision: 0 }],
        writes: [put(userKey(name), document)],
        result: asUser(name, document),
      }
    })
  }

  async deleteUser(name: string): Promise<void> {
    await this.#changeUser(name, (user) => ({
      conditions: [],
      writes: [
        { kind: 'delete', key: userKey(name) },
        ...user.accessKeys.map((id): Write => ({ kind: 'delete', key: accessKeyKey(id) })),
      ],
    }))
    // After the deletion no new session can begin; a user made again under this name must not revive the old ones.
    await this.#options.revokeUser(name)
  }

  async setUserStatus(name: string, status: User['status']): Promise<void> {
    await this.#changeUser(name, (user) => ({
      conditions: [],
      writes: [put(userKey(name), { ...user, status })],
    }))
  }

  async attachUserPolicy(name: string, policy: string): Promise<void> {
    await this.#changeUser(name, async (user) => {
      const touched = await this.#touchPolicy(policy)
      const policies = [...new Set([...user.policies, policy])].sort()
      if (policies.length > maxPoliciesPerUser) {
        throw new AdminError('limit_exceeded', `A user has at most ${maxPoliciesPerUser} policies`)
      }
      return {
        conditions: touched.conditions,
        writes: [put(userKey(name), { ...user, policies }), ...touched.writes],
      }
    })
  }

  async detachUserPolicy(name: string, policy: string): Promise<void> {
    await this.#changeUser(name, (user) => {
      if (!user.policies.includes(policy)) {
        throw new AdminError('no_such_entity', `"${policy}" is not attached to user "${name}"`)
      }
      const policies = user.policies.filter((attached) => attached !== policy)
      return { conditions: [], writes: [put(userKey(name), { ...user, policies })] }
    })
  }

  async createAccessKey(
    user: string,
    given?: Readonly<{ accessKeyId: string; secretAccessKey: Secret }>,
  ): Promise<AccessKey> {
    const id = given?.accessKeyId ?? newAccessKeyId(this.#options.random)
    const secret = given?.secretAccessKey ?? newSecret(this.#options.random)
    checkAccessKey(id, secret.reveal())
    if (this.#snapshot.findAccessKey(id)?.managedBy === 'file') throw taken(id)
    const createdAt = this.#now()
    await this.#changeUser(user, async (document) => {
      if (await this.#options.state.get(accessKeyKey(id))) throw taken(id)
      if (document.accessKeys.length >= maxAccessKeysPerUser) {
        throw new AdminError('limit_exceeded', `A user has at most ${maxAccessKeysPerUser} keys`)
      }
      const sealed = this.#options.vault.seal(accessKeyKey(id), secret.reveal())
      const accessKey: AccessKeyDocument = { user, status: 'Active', secret: sealed, createdAt }
      return {
        conditions: [{ key: accessKeyKey(id), revision: 0 }],
        writes: [
          put(accessKeyKey(id), accessKey),
          put(userKey(user), { ...document, accessKeys: [...document.accessKeys, id] }),
        ],
      }
    })
    return {
      accessKeyId: id,
      secretAccessKey: secret,
      user,
      status: 'Active',
      createdAt: new Date(createdAt),
      managedBy: 'api',
    }
  }

  async deleteAccessKey(accessKeyId: string): Promise<void> {
    const { user } = this.#storedAccessKey(accessKeyId)
    await this.#changeUser(user, (document) => ({
      conditions: [],
      writes: [
        { kind: 'delete', key: accessKeyKey(accessKeyId) },
        put(userKey(user), {
          ...document,
          accessKeys: document.accessKeys.filter((id) => id !== accessKeyId),
        }),
      ],
    }))
  }

  async setAccessKeyStatus(accessKeyId: string, status: AccessKey['status']): Promise<void> {
    this.#storedAccessKey(accessKeyId)
    await this.#change(async () => {
      const entry = await this.#options.state.get(accessKeyKey(accessKeyId))
      if (!entry) throw noKey(accessKeyId)
      const document = { ...read('accesskey', entry.value), status }
      return {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, document)],
        result: undefined,
      }
    })
  }

  async createPolicy(name: string, text: string): Promise<StoredPolicy> {
    checkPolicyName(name)
    if (this.#snapshot.findPolicy(name)) throw policyExists(name)
    return this.#writePolicy(name, text, (existing) => {
      if (existing) throw policyExists(name)
    })
  }

  async updatePolicy(name: string, text: string): Promise<StoredPolicy> {
    this.#refuseFixedPolicy(name)
    return this.#writePolicy(name, text, (existing) => {
      if (!existing) throw noPolicy(name)
    })
  }

  async deletePolicy(name: string): Promise<void> {
    this.#refuseFixedPolicy(name)
    await this.#change(async () => {
      const entry = await this.#options.state.get(policyKey(name))
      if (!entry) throw noPolicy(name)
      if (this.#options.rolePolicies.has(name)) {
        throw new AdminError(
          'delete_conflict',
          `"${name}" is the policy of an OpenID provider's role`,
        )
      }
      // Whoever attaches the policy writes it too, so an attachment made from now on fails the condition below.
      const holder = await this.#findHolder(name)
      if (holder !== undefined) {
        throw new AdminError(
          'delete_conflict',
          `"${name}" is attached to user "${holder}"; detach it first`,
        )
      }
      return {
        conditions: [unchanged(entry)],
        writes: [{ kind: 'delete', key: entry.key }],
        result: undefined,
      }
    })
  }

  close(): Promise<void> {
    return this.#follower.close()
  }

  async #writePolicy(
    name: string,
    text: string,
    check: (existing: Entry | undefined) => void,
  ): Promise<StoredPolicy> {
    const policy = parseGiven(text)
    return this.#change(async () => {
      const existing = await this.#options.state.get(policyKey(name))
      check(existing)
      const updatedAt = this.#now()
      const createdAt = existing ? read('policy', existing.value).createdAt : updatedAt
      const document: PolicyDocument = { text: policy.text, createdAt, updatedAt }
      return {
        conditions: [{ key: policyKey(name), revision: existing?.revision ?? 0 }],
        writes: [put(policyKey(name), document)],
        result: {
          name,
          policy,
          createdAt: new Date(createdAt),
          updatedAt: new Date(updatedAt),
          managedBy: 'api',
        },
      }
    })
  }

  /** Reads, decides and commits; tried again when somebody else was faster. Returns when this process sees it too. */
  async #change<T>(decide: () => Promise<Step<T>>): Promise<T> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const step = await decide()
      const commit = await this.#options.state.commit(step.conditions, step.writes)
      if (!commit.committed) continue
      await this.#follower.reached(commit.revision)
      return step.result
    }
    throw new AdminError('conflict', 'Somebody else is changing the same thing; try again')
  }

  async #changeUser(
    name: string,
    decide: (
      user: UserDocument,
    ) => Omit<Step<unknown>, 'result'> | Promise<Omit<Step<unknown>, 'result'>>,
  ): Promise<void> {
    this.#refuseFileUser(name, 'unmodifiable')
    await this.#change(async () => {
      const entry = await this.#options.state.get(userKey(name))
      if (!entry) throw new AdminError('no_such_entity', `There is no user named "${name}"`)
      const step = await decide(read('user', entry.value))
      return { ...step, conditions: [unchanged(entry), ...step.conditions], result: undefined }
    })
  }

  async #touchPolicy(name: string): Promise<Omit<Step<unknown>, 'result'>> {
    const policy = this.#snapshot.findPolicy(name)
    if (policy && policy.managedBy !== 'api') return { conditions: [], writes: [] }
    const entry = await this.#options.state.get(policyKey(name))
    if (!entry) throw noPolicy(name)
    return {
      conditions: [unchanged(entry)],
      writes: [{ kind: 'put', key: entry.key, value: entry.value }],
    }
  }

  async #findHolder(policy: string): Promise<string | undefined> {
    const { entries } = await this.#options.state.list(userKey(''))
    const stored = entries.find((entry) => read('user', entry.value).policies.includes(policy))
    if (stored) return stored.key.slice(userKey('').length)
    return this.#options.overlay.users.find((user) => user.policies.includes(policy))?.name
  }

  #storedAccessKey(accessKeyId: string): AccessKey {
    const key = this.#snapshot.findAccessKey(accessKeyId)
    if (!key) throw noKey(accessKeyId)
    if (key.managedBy === 'file') {
      throw new AdminError(
        'unmodifiable',
        `The key ${accessKeyId} is declared in the configuration file`,
      )
    }
    return key
  }

  #refuseFileUser(name: string, code: 'already_exists' | 'unmodifiable'): void {
    if (this.#snapshot.findUser(name)?.managedBy !== 'file') return
    throw new AdminError(
      code,
      `The user "${name}" is declared in the configuration file; change it there`,
    )
  }

  #refuseFixedPolicy(name: string): void {
    const policy = this.#snapshot.findPolicy(name)
    if (!policy) throw noPolicy(name)
    if (policy.managedBy === 'api') return
    const where = policy.managedBy === 'file' ? 'declared in the configuration file' : 'built in'
    throw new AdminError('unmodifiable', `The policy "${name}" is ${where} and is not changed here`)
  }

  #now(): string {
    return this.#options.clock().toISOString()
  }
}

function parseGiven(text: string): ReturnType<typeof parsePolicy> {
  try {
    return parsePolicy(text, 'identity')
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const code = error.code === 'policy_too_large' ? 'limit_exceeded' : 'malformed_policy'
    throw new AdminError(code, error.message, { cause: error })
  }
}

function put(key: string, document: PolicyDocument | UserDocument | AccessKeyDocument): Write {
  return { kind: 'put', key, value: write(document) }
}

function unchanged(entry: Entry): Condition {
  return { key: entry.key, revision: entry.revision }
}

function noPolicy(name: string): AdminError {
  return new AdminError('no_such_entity', `There is no policy named "${name}"`)
}

function noKey(accessKeyId: string): AdminError {
  return new AdminError('no_such_entity', `There is no access key ${accessKeyId}`)
}

function policyExists(name: string): AdminError {
  return new AdminError('already_exists', `There is a policy named "${name}" already`)
}

function taken(accessKeyId: string): AdminError {
  return new AdminError('already_exists', `The access key id ${accessKeyId} is taken`)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `AKIA` and 16 characters of base 32: 80 random bits, the shape that AWS's clients know for long-lived keys. */
function newAccessKeyId(random: (bytes: number) => Buffer): string {
  return `AKIA${Array.from(random(16), (byte) => alphabet[byte % 32]).join('')}`
}

function newSecret(random: (bytes: number) => Buffer): Secret {
  return new Secret(random(30).toString('base64'))
}
