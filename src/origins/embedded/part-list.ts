import type { Commands } from './commands.ts'
import type { IndexDatabase } from './index-database.ts'
import { decodeChecksum } from './rows.ts'
import type { PartRow } from './rows.ts'
import { refuse } from './write-context.ts'

type Request = Commands['CompleteMultipartUpload']['request']
type Claim = Request['parts'][number]

const minPartSize = 5 * 1024 * 1024

/** The parts as the client lists them: in order, each of them there, each the very one it means. */
export function claimedParts(index: IndexDatabase, { uploadId, parts }: Request): PartRow[] {
  if (parts.length === 0) throw refuse('invalid_request', 'The list of parts is empty.')
  let previous = 0
  return parts.map((claim) => {
    if (claim.partNumber <= previous) {
      throw refuse('invalid_part_order', 'The list of parts is not in ascending order.')
    }
    previous = claim.partNumber
    return claimedPart(index, uploadId, claim)
  })
}

export function checkPartList(parts: readonly PartRow[], { objectSize }: Request): void {
  for (const part of parts.slice(0, -1)) {
    if (part.size >= minPartSize) continue
    const detail = {
      partNumber: part.number,
      size: part.size,
      minSize: minPartSize,
      etag: part.etag,
    }
    throw refuse('part_too_small', 'Every part but the last must have at least 5 MiB.', detail)
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  if (objectSize !== undefined && objectSize !== size) {
    throw refuse('invalid_request', `The parts have ${size} bytes together, not ${objectSize}.`)
  }
}

function claimedPart(index: IndexDatabase, uploadId: string, claim: Claim): PartRow {
  const row = index.row<PartRow>(
    'SELECT number, content, size, etag, checksum, modified FROM part WHERE upload_id = ? AND number = ?',
    uploadId,
    claim.partNumber,
  )
  const isMeant =
    row !== undefined &&
    row.etag === claim.etag &&
    (claim.checksum === undefined ||
      claim.checksum === decodeChecksum(row.checksum).checksum?.value)
  if (isMeant) return row
  throw refuse(
    'invalid_part',
    'A listed part was not uploaded, or its ETag or checksum is another one.',
    { partNumber: claim.partNumber },
  )
}
