import { checkClaims, isMeantFor, wrongIssuer } from './claims.ts'
import { issuersOf } from './discovery.ts'
import { createFetchText, type FetchText } from './fetch-text.ts'
import { IdentityError } from './identity-error.ts'
import type { JsonObject } from './json-object.ts'
import { parseToken } from './jws.ts'
import { webIdentityPrincipal } from './principal.ts'
import { ProviderKeys, type IdentityEvent, type ProviderKeysStatus } from './provider-keys.ts'
import { parseProvider, type OpenIdProvider, type ProviderSettings } from './provider-settings.ts'
import type { Evidence, Principal, Verifier } from './types.ts'
import { fetchUserinfo } from './userinfo.ts'
import { verifyToken } from './verify-token.ts'

type OpenIdOptions = Readonly<{
  providers: readonly OpenIdProvider[]
  clock: () => Date
  /** Default: real HTTP. */
  fetch?: FetchText | undefined
  log?: ((event: IdentityEvent) => void) | undefined
}>

type OpenIdStatus = ProviderKeysStatus &
  Readonly<{ provider: string; mode: 'claim' | 'role'; issuer?: string }>

/** `verify` works from the first moment on; `start` is what fetches keys before somebody waits for them. */
export interface OpenIdVerifier extends Verifier {
  status(): readonly OpenIdStatus[]
  /** Begins to fetch keys in the background, ahead of need, until `close`. Needs no provider to be there. */
  start(): void
  close(): void
}

type Provider = Readonly<{ settings: ProviderSettings; keys: ProviderKeys }>
type WebIdentity = Extract<Evidence, { kind: 'web-identity' }>

const noAddition: JsonObject = {}

/**
 * Verifies tokens of OpenID providers (OpenID Connect Core 1.0, RFC 7519), each with its own keys, issuer, audiences and
 * algorithms. Evidence that names a provider goes to that one; else to the claim-mode provider of the token's `iss`,
 * and among several of these to the one whose audience it has.
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
  const refresh = () => providers.forEach(({ keys }) => keys.refreshWhenDue())
  let timer: NodeJS.Timeout | undefined
  return {
    async verify(evidence, now) {
      if (evidence.kind !== 'web-identity') return undefined
      const choice = providersFor(evidence, providers)
      if (choice.length === 0) return undefined
      return judge(evidence, choice, ports.fetch, now)
    },
    status: () => providers.map(statusOf),
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
function providersFor(
  { provider, anyMode }: WebIdentity,
  all: readonly Provider[],
): readonly Provider[] {
  return all.filter(({ settings: { name, mode } }) =>
    provider === undefined ? anyMode === true || mode === 'claim' : name === provider,
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
  const { settings, keys } = chooseProvider(choice, token.unproven)
  checkAlgorithm(token.header.alg, settings.algorithms)
  const { discovery } = await keys.current()
  if (!settings.algorithmsAreListed) checkAlgorithm(token.header.alg, discovery.algorithms)
  const signed = await verifyToken(token, await keys.find(token.header))
  const proven = checkClaims(signed, { ...settings, issuer: discovery.issuer }, now)
  const added = settings.claimUserinfo
    ? await fetchUserinfo(proven, evidence.accessToken, discovery.userinfoEndpoint, settings, fetch)
    : noAddition
  return webIdentityPrincipal(settings.name, proven, added)
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
