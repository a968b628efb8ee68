/** Views of smaller pieces cost more than the copying of their bytes. */
const smallest = 4 * 1024
const page = 16 * 1024

/**
 * Pieces of a body, on their way to one write. A body may come a byte at a time, and each piece has some hundred bytes
 * around it: small ones are copied together, so that what is held is about what was sent.
 */
export class Gathered {
  size = 0
  #pieces: Uint8Array[] = []
  /** Where small pieces go; those before `#start` are in `#pieces` already. */
  #page = Buffer.alloc(0)
  #start = 0
  #end = 0

  add(piece: Uint8Array): void {
    this.size += piece.length
    // The first one is kept as it is: most small objects come in one.
    if (piece.length >= smallest || this.#pieces.length === 0) {
      this.#seal()
      this.#pieces.push(piece)
    } else {
      this.#copy(piece)
    }
  }

  /** Gives all of it away, in order, and begins anew. */
  take(): readonly Uint8Array[] {
    this.#seal()
    const pieces = this.#pieces
    this.#pieces = []
    this.size = 0
    return pieces
  }

  #copy(piece: Uint8Array): void {
    if (this.#page.length - this.#end < piece.length) {
      this.#seal()
      this.#page = Buffer.allocUnsafeSlow(page)
      this.#start = 0
      this.#end = 0
    }
    this.#page.set(piece, this.#end)
    this.#end += piece.length
  }

  #seal(): void {
    if (this.#end === this.#start) return
    this.#pieces.push(this.#page.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}
