/**
 * The face that speaks the AWS Security Token Service's query protocol, API version 2011-06-15, as the AWS SDKs and
 * MinIO's clients send it. Takes requests, gives answers in XML; what is granted is decided by the exchange.
 * Owns the wire: parameters in, documents and error codes out. Never looks at policies, keys or tokens.
 */
export { createStsFace } from './face.ts'
export { createTenantStsFace } from './tenant-face.ts'
export type { TenantStsFace, TenantStsFaceOptions } from './tenant-face.ts'
export type { StsFace, StsFaceOptions, StsLimits, StsEvent, Compat } from './types.ts'
