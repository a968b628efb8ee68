import type { Entry } from '../state.ts'
import { AdminError } from './admin-error.ts'
import { policyKey, read, write } from './documents.ts'
import type { PolicyDocument } from './documents.ts'
import { storedPolicy } from './entities.ts'
import { put, unchanged } from './ledger.ts'
import { checkDescription, checkPolicyName, checkTags } from './names.ts'
import { newId } from './new-ids.ts'
import { parseGiven } from './parse-given.ts'
import type { Tools } from './tools.ts'
import type { Deletion, NewPolicy, PolicyVersion, StoredPolicy } from './types.ts'

/** AWS IAM quotas: managed policy versions. */
const maxVersions = 5

/** Changes of managed policies and of their versions. */
export class Policies {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(
    name: string,
    text: string,
    { description, tags }: NewPolicy = {},
  ): Promise<StoredPolicy> {
    const { ledger, snapshot, random } = this.#tools
    checkPolicyName(name)
    if (description !== undefined) checkDescription(description)
    if (tags) checkTags(tags)
    if (snapshot.findPolicy(name)) throw exists(name)
    const policy = parseGiven(text, 'identity')
    const id = newId('ANPA', random)
    return ledger.change(async () => {
      if (await ledger.get(policyKey(name))) throw exists(name)
      const now = ledger.now()
      const document: PolicyDocument = {
        id,
        ...(description === undefined || description === '' ? {} : { description }),
        tags: [...(tags ?? [])],
        versions: [{ id: 'v1', text: policy.text, createdAt: now }],
        defaultVersion: 'v1',
        nextVersion: 2,
        createdAt: now,
        updatedAt: now,
      }
      return {
        conditions: [{ key: policyKey(name), revision: 0 }],
        writes: [put(policyKey(name), write(document))],
        result: storedPolicy(name, document),
      }
    })
  }

  async update(name: string, text: string): Promise<StoredPolicy> {
    const policy = parseGiven(text, 'identity')
    const document = await this.#change(name, (before) => {
      const { document: after } = withVersion(
        withRoom(before),
        policy.text,
        this.#tools.ledger.now(),
      )
      return { ...after, defaultVersion: after.versions.at(-1)?.id ?? after.defaultVersion }
    })
    return storedPolicy(name, document)
  }

  async createVersion(name: string, text: string, asDefault: boolean): Promise<PolicyVersion> {
    const policy = parseGiven(text, 'identity')
    const document = await this.#change(name, (before) => {
      if (before.versions.length >= maxVersions) {
        throw new AdminError(
          'limit_exceeded',
          `"${name}" has ${maxVersions} versions already; delete one that is not the default first`,
        )
      }
      const { document: after, id } = withVersion(before, policy.text, this.#tools.ledger.now())
      return asDefault ? { ...after, defaultVersion: id } : after
    })
    const version = storedPolicy(name, document).versions.at(-1)
    if (version) return version
    throw new Error('a version that was just made is not there')
  }

  async setDefaultVersion(name: string, version: string): Promise<void> {
    await this.#change(name, (before) => {
      findVersion(name, before, version)
      return { ...before, defaultVersion: version, updatedAt: this.#tools.ledger.now() }
    })
  }

  async deleteVersion(name: string, version: string): Promise<void> {
    await this.#change(name, (before) => {
      findVersion(name, before, version)
      if (version === before.defaultVersion) {
        throw new AdminError(
          'delete_conflict',
          `${version} is the default version of "${name}"; make another one the default first`,
        )
      }
      return { ...before, versions: before.versions.filter(({ id }) => id !== version) }
    })
  }

  async delete(name: string, how: Deletion): Promise<void> {
    const { ledger, options } = this.#tools
    this.#refuseFixed(name)
    await ledger.change(async () => {
      const entry = await this.#find(name)
      if (options.rolePolicies.has(name)) {
        throw new AdminError(
          'delete_conflict',
          `"${name}" is the policy of an OpenID provider's role`,
        )
      }
      // Whoever attaches the policy writes it too, so an attachment made from now on fails the condition below.
      await ledger.caughtUp(entry)
      this.#refuseAttached(name)
      if (how === 'bare') refuseVersions(name, read('policy', entry.value))
      return {
        conditions: [unchanged(entry)],
        writes: [{ kind: 'delete', key: entry.key }],
        result: undefined,
      }
    })
  }

  async #change(
    name: string,
    decide: (document: PolicyDocument) => PolicyDocument,
  ): Promise<PolicyDocument> {
    const { ledger } = this.#tools
    this.#refuseFixed(name)
    return ledger.change(async () => {
      const entry = await this.#find(name)
      const document = decide(read('policy', entry.value))
      return {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, write(document))],
        result: document,
      }
    })
  }

  async #find(name: string): Promise<Entry> {
    const entry = await this.#tools.ledger.get(policyKey(name))
    if (entry) return entry
    throw noPolicy(name)
  }

  #refuseAttached(name: string): void {
    const [holder] = this.#tools.snapshot.listAttachments(name)
    if (!holder) return
    const { kind, name: who } = holder.subject
    const words = holder.as === 'boundary' ? 'is the permissions boundary of' : 'is attached to'
    throw new AdminError('delete_conflict', `"${name}" ${words} ${kind} "${who}"; detach it first`)
  }

  #refuseFixed(name: string): void {
    const policy = this.#tools.snapshot.findPolicy(name)
    if (!policy) throw noPolicy(name)
    if (policy.managedBy === 'api') return
    const where = policy.managedBy === 'file' ? 'declared in the configuration file' : 'built in'
    throw new AdminError('unmodifiable', `The policy "${name}" is ${where} and is not changed here`)
  }
}

/** Drops the oldest version that does not act, when there is no room for another one. */
function withRoom(document: PolicyDocument): PolicyDocument {
  if (document.versions.length < maxVersions) return document
  const oldest = document.versions.find(({ id }) => id !== document.defaultVersion)
  return { ...document, versions: document.versions.filter((version) => version !== oldest) }
}

function withVersion(
  document: PolicyDocument,
  text: string,
  now: string,
): { document: PolicyDocument; id: string } {
  const id = `v${document.nextVersion}`
  const versions = [...document.versions, { id, text, createdAt: now }]
  const nextVersion = document.nextVersion + 1
  return { id, document: { ...document, versions, nextVersion, updatedAt: now } }
}

function findVersion(name: string, document: PolicyDocument, version: string): void {
  if (document.versions.some(({ id }) => id === version)) return
  throw new AdminError('no_such_entity', `"${name}" has no version ${version.slice(0, 32)}`)
}

function refuseVersions(name: string, document: PolicyDocument): void {
  if (document.versions.length <= 1) return
  throw new AdminError(
    'delete_conflict',
    `"${name}" has further versions; delete those that are not the default first`,
  )
}

function noPolicy(name: string): AdminError {
  return new AdminError('no_such_entity', `There is no policy named "${name}"`)
}

function exists(name: string): AdminError {
  return new AdminError('already_exists', `There is a policy named "${name}" already`)
}
