/**
 * Wakes everybody who watches: at once when this process committed, else on every tick of one shared timer, which
 * runs only while there are watchers. A tick does the housekeeping first; if that fails, all watchers fail with it.
 */
export class Ticker {
  readonly #intervalMs: number
  readonly #housekeeping: () => void
  readonly #waiting = new Set<(error?: unknown) => void>()
  #members = 0
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, housekeeping: () => void) {
    this.#intervalMs = intervalMs
    this.#housekeeping = housekeeping
  }

  /** Returns how to leave again. An abort wakes the member, so that it notices. */
  join(signal: AbortSignal): () => void {
    const onAbort = (): void => this.wake()
    signal.addEventListener('abort', onAbort)
    this.#members++
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs)
    return () => {
      signal.removeEventListener('abort', onAbort)
      this.#members--
      if (this.#members === 0) this.#stop()
    }
  }

  next(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#timer === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.add((error) => {
        if (error === undefined) resolve()
        else reject(error)
      })
    })
  }

  wake(error?: unknown): void {
    const woken = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of woken) wake(error)
  }

  close(): void {
    this.#stop()
    this.wake()
  }

  #tick(): void {
    try {
      this.#housekeeping()
      this.wake()
    } catch (error) {
      this.wake(error)
    }
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
