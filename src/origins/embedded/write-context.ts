import { Refusal } from '../../errors.ts'
import type { OriginErrorCode } from '../../s3/index.ts'
import { makeIdentifier } from './identifiers.ts'
import type { IndexDatabase } from './index-database.ts'

/** What the commands of one batch share: the open transaction, the sequence, and what became garbage. */
export type WriteContext = {
  readonly index: IndexDatabase
  sequence: number
  readonly garbage: string[]
}

export function nextSequence(context: WriteContext): number {
  context.sequence++
  return context.sequence
}

export function nextIdentifier(context: WriteContext, nonce: string): string {
  return makeIdentifier(nextSequence(context), nonce)
}

/**
 * A refusal from the index. It may be born on the writer's thread, so it is plain; the port's own error class is put
 * on where it leaves the origin.
 */
export class IndexRefusal extends Refusal<OriginErrorCode> {}

export function refuse(
  code: OriginErrorCode,
  message: string,
  detail: Readonly<Record<string, unknown>> = {},
): IndexRefusal {
  return new IndexRefusal(code, message, { detail })
}
