/** Waits; the port of a timer. */
export type Delay = (ms: number) => Promise<void>

const leastStepMs = 300
const mostRememberedMs = 2000
/** How much longer a refusal takes than the slowest login. */
const reserve = 1.5
const windowMs = 24 * 3_600_000

/**
 * Lets every refusal leave so long after its login began, whatever it came of. The directory compares the hash of a real
 * user's password, which may be made slow on purpose, and knows at once that a user does not exist; the difference would
 * tell the names of users. The slowest of a day or two is what counts, so that nobody can make us forget it.
 */
export class RefusalPace {
  readonly #delay: Delay
  #windowStart = -Infinity
  #slowestMs = 0
  #slowestBeforeMs = 0

  constructor(delay: Delay) {
    this.#delay = delay
  }

  /** Refusals leave at a multiple of this; nearly always at the first. */
  get stepMs(): number {
    return Math.max(leastStepMs, reserve * Math.max(this.#slowestMs, this.#slowestBeforeMs))
  }

  /** What a judgement has taken, for better or worse. */
  learn(elapsedMs: number, now: Date): void {
    const elapsed = now.getTime() - this.#windowStart
    if (elapsed >= windowMs || elapsed < 0) {
      this.#windowStart = now.getTime()
      this.#slowestBeforeMs = this.#slowestMs
      this.#slowestMs = 0
    }
    this.#slowestMs = Math.max(this.#slowestMs, Math.min(elapsedMs, mostRememberedMs))
  }

  /** Resolves when the refusal of a login may leave that has taken so long. */
  async wait(elapsedMs: number): Promise<void> {
    const elapsed = Math.max(elapsedMs, 0)
    const step = this.stepMs
    await this.#delay(Math.ceil((elapsed + 1) / step) * step - elapsed)
  }
}
