import { combineFullObject, composite } from '../../checksums/index.ts'
import type {
  Checksum,
  ChecksumAlgorithm,
  ChecksumType,
  CombinableAlgorithm,
} from '../../checksums/index.ts'
import type { Upload } from '../../s3/index.ts'
import type { Commands } from './commands.ts'
import { decodeChecksum } from './rows.ts'
import type { PartRow } from './rows.ts'
import { refuse } from './write-context.ts'

type Claims = Pick<Commands['CompleteMultipartUpload']['request'], 'checksum' | 'checksumType'>
type Kind = NonNullable<Upload['checksum']>

/**
 * The object's checksum from those of its parts, held against what the client claims. `undefined` when the parts
 * carry different algorithms and none was declared.
 */
export function combineChecksum(
  declared: Upload['checksum'],
  parts: readonly PartRow[],
  claims: Claims,
): Checksum | undefined {
  const sums = parts.map((part) => ({ ...decodeChecksum(part.checksum), size: part.size }))
  const kind = declared ?? commonKind(sums, claims)
  if (declared !== undefined && claims.checksumType !== undefined) {
    if (claims.checksumType !== declared.type) throw otherKind(declared)
  }
  if (kind === undefined) {
    if (claims.checksum === undefined) return undefined
    throw refuse('invalid_request', 'The parts do not carry the checksum that is claimed.')
  }
  const value = combine(kind, sums)
  checkClaim({ ...kind, value }, claims)
  return { ...kind, value }
}

type PartSum = { checksum?: Checksum; size: number }

function combine({ algorithm, type }: Kind, sums: readonly PartSum[]): string {
  const values = sums.map(({ checksum, size }) => {
    if (checksum?.algorithm === algorithm) return { value: checksum.value, size }
    throw refuse('invalid_request', `A part carries no ${algorithm} checksum.`)
  })
  if (type === 'COMPOSITE') {
    return composite(
      algorithm,
      values.map(({ value }) => value),
    )
  }
  if (isCombinable(algorithm)) return combineFullObject(algorithm, values)
  throw refuse('invalid_request', `${algorithm} checksums of parts make none of the whole object.`)
}

function isCombinable(algorithm: ChecksumAlgorithm): algorithm is CombinableAlgorithm {
  return algorithm.startsWith('CRC')
}

/** For an upload that declared nothing: what all of its parts carry. */
function commonKind(sums: readonly PartSum[], claims: Claims): Kind | undefined {
  const [algorithm, ...others] = new Set(sums.map(({ checksum }) => checksum?.algorithm))
  if (algorithm === undefined || others.length > 0) return undefined
  return { algorithm, type: typeFor(algorithm, claims.checksumType) }
}

function typeFor(algorithm: ChecksumAlgorithm, claimed: ChecksumType | undefined): ChecksumType {
  if (algorithm === 'CRC64NVME') return 'FULL_OBJECT'
  return claimed === 'FULL_OBJECT' && isCombinable(algorithm) ? 'FULL_OBJECT' : 'COMPOSITE'
}

function checkClaim(actual: Checksum, { checksum, checksumType }: Claims): void {
  if (checksumType !== undefined && checksumType !== actual.type) throw otherKind(actual)
  if (checksum === undefined) return
  if (checksum.algorithm !== actual.algorithm) throw otherKind(actual)
  // Clients send a composite with or without the count of its parts.
  const bare = actual.type === 'COMPOSITE' ? actual.value.replace(/-\d+$/, '') : actual.value
  if (checksum.value !== actual.value && checksum.value !== bare) {
    throw refuse('bad_checksum', 'The checksum of the object is not the one that was sent.')
  }
}

function otherKind({ algorithm, type }: Kind): Error {
  return refuse('invalid_request', `The upload carries ${algorithm} checksums of type ${type}.`)
}
