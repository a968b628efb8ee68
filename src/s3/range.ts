import type { ByteRange } from './origin.ts'
import { S3Error } from './s3-error.ts'

/** Inclusive offsets. */
export type Extent = Readonly<{ first: number; last: number }>

/** One range of bytes; `undefined` for several ranges, other units and bad syntax, which HTTP says to ignore. */
export function parseRange(header: string | undefined): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [, from = '', to = ''] = match
  if (from === '') return to === '' ? undefined : { kind: 'suffix', length: offset(to) }
  const first = offset(from)
  if (to === '') return { kind: 'from-to', first }
  const last = offset(to)
  return last < first ? undefined : { kind: 'from-to', first, last }
}

// Offsets beyond what a number holds exactly are beyond every object too.
function offset(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}

/** @throws S3Error `invalid_range` when it begins past the end. */
export function resolveRange(range: ByteRange, size: number): Extent {
  const extent =
    range.kind === 'suffix'
      ? { first: Math.max(0, size - range.length), last: size - 1 }
      : { first: range.first, last: Math.min(range.last ?? size - 1, size - 1) }
  const empty = range.kind === 'suffix' && range.length === 0
  if (size === 0 || empty || extent.first >= size) {
    throw new S3Error('invalid_range', 'The requested range is not satisfiable.', {
      detail: { size },
    })
  }
  return extent
}
