import type { Appliers } from './apply.ts'
import type { Commands } from './commands.ts'
import { checkDelete, checkWrite } from './conditions.ts'
import { addContent, share } from './contents.ts'
import { bucketById, newestVersion, readableVersion, versionById } from './lookups.ts'
import { decodeChecksum, encodeChecksum, encodeKey } from './rows.ts'
import type { WholeVersionRow } from './rows.ts'
import { addVersion, deleteMarker, removeNull, removeVersion } from './versions.ts'
import { refuse } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

export const objectAppliers: Pick<
  Appliers,
  'PutObject' | 'CopyObject' | 'DeleteObject' | 'PutObjectTagging'
> = {
  PutObject(context, request) {
    const bucket = bucketById(context.index, request.bucket)
    const current = newestVersion(context.index, bucket.id, encodeKey(request.key))
    checkWrite(current, request.conditions)
    const { size, etag, checksum } = request
    const versionId = addVersion(context, bucket, request, {
      ...request.attributes,
      marker: 0,
      size,
      etag,
      content: addContent(context, request.content),
      checksum: encodeChecksum(checksum),
    })
    const versioned = bucket.versioning !== 'Off'
    return { etag, versionId, versioned, ...(checksum === undefined ? {} : { checksum }) }
  },

  CopyObject(context, request) {
    const bucket = bucketById(context.index, request.bucket)
    const source = sourceVersion(context, request.source)
    checkWrite(newestVersion(context.index, bucket.id, encodeKey(request.key)), request.conditions)
    // Before the target's old version goes: it may be the source.
    share(context, source.content)
    const checksum = request.checksum ?? decodeChecksum(source.checksum).checksum
    const versionId = addVersion(context, bucket, request, {
      marker: 0,
      size: source.size,
      etag: source.etag,
      content: source.content,
      checksum: encodeChecksum(checksum),
      storage_class: (request.attributes ?? source).storage_class,
      attributes: (request.attributes ?? source).attributes,
      tags: request.tags === undefined ? source.tags : request.tags.text,
    })
    return {
      etag: source.etag,
      lastModified: new Date(request.at),
      versionId,
      versioned: bucket.versioning !== 'Off',
      ...(checksum === undefined ? {} : { checksum }),
    }
  },

  DeleteObject(context, request) {
    return request.versionId === undefined
      ? deleteNewest(context, request)
      : deleteVersion(context, request, request.versionId)
  },

  PutObjectTagging({ index }, { bucket, key, versionId, tags }) {
    bucketById(index, bucket)
    const row = readableVersion(index, bucket, encodeKey(key), versionId)
    index.run(
      'UPDATE version SET tags = ? WHERE bucket = ? AND key = ? AND rank = ?',
      tags,
      bucket,
      row.key,
      row.rank,
    )
    return { versionId: row.version_id }
  },
}

type Delete = Commands['DeleteObject']

function deleteNewest(context: WriteContext, request: Delete['request']): Delete['response'] {
  const bucket = bucketById(context.index, request.bucket)
  const objectKey = encodeKey(request.key)
  const current = newestVersion(context.index, bucket.id, objectKey)
  if (!checkDelete(current, request.conditions)) return { deleteMarker: false }
  if (bucket.versioning === 'Off') {
    removeNull(context, bucket, objectKey)
    return { deleteMarker: false }
  }
  const versionId = addVersion(context, bucket, request, deleteMarker)
  return { versionId, deleteMarker: true }
}

function deleteVersion(
  context: WriteContext,
  { bucket, key, conditions }: Delete['request'],
  versionId: string,
): Delete['response'] {
  bucketById(context.index, bucket)
  const row = versionById(context.index, bucket, encodeKey(key), versionId)
  if (row === undefined || !checkDelete(row, conditions)) return { versionId, deleteMarker: false }
  removeVersion(context, row)
  return { versionId, deleteMarker: row.marker === 1 }
}

/** The source as it was judged, or a conflict: what nobody has authorised is not copied. */
function sourceVersion(
  { index }: WriteContext,
  source: Commands['CopyObject']['request']['source'],
): WholeVersionRow {
  bucketById(index, source.bucket)
  const row = readableVersion(index, source.bucket, encodeKey(source.key), source.versionId)
  if (row.etag === source.etag && row.content === source.content) return row
  throw refuse('conditional_conflict', 'The source changed while it was being copied. Try again.')
}
