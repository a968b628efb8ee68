import { readFile } from 'node:fs/promises'
import type { CertificateApi, Stored } from './certificate-api.ts'
import { isValidAt, readServingPair, type ServingPair } from './serving-pair.ts'

/** What stands where the certificate is kept; or in words why nothing that could serve does. */
export type Found = Readonly<{ pair: ServingPair | string; stored?: Stored | undefined }>

/** Rejects when it cannot be known what stands there. */
export type PairSource = (now: Date) => Promise<Found>

/** As the MinIO Operator names them, and as cert-manager and `kubectl create secret tls` do. */
export const minioKeys = ['public.crt', 'private.key'] as const
export const tlsKeys = ['tls.crt', 'tls.key'] as const

export const tlsType = 'kubernetes.io/tls'

export function secretSource(api: Pick<CertificateApi, 'read'>, name: string): PairSource {
  return async (now) => {
    const stored = await api.read('secrets', name)
    if (stored === undefined) return { pair: `Secret ${name} is not there` }
    const pair = pairOf(stored, now)
    return { stored, pair: typeof pair === 'string' ? `Secret ${name} is no use: ${pair}` : pair }
  }
}

/** Where both pairs of keys stand, the one that is valid; then the one that belongs to the type of the Secret. */
function pairOf({ values, type }: Stored, now: Date): ServingPair | string {
  const orders = type === 'Opaque' ? [minioKeys, tlsKeys] : [tlsKeys, minioKeys]
  const present = orders.filter(([cert, key]) => values.has(cert) || values.has(key))
  const read = present.map(([cert, key]) => readServingPair(values.get(cert), values.get(key)))
  const pairs = read.filter((pair) => typeof pair !== 'string')
  return (
    pairs.find((pair) => isValidAt(pair, now)) ??
    pairs[0] ??
    read[0] ??
    `it has neither ${minioKeys.join(' and ')} nor ${tlsKeys.join(' and ')}`
  )
}

export function fileSource(files: Readonly<{ certFile: string; keyFile: string }>): PairSource {
  return async () => {
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
    const pair = readServingPair(cert, key)
    const named = `${files.certFile} and ${files.keyFile} are no use`
    return { pair: typeof pair === 'string' ? `${named}: ${pair}` : pair }
  }
}
