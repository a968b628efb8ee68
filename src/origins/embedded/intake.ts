import { createHash, hash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { ObjectBody } from '../../s3/index.ts'
import { OriginError } from '../../s3/index.ts'
import type { Checksum } from '../../checksums/index.ts'
import type { NewContent } from './commands.ts'
import type { DataFiles, TemporaryFile } from './data-files.ts'
import { onDisk } from './disk-errors.ts'
import { Gathered } from './gathered.ts'

/** A body that has been read to its proven end, and where its bytes are now: in memory, or in a synced file. */
export type Received = Readonly<{
  size: number
  /** MD5, lower-case hex. */
  etag: string
  checksum: Checksum
  content: NewContent
}>

/** How much is gathered for one write to the disk. Two of these are the most an upload holds in memory. */
const portion = 512 * 1024

/**
 * Takes in one body: up to `inlineLimit` bytes stay in memory, more go to a file while they come. Whatever goes
 * wrong, be it the body's refusal or ours, no file is left behind. A file that is given back is in doubt.
 */
export async function receive(
  files: DataFiles,
  body: ObjectBody,
  inlineLimit: number,
): Promise<Received> {
  const intake = new Intake(files)
  try {
    // Told before the first byte is taken, where that can be told.
    files.space.check(body.size ?? 0)
    for await (const chunk of body.stream) await intake.add(chunk, body.size)
    if (body.size !== undefined && body.size !== intake.size) throw wrongLength()
    // Asked for before the file is placed: it throws if the body is not what it claims to be.
    const checksum = body.checksum()
    return { checksum, ...(await intake.finish(inlineLimit)) }
  } catch (error) {
    await intake.abandon()
    throw error
  }
}

class Intake {
  size = 0
  readonly #files: DataFiles
  readonly #gathered = new Gathered()
  #file: TemporaryFile | undefined
  #md5: Hash | undefined
  #writing: Promise<void> | undefined

  constructor(files: DataFiles) {
    this.#files = files
  }

  async add(chunk: Uint8Array, expected: number | undefined): Promise<void> {
    this.size += chunk.length
    if (expected !== undefined && this.size > expected) throw wrongLength()
    this.#gathered.add(chunk)
    if (this.#gathered.size >= portion) await this.#flush()
  }

  async finish(inlineLimit: number): Promise<Pick<Received, 'size' | 'etag' | 'content'>> {
    const { size } = this
    if (size === 0) return { size, etag: hash('md5', ''), content: undefined }
    if (size <= inlineLimit) {
      const bytes = join(this.#gathered.take(), size)
      return { size, etag: hash('md5', bytes), content: { bytes } }
    }
    await this.#flush()
    await this.#writing
    const file = await this.#files.place(await this.#open())
    this.#file = undefined
    return { size, etag: this.#hash().digest('hex'), content: { file } }
  }

  async abandon(): Promise<void> {
    await this.#writing?.catch(() => undefined)
    if (this.#file !== undefined) await this.#files.abandon(this.#file)
  }

  /** Hands over what is gathered and returns once the portion before it is written: this is the back-pressure. */
  async #flush(): Promise<void> {
    const { size } = this.#gathered
    const chunks = this.#gathered.take()
    for (const chunk of chunks) this.#hash().update(chunk)
    const file = await this.#open()
    await this.#writing
    this.#writing = this.#files.space.during(size, () => writeAll(file, chunks))
    // Looked at with the next portion; until then it must not count as unhandled.
    this.#writing.catch(() => undefined)
  }

  #hash(): Hash {
    this.#md5 ??= createHash('md5')
    return this.#md5
  }

  async #open(): Promise<TemporaryFile> {
    this.#file ??= await this.#files.create()
    return this.#file
  }
}

async function writeAll(file: TemporaryFile, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks.filter((chunk) => chunk.length > 0)
  while (left.length > 0) {
    const { bytesWritten } = await onDisk(file.handle.writev(left))
    left = withoutFirst(left, bytesWritten)
  }
}

/** A write may be cut short, by a disk that is nearly full for one; the next one then says why. */
function withoutFirst(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count
  const left: Uint8Array[] = []
  for (const chunk of chunks) {
    if (skip < chunk.length) left.push(skip === 0 ? chunk : chunk.subarray(skip))
    skip = Math.max(skip - chunk.length, 0)
  }
  return left
}

/** In memory of their own: a view into a pool would take the whole pool along to the writer's thread. */
function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function wrongLength(): OriginError {
  return new OriginError('invalid_request', 'The body is not as long as was declared.')
}
