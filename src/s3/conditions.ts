import type { StoredObject, WriteConditions } from './origin.ts'
import { invalidArgument, S3Error } from './s3-error.ts'

type Headers = ReadonlyMap<string, string>

/**
 * The conditions of a write, to be tested by the origin in the same step as the write itself.
 *
 * @throws S3Error `not_implemented` for conditions that writes do not know: ignoring one would overwrite what the client
 *   meant to keep.
 */
export function parseWriteConditions(headers: Headers): WriteConditions {
  for (const name of ['if-modified-since', 'if-unmodified-since'] as const) {
    if (headers.has(name)) throw unknownCondition(name)
  }
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: singleEtag('if-match', ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: singleEtag('if-none-match', ifNoneMatch) }),
  }
}

/** The conditions of a deletion. */
export function parseDeleteConditions(headers: Headers): WriteConditions {
  if (headers.has('if-none-match')) throw unknownCondition('if-none-match')
  const size = headers.get('x-amz-if-match-size')
  const lastModified = headers.get('x-amz-if-match-last-modified-time')
  return {
    ...parseWriteConditions(headers),
    ...(size === undefined ? {} : { ifMatchSize: parseSize('x-amz-if-match-size', size) }),
    ...(lastModified === undefined ? {} : { ifMatchLastModified: parseInstant(lastModified) }),
  }
}

/** A byte count in decimal digits. @throws S3Error `invalid_argument` */
export function parseSize(name: string, text: string): number {
  const size = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(size)) {
    throw invalidArgument(name, text, `${name} must be a number of bytes.`)
  }
  return size
}

function parseInstant(text: string): Date {
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime())) {
    throw invalidArgument('x-amz-if-match-last-modified-time', text, 'This is not a date.')
  }
  return instant
}

function singleEtag(name: string, value: string): string {
  const etags = parseEtags(value)
  const [etag] = etags
  if (etag === undefined || etag === '' || etags.length > 1) throw unknownCondition(name)
  return etag
}

function unknownCondition(header: string): S3Error {
  return new S3Error(
    'not_implemented',
    'A header you provided implies functionality that is not implemented.',
    { detail: { header } },
  )
}

function parseEtags(value: string): readonly string[] {
  return value.split(',').map(bareEtag)
}

/** An ETag without quotes and without the mark of a weak one. */
export function bareEtag(text: string): string {
  return text
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')
}

/** What the four conditions of a read say, by RFC 9110, section 13.2.2. */
export type ReadVerdict =
  | Readonly<{ kind: 'send' }>
  | Readonly<{ kind: 'not-modified' }>
  | Readonly<{ kind: 'failed'; condition: string }>

type Judged = Pick<StoredObject, 'etag' | 'lastModified'>

/** @param prefix `` for a read, `x-amz-copy-source-` for the source of a copy. */
export function evaluateRead(
  headers: Headers,
  object: Judged,
  now: Date,
  prefix = '',
): ReadVerdict {
  const ifMatch = headers.get(`${prefix}if-match`)
  const ifNoneMatch = headers.get(`${prefix}if-none-match`)
  const unmodifiedSince = parseHttpDate(headers.get(`${prefix}if-unmodified-since`))
  const modifiedSince = parseHttpDate(headers.get(`${prefix}if-modified-since`))
  const modified = seconds(object.lastModified)
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) return { kind: 'failed', condition: 'If-Match' }
  } else if (unmodifiedSince !== undefined && modified > seconds(unmodifiedSince)) {
    return { kind: 'failed', condition: 'If-Unmodified-Since' }
  }
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, object.etag) ? { kind: 'not-modified' } : { kind: 'send' }
  }
  if (modifiedSince !== undefined && modifiedSince <= now && modified <= seconds(modifiedSince)) {
    return { kind: 'not-modified' }
  }
  return { kind: 'send' }
}

function matches(header: string, etag: string): boolean {
  return parseEtags(header).some((one) => one === '*' || one === etag)
}

function parseHttpDate(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const instant = new Date(text)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}

function seconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000)
}

/** Whether a `Range` still belongs to this object: `If-Range` names another one when it was replaced meanwhile. */
export function rangeStillFits(headers: Headers, object: Judged): boolean {
  const ifRange = headers.get('if-range')
  if (ifRange === undefined) return true
  if (ifRange.startsWith('"')) return bareEtag(ifRange) === object.etag
  const date = parseHttpDate(ifRange)
  return date !== undefined && seconds(date) === seconds(object.lastModified)
}

/** @throws S3Error `precondition_failed` unless the source of a copy is what the client thinks. */
export function assertCopySource(headers: Headers, source: Judged, now: Date): void {
  const verdict = evaluateRead(headers, source, now, 'x-amz-copy-source-')
  if (verdict.kind === 'send') return
  throw preconditionFailed(
    verdict.kind === 'failed'
      ? `x-amz-copy-source-${verdict.condition}`
      : 'x-amz-copy-source-If-None-Match',
  )
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    'precondition_failed',
    'At least one of the pre-conditions you specified did not hold.',
    { detail: { condition } },
  )
}
