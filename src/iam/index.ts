/**
 * The administration face: the AWS IAM query API (version 2010-05-08) over the one administration model, with
 * Daypass's own actions for the key ring and revocation in the same protocol. Takes signed requests, gives XML or JSON.
 * Never decides who may do what, and never shows a secret but the one that CreateAccessKey has just made.
 */
export { createIamFace } from './face.ts'
export type * from './types.ts'
