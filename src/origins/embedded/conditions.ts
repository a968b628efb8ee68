import type { WriteConditions } from '../../s3/index.ts'
import { noSuch } from './lookups.ts'
import type { VersionRow } from './rows.ts'
import { refuse } from './write-context.ts'

type Current = Pick<VersionRow, 'etag' | 'size' | 'modified' | 'marker'> | undefined

/** RFC 9110, section 13, as S3 applies it to writes. A delete marker counts as nothing there. */
export function checkWrite(current: Current, conditions: WriteConditions): void {
  const there = current?.marker === 0 ? current : undefined
  const { ifMatch, ifNoneMatch } = conditions
  if (ifNoneMatch !== undefined && there !== undefined && matches(ifNoneMatch, there.etag)) {
    throw failed('If-None-Match')
  }
  if (ifMatch === undefined) return
  if (there === undefined) throw noSuch('key')
  if (!matches(ifMatch, there.etag)) throw failed('If-Match')
}

/** Returns whether there is anything to do: a condition on what is not there is met by leaving it so. */
export function checkDelete(current: Current, conditions: WriteConditions): boolean {
  const { ifMatch, ifMatchSize, ifMatchLastModified } = conditions
  const asked = [ifMatch, ifMatchSize, ifMatchLastModified].some((value) => value !== undefined)
  if (!asked) return true
  if (current === undefined || current.marker === 1) return false
  if (ifMatch !== undefined && !matches(ifMatch, current.etag)) throw failed('If-Match')
  if (ifMatchSize !== undefined && ifMatchSize !== current.size) {
    throw failed('x-amz-if-match-size')
  }
  if (ifMatchLastModified !== undefined && !sameSecond(ifMatchLastModified, current.modified)) {
    throw failed('x-amz-if-match-last-modified-time')
  }
  return true
}

function matches(condition: string, etag: string): boolean {
  return condition === '*' || condition === etag
}

/** Clients know the instant from a header, which has whole seconds only. */
function sameSecond(instant: Date, milliseconds: number): boolean {
  return Math.floor(instant.getTime() / 1000) === Math.floor(milliseconds / 1000)
}

function failed(condition: string): Error {
  const message = 'At least one of the preconditions you specified did not hold.'
  return refuse('precondition_failed', message, { condition })
}
