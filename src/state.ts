/**
 * The store port (DESIGN section 6): a small versioned key-value space with atomic compare-and-set and a watch.
 * Core rooms keep their documents in it; `store/` implements it; one conformance suite is run by every adapter.
 *
 * Keys are `/`-separated ASCII paths such as `policy/readonly`. Values are JSON text with a `schema` number inside.
 * Revisions are positive integers that grow with every commit over the whole store; 0 stands for "absent".
 */
export type Entry = Readonly<{
  key: string
  value: string
  /** The revision of the commit that wrote this value. */
  revision: number
  /** The entry is gone from this instant on, for `get`, `list` and (as a delete) for `watch`. */
  expiresAt?: Date
}>

/** Holds when the entry's current revision is exactly this one; 0: when the key is absent. */
export type Condition = Readonly<{ key: string; revision: number }>

export type Write =
  | Readonly<{ kind: 'put'; key: string; value: string; expiresAt?: Date }>
  | Readonly<{ kind: 'delete'; key: string }>

export type Commit =
  | Readonly<{ committed: true; revision: number }>
  | Readonly<{ committed: false; failed: Condition }>

export type Change =
  | Readonly<{ kind: 'put'; entry: Entry }>
  | Readonly<{ kind: 'delete'; key: string; revision: number }>

export type WatchEvent =
  /** All changes of one or more commits in order; `revision` is the last of them. */
  | Readonly<{ kind: 'changes'; revision: number; changes: readonly Change[] }>
  /** A sign of life, at least once a second: everything up to `revision` has been delivered. */
  | Readonly<{ kind: 'progress'; revision: number }>
  /** The asked-for revision is no longer kept: list again and watch from the list's revision. */
  | Readonly<{ kind: 'compacted' }>

export interface State {
  get(key: string): Promise<Entry | undefined>
  /** All live entries whose key starts with `prefix`, ordered by key, as of `revision`. */
  list(prefix: string): Promise<Readonly<{ revision: number; entries: readonly Entry[] }>>
  /** All conditions are tested and all writes are made in one atomic, durable step, or none. */
  commit(conditions: readonly Condition[], writes: readonly Write[]): Promise<Commit>
  /** Changes after `fromRevision` under `prefix`, in order, without gaps, until `signal` aborts. */
  watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncIterable<WatchEvent>
  close(): Promise<void>
}
