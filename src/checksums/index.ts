/**
 * Checksums of S3 objects: the five algorithms, computed as bytes stream, combined across parts.
 * Takes bytes, gives base64 digests. Pure; knows no wire format.
 */
export { combineFullObject } from './combine.ts'
export { composite } from './composite.ts'
export { createChecksum } from './create-checksum.ts'
export { digestLength, isValidChecksum } from './digest.ts'
export type * from './types.ts'
