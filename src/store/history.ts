import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Change, WatchEvent, Write } from '../state.ts'
import { endOfPrefix } from './keys.ts'

export type Position = Readonly<{ revision: number; compacted: number }>

type HistoryRow = {
  revision: number
  key: string
  value: string | null
  expires_at: number | null
}

/** A watcher far behind is fed in portions of about this many changes, never in half a commit. */
const portion = 1000
/** Old revisions go in strides, so that not every commit pays for it. */
const stride = 64

/** What changed, by revision. Every method runs inside a transaction of its caller's. */
export class History {
  readonly #keep: number
  readonly #position: StatementSync
  readonly #advance: StatementSync
  readonly #append: StatementSync
  readonly #after: StatementSync
  readonly #drop: StatementSync
  readonly #compacted: StatementSync

  constructor(database: DatabaseSync, keepRevisions: number) {
    this.#keep = keepRevisions
    this.#position = database.prepare('SELECT revision, compacted FROM position')
    this.#advance = database.prepare('UPDATE position SET revision = ?')
    this.#append = database.prepare('INSERT INTO history VALUES (?, ?, ?, ?, ?)')
    this.#after = database.prepare(
      `SELECT revision, key, value, expires_at FROM history
       WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision, ordinal`,
    )
    this.#drop = database.prepare('DELETE FROM history WHERE revision <= ?')
    this.#compacted = database.prepare('UPDATE position SET compacted = ?')
  }

  position(): Position {
    return this.#position.get() as Position // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT table
  }

  append(revision: number, writes: readonly Write[]): void {
    for (const [ordinal, write] of writes.entries()) {
      const put = write.kind === 'put' ? write : undefined
      const expiry = put?.expiresAt?.getTime() ?? null
      this.#append.run(revision, ordinal, write.key, put?.value ?? null, expiry)
    }
    this.#advance.run(revision)
    if (revision % stride === 0) this.#compact(revision - this.#keep)
  }

  /**
   * What happened under `prefix` after `from`. A `from` that lies ahead of us belongs to another life of the file
   * (a backup was put back): nothing can be continued from there.
   */
  read(prefix: string, from: number): WatchEvent {
    const { revision, compacted } = this.position()
    if (from < compacted || from > revision) return { kind: 'compacted' }
    if (from === revision) return { kind: 'progress', revision }
    const changes: Change[] = []
    let reached = from
    for (const row of this.#after.iterate(from, prefix, endOfPrefix(prefix))) {
      const next = row as HistoryRow // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT table
      if (changes.length >= portion && next.revision > reached) {
        return { kind: 'changes', revision: reached, changes }
      }
      changes.push(toChange(next))
      reached = next.revision
    }
    return changes.length > 0
      ? { kind: 'changes', revision, changes }
      : { kind: 'progress', revision }
  }

  #compact(through: number): void {
    if (through <= this.position().compacted) return
    this.#drop.run(through)
    this.#compacted.run(through)
  }
}

function toChange({ key, value, revision, expires_at: expiry }: HistoryRow): Change {
  if (value === null) return { kind: 'delete', key, revision }
  const entry = { key, value, revision }
  return {
    kind: 'put',
    entry: expiry === null ? entry : { ...entry, expiresAt: new Date(expiry) },
  }
}
