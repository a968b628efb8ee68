import { createHash } from 'node:crypto'
import { createChecksum } from '../../checksums/index.ts'
import type { Checksum, ChecksumAlgorithm } from '../../checksums/index.ts'
import type { ObjectBody, OriginRequest, OriginResponse } from '../../s3/index.ts'
import type { Measured, Slice, UploadPlace } from './commands.ts'
import type { Ground } from './ground.ts'
import { receive } from './intake.ts'
import { findSource, locateSource, openSource } from './object-handlers.ts'
import { decodeChecksum } from './rows.ts'
import type { WholeVersionRow } from './rows.ts'
import { commitContent } from './stored-content.ts'
import { refuse } from './write-context.ts'

type PartCopy = OriginRequest<'UploadPartCopy'>
type Copied = OriginResponse<'UploadPartCopy'>
type PartPlace = UploadPlace & { partNumber: number }

/** Makes a part of what is there already. Large ones share the source's bytes; these are read only where they must be. */
export async function copyPart(
  ground: Ground,
  { source, range }: PartCopy,
  place: PartPlace,
  algorithm: ChecksumAlgorithm,
): Promise<Copied> {
  const { row } = findSource(ground, source)
  const { first, length } = copiedStretch(row.size, range)
  const known = length === row.size ? knownDigests(row, algorithm) : undefined
  if (known !== undefined) {
    const whole = ground.index.snapshot(() => locateSource(ground, row.content, 0, length))
    if (whole?.kind === 'files') return share(ground, place, whole.slices, known)
  }
  const { stream, location } = await openSource(ground, row.content, first, length)
  const body = digested(stream, length, algorithm)
  if (location?.kind === 'files') {
    return share(ground, place, location.slices, await measure(body))
  }
  // What lies in the index cannot be a stretch of a file, and is small enough to be written once more.
  const { content, ...measured } = await receive(ground.files, body, 0)
  return commitContent(ground.files, content, async () => {
    const at = ground.now()
    await ground.writer.run('UploadPart', { ...place, at, ...measured, content })
    return { etag: measured.etag, lastModified: new Date(at), checksum: measured.checksum }
  })
}

type Digests = Measured & { checksum: Checksum }

async function share(
  { writer, now }: Ground,
  place: PartPlace,
  stretches: readonly Slice[],
  digests: Digests,
): Promise<Copied> {
  const at = now()
  const slices = stretches.map(({ source, offset, length }) => ({ source, offset, length }))
  await writer.run('SharePart', { ...place, at, ...digests, slices })
  return { etag: digests.etag, lastModified: new Date(at), checksum: digests.checksum }
}

/** What hashing the whole source would give. The ETag of a multipart object is no MD5 of its bytes. */
function knownDigests(row: WholeVersionRow, algorithm: ChecksumAlgorithm): Digests | undefined {
  const { checksum } = decodeChecksum(row.checksum)
  if (checksum?.algorithm !== algorithm || checksum.type !== 'FULL_OBJECT') return undefined
  if (!/^[0-9a-f]{32}$/.test(row.etag)) return undefined
  return { size: row.size, etag: row.etag, checksum }
}

function copiedStretch(
  size: number,
  range: { first: number; last: number } | undefined,
): { first: number; length: number } {
  if (range === undefined) return { first: 0, length: size }
  const { first, last } = range
  if (first >= 0 && first <= last && last < size) return { first, length: last - first + 1 }
  throw refuse('invalid_range', 'The range does not lie inside the source.', { size })
}

/** A body of our own that carries its checksum. */
function digested(
  source: AsyncIterable<Uint8Array>,
  size: number,
  algorithm: ChecksumAlgorithm,
): ObjectBody {
  const digest = createChecksum(algorithm)
  async function* stream(): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      digest.update(chunk)
      yield chunk
    }
  }
  const checksum = (): Checksum => ({ algorithm, type: 'FULL_OBJECT', value: digest.digest() })
  return { stream: stream(), size, checksum }
}

async function measure(body: ObjectBody): Promise<Digests> {
  const md5 = createHash('md5')
  let size = 0
  for await (const chunk of body.stream) {
    md5.update(chunk)
    size += chunk.length
  }
  return { size, etag: md5.digest('hex'), checksum: body.checksum() }
}
