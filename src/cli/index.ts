/**
 * The command line. Takes arguments, environment and streams; gives a value on standard output (as a table, or as
 * JSON), words for people on standard error, and a documented exit code. Talks to a running server over its public
 * API only, and never shows a secret but one that has just been made.
 */
export { run } from './run.ts'
export type { Context } from './context.ts'
