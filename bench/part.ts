import type { Figure } from './figure.ts'
import type { Workplace } from './workplace.ts'

/** How long things are measured. */
export type Pace = Readonly<{
  rounds: number
  /** Before the first round, for the compiler's sake; and before each, for the caches'. */
  firstWarmupSeconds: number
  warmupSeconds: number
  seconds: number
  /** The short form of those parts that count instead of timing. */
  quick: boolean
}>

/** One measurement, or several that share their servers. */
export type Part = Readonly<{
  name: string
  /** What the floor does, in one line: part of the report. */
  floor: string
  measure(place: Workplace, pace: Pace): Promise<readonly Figure[]>
}>

/** What a part throws when its counterpart is not to be had here; the message says what is missing. */
export class Skipped extends Error {}
