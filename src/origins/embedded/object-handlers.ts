import type { OriginRequest, StoredObject, StoredPart } from '../../s3/index.ts'
import { resolveRange } from './byte-range.ts'
import { checkWrite } from './conditions.ts'
import { locate } from './contents.ts'
import type { Location } from './contents.ts'
import type { Ground, Handlers } from './ground.ts'
import { receive } from './intake.ts'
import { bucketByName, newestVersion, readableVersion } from './lookups.ts'
import {
  decodeAttributes,
  decodeChecksum,
  decodeKey,
  decodeParts,
  encodeAttributes,
  encodeKey,
  encodeTags,
} from './rows.ts'
import type { WholeVersionRow } from './rows.ts'
import { checksumOf, commitContent, openLocation } from './stored-content.ts'
import { refuse } from './write-context.ts'

/** Up to here an object lies in the index itself, and one group commit makes many of them durable. */
const inlineLimit = 64 * 1024

export const objectHandlers: Pick<
  Handlers,
  'PutObject' | 'HeadObject' | 'GetObject' | 'CopyObject' | 'DeleteObject' | 'PutObjectTagging'
> = {
  async PutObject({ index, writer, files, now, nonce }, request) {
    const { key, body, conditions } = request
    const bucket = bucketByName(index, request.bucket).id
    // Told early what is bound to fail; what counts is the same check at the commit.
    checkWrite(newestVersion(index, bucket, encodeKey(key)), conditions)
    const { content, ...measured } = await receive(files, body, inlineLimit)
    const attributes = encodeAttributes(request.attributes)
    const place = { bucket, key, at: now(), nonce: nonce(), conditions }
    return commitContent(files, content, () =>
      writer.run('PutObject', { ...place, ...measured, content, attributes }),
    )
  },

  async HeadObject({ index }, request) {
    return index.snapshot(() => {
      const bucket = bucketByName(index, request.bucket).id
      return storedObject(
        index,
        readableVersion(index, bucket, encodeKey(request.key), request.versionId),
      )
    })
  },

  async GetObject({ index, files }, request) {
    const { object, stretch, opening } = index.snapshot(() => {
      const bucket = bucketByName(index, request.bucket).id
      const row = readableVersion(index, bucket, encodeKey(request.key), request.versionId)
      const object = storedObject(index, row)
      const parts = request.partNumber === undefined ? undefined : object.parts
      const stretch = resolveRange(row.size, parts, request)
      const { first, length } = stretch ?? { first: 0, length: row.size }
      const location =
        row.content === null || length === 0 ? undefined : locate(index, row.content, first, length)
      return { object, stretch, opening: openLocation(files, location) }
    })
    const body = await opening
    if (stretch === undefined) return { object, body }
    const range = { first: stretch.first, last: stretch.first + stretch.length - 1 }
    return { object, range, body }
  },

  async CopyObject(ground, request) {
    const { index, writer, files, now, nonce } = ground
    const { key, conditions, attributes, tags } = request
    const bucket = bucketByName(index, request.bucket).id
    const source = findSource(ground, request.source)
    // No bytes are written, but the index grows.
    files.space.check(0)
    const checksum = await copiedChecksum(ground, source.row, request.checksumAlgorithm)
    const { storage_class, attributes: encoded } = encodeAttributes({
      headers: {},
      metadata: {},
      ...attributes,
      tags: new Map(),
    })
    return writer.run('CopyObject', {
      bucket,
      key,
      at: now(),
      nonce: nonce(),
      conditions,
      source: { ...request.source, versionId: request.source.versionId, ...source.pinned },
      attributes: attributes === undefined ? undefined : { storage_class, attributes: encoded },
      tags: tags === undefined ? undefined : { text: encodeTags(tags) },
      checksum,
    })
  },

  async DeleteObject({ index, writer, now, nonce }, { bucket, key, versionId, conditions }) {
    return writer.run('DeleteObject', {
      bucket: bucketByName(index, bucket).id,
      key,
      at: now(),
      nonce: nonce(),
      versionId,
      conditions,
    })
  },

  async PutObjectTagging({ index, writer, files }, { bucket, key, versionId, tags }) {
    if (tags.size > 0) files.space.check(0)
    const id = bucketByName(index, bucket).id
    return writer.run('PutObjectTagging', { bucket: id, key, versionId, tags: encodeTags(tags) })
  },
}

export type FoundSource = Readonly<{
  row: WholeVersionRow
  pinned: { bucket: number; content: number | null }
}>

/** The source of a copy, which must still be the one that the face has judged. */
export function findSource(
  { index }: Ground,
  source: OriginRequest<'CopyObject'>['source'],
): FoundSource {
  return index.snapshot(() => {
    const bucket = bucketByName(index, source.bucket).id
    const row = readableVersion(index, bucket, encodeKey(source.key), source.versionId)
    if (row.etag === source.etag) return { row, pinned: { bucket, content: row.content } }
    throw refuse('conditional_conflict', 'The source changed while it was being copied. Try again.')
  })
}

/** Opens a stretch of a source that was found before; refused when its bytes are gone by now. */
export async function openSource(
  ground: Ground,
  content: number | null,
  first: number,
  length: number,
): Promise<{ stream: AsyncIterable<Uint8Array>; location: Location | undefined }> {
  const { location, opening } = ground.index.snapshot(() => {
    const location = locateSource(ground, content, first, length)
    return { location, opening: openLocation(ground.files, location) }
  })
  return { location, stream: await opening }
}

/** Where a stretch of a source lies. `undefined`: it has no bytes. Call it inside a snapshot. */
export function locateSource(
  { index }: Ground,
  content: number | null,
  first: number,
  length: number,
): Location | undefined {
  if (content === null || length === 0) return undefined
  if (index.row('SELECT 1 FROM content WHERE id = ?', content) !== undefined) {
    return locate(index, content, first, length)
  }
  throw refuse('conditional_conflict', 'The source changed while it was being copied. Try again.')
}

/** Only another algorithm than the stored one has to be computed: `undefined` keeps what is there. */
async function copiedChecksum(
  ground: Ground,
  row: WholeVersionRow,
  algorithm: OriginRequest<'CopyObject'>['checksumAlgorithm'],
): Promise<ReturnType<typeof decodeChecksum>['checksum']> {
  const stored = decodeChecksum(row.checksum).checksum
  if (algorithm === undefined || stored?.algorithm === algorithm) return undefined
  const { stream } = await openSource(ground, row.content, 0, row.size)
  return checksumOf(stream, algorithm)
}

function storedObject(index: Ground['index'], row: WholeVersionRow): StoredObject {
  const object = {
    ...decodeAttributes(row),
    key: decodeKey(row.key),
    versionId: row.version_id,
    etag: row.etag,
    size: row.size,
    lastModified: new Date(row.modified),
    ...decodeChecksum(row.checksum),
  }
  const text = partsOf(index, row)
  if (text === null) return object
  let parts: readonly StoredPart[] | undefined
  return {
    ...object,
    /** Parsed when asked for: ten thousand parts take longer than all the rest of a read, which looks at none. */
    get parts() {
      return (parts ??= decodeParts(text))
    },
  }
}

function partsOf(index: Ground['index'], { content }: WholeVersionRow): string | null {
  if (content === null) return null
  const sql = 'SELECT parts FROM content WHERE id = ?'
  return index.row<{ parts: string | null }>(sql, content)?.parts ?? null
}
