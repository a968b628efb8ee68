import { createHash } from 'node:crypto'
import type { Commands, Slice } from './commands.ts'
import { checkWrite } from './conditions.ts'
import { compose, locate } from './contents.ts'
import { bucketById, newestVersion, noSuch, uploadById } from './lookups.ts'
import { combineChecksum } from './part-checksums.ts'
import { checkPartList, claimedParts } from './part-list.ts'
import { decodeChecksumKind, encodeChecksum, encodeKey } from './rows.ts'
import type { PartRow } from './rows.ts'
import { removeUpload } from './apply-uploads.ts'
import { addVersion } from './versions.ts'
import type { WriteContext } from './write-context.ts'

type Complete = Commands['CompleteMultipartUpload']

/** How long a repeated completion is still answered like the first one. */
const rememberedMs = 15 * 60_000

/** Makes the listed parts one object without moving a byte: the object is the list of its parts' stretches. */
export function completeMultipartUpload(
  context: WriteContext,
  request: Complete['request'],
): Complete['response'] {
  const repeated = findCompleted(context, request)
  if (repeated !== undefined) return repeated
  const { index } = context
  const bucket = bucketById(index, request.bucket)
  const objectKey = encodeKey(request.key)
  const upload = uploadById(index, request.bucket, objectKey, request.uploadId)
  const parts = claimedParts(index, request)
  checkPartList(parts, request)
  const declared = decodeChecksumKind(upload.checksum).checksum
  const checksum = combineChecksum(declared, parts, request)
  checkWrite(newestVersion(index, bucket.id, objectKey), request.conditions)

  const etag = multipartEtag(parts)
  const content = compose(
    context,
    stretches(context, parts),
    JSON.stringify(parts.map(withoutContent)),
  )
  removeUpload(context, request.uploadId, request.bucket, request.key)
  const versionId = addVersion(context, bucket, request, {
    marker: 0,
    size: sizeOf(parts),
    etag,
    content,
    checksum: encodeChecksum(checksum),
    storage_class: upload.storage_class,
    attributes: upload.attributes,
    tags: upload.tags,
  })
  const versioned = bucket.versioning !== 'Off'
  const response = { etag, versionId, versioned, ...(checksum === undefined ? {} : { checksum }) }
  remember(context, request, response)
  return response
}

function stretches({ index }: WriteContext, parts: readonly PartRow[]): Slice[] {
  return parts.flatMap(({ content, size, number }) => {
    if (content === null) return []
    const location = locate(index, content, 0, size)
    if (location.kind === 'files') return location.slices
    throw new Error(`part ${number} is inline: parts always lie in files`)
  })
}

function withoutContent(part: PartRow): PartRow {
  return { ...part, content: null }
}

function sizeOf(parts: readonly PartRow[]): number {
  return parts.reduce((sum, part) => sum + part.size, 0)
}

/** MD5 over the parts' MD5s, and how many they are. */
function multipartEtag(parts: readonly PartRow[]): string {
  const hash = createHash('md5')
  for (const part of parts) hash.update(Buffer.from(part.etag, 'hex'))
  return `${hash.digest('hex')}-${parts.length}`
}

/** `undefined` when this upload was not completed lately. Completed with another list: it is gone. */
function findCompleted(
  { index }: WriteContext,
  request: Complete['request'],
): Complete['response'] | undefined {
  const row = index.row<{ request: string; response: string }>(
    'SELECT request, response FROM completed WHERE upload_id = ? AND bucket = ? AND key = ? AND at > ?',
    request.uploadId,
    request.bucket,
    encodeKey(request.key),
    request.at - rememberedMs,
  )
  if (row === undefined) return undefined
  if (row.request !== fingerprint(request)) throw noSuch('upload')
  return JSON.parse(row.response) as Complete['response'] // oxlint-disable-line typescript/no-unsafe-type-assertion -- written by remember()
}

function remember(
  { index }: WriteContext,
  request: Complete['request'],
  response: Complete['response'],
): void {
  index.run('DELETE FROM completed WHERE at <= ?', request.at - rememberedMs)
  index.run(
    'INSERT OR REPLACE INTO completed VALUES (?, ?, ?, ?, ?, ?)',
    request.uploadId,
    request.bucket,
    encodeKey(request.key),
    request.at,
    fingerprint(request),
    JSON.stringify(response),
  )
}

function fingerprint({ parts }: Complete['request']): string {
  const list = JSON.stringify(parts.map(({ partNumber, etag }) => [partNumber, etag]))
  return createHash('sha256').update(list).digest('hex')
}
