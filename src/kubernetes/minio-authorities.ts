import { X509Certificate } from 'node:crypto'
import { valueOf, type ClusterApi } from './api.ts'
import { isKubeObject, objectOf } from './resources/object.ts'
import { keyValues, remember } from './secrets.ts'

export type MinioAuthoritiesOptions = Readonly<{
  api: ClusterApi
  /** The operator's own. */
  namespace: string
  /** How long what was last read counts while the API server is away. */
  staleAfterSeconds: number
  clock: () => Date
  /** Told of what is left out, such as a certificate that is none. */
  onError(what: string, error: unknown): void
}>

const prefix = 'operator-ca-tls'
const keys = ['public.crt', 'tls.crt', 'ca.crt']
const page = 500
const rememberedMs = 30_000
const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * PEM of the authorities that may certify tenants of MinIO (operator-sts.md section 5.5): the cluster's, and those in the
 * Secrets of the operator's namespace whose names begin with `operator-ca-tls`. What is taken out of them is not trusted
 * half a minute later. Where these Secrets may not be read, the cluster's alone. `undefined`: there are none.
 */
export function createMinioAuthorities(
  options: MinioAuthoritiesOptions,
): () => Promise<string | undefined> {
  const { api, staleAfterSeconds, clock, onError } = options
  const own = remember({
    read: () => readSecrets(options),
    rememberedMs,
    staleMs: staleAfterSeconds * 1000,
    clock,
  })
  return async () => {
    const further = await own().catch((error: unknown) => {
      onError(`reading Secrets ${prefix}*`, error)
      return []
    })
    const all = [...(api.ca?.match(certificate) ?? []), ...further]
    return all.length === 0 ? undefined : `${all.join('\n')}\n`
  }
}

async function readSecrets({
  api,
  namespace,
  onError,
}: MinioAuthoritiesOptions): Promise<readonly string[]> {
  const found = new Set<string>()
  let next = ''
  do {
    const query = new URLSearchParams({ limit: String(page), ...(next && { continue: next }) })
    const path = `/api/v1/namespaces/${namespace}/secrets?${query.toString()}`
    const { items, metadata } = objectOf(valueOf(await api.send(path)))
    for (const item of Array.isArray(items) ? items.filter(isKubeObject) : []) {
      const { name } = item.metadata
      if (!name.startsWith(prefix)) continue
      for (const pem of certificatesOf(item, onError)) found.add(pem)
    }
    const token = objectOf(metadata)['continue']
    next = typeof token === 'string' ? token : ''
  } while (next !== '')
  return [...found]
}

/** One that is none leaves the others in place: Node would trust none of them. */
function certificatesOf(
  secret: Readonly<{ metadata: Readonly<{ name: string }> }>,
  onError: MinioAuthoritiesOptions['onError'],
): readonly string[] {
  const values = keyValues(secret)
  return keys.flatMap((key) => {
    const text = values.get(key)?.toString('latin1') ?? ''
    return (text.match(certificate) ?? []).filter((pem) => {
      try {
        return new X509Certificate(pem).raw.length > 0
      } catch (error) {
        onError(`${key} of Secret ${secret.metadata.name}`, error)
        return false
      }
    })
  })
}
