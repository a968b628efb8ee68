/** The S3 face. */
export type * from './origin.ts'
export { OriginError } from './origin-error.ts'
