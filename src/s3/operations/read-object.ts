import type { HttpResponse } from '../../http.ts'
import type { Access, S3Facts } from '../../policy/index.ts'
import { hasControlCharacter } from '../address.ts'
import {
  authorize,
  hideMissing,
  isAllowed,
  objectAccess,
  openBucket,
  readsObjectTags,
  storedTags,
} from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import type { ObjectCall } from '../call.ts'
import { evaluateRead, preconditionFailed, rangeStillFits } from '../conditions.ts'
import { checksumHeader, checksumHeaders } from '../integrity.ts'
import { attributeHeaders } from '../object-attributes.ts'
import { OriginError } from '../origin-error.ts'
import type { ByteRange, OriginResponse, StoredObject, StoredPart } from '../origin.ts'
import { parseRange, resolveRange } from '../range.ts'
import type { Extent } from '../range.ts'
import { headerOfUtf8 } from '../request-fields.ts'
import { quoted } from '../responses.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'

/** A read as asked for. */
type Reading = Readonly<{
  versionId?: string
  range?: ByteRange
  partNumber?: number
  overrides: ReadonlyMap<string, string>
}>

type Opened = OriginResponse<'GetObject'>

/** GetObject. The judgement is on exactly the object whose bytes are sent. */
export async function getObject(call: ObjectCall): Promise<HttpResponse> {
  const reading = parseReading(call)
  const open = await openBucket(call)
  await authorizeRead(call, open, reading.versionId)
  const opened = await openFitting(call, open, reading)
  try {
    await authorizeOpened(call, open, reading, opened.object)
    const unsent = judgeConditions(call, open, opened.object)
    if (unsent !== undefined) {
      await abandon(opened)
      return unsent
    }
  } catch (error) {
    await abandon(opened)
    throw error
  }
  const part = findPart(opened.object, reading.partNumber)
  const extent = opened.range ?? (part === undefined ? undefined : wholeOf(opened.object))
  return answer(call, open, { object: opened.object, extent, part, reading }, opened.body)
}

/** HeadObject: the same answer without the bytes. */
export async function headObject(call: ObjectCall): Promise<HttpResponse> {
  const reading = parseReading(call)
  const open = await openBucket(call)
  await authorizeRead(call, open, reading.versionId)
  const object = await findObject(call, open, reading.versionId)
  await authorizeOpened(call, open, reading, object)
  const unsent = judgeConditions(call, open, object)
  if (unsent !== undefined) return unsent
  const part = findPart(object, reading.partNumber)
  return answer(call, open, { object, extent: extentOf(call, object, reading), part, reading })
}

/** The object, or the refusal that this caller may see of its absence. */
export async function findObject(
  call: ObjectCall,
  open: OpenBucket,
  versionId: string | undefined,
): Promise<StoredObject> {
  try {
    return await call.face.options.origin.handle('HeadObject', {
      bucket: call.bucket,
      key: call.key,
      ...(versionId === undefined ? {} : { versionId }),
    })
  } catch (error) {
    return await hideMissing(call, open, withMarker(error, versionId))
  }
}

/** @throws S3Error `invalid_argument` for an empty version id, which would read another version than was meant. */
export function parseVersionId(call: ObjectCall): string | undefined {
  const versionId = call.fields.parameters.get('versionId')
  if (versionId === undefined) return undefined
  if (versionId === '' || versionId.length > 1024 || hasControlCharacter(versionId)) {
    throw invalidArgument('versionId', versionId, 'Invalid version id specified.')
  }
  return versionId
}

function parseReading(call: ObjectCall): Reading {
  const { headers } = call.fields
  const versionId = parseVersionId(call)
  const partNumber = parsePartNumber(call)
  const range = parseRange(headers.get('range'))
  if (partNumber !== undefined && headers.has('range')) {
    throw new S3Error(
      'invalid_request',
      'Cannot specify both Range header and partNumber query parameter.',
    )
  }
  return {
    ...(versionId === undefined ? {} : { versionId }),
    ...(partNumber === undefined ? {} : { partNumber }),
    ...(range === undefined ? {} : { range }),
    overrides: parseOverrides(call),
  }
}

function parsePartNumber(call: ObjectCall): number | undefined {
  const text = call.fields.parameters.get('partNumber')
  if (text === undefined) return undefined
  const number = Number(text)
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > 10_000) {
    throw invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000.')
  }
  return number
}

