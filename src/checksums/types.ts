export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256'
/** The algorithms whose value for a whole follows from the values and lengths of its parts. */
export type CombinableAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME'
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'
export type Checksum = Readonly<{ algorithm: ChecksumAlgorithm; type: ChecksumType; value: string }>
