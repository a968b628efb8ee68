import type { ListedObject, OriginRequest, OriginResponse, Upload } from '../../s3/index.ts'
import { identifierSequence } from './identifiers.ts'
import type { IndexDatabase } from './index-database.ts'
import { startAfter } from './key-order.ts'
import { listPage } from './listing-page.ts'
import type { Bound, Page } from './listing-page.ts'
import { decodeChecksumKind, decodeKey, encodeKey, storageClassOf } from './rows.ts'
import type { UploadRow, VersionRow } from './rows.ts'

const versionColumns = `bucket, key, rank, version_id, current, marker, modified, size, etag, content,
  checksum, storage_class`

type Ask<Operation extends 'ListObjects' | 'ListObjectVersions' | 'ListMultipartUploads'> = Omit<
  OriginRequest<Operation>,
  'bucket'
>

export function listObjects(
  index: IndexDatabase,
  bucket: number,
  request: Ask<'ListObjects'>,
): OriginResponse<'ListObjects'> {
  const [prefix, delimiter] = [encodeKey(request.prefix), encodeKey(request.delimiter)]
  const start = { from: startAfter(encodeKey(request.after), prefix, delimiter) }
  const page = listPage<VersionRow>(
    ({ from }, end) =>
      index.each(
        `SELECT ${versionColumns} FROM version INDEXED BY live
         WHERE bucket = ? AND current = 1 AND marker = 0 AND key >= ? AND key < ? ORDER BY key`,
        bucket,
        from,
        end,
      ),
    { prefix, delimiter, start, limit: request.maxKeys },
  )
  return {
    objects: page.rows.map(decodeListed),
    commonPrefixes: page.commonPrefixes,
    ...(page.next === undefined ? {} : { nextAfter: keyOf(page.next) }),
  }
}

export function listVersions(
  index: IndexDatabase,
  bucket: number,
  request: Ask<'ListObjectVersions'>,
): OriginResponse<'ListObjectVersions'> {
  const [prefix, delimiter] = [encodeKey(request.prefix), encodeKey(request.delimiter)]
  const { keyMarker, versionIdMarker } = request
  const marker = encodeKey(keyMarker)
  const rank =
    versionIdMarker === undefined ? undefined : rankOf(index, bucket, marker, versionIdMarker)
  const page = listPage<VersionRow>(
    ({ from, tie }, end) =>
      index.each(
        `SELECT ${versionColumns} FROM version
         WHERE bucket = ? AND (key, rank) > (?, ?) AND key < ? ORDER BY key, rank`,
        bucket,
        from,
        tie ?? Number.MIN_SAFE_INTEGER,
        end,
      ),
    {
      prefix,
      delimiter,
      start: startBound(marker, rank, prefix, delimiter),
      limit: request.maxKeys,
    },
  )
  const next = nextOf(page, (row) => ({ versionIdMarker: row.version_id }))
  return { versions: page.rows.map(decodeListed), commonPrefixes: page.commonPrefixes, ...next }
}

export function listUploads(
  index: IndexDatabase,
  bucket: number,
  request: Ask<'ListMultipartUploads'>,
): OriginResponse<'ListMultipartUploads'> {
  const [prefix, delimiter] = [encodeKey(request.prefix), encodeKey(request.delimiter)]
  const { keyMarker, uploadIdMarker } = request
  const page = listPage<UploadRow>(
    ({ from, tie }, end) =>
      index.each(
        `SELECT * FROM upload
         WHERE bucket = ? AND (key, upload_id) > (?, ?) AND key < ? ORDER BY key, upload_id`,
        bucket,
        from,
        tie ?? '',
        end,
      ),
    {
      prefix,
      delimiter,
      start: startBound(encodeKey(keyMarker), uploadIdMarker, prefix, delimiter),
      limit: request.maxUploads,
    },
  )
  const next = nextOf(page, (row) => ({ uploadIdMarker: row.upload_id }))
  return { uploads: page.rows.map(decodeUpload), commonPrefixes: page.commonPrefixes, ...next }
}

export function decodeUpload(row: UploadRow): Upload {
  return {
    key: decodeKey(row.key),
    uploadId: row.upload_id,
    initiated: new Date(row.initiated),
    ...storageClassOf(row),
    ...decodeChecksumKind(row.checksum),
  }
}

function decodeListed(row: VersionRow): ListedObject {
  return {
    key: decodeKey(row.key),
    versionId: row.version_id,
    isLatest: row.current === 1,
    deleteMarker: row.marker === 1,
    etag: row.etag,
    size: row.size,
    lastModified: new Date(row.modified),
    ...storageClassOf(row),
    ...decodeChecksumKind(row.checksum),
  }
}

/** With a tie the marker's own key is continued in its middle; without one it is passed over whole. */
function startBound(
  marker: Buffer,
  tie: number | string | undefined,
  prefix: Buffer,
  delimiter: Buffer,
): Bound {
  if (tie === undefined || marker.length === 0 || Buffer.compare(marker, prefix) < 0) {
    return { from: startAfter(marker, prefix, delimiter) }
  }
  return { from: marker, tie }
}

/**
 * The position of a version that may be gone by now: clients delete a page and then ask for the next one. Its id
 * tells the position; a `null` version that is gone tells none, and its key begins again with what is left of it.
 */
function rankOf(index: IndexDatabase, bucket: number, key: Buffer, versionId: string): number {
  const sequence = identifierSequence(versionId)
  if (sequence !== undefined) return -sequence
  const row = index.row<{ rank: number }>(
    'SELECT rank FROM version WHERE bucket = ? AND key = ? AND version_id = ?',
    bucket,
    key,
    versionId,
  )
  return row?.rank ?? Number.MIN_SAFE_INTEGER
}

function nextOf<Row extends { key: Uint8Array }, Tie>(
  page: Page<Row>,
  tieOf: (row: Row) => Tie,
): { next?: { keyMarker: string } & Partial<Tie> } {
  if (page.next === undefined) return {}
  if (typeof page.next === 'string')
    return { next: { keyMarker: page.next } as { keyMarker: string } & Partial<Tie> } // oxlint-disable-line typescript/no-unsafe-type-assertion -- every member of Partial may be absent
  return { next: { keyMarker: keyOf(page.next), ...tieOf(page.next) } }
}

function keyOf(entry: string | { key: Uint8Array }): string {
  return typeof entry === 'string' ? entry : decodeKey(entry.key)
}
