import { checkClaims, demandJti, isMeantFor, wrongIssuer } from './claims.ts'
import { issuersOf } from './discovery.ts'
import { createFetchText, type FetchText } from './fetch-text.ts'
import { IdentityError } from './identity-error.ts'
import type { JsonObject } from './json-object.ts'
import { parseToken } from './jws.ts'
import { webIdentityPrincipal } from './principal.ts'
import { ProviderKeys, type IdentityEvent, type ProviderKeysStatus } from './provider-keys.ts'
import { parseProvider, type OpenIdProvider, type ProviderSettings } from './provider-settings.ts'
import { RegisteredProviders, type RegisteredOpenIdProviders } from './registered-providers.ts'
import type { Evidence, Principal, Verifier } from './types.ts'
import { fetchUserinfo } from './userinfo.ts'
import { verifyToken } from './verify-token.ts'

type OpenIdOptions = Readonly<{
  providers: readonly OpenIdProvider[]
  /** Those made through the IAM API. Default: none. */
  registered?:
    | Readonly<{
        directory: RegisteredOpenIdProviders
        /** PEM file: the only certificate authorities that are trusted for them. Default: the system's. */
        caFile?: string | undefined
      }>
    | undefined
  clock: () => Date
  /** Default: real HTTP. */
  fetch?: FetchText | undefined
  log?: ((event: IdentityEvent) => void) | undefined
}>

type OpenIdStatus = ProviderKeysStatus &
  Readonly<{ provider: string; mode: ProviderSettings['mode']; issuer?: string }>

/** `verify` works from the first moment on; `start` is what fetches keys before somebody waits for them. */
export interface OpenIdVerifier extends Verifier {
  /** Of all configured providers, and of those made through the IAM API whose keys some token has needed. */
  status(): readonly OpenIdStatus[]
  /** Of one made through the IAM API. `undefined`: it is not there, or no token has needed its keys so far. */
  registeredStatus(arn: string): OpenIdStatus | undefined
  /** Begins to fetch keys of configured providers in the background, ahead of need, until `close`. Needs none to be there. */
  start(): void
  close(): void
}

type Provider = Readonly<{
  settings: ProviderSettings
  keys: ProviderKeys
  /** Throws when it is not what it was when it was chosen. Absent: the configuration does not change. */
  demandUnchanged?: () => void
}>
type WebIdentity = Extract<Evidence, { kind: 'web-identity' }>

const noAddition: JsonObject = {}
const noneRegistered: RegisteredOpenIdProviders = { find: () => undefined, list: () => [] }

/**
 * Verifies tokens of OpenID providers (OpenID Connect Core 1.0, RFC 7519), each with its own keys, issuer, audiences and
 * algorithms. Which one judges a token:
 *
 * - evidence that names a provider goes to that one;
 * - evidence that names a role goes to the providers made through the IAM API which the role's trust policy names, and to
 *   all configured ones, in this order;
 * - else it goes to the configured claim-mode providers.
 *
 * Of these it is the first with the token's `iss` that has its audience; where none has, the first of that `iss`, which
 * will refuse it.
 * @throws {TypeError} when a provider's settings make no sense or two share a name
 */
