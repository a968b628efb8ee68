import type { Appliers } from './apply.ts'
import type { Commands } from './commands.ts'
import { addContent, compose, release } from './contents.ts'
import { bucketById, uploadById } from './lookups.ts'
import { encodeChecksum, encodeKey } from './rows.ts'
import { nextIdentifier } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

export const uploadAppliers: Pick<
  Appliers,
  'CreateMultipartUpload' | 'UploadPart' | 'SharePart' | 'AbortMultipartUpload'
> = {
  CreateMultipartUpload(context, { bucket, key, at, nonce, attributes, checksum }) {
    bucketById(context.index, bucket)
    const uploadId = nextIdentifier(context, nonce)
    context.index.run(
      'INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      bucket,
      encodeKey(key),
      uploadId,
      at,
      checksum,
      attributes.storage_class,
      attributes.attributes,
      attributes.tags,
    )
    return { uploadId }
  },

  UploadPart(context, request) {
    uploadById(context.index, request.bucket, encodeKey(request.key), request.uploadId)
    putPart(context, request, addContent(context, request.content))
    return undefined
  },

  SharePart(context, request) {
    uploadById(context.index, request.bucket, encodeKey(request.key), request.uploadId)
    const { slices } = request
    putPart(context, request, slices.length === 0 ? null : compose(context, slices, null))
    return undefined
  },

  AbortMultipartUpload(context, { bucket, key, uploadId }) {
    uploadById(context.index, bucket, encodeKey(key), uploadId)
    removeUpload(context, uploadId, bucket, key)
    return undefined
  },
}

export function removeUpload(
  context: WriteContext,
  uploadId: string,
  bucket: number,
  key: string,
): void {
  const { index } = context
  const parts = index.rows<{ content: number | null }>(
    'SELECT content FROM part WHERE upload_id = ?',
    uploadId,
  )
  for (const { content } of parts) release(context, content)
  index.run('DELETE FROM part WHERE upload_id = ?', uploadId)
  index.run(
    'DELETE FROM upload WHERE bucket = ? AND key = ? AND upload_id = ?',
    bucket,
    encodeKey(key),
    uploadId,
  )
}

function putPart(
  context: WriteContext,
  part: Omit<Commands['UploadPart']['request'], 'content'>,
  content: number | null,
): void {
  const { index } = context
  const old = index.row<{ content: number | null }>(
    'SELECT content FROM part WHERE upload_id = ? AND number = ?',
    part.uploadId,
    part.partNumber,
  )
  if (old !== undefined) release(context, old.content)
  index.run(
    'INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)',
    part.uploadId,
    part.partNumber,
    content,
    part.size,
    part.etag,
    encodeChecksum(part.checksum),
    part.at,
  )
}
