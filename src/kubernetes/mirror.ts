import { setTimeout as sleep } from 'node:timers/promises'
import { apiError, ApiError, valueOf, type ClusterApi } from './api.ts'
import { isKubeObject, objectOf, type KubeObject } from './resources/object.ts'

/** A kind of objects, as the API knows it. */
export type Kind = Readonly<{
  /** `sts.min.io`; empty for the core. */
  group: string
  /** The newest first; the first one that is served is taken. */
  versions: readonly [string, ...string[]]
  plural: string
  /** Only of this namespace. Absent: of all. */
  namespace?: string | undefined
}>

/** What becomes of the objects. Must neither block nor throw. */
export type MirrorTarget = Readonly<{
  put(object: KubeObject): void
  delete(namespace: string, name: string): void
}>

export type MirrorStatus = Readonly<{
  kind: Kind
  /** All that there was has been seen once. */
  synced: boolean
  /** The kind is not installed in the cluster. */
  absent: boolean
  /** When the API server last gave a sign of life. */
  contactAt: Date | undefined
  error: string | undefined
  /** How often everything was listed, and how often a watch broke. */
  lists: number
  breaks: number
}>

type Options = Readonly<{
  api: ClusterApi
  kind: Kind
  target: MirrorTarget
  /** The server ends a watch then, so that its silence beyond it means something. */
  watchSeconds: number
  clock: () => Date
  random: () => number
  onError(error: unknown): void
  /** Told once when it is believed that the cluster knows no such kind. */
  onAbsent(): void
}>

const largestPage = 500
/** How long beyond its end a watch may be silent before it is given up. */
const silenceMs = 20_000
const listTimeoutMs = 30_000
const [leastPauseMs, mostPauseMs] = [200, 10_000]
/** A kind may be installed later, and a right be given. */
const absentPauseMs = 5000
/** How long a kind has to be missing without a break until it is believed: where there was nothing of it, and where there was. */
const [neverMs, missingMs] = [2000, 60_000]
/** Whatever a watch may have left out is seen then. */
const relistMs = 30 * 60_000

/**
 * Keeps what there is of one kind: one list, then the changes, from where the list ended. A watch that breaks goes on
 * from the last change that came; one that is too old for that, or that has fallen silent, begins with a new list.
 */
export class Mirror {
  readonly #options: Options
  readonly #abort = new AbortController()
  /** By `NAMESPACE/NAME` of what the target holds: which state of which object that is. */
  readonly #stamps = new Map<string, string>()
  #revision: string | undefined
  /** How many objects are asked for at once. */
  #page = largestPage
  #listedAt = -Infinity
  #synced = false
  #absent = false
  #contactAt: Date | undefined
  /** Since when every answer has been that there is no such kind. */
  #missingSince: number | undefined
  /** Which of the kind's versions is asked for. */
  #version = 0
  #watching = false
  #error: string | undefined
  #failures = 0
  #lists = 0
  #breaks = 0

  constructor(options: Options) {
    this.#options = options
  }

  get status(): MirrorStatus {
    return {
      kind: this.#options.kind,
      synced: this.#synced,
      absent: this.#absent,
      contactAt: this.#contactAt,
      error: this.#error,
      lists: this.#lists,
      breaks: this.#breaks,
    }
  }

  /** Runs until `stop`; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      const pauseMs = await this.#follow(signal).then(
        // A server that accepts and ends at once is not asked in a circle.
        () => leastPauseMs,
        (error: unknown) => (signal.aborted ? 0 : this.#fail(error)),
      )
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  stop(): void {
    this.#abort.abort()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { api, kind, watchSeconds } = this.#options
    if (this.#revision === undefined || performance.now() - this.#listedAt > relistMs) {
      await this.#list(signal)
    }
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#revision ?? '',
      timeoutSeconds: String(watchSeconds),
    })
    await api.watch(`${pathOf(kind, this.#version)}?${query.toString()}`, {
      signal,
      silenceMs: watchSeconds * 1000 + silenceMs,
      opened: () => {
        this.#watching = true
        this.#contact()
      },
      take: (line) => this.#take(line),
    })
    this.#watching = false
    this.#failures = 0
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { api, kind } = this.#options
    const seen = new Map<string, KubeObject>()
    let next = ''
    let revision = ''
    do {
      const query = new URLSearchParams({
        limit: String(this.#page),
        ...(next && { continue: next }),
      })
      const path = `${pathOf(kind, this.#version)}?${query.toString()}`
      const value = valueOf(await api.send(path, { timeoutMs: listTimeoutMs, signal }))
      if (value === undefined)
        throw new ApiError(404, 'NotFound', `there is no ${kind.plural}.${kind.group} here`)
      const { items, metadata } = readList(value)
      for (const item of items) seen.set(nameOf(item), item)
      next = metadata.continue
      revision = metadata.resourceVersion
    } while (next !== '')
    await this.#replace(seen)
    if (signal.aborted) return
    this.#revision = revision
    this.#listedAt = performance.now() - this.#options.random() * (relistMs / 10)
    this.#synced = true
    this.#absent = false
    this.#missingSince = undefined
    this.#lists += 1
    this.#contact()
  }

  /** What is gone goes first. Ten thousand objects are taken over without making anybody wait for credentials. */
  async #replace(seen: ReadonlyMap<string, KubeObject>): Promise<void> {
    for (const name of [...this.#stamps.keys()].filter((known) => !seen.has(known))) {
      this.#delete(name)
    }
    let count = 0
    for (const [name, item] of seen) {
      if (this.#abort.signal.aborted) return
      const stamp = stampOf(item)
      if (stamp !== '' && this.#stamps.get(name) === stamp) continue
      this.#put(item)
      if ((count += 1) % 100 === 0) await new Promise(setImmediate)
    }
  }

  #take(line: string): void {
    const { type, object } = objectOf(JSON.parse(line))
    const value = objectOf(object)
    if (type === 'ERROR') {
      const code = typeof value['code'] === 'number' ? value['code'] : 500
      throw apiError({ status: code, text: JSON.stringify(value) })
    }
    const metadata = objectOf(value['metadata'])
    if (type !== 'BOOKMARK') this.#apply(type, value)
    if (typeof metadata['resourceVersion'] === 'string')
      this.#revision = metadata['resourceVersion']
    this.#failures = 0
    this.#contact()
  }

  #apply(type: unknown, value: unknown): void {
    if (!isKubeObject(value)) throw new TypeError('the watch tells of an object without a name')
    if (type === 'DELETED') this.#delete(nameOf(value))
    else if (type === 'ADDED' || type === 'MODIFIED') this.#put(value)
  }

