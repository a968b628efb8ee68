import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { OriginError } from '../../s3/index.ts'
import type { Operation, Origin, OriginRequest, OriginResponse } from '../../s3/index.ts'
import { storageFailure } from '../../storage-failure.ts'
import { bucketHandlers } from './bucket-handlers.ts'
import { dataDirectories, DataFiles } from './data-files.ts'
import { syncDirectory } from './directory-sync.ts'
import { FreeSpace } from './free-space.ts'
import type { ReadFreeSpace } from './free-space.ts'
import type { Ground, Handlers } from './ground.ts'
import { IndexDatabase } from './index-database.ts'
import { lockDirectory } from './lock.ts'
import { checkNames } from './names.ts'
import { objectHandlers } from './object-handlers.ts'
import { sweep } from './sweep.ts'
import { uploadHandlers } from './upload-handlers.ts'
import { IndexRefusal } from './write-context.ts'
import { Writer } from './writer.ts'

export type EmbeddedOriginOptions = Readonly<{
  /** Made when it is not there, for its owner only. One origin at a time. */
  dir: string
  clock: () => Date
  random: (size: number) => Buffer
  /** Default: asks the file system. */
  readFreeSpace?: ReadFreeSpace
}>

const handlers: Handlers = { ...bucketHandlers, ...objectHandlers, ...uploadHandlers }

/**
 * The origin that keeps everything in one directory: `objects.db` (names, attributes, small objects) and `data/`
 * (the bytes of large ones). Removes what a crash has left behind before it serves.
 * @throws Error when another origin has the directory open; one that names the directory, and says what to do about a
 *   full disk.
 */
export async function openEmbeddedOrigin(options: EmbeddedOriginOptions): Promise<Origin> {
  const dir = resolve(options.dir)
  try {
    return await open(dir, options)
  } catch (error) {
    throw storageFailure(join(dir, 'objects.db'), error)
  }
}

async function open(dir: string, options: EmbeddedOriginOptions): Promise<Origin> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(dir, join(dir, 'objects.lock'))
  try {
    return await openLocked(dir, options, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

async function openLocked(
  dir: string,
  { clock, random, readFreeSpace }: EmbeddedOriginOptions,
  unlock: () => void,
): Promise<Origin> {
  const file = join(dir, 'objects.db')
  await prepare(dir, file)
  const files = await DataFiles.open({
    dir,
    random,
    space: new FreeSpace(dir, readFreeSpace),
    onRemoved: (name) => writer.collected(name),
  })
  const writer = await Writer.open(file, (garbage) => {
    for (const name of garbage) files.remove(name)
  })
  const index = IndexDatabase.openReader(file)
  const ground: Ground = {
    index,
    writer,
    files,
    now: () => clock().getTime(),
    nonce: () => random(16).toString('hex'),
  }
  return new EmbeddedOrigin(ground, unlock)
}

/** Makes or checks the index, sweeps, and syncs the names of what it made. */
async function prepare(dir: string, file: string): Promise<void> {
  await assertComplete(dir, file)
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  const index = IndexDatabase.openWriter(file)
  try {
    await sweep(dir, index)
  } finally {
    index.close()
  }
  await syncDirectory(dir)
  await syncDirectory(dirname(dir))
}

/** To a new index every data file is one that was never committed, and the sweep would remove what can still be saved. */
async function assertComplete(dir: string, file: string): Promise<void> {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0 || !existsSync(join(dir, 'data'))) return
  for (const directory of await dataDirectories(dir)) {
    if (readdirSync(join(dir, 'data', directory)).length === 0) continue
    const message = `${dir} holds objects but no index of them: put ${file} back from a backup, or move data/ away.`
    throw new Error(message)
  }
}

class EmbeddedOrigin implements Origin {
  readonly #ground: Ground
  readonly #unlock: () => void
  #closing: Promise<void> | undefined

  constructor(ground: Ground, unlock: () => void) {
    this.#ground = ground
    this.#unlock = unlock
  }

  async handle<Name extends Operation>(
    operation: Name,
    request: OriginRequest<Name>,
  ): Promise<OriginResponse<Name>> {
    if (this.#closing !== undefined) throw new OriginError('unavailable', 'The origin is closed.')
    try {
      checkNames(request)
      return await handlers[operation](this.#ground, request)
    } catch (error) {
      throw toOriginError(error)
    }
  }

  /** Lets running commits finish. Bodies that are being read stay readable; uploads in progress are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // The reader first: the last connection to close folds the log into the database.
    this.#ground.index.close()
    await this.#ground.writer.close()
    await this.#ground.files.close()
    this.#unlock()
  }
}

/** Refusals of the body pass as they are: they are the face's. */
function toOriginError(error: unknown): unknown {
  if (error instanceof IndexRefusal) {
    return new OriginError(error.code, error.message, { detail: error.detail })
  }
  if (isIndexFailure(error)) {
    const message = 'The storage cannot be read at the moment. Try again.'
    return new OriginError('unavailable', message, { cause: error })
  }
  return error
}

/** The index cannot be read, or was closed while the request was under way. */
function isIndexFailure(error: unknown): boolean {
  const codes: readonly unknown[] = ['ERR_SQLITE_ERROR', 'ERR_INVALID_STATE']
  return error instanceof Error && 'code' in error && codes.includes(error.code)
}
