import { Attempts } from './attempts.ts'
import type { Discovery } from './discovery.ts'
import type { FetchText } from './fetch-text.ts'
import { IdentityError } from './identity-error.ts'
import { findKey, type KeySet, type VerificationKey } from './key-set.ts'
import { fetchDiscovery, fetchKeySet } from './provider-documents.ts'
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

/** What the keys of every provider are fetched and timed with. */
export type ProviderPorts = Readonly<{
  fetch: FetchText
  clock: () => Date
  log: (event: IdentityEvent) => void
}>
type Loaded = Readonly<{ discovery: Discovery; keys: KeySet }>
type Dated<T> = Readonly<{ value: T; at: number }>

const staleMs = 86_400_000
/** Between two fetches for the sake of unknown key ids. */
const forcedIntervalMs = 10_000
/** Share of their life after which keys are fetched anew in the background. */
const refreshShare = 0.8

/**
 * The discovery document and the keys of one provider. They are fetched by the first token that needs them, or before by
 * `refreshWhenDue`; anew ahead of their end; and out of turn for an unknown key id, every 10 s at most. One fetch is in
 * flight, whoever asks, and failures make the next one wait, so that nobody's bad tokens become a storm.
 */
export class ProviderKeys {
  readonly #settings: ProviderSettings
  readonly #ports: ProviderPorts
  readonly #attempts: Attempts
  readonly #lifeMs: number
  #discovery: Dated<Discovery> | undefined
  #keys: Dated<KeySet> | undefined
  #inFlight: Promise<void> | undefined

  constructor(settings: ProviderSettings, ports: ProviderPorts) {
    this.#settings = settings
    this.#ports = ports
    this.#attempts = new Attempts(ports.clock)
    this.#lifeMs = settings.jwksCacheSeconds * 1000
  }

  /** The discovered issuer, once it is known. */
  get issuer(): string | undefined {
    return this.#discovery?.value.issuer
  }

  /** What was fetched, after a wait when there is nothing usable. @throws {IdentityError} `provider_unavailable` */
  async current(): Promise<Loaded> {
    const age = this.#ageOf(this.#keys)
    // While the provider is away nobody waits for it: the stale keys serve, and fetching goes on behind.
    const serves = age < this.#lifeMs || (age < staleMs && this.#isAway())
    if (serves) this.refreshWhenDue()
    else await this.#refreshUnlessTooSoon()
    return this.#usable()
  }

  /** The key that a token names. @throws {IdentityError} `token_signature`, `provider_unavailable` */
  async find(wanted: Readonly<{ alg: string; kid?: string }>): Promise<VerificationKey> {
    const known = findKey((await this.current()).keys, wanted)
    if (known !== undefined) return known
    await this.#refreshUnlessTooSoon(forcedIntervalMs)
    const found = findKey(this.#usable().keys, wanted)
    if (found !== undefined) return found
    // It may be a new key that we could not fetch: then the token is not to blame.
    if (this.#isAway()) throw this.#unavailable()
    throw new IdentityError(
      'token_signature',
      'The token is signed with a key that its provider does not publish',
    )
  }

  /** Starts a fetch in the background when it is time for one. */
  refreshWhenDue(): void {
    const isDue = this.#ageOf(this.#keys) >= this.#lifeMs * refreshShare
    if (isDue && this.#attempts.mayBegin()) void this.#refresh()
  }

  status(): ProviderKeysStatus {
    const { error, notBefore } = this.#attempts
    const fetchedAt = this.#keys?.at
    const due = fetchedAt === undefined ? 0 : fetchedAt + this.#lifeMs * refreshShare
    const keys = this.#keys?.value.keys.length ?? 0
    return {
      ready: this.#ageOf(this.#keys) < staleMs && keys > 0,
      ...(error !== undefined && { error }),
      keys,
      ...(fetchedAt !== undefined && { fetchedAt: new Date(fetchedAt) }),
      nextRefreshAt: new Date(Math.max(due, notBefore, this.#now())),
    }
  }

  #usable(): Loaded {
    if (this.#discovery === undefined || this.#keys === undefined) throw this.#unavailable()
    if (this.#ageOf(this.#keys) >= staleMs) throw this.#unavailable()
    return { discovery: this.#discovery.value, keys: this.#keys.value }
  }

  async #refreshUnlessTooSoon(leastMs = 0): Promise<void> {
    if (this.#inFlight !== undefined || this.#attempts.mayBegin(leastMs)) await this.#refresh()
  }

  #refresh(): Promise<void> {
    this.#inFlight ??= this.#load().finally(() => {
      this.#inFlight = undefined
    })
    return this.#inFlight
  }

  /** Never rejects: what went wrong is kept by `#attempts`. */
  async #load(): Promise<void> {
    this.#attempts.begin()
    try {
      const discovery = await this.#recentDiscovery()
      const keys = await fetchKeySet(discovery.jwksUri, this.#settings, this.#ports.fetch)
      this.#keys = { value: keys, at: this.#now() }
      this.#attempts.succeeded()
      this.#logKeys(keys)
    } catch (error) {
      const reason = reasonOf(error)
      this.#attempts.failed(reason)
      this.#log('provider_unavailable', reason)
    }
  }

  async #recentDiscovery(): Promise<Discovery> {
    const present = this.#discovery
    const isRecent = this.#ageOf(present) < this.#lifeMs * refreshShare
    if (present !== undefined && isRecent) return present.value
    const value = await fetchDiscovery(this.#settings, this.#ports.fetch)
    this.#discovery = { value, at: this.#now() }
    return value
  }

  #isAway(): boolean {
    return this.#attempts.error !== undefined
  }

  // Absolute: a clock that was set back makes things look old, not fresh for ever.
  #ageOf(dated: Dated<unknown> | undefined): number {
    return dated === undefined ? Infinity : Math.abs(this.#now() - dated.at)
  }

  #now(): number {
    return this.#ports.clock().getTime()
  }

  #unavailable(): IdentityError {
    const { name } = this.#settings
    return new IdentityError(
      'provider_unavailable',
      `The identity provider ${JSON.stringify(name)} cannot be reached; try again`,
      { detail: { provider: name, reason: this.#attempts.error } },
    )
  }

  #logKeys({ keys, skipped }: KeySet): void {
    for (const { kid, reason } of skipped) {
      this.#log('provider_key_skipped', `${JSON.stringify(kid?.slice(0, 100))}: ${reason}`)
    }
    this.#log('provider_keys_loaded', `${keys.length} keys`)
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
