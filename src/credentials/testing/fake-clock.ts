/** A clock for tests: it stands still until it is told. */
export class FakeClock {
  #now: number

  constructor(start = '2026-01-01T12:00:00.000Z') {
    this.#now = Date.parse(start)
  }

  readonly now = (): Date => new Date(this.#now)

  advance(milliseconds: number): void {
    this.#now += milliseconds
  }
}
