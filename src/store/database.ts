import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { storageFailure } from '../storage-failure.ts'

/** `history` holds every change of the kept revisions; a NULL value is a delete. */
const schema = `
  CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, expires_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entry_expiry ON entry (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS history (
    revision INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    key TEXT NOT NULL, value TEXT, expires_at INTEGER,
    PRIMARY KEY (revision, ordinal)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS position (
    id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL
  ) STRICT;
  INSERT INTO position VALUES (1, 0, 0) ON CONFLICT DO NOTHING;
`
const schemaVersion = 1
const busyTimeoutMs = 5000

/**
 * Opens the file, readable by its owner only, and makes the tables if they are not there.
 * SQLite gives its -wal and -shm files the mode of the database file, so that one mode covers all three.
 * @throws Error that names the file, and says what to do about a full disk.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  try {
    return await open(file)
  } catch (error) {
    throw storageFailure(file, error)
  }
}

async function open(file: string): Promise<DatabaseSync> {
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
  try {
    await enterWal(database, file)
    database.exec('PRAGMA synchronous = FULL')
    createTables(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The switch to WAL does not wait for other processes that make it at the same moment, so we do. */
async function enterWal(database: DatabaseSync, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = database.prepare('PRAGMA journal_mode = WAL').get()
      if (mode?.['journal_mode'] === 'wal') return
      throw new Error(`${file} lies on a file system that does not support WAL: put it on another`)
    } catch (error) {
      if (attempt === 50 || !isBusy(error)) throw error
      await sleep(20)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}

function createTables(database: DatabaseSync, file: string): void {
  database.exec('BEGIN IMMEDIATE')
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version !== 0 && version !== schemaVersion) {
    database.exec('ROLLBACK')
    throw new Error(`${file} has schema ${String(version)}; this version reads ${schemaVersion}`)
  }
  database.exec(schema)
  database.exec(`PRAGMA user_version = ${schemaVersion}`)
  database.exec('COMMIT')
}
