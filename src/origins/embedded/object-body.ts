import type { FileHandle } from 'node:fs/promises'
import type { LendingBody } from '../../http.ts'
import type { DataFiles } from './data-files.ts'
import { onDisk } from './disk-errors.ts'

type Files = Pick<DataFiles, 'open' | 'retain' | 'letGo'>

export type FileSlice = Readonly<{ file: string; offset: number; length: number }>

/** One read from the disk. Two of these are the most a reader holds in memory. */
const portion = 256 * 1024

/**
 * Streams stretches of files. From its making on it keeps all of them on disk, so that an overwrite or a delete never
 * tears it; it must be read to its end or destroyed by `return()`. One portion is read ahead.
 */
export class ObjectBodyReader implements AsyncIterableIterator<Uint8Array>, LendingBody {
  readonly #files: Files
  readonly #slices: readonly FileSlice[]
  #next = 0
  #position = 0
  #opened: { name: string; handle: FileHandle } | undefined
  #ahead: Promise<Buffer | undefined> | undefined
  /** Came back from whom it was lent to. */
  #spare: Buffer | undefined
  #ended = false

  /** Call it in the same tick as the look-up that gave the slices: nothing may be removed in between. */
  constructor(files: Files, slices: readonly FileSlice[]) {
    this.#files = files
    this.#slices = slices
    for (const { file } of slices) files.retain(file)
  }

  /** Opens the first file, so that what can fail early fails before anything is answered. */
  async begin(): Promise<this> {
    this.#readAhead()
    try {
      await this.#ahead
      return this
    } catch (error) {
      await this.return()
      throw error
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#step()
  }

  async #step(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    try {
      if (this.#ahead === undefined) this.#readAhead()
      const bytes = await this.#ahead
      if (bytes === undefined || this.#ended) return await this.return()
      this.#readAhead()
      return { done: false, value: bytes }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  async return(): Promise<{ done: true; value: undefined }> {
    if (!this.#ended) {
      this.#ended = true
      await this.#ahead?.catch(() => undefined)
      await this.#close()
      for (const { file } of this.#slices) this.#files.letGo(file)
    }
    return { done: true, value: undefined }
  }

  /** Two portions of memory for a body of any length: one is on its way while the other one is read into. */
  async lendTo(take: (piece: Uint8Array) => Promise<void>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#step()
        if (done === true) return
        await take(value)
        this.#spare = Buffer.from(value.buffer) // the whole of it: a last piece is short
      }
    } finally {
      await this.return()
    }
  }

  #readAhead(): void {
    this.#ahead = this.#read()
    // Looked at by the next call; until then it must not count as unhandled.
    this.#ahead.catch(() => undefined)
  }

  async #read(): Promise<Buffer | undefined> {
    const slice = this.#slices[this.#next]
    if (slice === undefined) return undefined
    const handle = await this.#open(slice.file)
    const length = Math.min(portion, slice.length - this.#position)
    const bytes = this.#memory(length)
    await readFully(handle, bytes, slice.offset + this.#position)
    this.#position += length
    if (this.#position === slice.length) {
      this.#next++
      this.#position = 0
    }
    return bytes
  }

  #memory(length: number): Buffer {
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined || spare.length < length) return Buffer.allocUnsafeSlow(length)
    return spare.subarray(0, length)
  }

  async #open(name: string): Promise<FileHandle> {
    if (this.#opened?.name !== name) {
      await this.#close()
      this.#opened = { name, handle: await this.#files.open(name) }
    }
    return this.#opened.handle
  }

  async #close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.handle.close()
  }
}

async function readFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await onDisk(
      handle.read(bytes, done, bytes.length - done, position + done),
    )
    if (bytesRead === 0) throw new Error('a data file is shorter than the index says')
    done += bytesRead
  }
}

/** A body that is already here. */
export async function* bytesBody(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
