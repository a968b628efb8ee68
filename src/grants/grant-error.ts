import { Refusal } from '../errors.ts'
import type { GrantErrorCode, TraceStep } from './types.ts'

/** Nothing was granted. `trace` is the explained decision up to the step that refused. */
export class GrantError extends Refusal<GrantErrorCode> {
  readonly trace: readonly TraceStep[]

  constructor(
    code: GrantErrorCode,
    message: string,
    trace: readonly TraceStep[],
    options: { detail?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(code, message, options)
    this.trace = trace
  }
}
