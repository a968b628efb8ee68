import { Refusal } from '../errors.ts'
import type { IdentityErrorCode } from './types.ts'

/** Evidence that is ours to judge and does not prove anything. */
export class IdentityError extends Refusal<IdentityErrorCode> {}
