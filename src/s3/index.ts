/**
 * The S3 face. It owns the S3 wire: addresses, operations, documents, error codes, verification of bodies.
 *
 * Takes a raw request; proves who asks and whether they may through the access port, which it declares; hands parsed and
 * authorised requests to the origin, whose port it declares too; gives a response. It never decides a permission
 * by itself, never stores anything, and never lets a byte reach the origin as final before all of its proofs hold.
 */
export type * from './origin.ts'
export { OriginError } from './origin-error.ts'
export type { AccessControl, AccessErrorCode, Caller, FormFields } from './access-port.ts'
export type { S3FaceOptions, Sealer } from './call.ts'
export { bucketPolicyFinder } from './bucket-policies.ts'
export { createS3Face } from './s3-face.ts'
export type { S3Face } from './s3-face.ts'
