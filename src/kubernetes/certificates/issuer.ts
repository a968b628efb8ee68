import type { X509Certificate } from 'node:crypto'
import { ApiError } from '../api.ts'
import type { CertificateApi, Stored } from './certificate-api.ts'
import {
  authoritiesOf,
  ensureAuthority,
  pemOf,
  readAuthority,
  type OwnAuthority,
} from './own-authority.ts'
import {
  isIssuedBy,
  isValidAt,
  lastCallOf,
  missingNames,
  readBundle,
  readServingPair,
  renewalOf,
  type ServingPair,
} from './serving-pair.ts'
import { askSigner } from './signer.ts'
import { minioKeys, tlsKeys, tlsType, type Found } from './source.ts'

export type IssuerOptions = Readonly<{
  api: CertificateApi
  secretName: string
  signerName: string
  /** Do not ask the cluster. */
  ownCa: boolean
  namespace: string
  /** `sts.NAMESPACE.svc` */
  commonName: string
  names: readonly string[]
  signerWaitMs: number
  /** Name of a ValidatingWebhookConfiguration whose webhooks have this certificate. */
  webhookConfiguration?: string | undefined
  clock: () => Date
  onError(what: string, error: unknown): void
}>

/** Clients of any namespace may be given it: it holds nothing secret. */
const authorityConfigMap = 'daypass-sts-ca'
const authorityKey = 'ca.crt'
/** On the Secret: the name of a signer, or this. */
const issuedBy = 'daypass.dev/issued-by'
const ownName = 'own-ca'

const shortestWaitMs = 15_000
const longestWaitMs = 3_600_000

/** Keeps the Secret of the certificate whole: for the one replica that writes. */
export interface Issuer {
  /** Looks at what was found, and makes it what it should be. @returns the pair that it has written */
  tend(found: Found, signal: AbortSignal): Promise<ServingPair | undefined>
}

export function createIssuer(options: IssuerOptions): Issuer {
  const { api, secretName, clock, onError } = options
  /** Since the Secret was last found as it should be. */
  let attempts = 0
  let attemptedAt = -Infinity
  let told = ''

  /** Twice as long after each try, so that whatever goes wrong for ever costs a request an hour. */
  function isTooSoon(now: number): boolean {
    if (attempts === 0) return false
    const wait = Math.min(shortestWaitMs * 2 ** (attempts - 1), longestWaitMs)
    return Math.abs(now - attemptedAt) < wait
  }

  async function tend(found: Found, signal: AbortSignal): Promise<ServingPair | undefined> {
    const now = clock()
    const own = await readAuthority(api, now)
    const reason = whyAnother(found, own, options, now)
    if (reason === undefined) {
      attempts = 0
      if (typeof found.pair === 'string') return undefined
      const authorities = authoritiesFor(found.pair, own, api)
      await tellWebhooks(authorities)
      await publish(authorities)
      return undefined
    }
    if (isTooSoon(now.getTime())) return undefined
    if (isKeptByOthers(found.stored)) {
      throw new Error(
        `${reason}, and Secret ${secretName} is kept by cert-manager: set certificate.mode to secret, or take its Certificate away`,
      )
    }
    attempts += 1
    attemptedAt = now.getTime()
    return renew(found, own, signal)
  }

  async function renew(
    found: Found,
    own: OwnAuthority | undefined,
    signal: AbortSignal,
  ): Promise<ServingPair | undefined> {
    if (!staysWithOwn(found, own, options)) {
      const answer = await bySigner(signal)
      if (typeof answer !== 'string') return keep(answer, options.signerName, found)
      // Clients may trust the signer alone: as long as what there is serves, the signer gets another chance.
      if (canWait(found, options, clock())) throw new Error(`renewing the certificate: ${answer}`)
      onError('certificate', new Error(`${answer}; the operator's own CA signs instead`))
    }
    const authority = await ensureAuthority(api, clock())
    // Before anybody meets a certificate of it.
    await tellWebhooks(authoritiesOf(authority))
    await publish(authoritiesOf(authority)).catch((error: unknown) =>
      onError(`publishing ConfigMap ${authorityConfigMap}`, error),
    )
    return keep(await signOwn(authority, options), ownName, found)
  }

  /** What the API server refuses is an answer of the signer; that it is away is not. */
  async function bySigner(signal: AbortSignal): Promise<ServingPair | string> {
    const { signerName, commonName, names, namespace, signerWaitMs: waitMs } = options
    try {
      return await askSigner(api, { signerName, commonName, names, namespace, waitMs, signal })
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) throw error
      return `the cluster takes no request for a certificate: ${error.message}`
    }
  }

  /** `undefined`: another replica was faster, and hers will be read in the next round. */
  async function keep(
    pair: ServingPair,
    by: string,
    { stored }: Found,
  ): Promise<ServingPair | undefined> {
    const [certKey, keyKey] = stored?.type === tlsType ? tlsKeys : minioKeys
    const written = await api.write(
      {
        kind: 'secrets',
        name: secretName,
        values: { [certKey]: pair.cert.toString('utf8'), [keyKey]: pair.key.toString('utf8') },
        annotations: { [issuedBy]: by },
      },
      stored,
    )
    // What is due again at once, as with a clock that is wrong, is not made again at once.
    if (written && clock() < renewalOf(pair)) attempts = 0
    return written ? pair : undefined
  }

  async function publish(authorities: readonly X509Certificate[]): Promise<void> {
    if (authorities.length === 0) return
    const text = pemOf(authorities)
    const stored = await api.read('configmaps', authorityConfigMap)
    if (stored?.values.get(authorityKey)?.toString('utf8') === text) return
    const wanted = { kind: 'configmaps', name: authorityConfigMap } as const
    await api.write({ ...wanted, values: { [authorityKey]: text } }, stored)
  }

  /** Admission is no reason for the STS to fail. */
  async function tellWebhooks(authorities: readonly X509Certificate[]): Promise<void> {
    const { webhookConfiguration } = options
    if (webhookConfiguration === undefined || authorities.length === 0) return
    try {
      await api.trustWebhooks(webhookConfiguration, pemOf(authorities))
      told = ''
    } catch (error) {
      const message = String(error)
      if (message !== told) onError(`caBundle of ${webhookConfiguration}`, error)
      told = message
    }
  }

  return { tend }
}

