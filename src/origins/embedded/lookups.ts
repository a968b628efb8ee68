import type { OriginErrorCode } from '../../s3/index.ts'
import { identifierSequence } from './identifiers.ts'
import type { IndexDatabase } from './index-database.ts'
import type { BucketRow, UploadRow, WholeVersionRow } from './rows.ts'
import { refuse } from './write-context.ts'

/** Reads that both sides need: the reader to answer, the writer to decide inside its transaction. */

export function bucketById(index: IndexDatabase, id: number): BucketRow {
  const row = index.row<BucketRow>('SELECT * FROM bucket WHERE id = ?', id)
  if (row === undefined) throw noSuch('bucket')
  return row
}

export function bucketByName(index: IndexDatabase, name: string): BucketRow {
  const row = index.row<BucketRow>('SELECT * FROM bucket WHERE name = ?', name)
  if (row === undefined) throw noSuch('bucket')
  return row
}

/** What a read without version id meets: an object, a delete marker, or nothing. */
export function newestVersion(
  index: IndexDatabase,
  bucket: number,
  objectKey: Uint8Array,
): WholeVersionRow | undefined {
  return index.row(
    'SELECT * FROM version WHERE bucket = ? AND key = ? ORDER BY rank LIMIT 1',
    bucket,
    objectKey,
  )
}

export function versionById(
  index: IndexDatabase,
  bucket: number,
  objectKey: Uint8Array,
  versionId: string,
): WholeVersionRow | undefined {
  const sequence = identifierSequence(versionId)
  const where = sequence === undefined ? '' : 'AND rank = ?'
  const ranks = sequence === undefined ? [] : [-sequence]
  return index.row(
    `SELECT * FROM version WHERE bucket = ? AND key = ? AND version_id = ? ${where} LIMIT 1`,
    bucket,
    objectKey,
    versionId,
    ...ranks,
  )
}

/** The version that a request names, with an object behind it; everything else is refused. */
export function readableVersion(
  index: IndexDatabase,
  bucket: number,
  objectKey: Uint8Array,
  versionId: string | undefined,
): WholeVersionRow {
  const row =
    versionId === undefined
      ? newestVersion(index, bucket, objectKey)
      : versionById(index, bucket, objectKey, versionId)
  if (row === undefined) throw noSuch(versionId === undefined ? 'key' : 'version')
  if (row.marker === 0) return row
  throw refuse('delete_marker', 'The version is a delete marker.', {
    versionId: row.version_id,
    lastModified: new Date(row.modified),
  })
}

export function uploadById(
  index: IndexDatabase,
  bucket: number,
  objectKey: Uint8Array,
  uploadId: string,
): UploadRow {
  const row = index.row<UploadRow>(
    'SELECT * FROM upload WHERE bucket = ? AND key = ? AND upload_id = ?',
    bucket,
    objectKey,
    uploadId,
  )
  if (row === undefined) throw noSuch('upload')
  return row
}

const missing = {
  bucket: ['no_such_bucket', 'The specified bucket does not exist.'],
  key: ['no_such_key', 'The specified key does not exist.'],
  version: ['no_such_version', 'The specified version does not exist.'],
  upload: ['no_such_upload', 'The specified upload does not exist: it was completed or aborted.'],
} as const satisfies Record<string, readonly [OriginErrorCode, string]>

export function noSuch(what: keyof typeof missing): Error {
  const [code, message] = missing[what]
  return refuse(code, message)
}
