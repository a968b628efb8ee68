import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

/** The cheapest way to make many small writes durable: one file, and one fdatasync for all that came meanwhile. */
export class GroupLog {
  readonly #file: FileHandle
  #waiting: { bytes: Buffer; done: () => void }[] = []
  #busy = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<GroupLog> {
    return new GroupLog(await open(path, 'a'))
  }

  append(bytes: Buffer, done: () => void): void {
    this.#waiting.push({ bytes, done })
    if (!this.#busy) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      await this.#file.writev(batch.map(({ bytes }) => bytes))
      await this.#file.datasync()
      for (const { done } of batch) done()
    }
    this.#busy = false
  }
}
