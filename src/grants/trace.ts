import { GrantError } from './grant-error.ts'
import type { GrantErrorCode, TraceStep } from './types.ts'

/** Writes down, in order, what was looked at on the way to a grant. */
export class Trace {
  readonly steps: TraceStep[] = []

  ok(step: string, detail: string): void {
    this.steps.push({ step, outcome: 'ok', detail })
  }

  /** What it was that refused, for those who may read the trace; `refusal` then says what the caller may know. */
  refused(step: string, detail: string): void {
    this.steps.push({ step, outcome: 'refused', detail })
  }

  /** The error to throw: the message becomes the last line of the trace it carries. */
  refusal(
    step: string,
    code: GrantErrorCode,
    message: string,
    options: { detail?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ): GrantError {
    const last: TraceStep = { step, outcome: 'refused', detail: message }
    return new GrantError(code, message, [...this.steps, last], options)
  }
}
