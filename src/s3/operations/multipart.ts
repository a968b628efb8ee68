import type { ChecksumAlgorithm } from '../../checksums/index.ts'
import type { HttpResponse } from '../../http.ts'
import type { S3Facts } from '../../policy/index.ts'
import { authorize, objectAccess, openBucket, storedTags, writeFacts } from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import { malformedXml, openObjectBody, readXmlBody } from '../body.ts'
import type { ObjectCall } from '../call.ts'
import { bareEtag, parseSize, parseWriteConditions } from '../conditions.ts'
import { copySourceFact, findSource, parseCopySource, sourceVersionHeader } from '../copy-source.ts'
import type { CopySource } from '../copy-source.ts'
import {
  checksumAlgorithms,
  checksumHeader,
  parseChecksumChoice,
  parseChecksumType,
  parseClaimedValue,
} from '../integrity.ts'
import { answerInTime } from '../late-answer.ts'
import { parseObjectAttributes, refuseUnserved } from '../object-attributes.ts'
import { OriginError } from '../origin-error.ts'
import type { OriginRequest, Upload } from '../origin.ts'
import { resolveRange } from '../range.ts'
import type { Extent } from '../range.ts'
import { renderChecksum, renderChecksumValue } from '../render.ts'
import { retryChanged } from '../retry-changed.ts'
import { emptyResponse, locationOf, quoted, versionHeaders, xmlResponse } from '../responses.ts'
import type { XmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { childrenOf, childText } from '../xml-parse.ts'
import type { XmlElement } from '../xml-parse.ts'
import { element, wrap, xmlDocument, xmlTime } from '../xml.ts'
import { encodeListed, renderOwner } from '../listing.ts'
import { writeAccesses } from './write-object.ts'

const mostParts = 10_000
// Ten thousand parts with a SHA-256 each take about two mebibytes.
const largestCompletion = 4 * 1024 * 1024

/** CreateMultipartUpload: what the object will be like is said here. */
export async function createMultipartUpload(call: ObjectCall): Promise<HttpResponse> {
  const { headers } = call.fields
  refuseUnserved(headers)
  const attributes = parseObjectAttributes(headers)
  const checksum = parseChecksumChoice(headers)
  const open = await openBucket(call)
  const facts = { ...(await partFacts(call, open)), ObjectCreationOperation: false }
  await authorize(call, writeAccesses(call, open, call.key, { attributes, conditions: {}, facts }))
  const { uploadId } = await call.face.options.origin.handle('CreateMultipartUpload', {
    bucket: call.bucket,
    key: call.key,
    attributes,
    ...(checksum === undefined ? {} : { checksum }),
  })
  const document = xmlDocument(
    'InitiateMultipartUploadResult',
    element('Bucket', call.bucket),
    element('Key', call.key),
    element('UploadId', uploadId),
  )
  return xmlResponse(
    document,
    checksum === undefined
      ? {}
      : {
          'x-amz-checksum-algorithm': checksum.algorithm,
          'x-amz-checksum-type': checksum.type,
        },
  )
}

async function partFacts(call: ObjectCall, open: OpenBucket): Promise<S3Facts> {
  return { ...writeFacts(call), ...(await storedTags(call, open, call.key)) }
}

/** UploadPart. */
export async function uploadPart(call: ObjectCall): Promise<HttpResponse> {
  refuseUnserved(call.fields.headers)
  const part = { uploadId: parseUploadId(call), partNumber: parsePartNumber(call) }
  const open = await openBucket(call)
  const facts = { ...(await partFacts(call, open)), ObjectCreationOperation: false }
  await authorize(call, [objectAccess(call, open, call.key, 's3:PutObject', facts)])
  const algorithm = await uploadAlgorithm(call, part.uploadId)
  const body = openObjectBody(call, algorithm)
  call.request.proceed()
  const stored = await call.face.options.origin.handle('UploadPart', {
    bucket: call.bucket,
    key: call.key,
    ...part,
    body,
  })
  return emptyResponse(200, {
    etag: quoted(stored.etag),
    ...(stored.checksum === undefined
      ? {}
      : { [checksumHeader(stored.checksum.algorithm)]: stored.checksum.value }),
  })
}

/** The algorithm that the upload was created with; also learns before the body is read that there is no such upload. */
async function uploadAlgorithm(
  call: ObjectCall,
  uploadId: string,
): Promise<ChecksumAlgorithm | undefined> {
  const { upload } = await call.face.options.origin.handle('ListParts', {
    bucket: call.bucket,
    key: call.key,
    uploadId,
    partNumberMarker: 0,
    maxParts: 1,
  })
  return upload.checksum?.algorithm
}

/** UploadPartCopy. */
export async function uploadPartCopy(call: ObjectCall): Promise<HttpResponse> {
  const { headers } = call.fields
  refuseUnserved(headers)
  const part = { uploadId: parseUploadId(call), partNumber: parsePartNumber(call) }
  const source = parseCopySource(headers.get('x-amz-copy-source') ?? '')
  const judged = await judgePartCopy(call, source)
  const copying = retryChanged(
    judged,
    () => judgePartCopy(call, source),
    (copyable) => copyPart(call, { ...part, ...copyable }),
  )
  return await answerInTime(call, copying, sourceVersionHeader(source))
}

type PartCopy = OriginRequest<'UploadPartCopy'>

async function judgePartCopy(
  call: ObjectCall,
  source: CopySource,
): Promise<Pick<PartCopy, 'source' | 'range'>> {
  const open = await openBucket(call)
  const facts = {
    ...writeFacts(call, new Map([copySourceFact(source)])),
    ...(await storedTags(call, open, call.key)),
    ObjectCreationOperation: false,
  }
  const { object, access } = await findSource(call, source)
  await authorize(call, [objectAccess(call, open, call.key, 's3:PutObject', facts), access])
  const range = parseCopyRange(call.fields.headers.get('x-amz-copy-source-range'), object.size)
  const judged = { ...source, etag: object.etag }
  return { source: judged, ...(range === undefined ? {} : { range }) }
}

async function copyPart(
  call: ObjectCall,
  copying: Omit<PartCopy, 'bucket' | 'key'>,
): Promise<XmlResponse> {
  const { bucket, key } = call
  const { origin } = call.face.options
  const copied = await origin.handle('UploadPartCopy', { bucket, key, ...copying })
  const document = xmlDocument(
    'CopyPartResult',
    element('LastModified', xmlTime(copied.lastModified)),
    element('ETag', quoted(copied.etag)),
    renderChecksumValue(copied.checksum),
  )
  return xmlResponse(document)
}

/** Unlike a read's range this one is never ignored: the part would silently hold other bytes. */
function parseCopyRange(header: string | undefined, size: number): Extent | undefined {
  if (header === undefined) return undefined
  const match = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(header)
  const first = Number(match?.[1])
  const last = Number(match?.[2])
  if (match === null || last < first) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      header,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    )
  }
  if (last >= size) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      header,
      `Range specified is not valid for source object of size: ${size}`,
    )
  }
  return resolveRange({ kind: 'from-to', first, last }, size)
}

