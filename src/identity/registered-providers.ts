import { BoundedCache } from '../bounded-cache.ts'
import { wrongIssuer } from './claims.ts'
import { ProviderKeys, type ProviderPorts } from './provider-keys.ts'
import { registeredSettings, type ProviderSettings } from './provider-settings.ts'

/** An OpenID provider that somebody made while we run, through the IAM API. */
export type RegisteredOpenIdProvider = Readonly<{
  /** What principals call it. */
  arn: string
  /** Its issuer, without a slash at the end: https, or http on loopback. */
  url: string
  /** The values of `aud` that are meant for us. Empty: none is. */
  clientIds: readonly string[]
  createdAt: Date
}>

/** Those that there are now. Asked for each token: what changes there counts for the next one. */
export type RegisteredOpenIdProviders = Readonly<{
  find(arn: string): RegisteredOpenIdProvider | undefined
  list(): readonly RegisteredOpenIdProvider[]
}>

export type RegisteredCandidate = Readonly<{
  settings: ProviderSettings
  keys: ProviderKeys
  /** @throws {IdentityError} when it was deleted, or lost an audience, since it was chosen */
  demandUnchanged(): void
}>

type AskedProvider = Readonly<{ arn: string; keys: ProviderKeys }>

/**
 * Their keys, fetched when a token first needs them and never ahead: a thousand providers are no timer and no request.
 * Each has keys of its own, also when a configured provider has the same issuer.
 */
export class RegisteredProviders {
  readonly #directory: RegisteredOpenIdProviders
  readonly #ports: ProviderPorts
  readonly #caFile: string | undefined
  /** By URL: whoever is made again under it finds the keys that are at hand. */
  readonly #keys = new BoundedCache<ProviderKeys>(1000)

  constructor(
    directory: RegisteredOpenIdProviders,
    ports: ProviderPorts,
    caFile: string | undefined,
  ) {
    this.#directory = directory
    this.#ports = ports
    this.#caFile = caFile
  }

  /** Those among the names in a trust policy. Most names are of configured providers, and nobody here. */
  named(names: readonly string[]): readonly RegisteredCandidate[] {
    return names.flatMap((name) => {
      const provider = this.#directory.find(name)
      return provider === undefined ? [] : [this.#candidate(provider)]
    })
  }

  /** Those whose keys a token has needed so far. */
  asked(): readonly AskedProvider[] {
    return this.#directory.list().flatMap((provider) => this.#askedOf(provider) ?? [])
  }

  /** `undefined`: there is no such provider, or no token has needed its keys so far. */
  findAsked(arn: string): AskedProvider | undefined {
    const provider = this.#directory.find(arn)
    return provider && this.#askedOf(provider)
  }

  #askedOf({ arn, url }: RegisteredOpenIdProvider): AskedProvider | undefined {
    const keys = this.#keys.get(url)
    return keys && { arn, keys }
  }

  #candidate(provider: RegisteredOpenIdProvider): RegisteredCandidate {
    const settings = registeredSettings(provider, this.#caFile)
    return {
      settings,
      keys: this.#keysOf(provider.url, settings),
      demandUnchanged: () => {
        if (!this.#isUnchanged(provider)) throw wrongIssuer()
      },
    }
  }

  #keysOf(url: string, settings: ProviderSettings): ProviderKeys {
    const known = this.#keys.get(url)
    if (known) return known
    const keys = new ProviderKeys(settings, this.#ports)
    this.#keys.set(url, keys)
    return keys
  }

  #isUnchanged({ arn, url, clientIds, createdAt }: RegisteredOpenIdProvider): boolean {
    const now = this.#directory.find(arn)
    return (
      now?.url === url &&
      now.createdAt.getTime() === createdAt.getTime() &&
      clientIds.every((clientId) => now.clientIds.includes(clientId))
    )
  }
}
