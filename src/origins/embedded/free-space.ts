import { statfsSync } from 'node:fs'
import { OriginError } from '../../s3/index.ts'
import { diskFailure } from './disk-errors.ts'

/** What the file system says of itself, in blocks. */
export type ReadFreeSpace = (
  dir: string,
) => Readonly<{ bsize: number; blocks: number; bavail: number }>

const mostReserved = 64 * 1024 * 1024

/**
 * Keeps objects from taking the last of the disk. A deletion has to be written down before it frees anything, and so
 * has everything else that an administrator does about a full disk: without this it could be mended by hand only.
 */
export class FreeSpace {
  readonly #dir: string
  readonly #read: ReadFreeSpace
  /** Promised to writes that are on their way to the disk. */
  #promised = 0

  constructor(dir: string, read: ReadFreeSpace = statfsSync) {
    this.#dir = dir
    this.#read = read
  }

  /** @throws OriginError `unavailable` when so many bytes would leave too little. */
  check(bytes: number): void {
    const { bsize, blocks, bavail } = this.#look()
    // Some network file systems tell nothing; there the write itself has to.
    if (blocks === 0) return
    const reserved = Math.min(mostReserved, (blocks * bsize) / 20)
    if (bavail * bsize - this.#promised - bytes >= reserved) return
    throw new OriginError('unavailable', 'The storage is full. Delete something, or try later.')
  }

  #look(): ReturnType<ReadFreeSpace> {
    try {
      return this.#read(this.#dir)
    } catch (cause) {
      throw diskFailure(cause)
    }
  }

  /** Holds room for the bytes until they are written, or are not. Checks first. */
  async during<Value>(bytes: number, write: () => Promise<Value>): Promise<Value> {
    this.check(bytes)
    this.#promised += bytes
    try {
      return await write()
    } finally {
      this.#promised -= bytes
    }
  }
}
