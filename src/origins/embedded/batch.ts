import { apply } from './apply.ts'
import type { Batch, BatchResult, Command, Outcome } from './commands.ts'
import type { KeptFiles } from './kept-files.ts'
import { IndexRefusal } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

/** SQLite's BUSY, NOMEM, IOERR, CORRUPT and FULL: the transaction as a whole has no future. */
const fatal = new Set([5, 7, 10, 11, 13])

/**
 * Many commands, one transaction, one sync. Each command has its own savepoint: one that is refused, or that trips
 * over a fault of ours, takes back its own writes and nobody else's. Nothing is done that the database's files, as their
 * names find them, do not hold.
 */
export function runBatch(context: WriteContext, kept: KeptFiles, batch: Batch): BatchResult {
  const { index, sequence } = context
  context.garbage.length = 0
  let outcomes: Outcome[] = []
  let committing = false
  try {
    kept.assertKept()
    index.run('BEGIN IMMEDIATE')
    for (const file of batch.collected) index.run('DELETE FROM garbage WHERE file = ?', file)
    outcomes = batch.commands.map((command) => attempt(context, command))
    if (context.sequence !== sequence) {
      index.run('UPDATE counter SET sequence = ?', context.sequence)
    }
    committing = true
    index.run('COMMIT')
    kept.assertKept()
    return { outcomes, garbage: [...context.garbage] }
  } catch (error) {
    const kind = committing ? 'unknown' : 'failed'
    rollBack(context)
    return { outcomes: batch.commands.map(() => broken(kind, error)), garbage: [] }
  }
}

function attempt(context: WriteContext, command: Command): Outcome {
  const { index, garbage } = context
  const before = garbage.length
  index.run('SAVEPOINT command')
  try {
    const value = apply(context, command)
    index.run('RELEASE command')
    return { kind: 'done', value }
  } catch (error) {
    if (!index.inTransaction || isFatal(error)) throw error
    index.run('ROLLBACK TO command')
    index.run('RELEASE command')
    garbage.length = before
    return error instanceof IndexRefusal ? refused(error) : broken('failed', error)
  }
}

/** SQLite has often rolled back by itself, on a full disk for one. */
function rollBack({ index }: WriteContext): void {
  if (index.inTransaction) index.run('ROLLBACK')
}

function isFatal(error: unknown): boolean {
  // The low byte is the primary result code.
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    fatal.has(error.errcode & 0xff)
  )
}

function refused({ code, message, detail }: IndexRefusal): Outcome {
  return { kind: 'refused', code, message, detail }
}

function broken(kind: 'failed' | 'unknown', error: unknown): Outcome {
  return { kind, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
