import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Loads on demand: one load at a time, a pause between two, and whoever asks is served by a load that began after
 * the asking. However many ask, the source sees a bounded number of calls.
 */
export class Refresher {
  readonly #load: () => Promise<void>
  readonly #pauseMs: number
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(load: () => Promise<void>, pauseMs: number) {
    this.#load = load
    this.#pauseMs = pauseMs
  }

  refresh(): Promise<void> {
    this.#next ??= this.#after(this.#last)
    return this.#next
  }

  async #after(last: Promise<void>): Promise<void> {
    await last
    this.#next = undefined
    const loaded = this.#load()
    this.#last = loaded.catch(() => undefined).then(() => sleep(this.#pauseMs))
    await loaded
  }
}