const overridable = new Map([
  ['response-content-type', 'content-type'],
  ['response-content-language', 'content-language'],
  ['response-expires', 'expires'],
  ['response-cache-control', 'cache-control'],
  ['response-content-disposition', 'content-disposition'],
  ['response-content-encoding', 'content-encoding'],
])

export const readParameters: readonly string[] = ['versionId', 'partNumber', ...overridable.keys()]

function parseOverrides(call: ObjectCall): ReadonlyMap<string, string> {
  const overrides = new Map<string, string>()
  for (const [parameter, header] of overridable) {
    const value = call.fields.parameters.get(parameter)
    if (value === undefined) continue
    if (call.caller.kind === 'anonymous') {
      throw new S3Error(
        'invalid_request',
        'Request specific response headers cannot be used for anonymous GET requests.',
      )
    }
    // A line break here would begin a header of the attacker's own in our answer.
    if (hasControlCharacter(value)) {
      throw invalidArgument(parameter, '', 'Control characters are not allowed here.')
    }
    overrides.set(header, headerOfUtf8(value))
  }
  return overrides
}

/** The access that reading an object takes; a version has an action of its own. */
export function readAccess(
  call: ObjectCall,
  open: OpenBucket,
  versionId: string | undefined,
  facts: S3Facts = {},
): Access {
  return objectAccess(
    call,
    open,
    call.key,
    versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
    { ...(versionId === undefined ? {} : { versionid: versionId }), ...facts },
  )
}

async function authorizeRead(
  call: ObjectCall,
  open: OpenBucket,
  versionId?: string,
): Promise<void> {
  const tags = await storedTags(call, open, call.key, versionId)
  await authorize(call, [readAccess(call, open, versionId, tags)])
}

/** Between the first judgement and the opening the object may have been replaced by one with other tags. */
async function authorizeOpened(
  call: ObjectCall,
  open: OpenBucket,
  reading: Reading,
  object: StoredObject,
): Promise<void> {
  if (!readsObjectTags(call, open)) return
  const facts = { existingObjectTags: object.tags }
  await authorize(call, [readAccess(call, open, reading.versionId, facts)])
}

async function openFitting(call: ObjectCall, open: OpenBucket, reading: Reading): Promise<Opened> {
  const opened = await openObject(call, open, reading)
  const { range: _, ...whole } = reading
  if (reading.range === undefined) return opened
  if (rangeStillFits(call.fields.headers, opened.object)) return opened
  await abandon(opened)
  return await openObject(call, open, whole)
}

async function openObject(call: ObjectCall, open: OpenBucket, reading: Reading): Promise<Opened> {
  const { versionId, range, partNumber } = reading
  try {
    return await call.face.options.origin.handle('GetObject', {
      bucket: call.bucket,
      key: call.key,
      ...(versionId === undefined ? {} : { versionId }),
      ...(range === undefined ? {} : { range }),
      ...(partNumber === undefined ? {} : { partNumber }),
    })
  } catch (error) {
    if (error instanceof OriginError && error.code === 'invalid_range') {
      throw withRequestedRange(error, call)
    }
    return await hideMissing(call, open, withMarker(error, versionId))
  }
}

function withRequestedRange(error: OriginError, call: ObjectCall): S3Error {
  return new S3Error('invalid_range', 'The requested range is not satisfiable.', {
    detail: { ...error.detail, rangeRequested: call.fields.headers.get('range') },
    cause: error,
  })
}

/** A delete marker is "not found" as the latest version, and "no method for it" when asked for by its id. */
function withMarker(error: unknown, versionId: string | undefined): unknown {
  if (!(error instanceof OriginError) || error.code !== 'delete_marker') return error
  const detail = { ...error.detail, deleteMarker: true }
  if (versionId === undefined) {
    return new OriginError('delete_marker', error.message, { detail, cause: error })
  }
  return new S3Error(
    'method_not_allowed',
    'The specified method is not allowed against this resource.',
    { detail: { ...detail, versionId, resourceType: 'DeleteMarker', allow: 'DELETE' } },
  )
}

function judgeConditions(
  call: ObjectCall,
  open: OpenBucket,
  object: StoredObject,
): HttpResponse | undefined {
  const verdict = evaluateRead(call.fields.headers, object, call.request.receivedAt)
  if (verdict.kind === 'failed') throw preconditionFailed(verdict.condition)
  if (verdict.kind === 'send') return undefined
  return { status: 304, headers: { ...validators(open, object), ...freshness(object) } }
}

