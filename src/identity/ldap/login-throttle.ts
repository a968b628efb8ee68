import { createHash } from 'node:crypto'
import { BoundedCache } from '../../bounded-cache.ts'
import { sourceNetwork } from './source-network.ts'

/** So many failed logins at once, and one more each so many seconds. */
export type Allowance = Readonly<{ burst: number; secondsPerToken: number }>

export type ThrottleSettings = Readonly<{
  /** Of one source, whatever the names. */
  perSource: Allowance
  /** Of one name, whatever the sources. */
  perName: Allowance
  /** Of one name from one source. */
  perNameAndSource: Allowance
}>

export const defaultThrottle: ThrottleSettings = {
  perSource: { burst: 30, secondsPerToken: 4 },
  perName: { burst: 30, secondsPerToken: 20 },
  perNameAndSource: { burst: 6, secondsPerToken: 20 },
}

/** Permission to try once. Give it back when the try was no failure of the caller. */
export type Attempt = Readonly<{
  /** The password was right. */
  succeeded(): void
  /** Nothing was tried. */
  undone(): void
}>

const mostRemembered = 50_000
const provenMs = 24 * 3_600_000

/**
 * Counts failed logins in bounded memory, so that guessing is slow and nobody can lock somebody else out:
 * - one name from one source has its own small allowance, and using it up harms nobody elsewhere;
 * - a source that tries many names runs out of its own; names that have logged in from there lately are not touched;
 * - when guesses at one name come from everywhere, sources that have just failed with it wait, but one that has not may
 *   still try.
 */
export class LoginThrottle {
  readonly #sources: Buckets
  readonly #names: Buckets
  readonly #pairs: Buckets
  readonly #proven = new BoundedCache<number>(mostRemembered)

  constructor(settings: ThrottleSettings) {
    this.#sources = new Buckets(settings.perSource)
    this.#names = new Buckets(settings.perName)
    this.#pairs = new Buckets(settings.perNameAndSource)
  }

  /** Takes what one failure costs, so that many at once cannot pass together. Or says how many seconds to wait. */
  begin(
    name: string,
    source: string,
    now: Date,
  ): Attempt | Readonly<{ retryAfterSeconds: number }> {
    const at = now.getTime()
    const keys = { source: sourceNetwork(source), name: digest(foldName(name)) }
    const pair = digest(`${keys.name} ${keys.source}`)
    const isProven = at - (this.#proven.get(pair) ?? -Infinity) < provenMs
    const waits = [this.#pairs.waitSeconds(pair, at)]
    if (!isProven) waits.push(this.#sources.waitSeconds(keys.source, at))
    // It need not win a race for the name's next token: it may also wait until its own failures are forgotten.
    const nameWait = this.#names.waitSeconds(keys.name, at)
    if (!isProven) waits.push(Math.min(nameWait, this.#pairs.waitSeconds(pair, at, 'all')))
    const longest = Math.max(...waits)
    if (longest > 0) return { retryAfterSeconds: Math.ceil(longest) }
    this.#pairs.change(pair, -1, at)
    if (!isProven) this.#sources.change(keys.source, -1, at)
    this.#names.change(keys.name, -1, at)
    const giveBack = (): void => {
      this.#pairs.change(pair, 1, at)
      if (!isProven) this.#sources.change(keys.source, 1, at)
      this.#names.change(keys.name, 1, at)
    }
    return {
      succeeded: () => {
        giveBack()
        this.#proven.set(pair, at)
      },
      undone: giveBack,
    }
  }
}

type Bucket = { tokens: number; at: number }

class Buckets {
  readonly #allowance: Allowance
  readonly #buckets = new BoundedCache<Bucket>(mostRemembered)

  constructor(allowance: Allowance) {
    this.#allowance = allowance
  }

  /** Until there is a whole token, or until all are there; 0 when they are. */
  waitSeconds(id: string, at: number, wanted: 'one' | 'all' = 'one'): number {
    const { burst, secondsPerToken } = this.#allowance
    return Math.max(0, (wanted === 'one' ? 1 : burst) - this.#tokens(id, at)) * secondsPerToken
  }

  change(id: string, by: 1 | -1, at: number): void {
    // Never below nothing: those who may pass without a token must not make everybody else wait for ages.
    const tokens = Math.max(0, Math.min(this.#allowance.burst, this.#tokens(id, at) + by))
    const before = this.#buckets.get(id)?.at ?? at
    this.#buckets.set(id, { tokens, at: Math.max(before, at) })
  }

  #tokens(id: string, at: number): number {
    const { burst, secondsPerToken } = this.#allowance
    const bucket = this.#buckets.get(id)
    if (bucket === undefined) return burst
    // A clock that is set back gives nothing and takes nothing away.
    const refilled = Math.max(0, at - bucket.at) / 1000 / secondsPerToken
    return Math.min(burst, bucket.tokens + refilled)
  }
}

/**
 * Directories take many spellings for one name; so does the count. Active Directory looks past soft hyphens and other
 * letters that nobody sees, and takes `ß` for `ss`.
 */
function foldName(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}\s]/gu, '')
    .toUpperCase()
    .toLowerCase()
}

/** Of one length, however long the name is. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 22)
}
