const windowMs = 60_000
const recordsPerWindow = 120

/**
 * How many refusals of callers who proved nothing are recorded: enough to see an attack, too few to fill the disk with
 * it, since nothing is issued when the audit log cannot grow. All of them are counted by metrics.
 */
export class StrangerBudget {
  #windowStart = -Infinity
  #left = 0
  #skipped = 0

  /** How many were passed over since the last one that was recorded; `undefined`: pass this one over too. */
  take(now: Date): number | undefined {
    const elapsed = now.getTime() - this.#windowStart
    if (elapsed >= windowMs || elapsed < 0) {
      this.#windowStart = now.getTime()
      this.#left = recordsPerWindow
    }
    if (this.#left === 0) {
      this.#skipped += 1
      return undefined
    }
    this.#left -= 1
    const skipped = this.#skipped
    this.#skipped = 0
    return skipped
  }
}
