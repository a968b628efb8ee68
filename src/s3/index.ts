/** The S3 face. */
export type * from './origin.ts'
