import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterApi } from '../api.ts'
import { createCertificateApi } from './certificate-api.ts'
import { createIssuer, type Issuer } from './issuer.ts'
import { isValidAt, missingNames, renewalOf, type ServingPair } from './serving-pair.ts'
import { fileSource, secretSource, type PairSource } from './source.ts'

/** As the configuration says it. */
export type CertificateSettings =
  | Readonly<{ mode: 'auto'; signerName: string; ownCa: boolean }>
  | Readonly<{ mode: 'secret'; secretName: string }>
  | Readonly<{ mode: 'files'; certFile: string; keyFile: string }>

export type ServingCertificateOptions = Readonly<{
  certificate: CertificateSettings
  api: ClusterApi
  /** The operator's own. */
  namespace: string
  serviceName: string
  clusterDomain: string
  /** Name of a ValidatingWebhookConfiguration that is to trust it; in mode `auto`. */
  webhookConfiguration?: string | undefined
  /** Whether it is for this replica to write. */
  isLeader(): boolean
  clock: () => Date
  onError(what: string, error: unknown): void
  /** How long a signer of the cluster may take before the own CA signs. Default: a minute. */
  signerWaitMs?: number
}>

type TlsPair = Readonly<{ cert: Buffer; key: Buffer }>

export type CertificateStatus = Readonly<{
  ready: boolean
  /** What is wrong, or dubious; empty where nothing is. */
  message: string
  notAfter?: Date
  renewsAt?: Date
  /** Hex SHA-256 of the leaf, as `openssl x509 -fingerprint` has it. */
  fingerprint?: string
}>

export interface ServingCertificate {
  /** For the listener. */
  readonly material: Readonly<{
    read(): TlsPair | undefined
    onChange(use: (pair: TlsPair) => void): () => void
  }>
  /** There is a certificate, and it is valid now. */
  isReady(): boolean
  status(): CertificateStatus
  close(): Promise<void>
}

/** The Secret in which the MinIO Operator keeps its own (operator-sts.md section 6.3). */
const autoSecret = 'sts-tls'
const calmMs = 10_000
const waitingMs = 500
/** A certificate that others are making is no trouble. */
const patienceMs = 15_000
const longestWaitMs = 30_000

/** The names under which clients call the service (operator-sts.md section 6.3). */
export function servingNames({
  serviceName,
  namespace,
  clusterDomain,
}: Pick<
  ServingCertificateOptions,
  'serviceName' | 'namespace' | 'clusterDomain'
>): readonly string[] {
  const inside = `${serviceName}.${namespace}`
  return [serviceName, inside, `${inside}.svc`, `${inside}.svc.${clusterDomain}`]
}

/**
 * The certificate of the STS, in memory: read where it is kept, again every ten seconds, and in mode `auto` made and
 * renewed by the replica that leads. Needs nobody to be there: until there is a certificate it is not ready.
 */
export function openServingCertificate(options: ServingCertificateOptions): ServingCertificate {
  const keeper = new Keeper(options)
  const abort = new AbortController()
  const patience = options.certificate.mode === 'auto' ? patienceMs : 0
  const running = run(keeper, abort.signal, patience, options.onError)
  return {
    material: keeper,
    isReady: () => keeper.status().ready,
    status: () => keeper.status(),
    async close() {
      abort.abort()
      await running
    },
  }
}

async function run(
  keeper: Keeper,
  signal: AbortSignal,
  patience: number,
  onError: ServingCertificateOptions['onError'],
): Promise<void> {
  let failures = 0
  let told = ''
  let seen = { message: '', at: 0 }
  while (!signal.aborted) {
    try {
      await keeper.round(signal)
      failures = 0
      const { message } = keeper.status()
      if (message !== seen.message) seen = { message, at: performance.now() }
      const isOld = performance.now() - seen.at >= patience
      // The same thing every ten seconds is no news.
      if (message !== '' && message !== told && isOld) onError('certificate', new Error(message))
      if (message === '' || isOld) told = message
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      const message = error instanceof Error ? error.message : String(error)
      if (message !== told) onError('certificate', error)
      told = message
    }
    const calm = keeper.read() === undefined ? waitingMs : calmMs
    const wait = failures > 0 ? Math.min(waitingMs * 2 ** (failures - 1), longestWaitMs) : calm
    await sleep(wait, undefined, { signal }).catch(() => undefined)
  }
}

