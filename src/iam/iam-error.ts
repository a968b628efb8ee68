import { Refusal } from '../errors.ts'
import type { IamErrorCode } from './types.ts'

/** A refusal of this face itself: the form, its parameters, or what they name. */
export class IamError extends Refusal<IamErrorCode> {}
