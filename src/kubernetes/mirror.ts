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
  clock: () => Date
  random: () => number
  onError(error: unknown): void
}>

const page = 500
/** The server ends a watch then, so that its silence beyond it means something. */
const watchSeconds = 50
const silenceMs = 75_000
const listTimeoutMs = 30_000
const [leastPauseMs, mostPauseMs] = [200, 30_000]
/** A kind may be installed later, and a right be given. */
const absentPauseMs = 15_000
const missingMs = 60_000

/**
 * Keeps what there is of one kind: one list, then the changes, from where the list ended. A watch that breaks goes on
 * from the last change that came; one that is too old for that, or that has fallen silent, begins with a new list.
 */
export class Mirror {
  readonly #options: Options
  readonly #abort = new AbortController()
  /** `NAMESPACE/NAME` of what the target holds. */
  #names = new Set<string>()
  #revision: string | undefined
  #synced = false
  #absent = false
  #contactAt: Date | undefined
  #missingSince: number | undefined
  /** Which of the kind's versions is asked for. */
  #version = 0
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
      try {
        await this.#follow(signal)
        // A server that accepts and ends at once is not asked in a circle.
        await sleep(leastPauseMs, undefined, { signal })
      } catch (error) {
        if (signal.aborted) return
        this.#fail(error)
        await sleep(this.#pauseMs(), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  stop(): void {
    this.#abort.abort()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#revision === undefined) await this.#list()
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#revision ?? '',
      timeoutSeconds: String(watchSeconds),
    })
    const { api, kind } = this.#options
    await api.watch(`${pathOf(kind, this.#version)}?${query.toString()}`, {
      signal,
      silenceMs,
      opened: () => this.#contact(),
      take: (line) => this.#take(line),
    })
  }

  async #list(): Promise<void> {
    const { api, kind } = this.#options
    const seen = new Map<string, KubeObject>()
    let next = ''
    let revision = ''
    do {
      const query = new URLSearchParams({ limit: String(page), ...(next && { continue: next }) })
      const request = { timeoutMs: listTimeoutMs }
      const value = valueOf(
        await api.send(`${pathOf(kind, this.#version)}?${query.toString()}`, request),
      )
      if (value === undefined)
        throw new ApiError(404, 'NotFound', `there is no ${kind.plural}.${kind.group} here`)
      const { items, metadata } = readList(value)
      for (const item of items) seen.set(nameOf(item), item)
      next = metadata.continue
      revision = metadata.resourceVersion
    } while (next !== '')
    this.#replace(seen)
    this.#revision = revision
    this.#synced = true
    this.#absent = false
    this.#missingSince = undefined
    this.#lists += 1
    this.#contact()
  }

  #replace(seen: ReadonlyMap<string, KubeObject>): void {
    const gone = [...this.#names].filter((name) => !seen.has(name))
    for (const name of gone) this.#delete(name)
    for (const item of seen.values()) this.#put(item)
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
    this.#contact()
  }

  #apply(type: unknown, value: unknown): void {
    if (!isKubeObject(value)) throw new TypeError('the watch tells of an object without a name')
    if (type === 'DELETED') this.#delete(nameOf(value))
    else if (type === 'ADDED' || type === 'MODIFIED') this.#put(value)
  }

  #put(item: KubeObject): void {
    this.#names.add(nameOf(item))
    this.#options.target.put(item)
  }

  #delete(name: string): void {
    const slash = name.indexOf('/')
    if (this.#names.delete(name)) {
      this.#options.target.delete(name.slice(0, slash), name.slice(slash + 1))
    }
  }

  #contact(): void {
    this.#contactAt = this.#options.clock()
    this.#error = undefined
    this.#failures = 0
  }

  #fail(error: unknown): void {
    this.#failures += 1
    this.#breaks += 1
    this.#error = error instanceof Error ? error.message : String(error)
    const status = error instanceof ApiError ? error.status : undefined
    // Too old to go on from, or nothing to go on with.
    if (status === 410 || status === 404) this.#revision = undefined
    if (status === 404) this.#version = (this.#version + 1) % this.#options.kind.versions.length
    // Not before the last of the versions has been tried.
    if (status === 404 && this.#version === 0 && this.#isGone()) {
      this.#absent = true
      this.#replace(new Map())
      this.#synced = true
      this.#contactAt = this.#options.clock()
      return
    }
    this.#options.onError(error)
  }

  /**
   * An API server that has just started does not know for some seconds which kinds there are. What was there a moment
   * ago is believed to be gone only when it stays away.
   */
  #isGone(): boolean {
    const now = this.#options.clock().getTime()
    this.#missingSince ??= now
    return this.#names.size === 0 || now - this.#missingSince >= missingMs
  }

  /** Doubles with each failure, and differs from one process to another. */
  #pauseMs(): number {
    if (this.#version > 0) return 0
    if (this.#absent) return absentPauseMs
    const longest = Math.min(mostPauseMs, leastPauseMs * 2 ** Math.min(this.#failures, 10))
    return longest * (0.5 + this.#options.random() / 2)
  }
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
