import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { DirectorySync, syncDirectory } from './directory-sync.ts'
import { onDisk } from './disk-errors.ts'
import type { FreeSpace } from './free-space.ts'

/** So that the look through the newest directories at start stays short. */
const filesPerDirectory = 1024

/**
 * The files that large objects and parts live in. A file is written in `tmp/`, synced, moved to `data/NNNNNNNN/` under
 * a random name that tells nothing of its key, and belongs to an object only once the index has committed its name.
 *
 * Between the move and the commit a file is in doubt. A new directory is begun only when nothing is in doubt outside
 * the one before, so after a crash all doubtful files lie in `tmp/` and in the two newest directories.
 */
export class DataFiles {
  readonly space: FreeSpace
  readonly #dir: string
  readonly #random: (size: number) => Buffer
  readonly #onRemoved: (file: string) => void
  readonly #doubtful = new Map<string, number>()
  readonly #readers = new Map<string, number>()
  readonly #doomed = new Set<string>()
  #removals: Promise<void> = Promise.resolve()
  #current: DirectorySync
  #count: number

  private constructor(options: DataFilesOptions, current: DirectorySync, count: number) {
    this.space = options.space
    this.#dir = options.dir
    this.#random = options.random
    this.#onRemoved = options.onRemoved
    this.#current = current
    this.#count = count
  }

  /** The directories must have been swept. Goes on in the newest one. */
  static async open(options: DataFilesOptions): Promise<DataFiles> {
    const newest = (await dataDirectories(options.dir)).at(-1)
    const name = newest ?? directoryName(1)
    if (newest === undefined) await makeDirectory(options.dir, name)
    const files = await readdir(join(options.dir, 'data', name))
    const current = new DirectorySync(name, join(options.dir, 'data', name))
    return new DataFiles(options, current, files.length)
  }

  /** An empty file that nobody knows of and that is gone after a crash. */
  async create(): Promise<TemporaryFile> {
    const name = this.#random(16).toString('hex')
    const path = join(this.#dir, 'tmp', name)
    const handle = await onDisk(open(path, 'wx', 0o600))
    return { name, path, handle }
  }

  /** Syncs the file and moves it in. It stays in doubt until it is settled or discarded. */
  async place(file: TemporaryFile): Promise<string> {
    await onDisk(file.handle.datasync())
    await onDisk(file.handle.close())
    const directory = await this.#directory()
    const name = `${directory.name}/${file.name}`
    this.#doubtful.set(directory.name, (this.#doubtful.get(directory.name) ?? 0) + 1)
    try {
      await onDisk(rename(file.path, this.path(name)))
      await onDisk(directory.sync())
    } catch (error) {
      await this.discard(name)
      throw error
    }
    return name
  }

  /** Gives up a file that was never placed. */
  async abandon(file: TemporaryFile): Promise<void> {
    await file.handle.close().catch(() => undefined)
    await unlink(file.path).catch(() => undefined)
  }

  /** The index has committed the name. */
  settle(name: string): void {
    const directory = name.slice(0, name.indexOf('/'))
    const left = (this.#doubtful.get(directory) ?? 0) - 1
    if (left > 0) this.#doubtful.set(directory, left)
    else this.#doubtful.delete(directory)
  }

  /** The index will never know the name. */
  async discard(name: string): Promise<void> {
    // If it cannot be removed it stays in doubt, and the next start finds it.
    await unlink(this.path(name)).then(
      () => this.settle(name),
      () => undefined,
    )
  }

  /** Keeps the file on disk until it is let go as often: a reader is on its way. */
  retain(name: string): void {
    this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1)
  }

  letGo(name: string): void {
    const left = (this.#readers.get(name) ?? 0) - 1
    if (left > 0) {
      this.#readers.set(name, left)
      return
    }
    this.#readers.delete(name)
    if (this.#doomed.delete(name)) this.#unlink(name)
  }

  /** Nothing refers to the file any more: it goes now, or with its last reader. */
  remove(name: string): void {
    if (this.#readers.has(name)) this.#doomed.add(name)
    else this.#unlink(name)
  }

  open(name: string): Promise<FileHandle> {
    return onDisk(open(this.path(name), 'r'))
  }

  path(name: string): string {
    return join(this.#dir, 'data', name)
  }

  /** Waits for the removals that are under way. */
  async close(): Promise<void> {
    await this.#removals
  }

  /**
   * One after the other: an object of ten thousand parts that goes must not keep everybody else from the disk.
   * A failure leaves the file to the garbage list, which the next start goes through.
   */
  #unlink(name: string): void {
    this.#removals = this.#removals
      .then(() => unlink(this.path(name)))
      .then(
        () => this.#onRemoved(name),
        () => undefined,
      )
  }

  async #directory(): Promise<DirectorySync> {
    const old = this.#current
    const elsewhere = [...this.#doubtful.keys()].some((name) => name !== old.name)
    if (++this.#count <= filesPerDirectory || elsewhere) return old
    const name = directoryName(Number.parseInt(old.name, 16) + 1)
    // Before the first await, so that of many who come at once only one makes the directory.
    this.#count = 1
    await onDisk(makeDirectory(this.#dir, name))
    this.#current = new DirectorySync(name, join(this.#dir, 'data', name))
    return this.#current
  }
}

export type DataFilesOptions = Readonly<{
  dir: string
  space: FreeSpace
  random: (size: number) => Buffer
  /** A data file that nothing refers to has left the disk. */
  onRemoved: (file: string) => void
}>

export type TemporaryFile = Readonly<{ name: string; path: string; handle: FileHandle }>

/** Oldest first. */
export async function dataDirectories(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'data'))
  return names.filter((name) => /^[0-9a-f]{8}$/.test(name)).sort()
}

function directoryName(number: number): string {
  return number.toString(16).padStart(8, '0')
}

async function makeDirectory(dir: string, name: string): Promise<void> {
  await mkdir(join(dir, 'data', name), { recursive: true, mode: 0o700 })
  await syncDirectory(join(dir, 'data'))
}
