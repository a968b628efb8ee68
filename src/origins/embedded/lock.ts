import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/**
 * Keeps a second origin from the same directory, in this process or another. The lock is the operating system's, taken
 * through SQLite since Node has no call of its own for it: it ends with the process, however that ends.
 * @returns how to let go.
 */
export function lockDirectory(dir: string, file: string): () => void {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    chmodSync(file, 0o600)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    const message = `${dir} is in use: another server has it open. Two cannot share one directory.`
    throw isBusy(cause) ? new Error(message, { cause }) : cause
  }
  return () => database.close()
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}
