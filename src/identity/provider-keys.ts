import { parseDiscovery, type Discovery } from './discovery.ts'
import type { FetchText } from './fetch-text.ts'
import { IdentityError } from './identity-error.ts'
import { findKey, parseKeySet, type KeySet, type VerificationKey } from './key-set.ts'
import type { ProviderSettings } from './provider-settings.ts'

/** What became of a provider's keys; for logs. Never holds a token or a key. */
export type IdentityEvent = Readonly<{
  kind: 'provider_keys_loaded' | 'provider_unavailable' | 'provider_key_skipped'
  provider: string
  detail: string
}>

export type ProviderKeysStatus = Readonly<{
  /** Keys are at hand: tokens can be verified without waiting. */
  ready: boolean
  /** Why the last attempt to fetch them failed. Absent once one has succeeded. */
  error?: string
  keys: number
  fetchedAt?: Date
  /** When they will be fetched again, in the background or by the next token. */
  nextRefreshAt: Date
}>

type Ports = Readonly<{
  fetch: FetchText
  clock: () => Date
  log: (event: IdentityEvent) => void
}>
type Loaded = Readonly<{ discovery: Discovery; keys: KeySet }>
type Dated<T> = Readonly<{ value: T; at: number }>

const seconds = 1000
const staleMs = 86_400 * seconds
/** Between two fetches for the sake of unknown key ids. */
const forcedIntervalMs = 10 * seconds
const longestBackoffMs = 15 * seconds
/** Share of their life after which keys are fetched anew in the background. */
const refreshShare = 0.8
const fetchLimits = { timeoutMs: 5 * seconds, maxBytes: 262_144 }

/**
 * The discovery document and the keys of one provider. They are fetched by the first token that needs them, or before by
 * `refreshWhenDue`; anew ahead of their end; and out of turn for an unknown key id. At most one fetch is in flight,
 * whoever asks, and after a failure the next one waits (1 s, doubling to 15 s), so that nobody's bad tokens make a storm.
 */
export class ProviderKeys {
  readonly #settings: ProviderSettings
  readonly #ports: Ports
  readonly #lifeMs: number
  #discovery: Dated<Discovery> | undefined
  #keys: Dated<KeySet> | undefined
  #inFlight: Promise<void> | undefined
  #attemptedAt: number | undefined
  #failures = 0
  #error: string | undefined

  constructor(settings: ProviderSettings, ports: Ports) {
    this.#settings = settings
    this.#ports = ports
    this.#lifeMs = settings.jwksCacheSeconds * seconds
  }

  /** The discovered issuer, once it is known. */
  get issuer(): string | undefined {
    return this.#discovery?.value.issuer
  }

  /** What was fetched, after a wait when there is nothing usable. @throws {IdentityError} `provider_unavailable` */
  async current(): Promise<Loaded> {
    const age = this.#ageOf(this.#keys)
    // While the provider is away nobody waits for it: the stale keys serve, and fetching goes on behind.
    const serves = age < this.#lifeMs || (age < staleMs && this.#failures > 0)
    if (serves) this.refreshWhenDue()
    else await this.#refreshUnlessBackingOff()
    return this.#usable()
  }

