import { Refusal } from '../errors.ts'
import type { OriginErrorCode } from './origin.ts'

/** What an origin throws when the client should see the refusal. Anything else it throws is a fault of ours. */
export class OriginError extends Refusal<OriginErrorCode> {}
