import type { OriginRequest, StoredPart } from '../../s3/index.ts'
import { refuse } from './write-context.ts'

export type Stretch = Readonly<{ first: number; length: number }>

type Asked = Pick<OriginRequest<'GetObject'>, 'range' | 'partNumber'>

/** What of the object is asked for. `undefined`: all of it. RFC 9110, section 14.1.2, for one range. */
export function resolveRange(
  size: number,
  parts: readonly StoredPart[] | undefined,
  { range, partNumber }: Asked,
): Stretch | undefined {
  if (partNumber !== undefined) return partStretch(size, parts, partNumber)
  if (range === undefined) return undefined
  if (range.kind === 'suffix') {
    const length = Math.min(range.length, size)
    if (length <= 0) throw unsatisfiable(size)
    return { first: size - length, length }
  }
  const { first } = range
  const last = Math.min(range.last ?? Infinity, size - 1)
  if (first < 0 || first > last) throw unsatisfiable(size)
  return { first, length: last - first + 1 }
}

/** An object that did not come in parts is its own part 1. */
function partStretch(
  size: number,
  parts: readonly StoredPart[] | undefined,
  partNumber: number,
): Stretch | undefined {
  let first = 0
  for (const part of parts ?? [{ partNumber: 1, size }]) {
    // An empty part has no range that could be named; only an empty object has an empty first part.
    if (part.partNumber === partNumber)
      return part.size === 0 && size === 0 ? undefined : { first, length: part.size }
    first += part.size
  }
  throw refuse('invalid_part_number', 'The requested part number is not satisfiable.', {
    partNumber,
    partsCount: parts?.length ?? 1,
  })
}

function unsatisfiable(size: number): Error {
  return refuse('invalid_range', 'The requested range is not satisfiable.', { size })
}