export function createOpenIdVerifier(options: OpenIdOptions): OpenIdVerifier {
  const ports = {
    fetch: options.fetch ?? createFetchText(),
    clock: options.clock,
    log: options.log ?? (() => {}),
  }
  const providers = options.providers.map(parseProvider).map((settings) => ({
    settings,
    keys: new ProviderKeys(settings, ports),
  }))
  const names = new Set(providers.map(({ settings }) => settings.name))
  if (names.size < providers.length) throw new TypeError('two identity providers share a name')
  const { directory = noneRegistered, caFile } = options.registered ?? {}
  const registered = new RegisteredProviders(directory, ports, caFile)
  const refresh = () => providers.forEach(({ keys }) => keys.refreshWhenDue())
  let timer: NodeJS.Timeout | undefined
  return {
    async verify(evidence, now) {
      if (evidence.kind !== 'web-identity') return undefined
      const choice = [
        ...registered.named(evidence.trustedProviders ?? []),
        ...configuredFor(evidence, providers),
      ]
      if (choice.length === 0) return undefined
      return judge(evidence, choice, ports.fetch, now)
    },
    status: () => [...providers.map(statusOf), ...registered.asked().map(statusOfRegistered)],
    registeredStatus(arn) {
      const found = registered.findAsked(arn)
      return found && statusOfRegistered(found)
    },
    start() {
      refresh()
      timer ??= setInterval(refresh, 1000).unref()
    },
    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/** The one that was named, else those that are found by `iss`. None: the evidence is not ours. */
function configuredFor(
  { provider, trustedProviders }: WebIdentity,
  all: readonly Provider[],
): readonly Provider[] {
  return all.filter(({ settings: { name, mode } }) =>
    provider === undefined ? trustedProviders !== undefined || mode === 'claim' : name === provider,
  )
}

/** The whole story of a token: form, provider, signature, claims, userinfo. */
async function judge(
  evidence: WebIdentity,
  choice: readonly Provider[],
  fetch: FetchText,
  now: Date,
): Promise<Principal> {
  const token = parseToken(evidence.token.reveal())
  const { settings, keys, demandUnchanged } = chooseProvider(choice, token.unproven)
  checkAlgorithm(token.header.alg, settings.algorithms)
  const { discovery } = await keys.current()
  if (!settings.algorithmsAreListed) checkAlgorithm(token.header.alg, discovery.algorithms)
  const signed = await verifyToken(token, await keys.find(token.header))
  const proven = checkClaims(signed, { ...settings, issuer: discovery.issuer }, now)
  if (settings.oneTime) demandJti(proven)
  const added = settings.claimUserinfo
    ? await fetchUserinfo(proven, evidence.accessToken, discovery.userinfoEndpoint, settings, fetch)
    : noAddition
  // Fetching took its time. Whoever was deleted meanwhile vouches for nobody any more.
  demandUnchanged?.()
  return webIdentityPrincipal(settings.name, proven, added, settings.oneTime)
}

// The claims are not proven here: they only say whose keys shall be tried. What comes of a lie is a refusal.
function chooseProvider(choice: readonly Provider[], unproven: JsonObject): Provider {
  const { iss } = unproven
  if (typeof iss !== 'string') {
    throw new IdentityError('token_claims', 'The claim iss of the token is missing or no text')
  }
  const ofIssuer = choice.filter((provider) => issuersFor(provider).includes(iss))
  const chosen = ofIssuer.find(({ settings }) => isMeantFor(unproven, settings)) ?? ofIssuer[0]
  if (chosen === undefined) throw wrongIssuer()
  return chosen
}

/** One, once configured or discovered. Before: those that the address of the discovery document may speak for. */
function issuersFor({ settings, keys }: Provider): readonly string[] {
  const issuer = settings.issuer ?? keys.issuer
  return issuer === undefined ? issuersOf(settings.configUrl) : [issuer]
}

function checkAlgorithm(alg: string, allowed: ReadonlySet<string> | undefined): void {
  if (allowed === undefined || allowed.has(alg)) return
  throw new IdentityError('token_algorithm', 'The algorithm of the token is not allowed')
}

function statusOf({ settings, keys }: Provider): OpenIdStatus {
  const issuer = settings.issuer ?? keys.issuer
  return {
    provider: settings.name,
    mode: settings.mode,
    ...(issuer !== undefined && { issuer }),
    ...keys.status(),
  }
}

function statusOfRegistered({
  arn,
  keys,
}: Readonly<{ arn: string; keys: ProviderKeys }>): OpenIdStatus {
  const { issuer } = keys
  return {
    provider: arn,
    mode: 'registered',
    ...(issuer !== undefined && { issuer }),
    ...keys.status(),
  }
}
