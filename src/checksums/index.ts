/**
 * Checksums of S3 objects: the five algorithms, computed as bytes stream, combined across parts.
 * Takes bytes, gives base64 digests. Pure; knows no wire format.
 */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'
export type Checksum = Readonly<{ algorithm: ChecksumAlgorithm; type: ChecksumType; value: string }>
