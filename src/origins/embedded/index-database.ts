import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'

/**
 * `version.rank` is the negated sequence number, so that ascending order is newest first; the first row of a key is
 * what a read without version id meets. `live` holds only what a plain listing shows.
 *
 * `content` is what bytes live in: inline (`bytes`), one data file (`file`), or, with neither, the `segment`s of
 * a multipart object. It is shared by reference count: a copy is one more reference. Columns are in the order of need:
 * reading `file` or `parts` does not touch the pages of `bytes`.
 *
 * `garbage` names data files that no content refers to any more and that may still be on disk.
 */
const schema = `
  CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL) STRICT;
  INSERT INTO counter VALUES (1, 0);
  CREATE TABLE bucket (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
    versioning TEXT NOT NULL, policy TEXT
  ) STRICT;
  CREATE TABLE content (
    id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, file TEXT, parts TEXT, bytes BLOB
  ) STRICT;
  CREATE INDEX content_file ON content (file) WHERE file IS NOT NULL;
  CREATE TABLE segment (
    content INTEGER NOT NULL, start INTEGER NOT NULL,
    source INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    PRIMARY KEY (content, start)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE version (
    bucket INTEGER NOT NULL, key BLOB NOT NULL, rank INTEGER NOT NULL,
    version_id TEXT NOT NULL, current INTEGER NOT NULL, marker INTEGER NOT NULL,
    modified INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    content INTEGER, checksum TEXT, storage_class TEXT, attributes TEXT, tags TEXT,
    PRIMARY KEY (bucket, key, rank)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX live ON version (bucket, key) WHERE current = 1 AND marker = 0;
  CREATE TABLE upload (
    bucket INTEGER NOT NULL, key BLOB NOT NULL, upload_id TEXT NOT NULL, initiated INTEGER NOT NULL,
    checksum TEXT, storage_class TEXT, attributes TEXT, tags TEXT,
    PRIMARY KEY (bucket, key, upload_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE part (
    upload_id TEXT NOT NULL, number INTEGER NOT NULL, content INTEGER,
    size INTEGER NOT NULL, etag TEXT NOT NULL, checksum TEXT, modified INTEGER NOT NULL,
    PRIMARY KEY (upload_id, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE completed (
    upload_id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL,
    request TEXT NOT NULL, response TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX completed_at ON completed (at);
  CREATE TABLE garbage (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`
const schemaVersion = 1

/** One connection to the index. Statements are prepared once, found again by their text. */
export class IndexDatabase {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** For the one writer. Creates what is missing. A commit returns after its sync. */
  static openWriter(file: string): IndexDatabase {
    const database = new DatabaseSync(file, { timeout: 5000 })
    const index = new IndexDatabase(database)
    // Before the first table: pages of a size that a small object fits into.
    database.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -32000')
    index.#createTables(file)
    return index
  }

  static openReader(file: string): IndexDatabase {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
    database.exec('PRAGMA cache_size = -32000')
    return new IndexDatabase(database)
  }

  /** The first row. `Row` is what the SELECT names: the tables are STRICT, so their types hold. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the columns of the SELECT
  row<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT tables
  }

  rows<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[] // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT tables
  }

  /** Steps only as far as it is read. Do not await in between: it holds a snapshot open. */
  each<Row>(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as Iterable<Row> // oxlint-disable-line typescript/no-unsafe-type-assertion -- columns of our own STRICT tables
  }

  /** Returns how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** All reads of `work` see the same state. It must not await. */
  snapshot<Result>(work: () => Result): Result {
    this.run('BEGIN')
    try {
      return work()
    } finally {
      this.run('COMMIT')
    }
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  close(): void {
    this.#database.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }

  #createTables(file: string): void {
    const version = this.row<{ user_version: number }>('PRAGMA user_version')?.user_version
    if (version === schemaVersion) return
    if (version !== 0) {
      throw new Error(`${file} has schema ${version}; this version reads ${schemaVersion}`)
    }
    this.#database.exec(`BEGIN; ${schema}; PRAGMA user_version = ${schemaVersion}; COMMIT`)
  }
}
