import { Worker } from 'node:worker_threads'
import { OriginError } from '../../s3/index.ts'
import type { Batch, BatchResult, Command, Commands, Outcome } from './commands.ts'
import { identityOf, lost } from './kept-files.ts'

/** The commit may or may not have happened: whoever holds a file for it must leave it where it is. */
export class UnknownOutcome extends OriginError {}

type Waiting = Readonly<{
  command: Command
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}>

/** So that one batch neither keeps its first caller waiting for long nor holds much memory twice. */
const maxBatch = 256

/**
 * Group commit: what is asked for while a batch is being written and synced makes up the next one. The writing and its
 * syncs happen on a thread of their own, so that nobody who reads waits for a disk.
 */
export class Writer {
  readonly #file: string
  readonly #onGarbage: (files: readonly string[]) => void
  #identity: string | undefined
  #worker: Worker | undefined
  #queue: Waiting[] = []
  #running: Waiting[] = []
  #collected: string[] = []
  #closed = false
  #drained: (() => void) | undefined

  private constructor(file: string, onGarbage: (files: readonly string[]) => void) {
    this.#file = file
    this.#onGarbage = onGarbage
  }

  /** Resolves when the database is open. `onGarbage` hears of data files that nothing refers to any more. */
  static async open(file: string, onGarbage: (files: readonly string[]) => void): Promise<Writer> {
    const writer = new Writer(file, onGarbage)
    const worker = writer.#start()
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve())
      worker.once('error', reject)
    })
    writer.#identity = identityOf(file)
    return writer
  }

  run<Name extends keyof Commands>(
    name: Name,
    request: Commands[Name]['request'],
  ): Promise<Commands[Name]['response']> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(unavailable(new Error('the origin is closed')))
        return
      }
      this.#queue.push({
        command: { name, request } as Command, // oxlint-disable-line typescript/no-unsafe-type-assertion -- the pair is correlated by Name
        resolve: resolve as (value: unknown) => void, // oxlint-disable-line typescript/no-unsafe-type-assertion -- the writer answers by name
        reject,
      })
      this.#next()
    })
  }

  /** The file is off the disk; the index may forget it with the next batch. */
  collected(file: string): void {
    this.#collected.push(file)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#running.length > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close') // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
    await exited
  }

  #next(): void {
    if (this.#running.length > 0) return
    if (this.#queue.length === 0) {
      this.#drained?.()
      return
    }
    this.#running = this.#queue.splice(0, maxBatch)
    const commands = this.#running.map(({ command }) => command)
    const batch: Batch = { commands, collected: this.#collected }
    this.#collected = []
    try {
      const worker = this.#worker ?? this.#start()
      worker.postMessage(batch) // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread, not a window
    } catch (cause) {
      // Nothing has been handed over: a request of ours that cannot cross to the thread, or no thread to be had.
      this.#reject(unavailable(cause))
    }
  }

  #start(): Worker {
    // A thread that begins anew would make a new, empty index where the old one is gone.
    const replaced = this.#identity !== undefined && identityOf(this.#file) !== this.#identity
    if (replaced) throw lost(this.#file)
    // The built program has no .ts beside it.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const program = new URL(`./writer-thread.${extension}`, import.meta.url)
    const worker = new Worker(program, { workerData: this.#file })
    worker.on('message', (result: BatchResult | 'ready') => {
      if (result !== 'ready') this.#finish(result)
    })
    worker.on('error', (error) => this.#fail(worker, error))
    worker.on('exit', () => this.#fail(worker, new Error('the writer thread ended')))
    this.#worker = worker
    return worker
  }

  #finish({ outcomes, garbage }: BatchResult): void {
    const finished = this.#running
    this.#running = []
    // Before the answers: what they let happen next must already see these files as doomed.
    this.#onGarbage(garbage)
    for (const [i, { resolve, reject }] of finished.entries()) {
      const outcome = outcomes[i]
      if (outcome?.kind === 'done') resolve(outcome.value)
      else reject(toError(outcome))
    }
    this.#next()
  }

  /** The thread is gone, and with it the knowledge of how its last batch ended. A new one starts when needed. */
  #fail(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#reject(new UnknownOutcome('unavailable', message, { cause }))
  }

  #reject(error: OriginError): void {
    const lost = this.#running
    this.#running = []
    for (const { reject } of lost) reject(error)
    this.#next()
  }
}

const message = 'The storage cannot be written at the moment. Try again.'

function unavailable(cause: unknown): OriginError {
  return new OriginError('unavailable', message, { cause })
}

function toError(outcome: Exclude<Outcome, { kind: 'done' }> | undefined): OriginError {
  if (outcome?.kind === 'refused') {
    return new OriginError(outcome.code, outcome.message, { detail: outcome.detail })
  }
  if (outcome?.kind === 'failed') return unavailable(new Error(outcome.message))
  const cause = new Error(outcome?.message ?? 'the writer gave no outcome')
  return new UnknownOutcome('unavailable', message, { cause })
}