/** CompleteMultipartUpload: the parts become the object in one step. */
export async function completeMultipartUpload(call: ObjectCall): Promise<HttpResponse> {
  const { headers } = call.fields
  const uploadId = parseUploadId(call)
  const conditions = parseWriteConditions(headers)
  const open = await openBucket(call)
  const facts = { ...(await partFacts(call, open)), ObjectCreationOperation: true }
  const attributes = { tags: new Map<string, string>() }
  await authorize(call, writeAccesses(call, open, call.key, { attributes, conditions, facts }))
  const document = await readXmlBody(call, 'CompleteMultipartUpload', {
    maxBytes: largestCompletion,
    integrity: 'object',
  })
  const completing = {
    uploadId,
    parts: parseParts(document),
    ...completionClaims(headers),
    conditions,
  }
  return await answerInTime(call, complete(call, completing))
}

async function complete(
  call: ObjectCall,
  completing: Omit<OriginRequest<'CompleteMultipartUpload'>, 'bucket' | 'key'>,
): Promise<XmlResponse> {
  const { bucket, key } = call
  const { origin } = call.face.options
  const stored = await origin.handle('CompleteMultipartUpload', { bucket, key, ...completing })
  const result = xmlDocument(
    'CompleteMultipartUploadResult',
    element('Location', locationOf(call, call.bucket, call.key)),
    element('Bucket', call.bucket),
    element('Key', call.key),
    element('ETag', quoted(stored.etag)),
    renderChecksum(stored.checksum),
  )
  return xmlResponse(result, versionHeaders(stored))
}

type Parts = OriginRequest<'CompleteMultipartUpload'>['parts']

function completionClaims(headers: ReadonlyMap<string, string>) {
  const checksum = parseClaimedValue(headers)
  const checksumType = parseChecksumType(headers)
  const size = headers.get('x-amz-mp-object-size')
  return {
    ...(checksum === undefined ? {} : { checksum }),
    ...(checksumType === undefined ? {} : { checksumType }),
    ...(size === undefined ? {} : { objectSize: parseSize('x-amz-mp-object-size', size) }),
  }
}

