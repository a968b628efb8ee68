import type { Place } from './commands.ts'
import { release } from './contents.ts'
import { identifierSequence, nullVersion } from './identifiers.ts'
import { newestVersion, versionById } from './lookups.ts'
import type { AttributeColumns, BucketRow, VersionRow } from './rows.ts'
import { encodeKey } from './rows.ts'
import { nextSequence, nextIdentifier } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

/** Everything of a new version but its place in the order. */
export type NewVersion = AttributeColumns &
  Pick<VersionRow, 'marker' | 'size' | 'etag' | 'content' | 'checksum'>

export const deleteMarker: NewVersion = {
  marker: 1,
  size: 0,
  etag: '',
  content: null,
  checksum: null,
  storage_class: null,
  attributes: null,
  tags: null,
}

/** Puts a version on top of a key, as the bucket's versioning says: beside the others, or in place of `null`. */
export function addVersion(
  context: WriteContext,
  bucket: BucketRow,
  place: Pick<Place, 'key' | 'at' | 'nonce'>,
  version: NewVersion,
): string {
  const { index } = context
  const objectKey = encodeKey(place.key)
  const enabled = bucket.versioning === 'Enabled'
  const versionId = enabled ? nextIdentifier(context, place.nonce) : nullVersion
  const sequence = identifierSequence(versionId) ?? nextSequence(context)
  if (!enabled) removeNull(context, bucket, objectKey)
  const below = newestVersion(index, bucket.id, objectKey)
  if (below !== undefined) setCurrent(context, below, 0)
  index.run(
    'INSERT INTO version VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    bucket.id,
    objectKey,
    -sequence,
    versionId,
    version.marker,
    place.at,
    version.size,
    version.etag,
    version.content,
    version.checksum,
    version.storage_class,
    version.attributes,
    version.tags,
  )
  return versionId
}

/** Takes one version away; the next older one takes its place on top. */
export function removeVersion(context: WriteContext, row: VersionRow): void {
  const { index } = context
  index.run(
    'DELETE FROM version WHERE bucket = ? AND key = ? AND rank = ?',
    row.bucket,
    row.key,
    row.rank,
  )
  release(context, row.content)
  if (row.current === 0) return
  const below = newestVersion(index, row.bucket, row.key)
  if (below !== undefined) setCurrent(context, below, 1)
}

export function removeNull(context: WriteContext, bucket: BucketRow, objectKey: Uint8Array): void {
  const old = versionById(context.index, bucket.id, objectKey, nullVersion)
  if (old !== undefined) removeVersion(context, old)
}

function setCurrent({ index }: WriteContext, row: VersionRow, current: 0 | 1): void {
  index.run(
    'UPDATE version SET current = ? WHERE bucket = ? AND key = ? AND rank = ?',
    current,
    row.bucket,
    row.key,
    row.rank,
  )
}
