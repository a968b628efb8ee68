import { BoundedCache } from '../bounded-cache.ts'
import { valueOf, type ClusterApi } from './api.ts'
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

type Read = Readonly<{ at: number; values: Promise<KeyValues | undefined> }>

const rememberedMs = 30_000

/** Reads Secrets one by one at need, never a list of them: so a right to the few that are named is enough. */
export function createKeyReader(api: ClusterApi, clock: () => Date): KeyReader {
  const known = new BoundedCache<Read>(2000)
  return {
    read(kind, namespace, name) {
      const key = `${kind}/${namespace}/${name}`
      const present = known.get(key)
      const now = clock().getTime()
      if (present && Math.abs(now - present.at) < rememberedMs) return present.values
      const values = fetch(api, kind, namespace, name)
      known.set(key, { at: now, values })
      // Whoever waits for it hears of it; the next one asks anew.
      values.catch(() => known.delete(key))
      return values
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
