import type { Entry } from '../state.ts'
import { AdminError } from './admin-error.ts'
import { groupKey, policyKey, read, roleKey, userKey, write } from './documents.ts'
import type { HolderDocument, Pairs } from './documents.ts'
import { join, put, unchanged } from './ledger.ts'
import { nothing, touch } from './ledger.ts'
import type { Ledger, Part } from './ledger.ts'
import type { ManagedBy, PolicyHolder } from './types.ts'
import { checkPolicyName } from './names.ts'
import { parseGiven } from './parse-given.ts'
import type { Snapshot } from './snapshot.ts'

/** IAM's quotas in spirit: enough for people, a bound for scripts that loop. */
const maxPolicies = 20
const maxInlineBytes = 20 * 1024

/** What users, groups and roles have in common: attached and inline policies. */
export class Holders {
  readonly #ledger: Ledger
  readonly #snapshot: Snapshot

  constructor(ledger: Ledger, snapshot: Snapshot) {
    this.#ledger = ledger
    this.#snapshot = snapshot
  }

  async attach(holder: PolicyHolder, policy: string): Promise<void> {
    await this.change(holder, async (document) => {
      const policies = withName(document.policies, policy)
      return { document: { ...document, policies }, more: await this.touchPolicy(policy) }
    })
  }

  async detach(holder: PolicyHolder, policy: string): Promise<void> {
    await this.change(holder, (document) => ({
      document: { ...document, policies: withoutName(document.policies, policy, words(holder)) },
    }))
  }

  async putInline(holder: PolicyHolder, name: string, text: string): Promise<void> {
    checkPolicyName(name)
    const policy = parseGiven(text, 'identity')
    await this.change(holder, (document) => {
      const others = document.inline.filter(([other]) => other !== name)
      const inline: Pairs = [...others, [name, policy.text] as const].sort(byName)
      const bytes = inline.reduce((sum, [, each]) => sum + Buffer.byteLength(each), 0)
      if (bytes > maxInlineBytes) {
        throw new AdminError(
          'limit_exceeded',
          `The inline policies of ${words(holder)} have at most ${maxInlineBytes} bytes together`,
        )
      }
      return { document: { ...document, inline } }
    })
  }

  async deleteInline(holder: PolicyHolder, name: string): Promise<void> {
    await this.change(holder, (document) => {
      const inline = document.inline.filter(([other]) => other !== name)
      if (inline.length === document.inline.length) {
        throw new AdminError(
          'no_such_entity',
          `${words(holder)} has no inline policy named "${name}"`,
        )
      }
      return { document: { ...document, inline } }
    })
  }

  async setBoundary(
    holder: Readonly<{ kind: 'user' | 'role'; name: string }>,
    policy: string | undefined,
  ): Promise<void> {
    await this.change(holder, async (before) => {
      const { boundary: _boundary, ...document } = before
      if (policy === undefined) return { document }
      return { document: { ...document, boundary: policy }, more: await this.touchPolicy(policy) }
    })
  }

  /** Reads the holder's document, and writes what becomes of it together with `more`. */
  async change<K extends PolicyHolder['kind']>(
    holder: Readonly<{ kind: K; name: string }>,
    decide: (document: Documents[K]) => Changed<K> | Promise<Changed<K>>,
  ): Promise<void> {
    this.refuseFile(holder, 'unmodifiable')
    await this.#ledger.change(async () => {
      const entry = await this.find(holder)
      const { document, more } = await decide(read(holder.kind, entry.value))
      const own: Part = {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, write(document))],
      }
      return { ...join(own, more ?? nothing), result: undefined }
    })
  }

  async find(holder: PolicyHolder): Promise<Entry> {
    const entry = await this.#ledger.get(keyOf(holder))
    if (entry) return entry
    throw new AdminError('no_such_entity', `There is no ${holder.kind} named "${holder.name}"`)
  }

  refuseFile(holder: PolicyHolder, code: 'already_exists' | 'unmodifiable'): void {
    if (this.#managedBy(holder) !== 'file') return
    throw new AdminError(
      code,
      `The ${holder.kind} "${holder.name}" is declared in the configuration file; change it there`,
    )
  }

  /** Policies of the file and built-in ones are not deleted, so nobody needs to be held off. */
  async touchPolicy(name: string): Promise<Part> {
    const policy = this.#snapshot.findPolicy(name)
    if (policy && policy.managedBy !== 'api') return nothing
    const entry = await this.#ledger.get(policyKey(name))
    if (!entry) throw new AdminError('no_such_entity', `There is no policy named "${name}"`)
    return touch(entry)
  }

  #managedBy({ kind, name }: PolicyHolder): ManagedBy | undefined {
    switch (kind) {
      case 'user':
        return this.#snapshot.findUser(name)?.managedBy
      case 'group':
        return this.#snapshot.findGroup(name)?.managedBy
      case 'role':
        return this.#snapshot.findRole(name)?.managedBy
    }
  }
}

type Documents = {
  [K in PolicyHolder['kind']]: ReturnType<typeof read<K>>
}
type Changed<K extends PolicyHolder['kind']> = Readonly<{ document: Documents[K]; more?: Part }>

/** `user "alice"`, for messages. */
function words({ kind, name }: PolicyHolder): string {
  return `${kind} "${name}"`
}

function keyOf({ kind, name }: PolicyHolder): string {
  if (kind === 'user') return userKey(name)
  return kind === 'group' ? groupKey(name) : roleKey(name)
}

/** @throws AdminError `limit_exceeded` */
export function withName(policies: readonly string[], policy: string): readonly string[] {
  const all = [...new Set([...policies, policy])].sort()
  if (all.length <= maxPolicies) return all
  throw new AdminError(
    'limit_exceeded',
    `At most ${maxPolicies} policies are attached to one thing`,
  )
}

/** @throws AdminError `no_such_entity` when it is not attached */
export function withoutName(
  policies: readonly string[],
  policy: string,
  holder: string,
): readonly string[] {
  if (policies.includes(policy)) return policies.filter((attached) => attached !== policy)
  throw new AdminError('no_such_entity', `"${policy}" is not attached to ${holder}`)
}

export function refuseHeld(holder: PolicyHolder, document: HolderDocument): void {
  if (document.policies.length + document.inline.length === 0) return
  throw new AdminError(
    'delete_conflict',
    `${words(holder)} has policies; detach and delete them first`,
  )
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}
