import type { Change, Commit, Condition, Entry, State, WatchEvent, Write } from '../../state.ts'

export type MemoryStateOptions = Readonly<{
  clock?: () => Date
  /** Pause between two signs of life of a watch, in real milliseconds. */
  progressMs?: number
}>

/**
 * The store port in memory, for tests. `new MemoryState()` makes an empty store; `connect()` gives another process's
 * view of the same store. `cut`, `silence` and `failing` break one view and leave the others alone.
 */
export class MemoryState implements State {
  readonly #store: Store
  /** While true every `get`, `list` and `commit` of this view rejects. */
  failing = false
  /** How many times this view was read by `get` or `list`. */
  reads = 0
  #silent = false
  #connection = 0
  #closed = false

  constructor(options: MemoryStateOptions = {}, store = new Store(options)) {
    this.#store = store
  }

  connect(): MemoryState {
    return new MemoryState({}, this.#store)
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertWorking()
    this.reads += 1
    return this.#store.get(key)
  }

  async list(prefix: string): Promise<{ revision: number; entries: readonly Entry[] }> {
    this.#assertWorking()
    this.reads += 1
    return this.#store.list(prefix)
  }

  async commit(conditions: readonly Condition[], writes: readonly Write[]): Promise<Commit> {
    this.#assertWorking()
    return this.#store.commit(conditions, writes)
  }

  async *watch(
    prefix: string,
    fromRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    this.#assertWorking()
    const connection = this.#connection
    const wake = (): void => this.#store.wake()
    signal.addEventListener('abort', wake)
    try {
      let revision = fromRevision
      while (!signal.aborted && !this.#closed) {
        if (connection !== this.#connection) throw new Error('the watch was cut')
        const event = this.#silent ? undefined : this.#store.after(prefix, revision)
        if (event) yield event
        if (event?.kind === 'compacted') return
        if (event) revision = event.revision
        if (!signal.aborted) await this.#store.pause()
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#store.wake()
  }

  /** Breaks the watches of this view with an error; new ones work, unless it is `failing`. */
  cut(): void {
    this.#connection += 1
    this.#store.wake()
  }

  /** The watches of this view stay open and say nothing, until `silence(false)`. */
  silence(silent = true): void {
    this.#silent = silent
    this.#store.wake()
  }

  /** Forgets the history: a watch from an older revision gets `compacted`. */
  compact(): void {
    this.#store.compact()
  }

  #assertWorking(): void {
    if (this.#closed) throw new Error('the store is closed')
    if (this.failing) throw new Error('the store does not answer')
  }
}

class Store {
  readonly #clock: () => Date
  readonly #progressMs: number
  readonly #entries = new Map<string, Entry>()
  #history: Change[] = []
  #revision = 1
  #compacted = 0
  readonly #sleepers = new Set<() => void>()

  constructor(options: MemoryStateOptions) {
    this.#clock = options.clock ?? (() => new Date())
    this.#progressMs = options.progressMs ?? 20
  }

  get(key: string): Entry | undefined {
    this.#expire()
    return this.#entries.get(key)
  }

  list(prefix: string): { revision: number; entries: readonly Entry[] } {
    this.#expire()
    const found = [...this.#entries.values()].filter((entry) => entry.key.startsWith(prefix))
    found.sort((a, b) => (a.key < b.key ? -1 : 1))
    return { revision: this.#revision, entries: found }
  }

  commit(conditions: readonly Condition[], writes: readonly Write[]): Commit {
    this.#expire()
    if (new Set(writes.map((write) => write.key)).size !== writes.length) {
      throw new Error('one commit writes a key twice')
    }
    for (const condition of conditions) {
      const revision = this.#entries.get(condition.key)?.revision ?? 0
      if (revision !== condition.revision) return { committed: false, failed: condition }
    }
    this.#write(writes)
    return { committed: true, revision: this.#revision }
  }

  after(prefix: string, revision: number): WatchEvent {
    this.#expire()
    if (revision < this.#compacted) return { kind: 'compacted' }
    const changes = this.#history.filter(
      (change) => revisionOf(change) > revision && keyOf(change).startsWith(prefix),
    )
    if (changes.length === 0) return { kind: 'progress', revision: this.#revision }
    return { kind: 'changes', revision: this.#revision, changes }
  }

  compact(): void {
    this.#history = []
    this.#compacted = this.#revision
  }

  wake(): void {
    for (const sleeper of this.#sleepers) sleeper()
  }

  /** Until somebody wakes us, or it is time for a sign of life. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#sleepers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, this.#progressMs)
      this.#sleepers.add(wake)
    })
  }

  #expire(): void {
    const now = this.#clock().getTime()
    const over = [...this.#entries.values()].filter(
      (entry) => entry.expiresAt !== undefined && entry.expiresAt.getTime() <= now,
    )
    this.#write(over.map((entry) => ({ kind: 'delete', key: entry.key })))
  }

  #write(writes: readonly Write[]): void {
    if (writes.length === 0) return
    this.#revision += 1
    for (const write of writes) this.#writeOne(write, this.#revision)
    this.wake()
  }

  #writeOne(write: Write, revision: number): void {
    if (write.kind === 'delete') {
      if (this.#entries.delete(write.key)) {
        this.#history.push({ kind: 'delete', key: write.key, revision })
      }
      return
    }
    const { key, value, expiresAt } = write
    const entry = { key, value, revision, ...(expiresAt && { expiresAt }) }
    this.#entries.set(key, entry)
    this.#history.push({ kind: 'put', entry })
  }
}

function revisionOf(change: Change): number {
  return change.kind === 'put' ? change.entry.revision : change.revision
}

function keyOf(change: Change): string {
  return change.kind === 'put' ? change.entry.key : change.key
}
