import type { Checksum, ChecksumAlgorithm } from '../../checksums/index.ts'
import type { Ground, Handlers } from './ground.ts'
import { receive } from './intake.ts'
import type { Received } from './intake.ts'
import { decodeUpload } from './listings.ts'
import { bucketByName, uploadById } from './lookups.ts'
import { copyPart } from './part-copy.ts'
import {
  decodeChecksumKind,
  decodePart,
  encodeAttributes,
  encodeChecksum,
  encodeKey,
} from './rows.ts'
import type { PartRow, UploadRow } from './rows.ts'
import { checksumOf, commitContent, openLocation } from './stored-content.ts'
import { refuse } from './write-context.ts'

export const uploadHandlers: Pick<
  Handlers,
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
> = {
  async CreateMultipartUpload({ index, writer, files, now, nonce }, request) {
    files.space.check(0)
    return writer.run('CreateMultipartUpload', {
      bucket: bucketByName(index, request.bucket).id,
      key: request.key,
      at: now(),
      nonce: nonce(),
      attributes: encodeAttributes(request.attributes),
      checksum: encodeChecksum(request.checksum),
    })
  },

  async UploadPart(ground, request) {
    const { writer, files, now } = ground
    const { key, uploadId, partNumber } = request
    checkPartNumber(partNumber)
    const upload = findUpload(ground, request)
    // Never inline: what a finished object is composed of are stretches of files.
    const { content, ...measured } = await receive(files, request.body, 0)
    return commitContent(files, content, async () => {
      const checksum = await partChecksum(ground, upload, { content, ...measured })
      const at = now()
      const place = { bucket: upload.bucket, key, uploadId, partNumber, at }
      await writer.run('UploadPart', { ...place, ...measured, checksum, content })
      return { etag: measured.etag, checksum }
    })
  },

  async UploadPartCopy(ground, request) {
    const { key, uploadId, partNumber } = request
    checkPartNumber(partNumber)
    ground.files.space.check(0)
    const upload = findUpload(ground, request)
    const place = { bucket: upload.bucket, key, uploadId, partNumber }
    return copyPart(ground, request, place, declaredAlgorithm(upload) ?? 'CRC64NVME')
  },

  async CompleteMultipartUpload({ index, writer, now, nonce }, request) {
    return writer.run('CompleteMultipartUpload', {
      ...request,
      bucket: bucketByName(index, request.bucket).id,
      at: now(),
      nonce: nonce(),
    })
  },

  async AbortMultipartUpload({ index, writer }, { bucket, key, uploadId }) {
    const id = bucketByName(index, bucket).id
    await writer.run('AbortMultipartUpload', { bucket: id, key, uploadId })
    return {}
  },

  async ListParts(ground, request) {
    const { index } = ground
    return index.snapshot(() => {
      const upload = findUpload(ground, request)
      const { partNumberMarker, maxParts } = request
      const rows = index.rows<PartRow>(
        'SELECT * FROM part WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?',
        upload.upload_id,
        partNumberMarker,
        maxParts + 1,
      )
      const parts = rows.slice(0, maxParts).map(decodePart)
      const last = rows.length > maxParts ? parts.at(-1)?.partNumber : undefined
      const next = last === undefined ? {} : { nextPartNumberMarker: last }
      return { upload: decodeUpload(upload), parts, ...next }
    })
  },
}

function checkPartNumber(partNumber: number): void {
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= 10_000) return
  throw refuse('invalid_request', 'A part number is an integer from 1 to 10000.')
}

function findUpload(
  { index }: Ground,
  { bucket, key, uploadId }: { bucket: string; key: string; uploadId: string },
): UploadRow {
  return uploadById(index, bucketByName(index, bucket).id, encodeKey(key), uploadId)
}

function declaredAlgorithm(upload: UploadRow): ChecksumAlgorithm | undefined {
  return decodeChecksumKind(upload.checksum).checksum?.algorithm
}

/**
 * The part's checksum in the algorithm that the upload declared. A client that sent none gets ours computed from what
 * was stored; one that sent another algorithm has mixed up two uploads.
 */
async function partChecksum(
  { files }: Ground,
  upload: UploadRow,
  { checksum, size, content }: Received,
): Promise<Checksum> {
  const algorithm = declaredAlgorithm(upload) ?? checksum.algorithm
  if (checksum.algorithm === algorithm) return checksum
  if (checksum.algorithm !== 'CRC64NVME') {
    throw refuse('invalid_request', `The upload was begun with ${algorithm} checksums.`)
  }
  const file = content !== undefined && 'file' in content ? content.file : undefined
  const slices = file === undefined ? [] : [{ source: 0, file, offset: 0, length: size }]
  return checksumOf(await openLocation(files, { kind: 'files', slices }), algorithm)
}
