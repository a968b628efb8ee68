/**
 * A bounded map that forgets what has not been asked for lately. Two generations: what is asked for moves to the
 * young one; when that is half the capacity, it becomes the old one and the old one goes. A warm look-up changes
 * nothing: deleting and setting one key again and again makes a `Map` slower with each time.
 */
export class BoundedCache<T> {
  readonly #half: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2))
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(id: string): T | undefined {
    const young = this.#young.get(id)
    if (young !== undefined) return young
    const old = this.#old.get(id)
    if (old !== undefined) this.set(id, old)
    return old
  }

  set(id: string, value: T): void {
    this.#old.delete(id)
    if (this.#young.size >= this.#half && !this.#young.has(id)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, value)
  }

  delete(id: string): void {
    this.#young.delete(id)
    this.#old.delete(id)
  }
}
