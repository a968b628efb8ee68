import { malformed } from '../errors.ts'

/**
 * How much work one intersection may be. Callers send their own policies, and patterns such as `*a*b*c*` multiply; what is
 * too much is refused by counting steps, so the answer never depends on how busy the machine is.
 */
export class Budget {
  #left: number

  /** @param steps about one per pattern character looked at or copied */
  constructor(steps: number) {
    this.#left = steps
  }

  /** @throws PolicyError when the steps are used up */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left >= 0) return
    throw malformed(
      '',
      'too much work to intersect the policies: use fewer statements and wildcards',
    )
  }
}
