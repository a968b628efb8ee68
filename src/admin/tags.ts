import { AdminError } from './admin-error.ts'
import { policyKey, read, write } from './documents.ts'
import type { Pairs } from './documents.ts'
import { put, unchanged } from './ledger.ts'
import { checkTags } from './names.ts'
import type { Providers } from './providers.ts'
import type { Tools } from './tools.ts'
import type { Tagged, Tags } from './types.ts'

/** Changes of tags, on whatever carries them. */
export class TagChanges {
  readonly #tools: Tools
  readonly #providers: Providers

  constructor(tools: Tools, providers: Providers) {
    this.#tools = tools
    this.#providers = providers
  }

  async tag(what: Tagged, tags: Tags): Promise<void> {
    checkTags(tags)
    await this.#change(what, (before) => {
      // Keys are told apart without regard to case, and the later spelling stays (AWS IAM user guide, tags).
      const added = new Set([...tags.keys()].map((key) => key.toLowerCase()))
      const after = [...before.filter(([key]) => !added.has(key.toLowerCase())), ...tags]
      checkTags(new Map(after))
      return after
    })
  }

  async untag(what: Tagged, keys: readonly string[]): Promise<void> {
    const removed = new Set(keys.map((key) => key.toLowerCase()))
    await this.#change(what, (before) => before.filter(([key]) => !removed.has(key.toLowerCase())))
  }

  async #change(what: Tagged, decide: (tags: Pairs) => Pairs): Promise<void> {
    const { holders } = this.#tools
    const { kind, name } = what
    switch (kind) {
      case 'user':
        return holders.change({ kind, name }, (user) => ({
          document: { ...user, tags: decide(user.tags) },
        }))
      case 'role':
        return holders.change({ kind, name }, (role) => ({
          document: { ...role, tags: decide(role.tags) },
        }))
      case 'policy':
        return this.#changePolicy(name, decide)
      case 'provider':
        return this.#providers.change(name, (provider) => ({
          ...provider,
          tags: decide(provider.tags),
        }))
    }
  }

  async #changePolicy(name: string, decide: (tags: Pairs) => Pairs): Promise<void> {
    const { ledger, snapshot } = this.#tools
    const policy = snapshot.findPolicy(name)
    if (policy && policy.managedBy !== 'api') {
      throw new AdminError('unmodifiable', `The policy "${name}" is not changed here`)
    }
    await ledger.change(async () => {
      const entry = await ledger.get(policyKey(name))
      if (!entry) throw new AdminError('no_such_entity', `There is no policy named "${name}"`)
      const document = read('policy', entry.value)
      return {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, write({ ...document, tags: decide(document.tags) }))],
        result: undefined,
      }
    })
  }
}
