import { Refusal } from '../errors.ts'
import type { SigV4ErrorCode } from './types.ts'

/** The refusal of this room. */
export class SigV4Error extends Refusal<SigV4ErrorCode> {}