/** In words why the certificate cannot stay. */
function whyAnother(
  { pair, stored }: Found,
  own: OwnAuthority | undefined,
  { names, ownCa }: IssuerOptions,
  now: Date,
): string | undefined {
  if (typeof pair === 'string') return pair
  if (!isValidAt(pair, now)) return 'the certificate has expired, or is not valid yet'
  const missing = missingNames(pair.leaf, names)
  if (missing.length > 0) return `the certificate lacks the names ${missing.join(', ')}`
  if (ownCa || stored?.annotations[issuedBy] === ownName) {
    const isOwn = own && authoritiesOf(own).some((authority) => isIssuedBy(pair.leaf, authority))
    if (!isOwn) return 'the certificate is not one of the own CA that stands now'
  }
  return now < renewalOf(pair) ? undefined : 'two thirds of the life of the certificate are over'
}

/** Clients that trust the own CA go on doing so: only who removes the Secret sends us back to the signer. */
function staysWithOwn(
  { stored }: Found,
  own: OwnAuthority | undefined,
  { ownCa }: IssuerOptions,
): boolean {
  return ownCa || (own !== undefined && stored?.annotations[issuedBy] === ownName)
}

function canWait({ pair }: Found, { names }: IssuerOptions, now: Date): boolean {
  if (typeof pair === 'string' || !isValidAt(pair, now)) return false
  return missingNames(pair.leaf, names).length === 0 && now < lastCallOf(pair)
}

function isKeptByOthers(stored: Stored | undefined): boolean {
  return stored?.annotations['cert-manager.io/certificate-name'] !== undefined
}

/** Those that vouch for the certificate, as far as they are known; and the own CA where there is one. */
function authoritiesFor(
  { leaf }: ServingPair,
  own: OwnAuthority | undefined,
  api: CertificateApi,
): readonly X509Certificate[] {
  const cluster = readBundle(api.authorities() ?? '')
  const vouching = cluster.some((authority) => isIssuedBy(leaf, authority)) ? cluster : []
  return [...(own ? authoritiesOf(own) : []), ...vouching]
}

async function signOwn({ current }: OwnAuthority, options: IssuerOptions): Promise<ServingPair> {
  const { createSigningPair, issueLeaf } = await import('./x509.ts')
  const fresh = await createSigningPair()
  const authority = { certificate: current.leaf, keyPem: current.key.toString('utf8') }
  const certPem = await issueLeaf(authority, fresh, options.names, options.clock())
  const pair = readServingPair(Buffer.from(certPem), Buffer.from(fresh.keyPem))
  if (typeof pair === 'string')
    throw new Error(`the own CA made a certificate that is none: ${pair}`)
  return pair
}
