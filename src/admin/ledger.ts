import type { Follower } from '../follow.ts'
import type { Condition, Entry, State, Write } from '../state.ts'
import { AdminError } from './admin-error.ts'

/** What one change needs to hold and what it writes. */
export type Step<T> = Readonly<{
  conditions: readonly Condition[]
  writes: readonly Write[]
  result: T
}>

export type Part = Omit<Step<unknown>, 'result'>

export const nothing: Part = { conditions: [], writes: [] }

const attempts = 8

/** Makes changes: read, decide, commit, and again from the start when somebody else was faster. */
export class Ledger {
  readonly #state: State
  readonly #follower: Follower
  readonly #clock: () => Date
  #last: Promise<unknown> = Promise.resolve()

  constructor(state: State, follower: Follower, clock: () => Date) {
    this.#state = state
    this.#follower = follower
    this.#clock = clock
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#state.get(key)
  }

  /** The snapshot shows everything that was committed before this entry, or together with it. */
  async caughtUp(entry: Entry): Promise<void> {
    await this.#follower.reached(entry.revision)
  }

  now(): string {
    return this.#clock().toISOString()
  }

  /** Returns when the change is durable and this process sees it too. */
  async change<T>(decide: () => Promise<Step<T>>): Promise<T> {
    // One at a time within a process, so that only other processes are raced against.
    const turn = this.#last.then(() => this.#commit(decide))
    this.#last = turn.catch(() => undefined)
    const { revision, result } = await turn
    await this.#follower.reached(revision)
    return result
  }

  async #commit<T>(decide: () => Promise<Step<T>>): Promise<{ revision: number; result: T }> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { conditions, writes, result } = await decide()
      const commit = await this.#state.commit(conditions, writes)
      if (commit.committed) return { revision: commit.revision, result }
    }
    throw new AdminError('conflict', 'Somebody else is changing the same thing; try again')
  }
}

export function unchanged(entry: Entry): Condition {
  return { key: entry.key, revision: entry.revision }
}

export function put(key: string, value: string): Write {
  return { kind: 'put', key, value }
}

/**
 * Writes an entry as it is, so that whoever deletes it at the same time must look again. What refers to a policy or a
 * group touches it, and so no reference outlives what it refers to.
 */
export function touch(entry: Entry): Part {
  return { conditions: [unchanged(entry)], writes: [put(entry.key, entry.value)] }
}

export function join(...parts: readonly Part[]): Part {
  return {
    conditions: parts.flatMap(({ conditions }) => conditions),
    writes: parts.flatMap(({ writes }) => writes),
  }
}
