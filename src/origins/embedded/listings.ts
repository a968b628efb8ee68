import type { ListedObject, OriginRequest, OriginResponse, Upload } from '../../s3/index.ts'
import { identifierSequence } from './identifiers.ts'
import type { IndexDatabase } from './index-database.ts'
import { startAfter } from './key-order.ts'
import { listPage } from './listing-page.ts'
import type { Bound, Page } from './listing-page.ts'
import { decodeChecksumKind, decodeKey, encodeKey, storageClassOf } from './rows.ts'
import type { UploadRow, VersionRow } from './rows.ts'

type ListedRow = Pick<
  VersionRow,
  'version_id' | 'current' | 'marker' | 'modified' | 'size' | 'etag' | 'checksum' | 'storage_class'
> & { name: string }

/** The key as text: a thousand small buffers would cost more than the search. */
const listedColumns = `CAST(key AS TEXT) AS name, version_id, current, marker, modified, size, etag,
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
  const { prefix, delimiter } = request
  const start = { from: startAfter(request.after, prefix, delimiter) }
  const page = listPage<ListedRow>(
    ({ from }, end) =>
      index.each(
        `SELECT ${listedColumns} FROM version INDEXED BY live
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
    ...(page.next === undefined
      ? {}
      : { nextAfter: typeof page.next === 'string' ? page.next : page.next.name }),
  }
}

export function listVersions(
  index: IndexDatabase,
  bucket: number,
  request: Ask<'ListObjectVersions'>,
): OriginResponse<'ListObjectVersions'> {
  const { prefix, delimiter } = request
  const { keyMarker, versionIdMarker } = request
  const rank =
    versionIdMarker === undefined
      ? undefined
      : rankOf(index, bucket, encodeKey(keyMarker), versionIdMarker)
  const page = listPage<ListedRow>(
    ({ from, tie }, end) =>
      index.each(
        `SELECT ${listedColumns} FROM version
         WHERE bucket = ? AND (key, rank) > (?, ?) AND key < ? ORDER BY key, rank`,
        bucket,
        from,
        tie ?? Number.MIN_SAFE_INTEGER,
        end,
      ),
    {
      prefix,
      delimiter,
      start: startBound(keyMarker, rank, prefix, delimiter),
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
  const { prefix, delimiter } = request
  const { keyMarker, uploadIdMarker } = request
  const page = listPage<UploadRow & { name: string }>(
    ({ from, tie }, end) =>
      index.each(
        `SELECT *, CAST(key AS TEXT) AS name FROM upload
         WHERE bucket = ? AND (key, upload_id) > (?, ?) AND key < ? ORDER BY key, upload_id`,
        bucket,
        from,
        tie ?? '',
        end,
      ),
    {
      prefix,
      delimiter,
      start: startBound(keyMarker, uploadIdMarker, prefix, delimiter),
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

function decodeListed(row: ListedRow): ListedObject {
  return {
    key: row.name,
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
  keyMarker: string,
  tie: number | string | undefined,
  prefix: string,
  delimiter: string,
): Bound {
  const from = encodeKey(keyMarker)
  if (tie === undefined || keyMarker === '' || Buffer.compare(from, encodeKey(prefix)) < 0) {
    return { from: startAfter(keyMarker, prefix, delimiter) }
  }
  return { from, tie }
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

function nextOf<Row extends { name: string }, Tie>(
  page: Page<Row>,
  tieOf: (row: Row) => Tie,
): { next?: { keyMarker: string } & Partial<Tie> } {
  if (page.next === undefined) return {}
  if (typeof page.next === 'string')
    return { next: { keyMarker: page.next } as { keyMarker: string } & Partial<Tie> } // oxlint-disable-line typescript/no-unsafe-type-assertion -- every member of Partial may be absent
  return { next: { keyMarker: page.next.name, ...tieOf(page.next) } }
}
