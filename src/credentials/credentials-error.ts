import { Refusal } from '../errors.ts'
import type { CredentialsErrorCode } from './types.ts'

export class CredentialsError extends Refusal<CredentialsErrorCode> {}
