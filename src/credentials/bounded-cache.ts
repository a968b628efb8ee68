/** A bounded map that forgets what was not asked for the longest. */
export class BoundedCache<T> {
  readonly #capacity: number
  readonly #entries = new Map<string, T>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get(id: string): T | undefined {
    const found = this.#entries.get(id)
    if (found === undefined) return undefined
    this.#entries.delete(id)
    this.#entries.set(id, found)
    return found
  }

  set(id: string, value: T): void {
    this.#entries.delete(id)
    this.#entries.set(id, value)
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  delete(id: string): void {
    this.#entries.delete(id)
  }
}
