import { Refusal } from '../errors.ts'

export type CliErrorCode =
  | 'usage' // wrong arguments, no credentials, a file that cannot be read
  | 'invalid' // the document is not a policy, the archive is none
  | 'refused' // the server said no: not there, already there, not valid, not now
  | 'denied' // the server does not know the keys, or they may not do this
  | 'not_started' // `server`: configuration, directory or address
  | 'incomplete' // `import`: done, but for what is reported
  | 'unreachable' // no server there, or what answered is not one

/** What goes wrong for a reason that the person at the keyboard can change; the message says how. */
export class CliError extends Refusal<CliErrorCode> {}

/** Documented in the help text and in the manual. */
export const exitCodes: Readonly<Record<CliErrorCode | 'ok' | 'fault', number>> = {
  ok: 0,
  refused: 1,
  invalid: 1,
  not_started: 1,
  usage: 2,
  unreachable: 3,
  denied: 4,
  incomplete: 5,
  fault: 70,
}
