import type { NewContent, Slice } from './commands.ts'
import type { IndexDatabase } from './index-database.ts'
import { nextSequence, refuse } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

/** A new content with one reference, which the caller gives to a version or a part. `null`: no bytes, no row. */
export function addContent(context: WriteContext, content: NewContent): number | null {
  if (content === undefined) return null
  const id = nextSequence(context)
  const bytes = 'bytes' in content ? content.bytes : null
  const file = 'file' in content ? content.file : null
  context.index.run(
    'INSERT INTO content (id, refs, file, parts, bytes) VALUES (?, 1, ?, NULL, ?)',
    id,
    file,
    bytes,
  )
  return id
}

/** One more reference. Refused when the content has been released meanwhile. */
export function share(context: WriteContext, content: number | null): void {
  if (content === null) return
  if (context.index.run('UPDATE content SET refs = refs + 1 WHERE id = ?', content) === 0) {
    throw refuse('conditional_conflict', 'The source changed while it was being copied. Try again.')
  }
}

/** One reference less; the last one takes the bytes along. Ids are never used twice, so a late reader meets nothing. */
export function release(context: WriteContext, content: number | null): void {
  if (content === null) return
  const { index } = context
  const row = index.row<{ refs: number; file: string | null }>(
    'SELECT refs, file FROM content WHERE id = ?',
    content,
  )
  if (row === undefined) throw new Error(`content ${content} is gone while it is referred to`)
  if (row.refs > 1) {
    index.run('UPDATE content SET refs = refs - 1 WHERE id = ?', content)
    return
  }
  for (const { source } of segmentsOf(index, content)) release(context, source)
  index.run('DELETE FROM segment WHERE content = ?', content)
  index.run('DELETE FROM content WHERE id = ?', content)
  if (row.file !== null) {
    index.run('INSERT INTO garbage (file) VALUES (?)', row.file)
    context.garbage.push(row.file)
  }
}

/** A content made of stretches of others, which it holds on to. No byte is moved. */
export function compose(
  context: WriteContext,
  slices: readonly Slice[],
  parts: string | null,
): number {
  const { index } = context
  const id = nextSequence(context)
  index.run(
    'INSERT INTO content (id, refs, file, parts, bytes) VALUES (?, 1, NULL, ?, NULL)',
    id,
    parts,
  )
  let start = 0
  for (const { source, offset, length } of slices) {
    share(context, source)
    index.run('INSERT INTO segment VALUES (?, ?, ?, ?, ?)', id, start, source, offset, length)
    start += length
  }
  return id
}

/** Where a run of bytes lies: at once here, or in stretches of files. */
export type Location =
  | { kind: 'inline'; bytes: Uint8Array }
  | { kind: 'files'; slices: readonly (Slice & { file: string })[] }

/** Bytes `first` to `first + length` of a content. */
export function locate(
  index: IndexDatabase,
  content: number,
  first: number,
  length: number,
): Location {
  const row = index.row<{ file: string | null; bytes: Uint8Array | null }>(
    'SELECT file, bytes FROM content WHERE id = ?',
    content,
  )
  if (row === undefined) throw new Error(`content ${content} is gone while it is referred to`)
  if (row.bytes !== null)
    return { kind: 'inline', bytes: row.bytes.subarray(first, first + length) }
  if (row.file === null) return { kind: 'files', slices: segmentsIn(index, content, first, length) }
  return { kind: 'files', slices: [{ source: content, offset: first, length, file: row.file }] }
}

function segmentsIn(
  index: IndexDatabase,
  content: number,
  first: number,
  length: number,
): (Slice & { file: string })[] {
  const segments = index.rows<Slice & { start: number; file: string }>(
    `SELECT start, source, offset, length, file FROM segment JOIN content ON content.id = source
     WHERE segment.content = ?1 AND start < ?2 AND start >= (
       SELECT coalesce(max(start), 0) FROM segment WHERE content = ?1 AND start <= ?3
     ) ORDER BY start`,
    content,
    first + length,
    first,
  )
  return segments.map(({ start, source, offset, length: segmentLength, file }) => {
    const skip = Math.max(first - start, 0)
    const end = Math.min(first + length - start, segmentLength)
    return { source, offset: offset + skip, length: end - skip, file }
  })
}

function segmentsOf(index: IndexDatabase, content: number): { source: number }[] {
  return index.rows('SELECT source FROM segment WHERE content = ?', content)
}
