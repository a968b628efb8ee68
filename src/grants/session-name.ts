import type { Trace } from './trace.ts'

/** AWS STS API reference, AssumeRole: 2 to 64 of these. `\w` is ASCII only. */
const sessionName = /^[\w+=,.@-]{2,64}$/
const foreign = /[^\w+=,.@-]/gu

export function isSessionName(text: string): boolean {
  return sessionName.test(text)
}

/** The name that the caller gave, checked; else one made from the subject. Empty counts as not given. */
export function chooseSessionName(
  asked: string | undefined,
  subject: string,
  trace: Trace,
): string {
  if (asked === undefined || asked === '') return derive(subject)
  if (isSessionName(asked)) return asked
  throw trace.refusal(
    'session name',
    'invalid_parameter',
    'RoleSessionName has 2 to 64 letters, digits or characters of _+=,.@-',
    { detail: { parameter: 'RoleSessionName' } },
  )
}

function derive(subject: string): string {
  return subject.replace(foreign, '-').slice(0, 64).padEnd(2, '-')
}
