import type { ChecksumAlgorithm } from './types.ts'

const lengths: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
}

/** Bytes of a raw digest. */
export function digestLength(algorithm: ChecksumAlgorithm): number {
  return lengths[algorithm]
}

/** Is this text the padded base64 of a digest of the right length, in its one canonical spelling? */
export function isValidChecksum(algorithm: ChecksumAlgorithm, value: string): boolean {
  const digest = Buffer.from(value, 'base64')
  return digest.length === lengths[algorithm] && digest.toString('base64') === value
}

/** The raw digest. Throws a RangeError for what `isValidChecksum` refuses. */
export function parseDigest(algorithm: ChecksumAlgorithm, value: string): Buffer {
  if (!isValidChecksum(algorithm, value)) throw new RangeError(`not a ${algorithm} in base64`)
  return Buffer.from(value, 'base64')
}
