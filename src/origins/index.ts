/**
 * Origins: adapters of the Origin port that the S3 face declares. Owns where objects, versions and parts lie and how
 * they survive a crash; takes requests that are already authenticated and authorised; gives whole objects, old or new.
 * Never judges who asks, and speaks no wire format.
 */
export { openEmbeddedOrigin } from './embedded/embedded-origin.ts'
export type { EmbeddedOriginOptions } from './embedded/embedded-origin.ts'