function parseParts(document: XmlElement | undefined): Parts {
  const parts = document === undefined ? [] : childrenOf(document, 'Part').map(parsePart)
  if (parts.length === 0 || parts.length > mostParts) {
    throw malformedXml('You must specify at least one part.')
  }
  return parts
}

function parsePart(part: XmlElement): Parts[number] {
  const number = childText(part, 'PartNumber')?.trim() ?? ''
  const etag = childText(part, 'ETag')
  if (!/^\d{1,5}$/.test(number) || etag === undefined) {
    throw malformedXml('A Part needs a PartNumber and an ETag.')
  }
  const checksum = partChecksum(part)
  return {
    partNumber: Number(number),
    etag: bareEtag(etag),
    ...(checksum === undefined ? {} : { checksum }),
  }
}

function partChecksum(part: XmlElement): string | undefined {
  for (const algorithm of checksumAlgorithms.keys()) {
    const value = childText(part, `Checksum${algorithm}`)
    if (value !== undefined) return value.trim()
  }
  return undefined
}

/** AbortMultipartUpload. */
export async function abortMultipartUpload(call: ObjectCall): Promise<HttpResponse> {
  const uploadId = parseUploadId(call)
  const open = await openBucket(call)
  await authorize(call, [objectAccess(call, open, call.key, 's3:AbortMultipartUpload')])
  await call.face.options.origin.handle('AbortMultipartUpload', {
    bucket: call.bucket,
    key: call.key,
    uploadId,
  })
  return emptyResponse(204)
}

/** ListParts. */
export async function listParts(call: ObjectCall): Promise<HttpResponse> {
  const uploadId = parseUploadId(call)
  const partNumberMarker = parseCount(call, 'part-number-marker', 0)
  const maxParts = Math.min(parseCount(call, 'max-parts', 1000), 1000)
  const encode = encodeListed(call)
  const open = await openBucket(call)
  await authorize(call, [objectAccess(call, open, call.key, 's3:ListMultipartUploadParts')])
  const page = await call.face.options.origin.handle('ListParts', {
    bucket: call.bucket,
    key: call.key,
    uploadId,
    partNumberMarker,
    // The origin tells that the upload exists even where no part is asked for.
    maxParts: Math.max(maxParts, 1),
  })
  const parts = page.parts.slice(0, maxParts)
  const truncated = maxParts > 0 && page.nextPartNumberMarker !== undefined
  return xmlResponse(
    xmlDocument(
      'ListPartsResult',
      element('Bucket', call.bucket),
      element('Key', encode(call.key)),
      element('UploadId', uploadId),
      wrap('Initiator', renderOwner(call)),
      wrap('Owner', renderOwner(call)),
      element('StorageClass', page.upload.storageClass ?? 'STANDARD'),
      element('PartNumberMarker', partNumberMarker),
      element('NextPartNumberMarker', parts.at(-1)?.partNumber ?? partNumberMarker),
      element('MaxParts', maxParts),
      element('IsTruncated', truncated),
      renderChoice(page.upload),
      ...parts.map((part) =>
        wrap(
          'Part',
          element('PartNumber', part.partNumber),
          element('LastModified', xmlTime(part.lastModified)),
          element('ETag', quoted(part.etag)),
          element('Size', part.size),
          renderChecksumValue(part.checksum),
        ),
      ),
    ),
  )
}

/** The upload's checksum choice, as lists name it. */
export function renderChoice(upload: Upload): string {
  return (
    element('ChecksumAlgorithm', upload.checksum?.algorithm) +
    element('ChecksumType', upload.checksum?.type)
  )
}

function parseUploadId(call: ObjectCall): string {
  const uploadId = call.fields.parameters.get('uploadId') ?? ''
  if (/^[!-~]{1,512}$/.test(uploadId)) return uploadId
  throw new OriginError(
    'no_such_upload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  )
}

function parsePartNumber(call: ObjectCall): number {
  const text = call.fields.parameters.get('partNumber') ?? ''
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= mostParts) return number
  throw invalidArgument(
    'partNumber',
    text,
    `Part number must be an integer between 1 and ${mostParts}, inclusive`,
  )
}

function parseCount(call: ObjectCall, name: string, otherwise: number): number {
  const text = call.fields.parameters.get(name)
  if (text === undefined || text === '') return otherwise
  if (!/^\d{1,9}$/.test(text)) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`)
  }
  return Number(text)
}
