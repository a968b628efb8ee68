import { isSessionName } from './session-name.ts'
import type { Trace } from './trace.ts'

/**
 * Who somebody said to be when the first role was taken: it stays with every session that is made from there.
 * @param inherited that of the session that asks
 * @throws GrantError `invalid_parameter` for a name that AWS refuses, or for another one than the session has
 */
export function chooseSourceIdentity(
  asked: string | undefined,
  inherited: string | undefined,
  trace: Trace,
): string | undefined {
  if (asked === undefined || asked === '') return inherited
  const refuse = (message: string) =>
    trace.refusal('source identity', 'invalid_parameter', message, {
      detail: { parameter: 'SourceIdentity' },
    })
  if (!isSessionName(asked) || /^aws:/i.test(asked)) {
    throw refuse('SourceIdentity has 2 to 64 letters, digits or characters of _+=,.@-')
  }
  if (inherited !== undefined && inherited !== asked) {
    throw refuse('The source identity of a session stays as it is in every role that it takes')
  }
  return asked
}

const claimName = 'https://aws.amazon.com/source_identity'

/** What the provider says (AWS IAM User Guide, "Monitor and control actions taken with assumed roles"). */
export function tokenSourceIdentity(claims: ReadonlyMap<string, unknown>): string | undefined {
  const value = claims.get(claimName)
  return typeof value === 'string' && value !== '' ? value : undefined
}
