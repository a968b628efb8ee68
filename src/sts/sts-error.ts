import { Refusal } from '../errors.ts'
import type { StsErrorCode } from './types.ts'

/** The request does not speak the protocol as it should. */
export class StsError extends Refusal<StsErrorCode> {}
