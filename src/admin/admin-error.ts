import { Refusal } from '../errors.ts'
import type { AdminErrorCode } from './types.ts'

export class AdminError extends Refusal<AdminErrorCode> {}
