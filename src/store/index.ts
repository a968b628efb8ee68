/**
 * The store: adapters of the State port. Owns how documents, revisions and their history lie on disk; takes a file
 * name and a clock; gives a `State`. Knows nothing of what the documents mean and never reads inside a value.
 */
export { openSqliteState } from './sqlite-state.ts'
export type { SqliteStateOptions } from './sqlite-state.ts'
