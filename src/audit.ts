import { createHash } from 'node:crypto'
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import type { PolicySource } from './credentials/index.ts'
import type { TraceStep } from './grants/index.ts'

export { boundRefusals } from './audit/refusal-budget.ts'

/**
 * What the audit log keeps: who, how proven, what was granted or refused and why, from where. No secret is in it: a
 * token shows as its SHA-256, a session policy as its SHA-256 and length, and a `Secret` anywhere as `[secret]`.
 */
export type AuditEvent = AuditIssued | AuditRefused | AuditDenial | AuditAdmin | AuditDeparture

type ExchangeFacts = Readonly<{
  kind: 'exchange'
  at: Date
  decisionId: string
  action: string
  client: Readonly<{ source: string; secure: boolean; userAgent?: string | undefined }>
  /** How the caller proved itself. Absent: it did not come to that. */
  proof?: Readonly<
    | { kind: 'token'; sha256: string }
    | { kind: 'signature'; accessKeyId: string }
    | { kind: 'login'; username: string }
    | { kind: 'certificate'; sha256: string }
  >
  principal?: Readonly<Record<'kind' | 'provider' | 'issuer' | 'subject' | 'displayName', string>>
  trace: readonly TraceStep[]
}>

/** Credentials that are about to leave. */
export type AuditIssued = ExchangeFacts &
  Readonly<{
    outcome: 'issued'
    accessKeyId: string
    tenant: string
    source: PolicySource
    sessionName: string
    /** The documents; their digests are written. */
    sessionPolicies: readonly (readonly string[])[]
    /** Of named policies in the same layers. */
    sessionPolicyNames?: readonly (readonly string[])[]
    parentAccessKeyId?: string
    tags?: ReadonlyMap<string, string>
    sourceIdentity?: string
    issuedAt: Date
    expiresAt: Date
    jti?: string
  }>

/** An exchange that came to nothing. */
export type AuditRefused = ExchangeFacts &
  Readonly<{
    outcome: 'refused'
    code: string
    message: string
    unrecorded?: Unrecorded
  }>

/** So many refusals of the same caller, or of strangers, were passed over since the last one that stands here. */
type Unrecorded = number

/** An S3 or IAM request that policy refused. */
export type AuditDenial = Readonly<{
  kind: 'denial'
  at: Date
  decisionId: string
  requestId: string
  source: string
  principal: Readonly<{ kind: string; arn?: string; accessKeyId?: string; subject?: string }>
  accesses: readonly Readonly<{
    action: string
    resource: string
    outcome: string
    reason: string
  }>[]
  unrecorded?: Unrecorded
}>

/** A change of users, keys, policies, sessions: asked for, made, failed or refused. */
export type AuditAdmin = Readonly<{
  kind: 'admin'
  at: Date
  requestId: string
  action: string
  outcome: string
  caller: Readonly<{ kind: string; accessKeyId: string; name: string }>
  source: string
  permissions: readonly Readonly<{ action: string; resource: string }>[]
  parameters: Readonly<Record<string, string>>
  result?: unknown
  code?: string
  decisionId?: string
  unrecorded?: Unrecorded
}>

/** Sessions that ended because of what a directory said about somebody. */
export type AuditDeparture = Readonly<{
  kind: 'departure'
  at: Date
  provider: string
  subject: string
  reason: string
}>

export type AuditOptions = Readonly<{
  clock: () => Date
  /** Told of each batch that could not be written; its records were rejected. Must not throw. */
  onFailure: (error: unknown) => void
  openFile?: typeof open
}>

export interface AuditLog {
  /**
   * Resolves when the record is on the disk. Rejects with the file system's error when it is not: then nothing may
   * be issued. A later record is tried anew.
   */
  record(event: AuditEvent): Promise<void>
  /** Writes what was recorded until now, and no more. */
  close(): Promise<void>
}

const maxBatchBytes = 1_048_576
const maxQueued = 65_536
const lineFeed = 0x0a

/**
 * Opens today's file and fails at once when it cannot be written. JSON lines, one file for a UTC day, mode 0600. A
 * line that a crash cut off is ended, so that the next record stands on a line of its own.
 */
export async function openAuditLog(dir: string, options: AuditOptions): Promise<AuditLog> {
  const log = new GroupedLog(dir, options)
  await log.start()
  return log
}

/**
 * Writes JSON lines to a stream that somebody else keeps, such as the standard output of a container. A record is taken
 * when the stream has taken it; what is behind the stream must be durable by itself.
 */
export function createStreamAuditLog(stream: Writable): AuditLog {
  let queue: Waiting[] = []
  /** What came in one turn goes out in one piece: a pipe is written to while everybody else waits. */
  function write(): void {
    const batch = queue
    queue = []
    if (batch.length === 0) return
    stream.write(batch.map(({ line }) => line).join(''), (error) => {
      for (const { resolve, reject } of batch) {
        if (error) reject(error)
        else resolve()
      }
    })
  }
  return {
    record: (event) =>
      new Promise((resolve, reject) => {
        queue.push({ line: auditLine(event), resolve, reject })
        if (queue.length === 1) setImmediate(write)
      }),
    close() {
      write()
      return Promise.resolve()
    },
  }
}

type Waiting = Readonly<{ line: string; resolve: () => void; reject: (error: unknown) => void }>

