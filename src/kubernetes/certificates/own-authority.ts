import type { X509Certificate } from 'node:crypto'
import type { CertificateApi, Stored } from './certificate-api.ts'
import {
  isValidAt,
  readBundle,
  readServingPair,
  renewalOf,
  type ServingPair,
} from './serving-pair.ts'

/** The CA of the operator, and the one before it, which clients may still have to trust. */
export type OwnAuthority = Readonly<{
  current: ServingPair
  previous: readonly X509Certificate[]
}>

const authoritySecret = 'sts-ca'
const previousKey = 'previous.crt'
const tries = 5

/** The CA that the replicas share. `undefined`: there is none, or none that could sign. */
export async function readAuthority(
  api: CertificateApi,
  now: Date,
): Promise<OwnAuthority | undefined> {
  return authorityOf(await api.read('secrets', authoritySecret), now)
}

/**
 * The CA, made if there is none and renewed when two thirds of its ten years are over. Of several replicas that make one
 * at the same time the first wins, and the others take hers.
 */
export async function ensureAuthority(api: CertificateApi, now: Date): Promise<OwnAuthority> {
  const { createAuthority, createSigningPair } = await import('./x509.ts')
  for (let left = tries; left > 0; left -= 1) {
    const stored = await api.read('secrets', authoritySecret)
    const present = authorityOf(stored, now)
    if (present && now < renewalOf(present.current)) return present
    const fresh = await createAuthority(await createSigningPair(), now)
    await api.write(
      {
        kind: 'secrets',
        name: authoritySecret,
        type: 'kubernetes.io/tls',
        values: {
          'tls.crt': fresh.certPem,
          'tls.key': fresh.keyPem,
          [previousKey]: present ? pemOf([present.current.leaf]) : '',
        },
      },
      stored,
    )
    // Whoever has written it: what stands there now is what counts.
  }
  throw new Error(`Secret ${authoritySecret} changes all the time; who else writes it?`)
}

function authorityOf(stored: Stored | undefined, now: Date): OwnAuthority | undefined {
  if (stored === undefined) return undefined
  const current = readServingPair(stored.values.get('tls.crt'), stored.values.get('tls.key'))
  if (typeof current === 'string' || !current.leaf.ca || !isValidAt(current, now)) return undefined
  const previous = readBundle(stored.values.get(previousKey)?.toString('utf8') ?? '')
  return { current, previous: previous.filter(({ validToDate }) => now < validToDate) }
}

export function authoritiesOf({ current, previous }: OwnAuthority): readonly X509Certificate[] {
  return [current.leaf, ...previous]
}

/** PEM of all of them, each once, in an order that does not change. */
export function pemOf(certificates: readonly X509Certificate[]): string {
  const texts = new Set(certificates.map((certificate) => `${certificate.toString().trim()}\n`))
  return [...texts].join('')
}