  /** The key that a token names. @throws {IdentityError} `token_signature`, `provider_unavailable` */
  async find(wanted: Readonly<{ alg: string; kid?: string }>): Promise<VerificationKey> {
    const known = findKey((await this.current()).keys, wanted)
    if (known !== undefined) return known
    await this.#refreshForUnknownKey()
    const found = findKey(this.#usable().keys, wanted)
    if (found !== undefined) return found
    // It may be a new key that we could not fetch: then the token is not to blame.
    if (this.#failures > 0) throw this.#unavailable()
    throw new IdentityError(
      'token_signature',
      'The token is signed with a key that its provider does not publish',
    )
  }

  /** Starts a fetch in the background when it is time for one. */
  refreshWhenDue(): void {
    const isDue = this.#ageOf(this.#keys) >= this.#lifeMs * refreshShare
    if (isDue && !this.#isBackingOff()) void this.#refresh()
  }

  status(): ProviderKeysStatus {
    const fetchedAt = this.#keys?.at
    const due = fetchedAt === undefined ? 0 : fetchedAt + this.#lifeMs * refreshShare
    const next = Math.max(due, (this.#attemptedAt ?? 0) + this.#backoffMs())
    return {
      ready: this.#ageOf(this.#keys) < staleMs && this.#keys?.value.keys.length !== 0,
      ...(this.#error !== undefined && { error: this.#error }),
      keys: this.#keys?.value.keys.length ?? 0,
      ...(fetchedAt !== undefined && { fetchedAt: new Date(fetchedAt) }),
      nextRefreshAt: new Date(Math.max(next, this.#now())),
    }
  }

  #usable(): Loaded {
    if (this.#discovery === undefined || this.#keys === undefined) throw this.#unavailable()
    if (this.#ageOf(this.#keys) >= staleMs) throw this.#unavailable()
    return { discovery: this.#discovery.value, keys: this.#keys.value }
  }

  #refresh(): Promise<void> {
    this.#inFlight ??= this.#load().finally(() => {
      this.#inFlight = undefined
    })
    return this.#inFlight
  }

  async #refreshUnlessBackingOff(): Promise<void> {
    if (this.#inFlight !== undefined || !this.#isBackingOff()) await this.#refresh()
  }

  async #refreshForUnknownKey(): Promise<void> {
    const waits = this.#sinceAttempt() < Math.max(forcedIntervalMs, this.#backoffMs())
    if (this.#inFlight !== undefined || !waits) await this.#refresh()
  }

  /** Never rejects: what went wrong is kept as `#error`. */
  async #load(): Promise<void> {
    this.#attemptedAt = this.#now()
    try {
      if (this.#ageOf(this.#discovery) >= this.#lifeMs * refreshShare) await this.#loadDiscovery()
      await this.#loadKeys()
      this.#failures = 0
      this.#error = undefined
    } catch (error) {
      this.#failures += 1
      this.#error = reasonOf(error)
      this.#log('provider_unavailable', this.#error)
    }
  }

  async #loadDiscovery(): Promise<void> {
    const text = await this.#get(this.#settings.configUrl, 'the discovery document')
    this.#discovery = { value: parseDiscovery(text, this.#settings), at: this.#now() }
  }

  async #loadKeys(): Promise<void> {
    const uri = this.#discovery?.value.jwksUri
    if (uri === undefined) return
    const keys = parseKeySet(await this.#get(uri, 'the key set'))
    this.#keys = { value: keys, at: this.#now() }
    for (const { kid, reason } of keys.skipped) {
      this.#log('provider_key_skipped', `${JSON.stringify(kid?.slice(0, 100))}: ${reason}`)
    }
    this.#log('provider_keys_loaded', `${keys.keys.length} keys`)
  }

  async #get(url: string, what: string): Promise<string> {
    const { caFile } = this.#settings
    const request = { method: 'GET', headers: { accept: '*/*' }, caFile, ...fetchLimits } as const
    const answer = await this.#ports.fetch(url, request)
    if (answer.status === 200) return answer.body
    throw new Error(`${what} was answered with status ${answer.status}`)
  }

  #isBackingOff(): boolean {
    return this.#sinceAttempt() < this.#backoffMs()
  }

  #backoffMs(): number {
    if (this.#failures === 0) return 0
    return Math.min(seconds * 2 ** (this.#failures - 1), longestBackoffMs)
  }

  #sinceAttempt(): number {
    return this.#attemptedAt === undefined ? Infinity : this.#distance(this.#attemptedAt)
  }

  #ageOf(dated: Dated<unknown> | undefined): number {
    return dated === undefined ? Infinity : this.#distance(dated.at)
  }

  // Absolute: a clock that was set back makes things look old, not fresh for ever.
  #distance(at: number): number {
    return Math.abs(this.#now() - at)
  }

  #now(): number {
    return this.#ports.clock().getTime()
  }

  #unavailable(): IdentityError {
    const { name } = this.#settings
    return new IdentityError(
      'provider_unavailable',
      `The identity provider ${JSON.stringify(name)} cannot be reached; try again`,
      { detail: { provider: name, reason: this.#error } },
    )
  }

  #log(kind: IdentityEvent['kind'], detail: string): void {
    this.#ports.log({ kind, provider: this.#settings.name, detail })
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  return `${error.message || error.name}${code}`
}
