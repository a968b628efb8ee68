import { BoundedCache } from '../bounded-cache.ts'
import { ApiError, valueOf, type ClusterApi } from './api.ts'
import { objectOf } from './resources/object.ts'

/** What is in a Secret or ConfigMap, by key. */
export type KeyValues = ReadonlyMap<string, Buffer>

export interface KeyReader {
  /** Remembered for half a minute. `undefined`: it does not exist. Rejects when it cannot be read. */
  read(
    kind: 'secrets' | 'configmaps',
    namespace: string,
    name: string,
  ): Promise<KeyValues | undefined>
}

export type KeyReaderOptions = Readonly<{
  api: ClusterApi
  /** How long what was last read counts while the API server is away. */
  staleAfterSeconds: number
  clock: () => Date
}>

const rememberedMs = 30_000

/** Reads Secrets one by one at need, never a list of them: so a right to the few that are named is enough. */
export function createKeyReader({ api, staleAfterSeconds, clock }: KeyReaderOptions): KeyReader {
  const known = new BoundedCache<Remembered<KeyValues | undefined>>(2000)
  return {
    read(kind, namespace, name) {
      const key = `${kind}/${namespace}/${name}`
      const present =
        known.get(key) ??
        remember({
          read: () => fetch(api, kind, namespace, name),
          rememberedMs,
          staleMs: staleAfterSeconds * 1000,
          clock,
        })
      known.set(key, present)
      return present()
    },
  }
}

async function fetch(
  api: ClusterApi,
  kind: 'secrets' | 'configmaps',
  namespace: string,
  name: string,
): Promise<KeyValues | undefined> {
  const value = valueOf(await api.send(`/api/v1/namespaces/${namespace}/${kind}/${name}`))
  return value === undefined ? undefined : keyValues(value)
}

/** `data` of a Secret is base64, that of a ConfigMap is text. */
export function keyValues(value: unknown): KeyValues {
  const object = objectOf(value)
  const encoding = object['kind'] === 'ConfigMap' ? 'utf8' : 'base64'
  const entries = Object.entries(objectOf(object['data'])).flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, Buffer.from(text, encoding)] as const] : [],
  )
  return new Map(entries)
}

export type Remembered<T> = () => Promise<T>

type Memory<T> = Readonly<{
  read(): Promise<T>
  rememberedMs: number
  /** While whoever is asked gives no answer, or none of its own (5xx, 429), what was last read counts for so long. */
  staleMs: number
  clock: () => Date
}>

/** Asks again when what is remembered is old: once, however many ask. A no, such as a right that was taken away, counts at once. */
export function remember<T>({ read, rememberedMs: freshMs, staleMs, clock }: Memory<T>) {
  let last: Readonly<{ value: T; at: number }> | undefined
  let triedAt = -Infinity
  let reading: Promise<T> | undefined

  async function ask(): Promise<T> {
    const now = clock().getTime()
    triedAt = now
    try {
      const value = await read()
      last = { value, at: now }
      return value
    } catch (error) {
      const isAway = !(error instanceof ApiError) || error.status >= 500 || error.status === 429
      if (isAway && last && Math.abs(now - last.at) < staleMs) return last.value
      last = undefined
      throw error
    }
  }

  return (): Promise<T> => {
    if (reading) return reading
    const now = clock().getTime()
    const isOld = last === undefined || Math.abs(now - last.at) >= freshMs
    // One who is away is not asked by each caller in turn: every attempt may take seconds.
    const isResting = last !== undefined && Math.abs(now - triedAt) < freshMs
    if (last && Math.abs(now - last.at) < staleMs && (!isOld || isResting)) {
      return Promise.resolve(last.value)
    }
    reading = ask().finally(() => {
      reading = undefined
    })
    return reading
  }
}
