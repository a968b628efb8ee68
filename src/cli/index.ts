/**
 * The command line. Takes arguments, environment and streams; gives a value on standard output (as a table, or as
 * JSON), words for people on standard error, and a documented exit code. Talks to a running server over its public
 * API only, and never shows a secret but the one that `accesskey add` has just made.
 */
export { run } from './run.ts'
export { exitCodes } from './cli-error.ts'
export type { Context } from './context.ts'
