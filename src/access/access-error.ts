import { Refusal } from '../errors.ts'

export type AccessErrorCode =
  /** detail: `decisionId`, `encodedMessage` */
  | 'access_denied'
  /** The access key id is not there, or it or its user is disabled. */
  | 'access_key_unknown'
  /** A session token without a signature. */
  | 'anonymous_token'
  | 'not_ready'

export class AccessError extends Refusal<AccessErrorCode> {}