  #put(item: KubeObject): void {
    this.#stamps.set(nameOf(item), stampOf(item))
    this.#options.target.put(item)
  }

  #delete(name: string): void {
    const slash = name.indexOf('/')
    if (this.#stamps.delete(name)) {
      this.#options.target.delete(name.slice(0, slash), name.slice(slash + 1))
    }
  }

  #contact(): void {
    this.#contactAt = this.#options.clock()
    this.#error = undefined
  }

  /** Gives the pause until the next attempt. */
  async #fail(error: unknown): Promise<number> {
    if (this.#watching) this.#breaks += 1
    this.#watching = false
    this.#failures += 1
    this.#error = error instanceof Error ? error.message : String(error)
    const status = error instanceof ApiError ? error.status : undefined
    // Whoever may write objects decides how large they are, and must not keep all others from being read.
    if (error instanceof RangeError) this.#page = Math.ceil(this.#page / 4)
    // Too old to go on from, or nothing to go on with.
    if (status === 410 || status === 404) this.#revision = undefined
    if (status === 404) return this.#miss(error)
    this.#missingSince = undefined
    this.#options.onError(error)
    return this.#pauseMs()
  }

  /** One version after the other; with the last of them, the kind is missing. */
  async #miss(error: unknown): Promise<number> {
    const { versions } = this.#options.kind
    this.#version = (this.#version + 1) % versions.length
    if (this.#version !== 0) return 0
    this.#missingSince ??= this.#options.clock().getTime()
    if (!this.#absent && !(await this.#isGone())) {
      // Of a kind that was never there, this is no failure yet; `status` has it meanwhile.
      if (this.#stamps.size > 0) this.#options.onError(error)
      return Math.min(this.#pauseMs(), neverMs)
    }
    await this.#replace(new Map())
    if (!this.#absent) this.#options.onAbsent()
    this.#absent = true
    this.#synced = true
    this.#contact()
    return absentPauseMs
  }

  /**
   * An API server that has just started does not know for some seconds which kinds there are, and some say so only on
   * `/readyz`. What was there a moment ago is believed to be gone only when it stays away. Were a tenant of ours taken
   * for none, MinIO's of the same name would be served without its ceiling.
   */
  async #isGone(): Promise<boolean> {
    const { api, clock } = this.#options
    const missedMs = clock().getTime() - (this.#missingSince ?? Infinity)
    if (missedMs >= missingMs) return true
    if (this.#stamps.size > 0 || missedMs < neverMs) return false
    const { signal } = this.#abort
    return api.send('/readyz', { signal }).then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  /** Doubles with each failure, and differs from one process to another. */
  #pauseMs(): number {
    const longest = Math.min(mostPauseMs, leastPauseMs * 2 ** Math.min(this.#failures, 10))
    return longest * (0.5 + this.#options.random() / 2)
  }
}

/** The same twice is the same object in the same state. Empty: nothing can be said of that. */
function stampOf({ metadata: { uid, resourceVersion } }: KubeObject): string {
  return uid === undefined || resourceVersion === undefined ? '' : `${uid} ${resourceVersion}`
}

export function pathOf({ group, versions, plural, namespace }: Kind, version = 0): string {
  const root = group === '' ? `/api/${versions[version]}` : `/apis/${group}/${versions[version]}`
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function readList(value: unknown) {
  const { items, metadata } = objectOf(value)
  const { resourceVersion, continue: next } = objectOf(metadata)
  if (!Array.isArray(items) || typeof resourceVersion !== 'string') {
    throw new TypeError('the API server answered with no list')
  }
  const continued = typeof next === 'string' ? next : ''
  return { items: items.filter(isKubeObject), metadata: { resourceVersion, continue: continued } }
}
