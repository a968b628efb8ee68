const seconds = 1000
const longestBackoffMs = 15 * seconds

/** When somebody remote was last tried, how that went, and how long to leave them alone: 1 s, doubling up to 15 s. */
export class Attempts {
  readonly #clock: () => Date
  #at: number | undefined
  #failures = 0
  #error: string | undefined

  constructor(clock: () => Date) {
    this.#clock = clock
  }

  /** Why the last one failed; `undefined` when it did not, or when there was none. */
  get error(): string | undefined {
    return this.#error
  }

  begin(): void {
    this.#at = this.#clock().getTime()
  }

  succeeded(): void {
    this.#failures = 0
    this.#error = undefined
  }

  failed(error: string): void {
    this.#failures += 1
    this.#error = error
  }

  /** May another one begin? Not sooner than `leastMs` after the last, nor while backing off. */
  mayBegin(leastMs = 0): boolean {
    // Absolute: a clock that was set back does not hold us up.
    const since = this.#at === undefined ? Infinity : Math.abs(this.#clock().getTime() - this.#at)
    return since >= Math.max(leastMs, this.#backoffMs())
  }

  /** The instant, in milliseconds, before which nothing is tried. */
  get notBefore(): number {
    return (this.#at ?? 0) + this.#backoffMs()
  }

  #backoffMs(): number {
    if (this.#failures === 0) return 0
    return Math.min(seconds * 2 ** (this.#failures - 1), longestBackoffMs)
  }
}
