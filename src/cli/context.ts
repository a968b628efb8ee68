import type { Readable } from 'node:stream'

/** The world as a command sees it; tests hand in another one. */
export type Context = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  stdin: Readable
  /** Standard output is read by a person. */
  isTerminal: boolean
  /** Values only. */
  writeOut(text: string): void
  /** Words for people. */
  writeError(text: string): void
  clock(): Date
}>

/**
 * What a command returns: the value for `--json`, and the same for people. `failure`: thrown when these have been printed,
 * for a command that did not do all of its work.
 */
export type Output = Readonly<{ value: unknown; text: string; failure?: Error }>
