/**
 * The one shape of a refusal. Each room closes its own union of codes over it; each face maps every code
 * in one complete table. Anything else that is thrown is our own fault and leaves the house as a constant text.
 */
export class Refusal<Code extends string = string> extends Error {
  /** From the room's closed union. Faces translate it; logs and metrics may carry it. */
  readonly code: Code
  /** For our log and for the fields of an error document. Never a secret. */
  readonly detail: Readonly<Record<string, unknown>>

  /** @param message may be sent to the caller: it says what to do and holds nothing secret. */
  constructor(
    code: Code,
    message: string,
    options: { detail?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.detail = options.detail ?? {}
  }
}