function freshness(object: StoredObject): Record<string, string> {
  const kept = Object.entries(object.headers).filter(([name]) =>
    /^(?:cache-control|expires)$/.test(name),
  )
  return Object.fromEntries(kept)
}

function validators(open: OpenBucket, object: StoredObject): Record<string, string> {
  return {
    etag: quoted(object.etag),
    'last-modified': object.lastModified.toUTCString(),
    ...(open.bucket.versioning === 'Off' ? {} : { 'x-amz-version-id': object.versionId }),
  }
}

async function abandon(opened: Opened): Promise<void> {
  await opened.body[Symbol.asyncIterator]().return?.()
}

type Answer = Readonly<{
  object: StoredObject
  extent: Extent | undefined
  part: StoredPart | undefined
  reading: Reading
}>

function answer(
  call: ObjectCall,
  open: OpenBucket,
  sent: Answer,
  body?: AsyncIterable<Uint8Array>,
): HttpResponse {
  const { object, extent } = sent
  const length = extent === undefined ? object.size : extent.last - extent.first + 1
  const headers = {
    ...attributeHeaders(object, sent.reading.overrides),
    ...validators(open, object),
    'accept-ranges': 'bytes',
    'content-length': `${length}`,
    ...(extent === undefined
      ? {}
      : { 'content-range': `bytes ${extent.first}-${extent.last}/${object.size}` }),
    ...(sent.reading.partNumber === undefined || object.parts === undefined
      ? {}
      : { 'x-amz-mp-parts-count': `${object.parts.length}` }),
    ...tagCount(call, open, sent),
    ...checksums(call, sent),
  }
  return {
    status: extent === undefined ? 200 : 206,
    headers,
    ...(body === undefined ? {} : { body }),
  }
}

function tagCount(call: ObjectCall, open: OpenBucket, sent: Answer): Record<string, string> {
  const { object, reading } = sent
  if (object.tags.size === 0) return {}
  const versioned = reading.versionId !== undefined
  const action = versioned ? 's3:GetObjectVersionTagging' : 's3:GetObjectTagging'
  const facts = {
    existingObjectTags: object.tags,
    ...(reading.versionId === undefined ? {} : { versionid: reading.versionId }),
  }
  return isAllowed(call, [objectAccess(call, open, call.key, action, facts)])
    ? { 'x-amz-tagging-count': `${object.tags.size}` }
    : {}
}

/** Clients verify what they get, so a checksum goes only with the very bytes that it is of. */
function checksums(call: ObjectCall, sent: Answer): Record<string, string> {
  if (call.fields.headers.get('x-amz-checksum-mode')?.toUpperCase() !== 'ENABLED') return {}
  const { object, extent, part } = sent
  if (extent === undefined) return checksumHeaders(object.checksum)
  if (part?.checksum === undefined || object.parts === undefined) return {}
  return { [checksumHeader(part.checksum.algorithm)]: part.checksum.value }
}

function findPart(object: StoredObject, partNumber: number | undefined): StoredPart | undefined {
  if (partNumber === undefined) return undefined
  return (
    object.parts?.find((part) => part.partNumber === partNumber) ?? {
      partNumber: 1,
      size: object.size,
      etag: object.etag,
      lastModified: object.lastModified,
    }
  )
}

function wholeOf(object: StoredObject): Extent | undefined {
  return object.size === 0 ? undefined : { first: 0, last: object.size - 1 }
}

/** What GET would have sent. */
function extentOf(call: ObjectCall, object: StoredObject, reading: Reading): Extent | undefined {
  if (reading.partNumber !== undefined) return partExtent(object, reading.partNumber)
  if (reading.range === undefined) return undefined
  if (!rangeStillFits(call.fields.headers, object)) return undefined
  return resolveRange(reading.range, object.size)
}

function partExtent(object: StoredObject, partNumber: number): Extent | undefined {
  if (object.parts === undefined && partNumber === 1) return wholeOf(object)
  let first = 0
  for (const part of object.parts ?? []) {
    if (part.partNumber === partNumber) return { first, last: first + part.size - 1 }
    first += part.size
  }
  throw new OriginError('invalid_part_number', 'The requested partnumber is not satisfiable.', {
    detail: { partNumber, partCount: object.parts?.length ?? 1 },
  })
}
