/** SQLite's primary result codes that a full disk shows itself by. */
const sqliteIoError = 10
const sqliteFull = 13

/**
 * What goes wrong while something on disk is opened, said with its path and, where that helps, with what to do: the system
 * and SQLite often name neither. Errors that are not theirs say all of it already and come back as they are.
 */
export function storageFailure(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error
  if (error.code !== 'ERR_SQLITE_ERROR' && !/^E[A-Z0-9]+$/.test(error.code)) return error
  const message = `${path} cannot be opened: ${error.message}.${adviceFor(error, error.code)}`
  return new Error(message, { cause: error })
}

function adviceFor(error: Error, code: string): string {
  const errcode = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
  if (code === 'ENOSPC' || code === 'EDQUOT' || errcode === sqliteFull) {
    return ' The disk is full: make room on it, then start again.'
  }
  // What SQLite says when there is no room for its shared memory, among other things.
  if (code === 'EIO' || errcode === sqliteIoError) {
    return ' The disk is full or broken: look whether it has room and what the system log says, then start again.'
  }
  return ''
}
