import { createChecksum } from './create-checksum.ts'
import { parseDigest } from './digest.ts'
import type { ChecksumAlgorithm } from './types.ts'

/**
 * The COMPOSITE checksum of a multipart object: the algorithm over the raw checksums of the parts, one after the other, as
 * `base64-N`. Throws a RangeError when a part's value is not a checksum of the algorithm.
 */
export function composite(algorithm: ChecksumAlgorithm, partValues: readonly string[]): string {
  const checksum = createChecksum(algorithm)
  for (const value of partValues) checksum.update(parseDigest(algorithm, value))
  return `${checksum.digest()}-${partValues.length}`
}