/** One look after the other; exported for tests, which do not wait between them. */
export class Keeper {
  readonly #options: ServingCertificateOptions
  readonly #source: PairSource
  readonly #issuer: Issuer | undefined
  readonly #users = new Set<(pair: TlsPair) => void>()
  #pair: ServingPair | undefined
  #problem = 'it has not been looked for yet'

  constructor(options: ServingCertificateOptions) {
    this.#options = options
    const { certificate, api, namespace, signerWaitMs = 60_000 } = options
    const certificates = createCertificateApi(api, namespace)
    if (certificate.mode === 'files') this.#source = fileSource(certificate)
    else {
      const secretName = certificate.mode === 'auto' ? autoSecret : certificate.secretName
      this.#source = secretSource(certificates, secretName)
      if (certificate.mode === 'auto') {
        const names = servingNames(options)
        const commonName = `${options.serviceName}.${namespace}.svc`
        const more = { api: certificates, secretName, commonName, names, signerWaitMs }
        this.#issuer = createIssuer({ ...options, ...certificate, ...more })
      }
    }
  }

  read(): TlsPair | undefined {
    return this.#pair
  }

  onChange(use: (pair: TlsPair) => void): () => void {
    this.#users.add(use)
    return () => this.#users.delete(use)
  }

  status(): CertificateStatus {
    const { clock } = this.#options
    const pair = this.#pair
    if (pair === undefined) return { ready: false, message: this.#problem }
    const facts = {
      notAfter: pair.notAfter,
      renewsAt: renewalOf(pair),
      fingerprint: pair.leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    }
    if (!isValidAt(pair, clock())) {
      const span = `${pair.notBefore.toISOString()} to ${pair.notAfter.toISOString()}`
      return { ready: false, message: `the certificate is valid from ${span} alone`, ...facts }
    }
    return { ready: true, message: this.#problem || this.#dubious(pair), ...facts }
  }

  async round(signal: AbortSignal): Promise<void> {
    const found = await this.#source(this.#options.clock())
    if (typeof found.pair === 'string') this.#problem = this.#advise(found.pair)
    else this.#take(found.pair)
    if (this.#issuer === undefined || !this.#options.isLeader()) return
    const written = await this.#issuer.tend(found, signal)
    if (written) this.#take(written)
  }

  /** What has expired does not take the place of what has not. */
  #take(pair: ServingPair): void {
    this.#problem = ''
    const present = this.#pair
    const now = this.#options.clock()
    if (present?.cert.equals(pair.cert) && present.key.equals(pair.key)) return
    if (present && isValidAt(present, now) && !isValidAt(pair, now)) {
      this.#problem = 'what stands there now is not valid; the one before is used to its end'
      return
    }
    this.#pair = pair
    for (const use of this.#users) use(pair)
  }

  #advise(problem: string): string {
    const { certificate, isLeader } = this.#options
    if (certificate.mode === 'secret') {
      return `${problem}: have cert-manager keep it, or make it with kubectl create secret tls`
    }
    return certificate.mode === 'auto' && !isLeader()
      ? `${problem} yet; the leader makes it`
      : problem
  }

  #dubious({ leaf }: ServingPair): string {
    if (this.#options.certificate.mode === 'files') return ''
    const missing = missingNames(leaf, servingNames(this.#options))
    if (missing.length === 0) return ''
    return `clients cannot call the STS ${missing.join(', ')}: the certificate lacks these names`
  }
}
