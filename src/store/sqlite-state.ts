import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Commit, Condition, Entry, State, WatchEvent, Write } from '../state.ts'
import { openDatabase } from './database.ts'
import { History } from './history.ts'
import { checkKey, checkWrites, endOfPrefix } from './keys.ts'
import { Ticker } from './ticker.ts'

export type SqliteStateOptions = Readonly<{
  clock: () => Date
  /** How often the commits of other processes are looked for, while somebody watches. */
  pollMs?: number
  /** How many revisions a watch can go back before it has to list anew. */
  keepRevisions?: number
}>

/** Half the second that the port promises a sign of life in: what comes a tick late is still in time. */
const silenceMs = 500

type EntryRow = { key: string; value: string; revision: number; expires_at: number | null }

/**
 * The State port on one SQLite file. Any number of processes may have the same file open: each commit is one
 * synced transaction, and each process finds the others' commits by polling.
 */
export async function openSqliteState(file: string, options: SqliteStateOptions): Promise<State> {
  return new SqliteState(await openDatabase(file), options)
}

class SqliteState implements State {
  readonly #database: DatabaseSync
  readonly #clock: () => Date
  readonly #history: History
  readonly #ticker: Ticker
  readonly #get: StatementSync
  readonly #list: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #expired: StatementSync
  #open = true

  constructor(database: DatabaseSync, options: SqliteStateOptions) {
    this.#database = database
    this.#clock = options.clock
    this.#history = new History(database, options.keepRevisions ?? 10_000)
    this.#ticker = new Ticker(Math.min(options.pollMs ?? 250, silenceMs), () => this.#expire())
    this.#get = database.prepare('SELECT * FROM entry WHERE key = ?')
    this.#list = database.prepare('SELECT * FROM entry WHERE key >= ? AND key < ? ORDER BY key')
    this.#put = database.prepare(
      `INSERT INTO entry (key, value, revision, expires_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET
         value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at`,
    )
    this.#delete = database.prepare('DELETE FROM entry WHERE key = ?')
    this.#expired = database.prepare(
      // Named, because the planner would rather walk all keys than sort the few that have run out.
      'SELECT * FROM entry INDEXED BY entry_expiry WHERE expires_at <= ? ORDER BY key',
    )
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#find(key)
  }

  async list(prefix: string): Promise<{ revision: number; entries: readonly Entry[] }> {
    return this.#transaction('DEFERRED', () => {
      const now = this.#clock().getTime()
      const rows = this.#list.all(prefix, endOfPrefix(prefix)).map(entryRow)
      const live = rows.filter((row) => isLive(row, now))
      return { revision: this.#history.position().revision, entries: live.map(toEntry) }
    })
  }

  async commit(conditions: readonly Condition[], writes: readonly Write[]): Promise<Commit> {
    for (const condition of conditions) checkKey(condition.key)
    checkWrites(writes)
    const commit = this.#transaction('IMMEDIATE', (): Commit => {
      const failed = conditions.find(
        ({ key, revision }) => (this.#find(key)?.revision ?? 0) !== revision,
      )
      if (failed !== undefined) return { committed: false, failed }
      this.#deleteExpired()
      return { committed: true, revision: this.#apply(writes) }
    })
    if (commit.committed) this.#ticker.wake()
    return commit
  }

  async *watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#assertOpen()
    const leave = this.#ticker.join(signal)
    try {
      let position = from
      let spokenAt = -Infinity
      while (this.#open && !signal.aborted) {
        const event = this.#transaction('DEFERRED', () => this.#history.read(prefix, position))
        if (event.kind === 'compacted') {
          yield event
          return
        }
        position = event.revision
        if (event.kind === 'changes' || performance.now() - spokenAt >= silenceMs) {
          spokenAt = performance.now()
          yield event
        } else {
          // Only straight after a look that found nothing, or a commit made meanwhile would wait for the next tick.
          await this.#ticker.next(signal)
        }
      }
    } finally {
      leave()
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#ticker.close()
    this.#database.close()
  }

  #find(key: string): Entry | undefined {
    this.#assertOpen()
    const found = this.#get.get(key)
    if (found === undefined) return undefined
    const row = entryRow(found)
    return isLive(row, this.#clock().getTime()) ? toEntry(row) : undefined
  }

  /** Writes that change nothing make no revision. */
  #apply(writes: readonly Write[]): number {
    const next = this.#history.position().revision + 1
    const effective = writes.filter((write) => this.#applyOne(write, next))
    if (effective.length === 0) return next - 1
    this.#history.append(next, effective)
    return next
  }

  #applyOne(write: Write, revision: number): boolean {
    if (write.kind === 'delete') return this.#delete.run(write.key).changes > 0
    this.#put.run(write.key, write.value, revision, write.expiresAt?.getTime() ?? null)
    return true
  }

  #expire(): void {
    if (this.#expired.get(this.#clock().getTime()) === undefined) return
    this.#transaction('IMMEDIATE', () => this.#deleteExpired())
  }

  /** Whatever has run out leaves as an ordinary delete with a revision of its own, so that watchers see it. */
  #deleteExpired(): void {
    const rows = this.#expired.all(this.#clock().getTime()).map(entryRow)
    if (rows.length > 0) this.#apply(rows.map(({ key }) => ({ kind: 'delete', key })))
  }

  #transaction<Result>(mode: 'DEFERRED' | 'IMMEDIATE', work: () => Result): Result {
    this.#assertOpen()
    this.#database.exec(`BEGIN ${mode}`)
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite may have rolled back by itself already, on a full disk for one.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error('the store is closed')
  }
}

function entryRow(row: unknown): EntryRow {
  return row as EntryRow // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT table
}

function isLive(row: EntryRow, now: number): boolean {
  return row.expires_at === null || row.expires_at > now
}

function toEntry(row: EntryRow): Entry {
  const { key, value, revision } = row
  const expiry = row.expires_at === null ? {} : { expiresAt: new Date(row.expires_at) }
  return { key, value, revision, ...expiry }
}