/** Group commit: whatever arrives during one sync goes to the disk with the next one. */
class GroupedLog implements AuditLog {
  readonly #dir: string
  readonly #options: AuditOptions
  #queue: Waiting[] = []
  #draining: Promise<void> | undefined
  #file: DayFile | undefined
  #closed = false

  constructor(dir: string, options: AuditOptions) {
    this.#dir = dir
    this.#options = options
  }

  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await syncDirectory(dirname(this.#dir))
    await this.#today()
  }

  async record(event: AuditEvent): Promise<void> {
    if (this.#closed) throw new Error('the audit log is closed')
    if (this.#queue.length >= maxQueued) throw new Error('the audit log cannot keep up')
    const line = auditLine(event)
    const written = new Promise<void>((resolve, reject) => {
      this.#queue.push({ line, resolve, reject })
    })
    this.#draining ??= this.#drain()
    return written
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#draining
    await this.#file?.close()
    this.#file = undefined
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch()
      try {
        const file = await this.#today()
        await file.append(Buffer.from(batch.map(({ line }) => line).join('')))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
        this.#options.onFailure(error)
      }
    }
    this.#draining = undefined // no await since the last look at the queue
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0
    const tooMany = this.#queue.findIndex(({ line }) => (bytes += line.length) > maxBatchBytes)
    return this.#queue.splice(0, tooMany === -1 ? this.#queue.length : Math.max(1, tooMany))
  }

  /** The file of this day; another one when midnight has passed, or when the file was moved away. */
  async #today(): Promise<DayFile> {
    const day = this.#options.clock().toISOString().slice(0, 10)
    const path = join(this.#dir, `audit-${day}.jsonl`)
    if (this.#file?.path === path && (await this.#file.isInPlace())) return this.#file
    await this.#file?.close().catch((error: unknown) => this.#options.onFailure(error))
    this.#file = undefined
    this.#file = await openDayFile(path, this.#dir, this.#options.openFile ?? open)
    return this.#file
  }
}

async function openDayFile(path: string, dir: string, openFile: typeof open): Promise<DayFile> {
  const handle = await openFile(path, 'a+', 0o600)
  try {
    const file = new DayFile(path, handle)
    await file.endLastLine()
    await syncDirectory(dir)
    return file
  } catch (error) {
    await handle.close().catch(() => undefined)
    throw error
  }
}

class DayFile {
  readonly path: string
  readonly #handle: FileHandle
  /** The end of the last whole batch. */
  #size = 0
  /** Set while a part of a batch that failed may stand behind `#size`: its length at most. */
  #torn: number | undefined

  constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Durable on return, all of it. */
  async append(bytes: Buffer): Promise<void> {
    await this.#mend()
    this.#torn = bytes.length
    await this.#handle.appendFile(bytes)
    await this.#handle.datasync()
    this.#torn = undefined
    this.#size += bytes.length
  }

  async endLastLine(): Promise<void> {
    const { size } = await this.#handle.stat()
    this.#size = size
    if (size === 0) return
    const { buffer } = await this.#handle.read(Buffer.alloc(1), 0, 1, size - 1)
    if (buffer[0] !== lineFeed) await this.append(Buffer.of(lineFeed))
  }

  /** Whether the path still leads to this file. Takes over a length that somebody else has changed. */
  async isInPlace(): Promise<boolean> {
    try {
      const [there, held] = await Promise.all([stat(this.path), this.#handle.stat()])
      if (there.ino !== held.ino || there.dev !== held.dev) return false
      if (this.#torn === undefined) this.#size = held.size
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    await this.#mend().catch(() => undefined)
    await this.#handle.close()
  }

  /**
   * Takes away what a failed batch left. Its records were rejected, so nothing that was acknowledged is lost; a file
   * that has grown by more than the batch has another writer, whose lines stay.
   */
  async #mend(): Promise<void> {
    if (this.#torn === undefined) return
    const { size } = await this.#handle.stat()
    if (size <= this.#size + this.#torn) await this.#handle.truncate(this.#size)
    else this.#size = size
    await this.#handle.datasync()
    this.#torn = undefined
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** One line of JSON with its line feed. */
export function auditLine(event: AuditEvent): string {
  return `${event.kind === 'exchange' ? exchangeJson(event) : otherJson(event)}\n`
}

function otherJson(event: AuditEvent): string {
  return JSON.stringify({ schema: 1, ...event }, mapsAsObjects)
}

/**
 * Credentials wait for this line, so what costs time is done by hand: `JSON.stringify` takes twice as long for an
 * instant as `toISOString` does, and a replacer is called for every member.
 */
function exchangeJson(event: AuditIssued | AuditRefused): string {
  const at = event.at.toISOString()
  if (event.outcome === 'refused') return JSON.stringify({ schema: 1, ...event, at })
  const { issuedAt, expiresAt, sessionPolicies, tags } = event
  return JSON.stringify({
    schema: 1,
    ...event,
    at,
    issuedAt: issuedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    sessionPolicies: sessionPolicies.map((layer) => layer.map(digest)),
    ...(tags && { tags: Object.fromEntries(tags) }),
  })
}

function digest(document: string): Readonly<{ sha256: string; bytes: number }> {
  const bytes = Buffer.from(document, 'utf8')
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
}

function mapsAsObjects(_name: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}
