import { supportedAlgorithms } from './algorithms.ts'
import { parseProviderUrl } from './provider-url.ts'

/** One OpenID provider as configured. Whatever is left out has the stated default. */
export type OpenIdProvider = Readonly<{
  /** What evidence and principals call it; unique. */
  name: string
  /** The discovery document: https, or http on loopback. */
  configUrl: string
  /** The exact `iss` of its tokens. Left out: as discovered, if the document may speak for it (`issuersOf`). */
  issuer?: string | undefined
  /** `aud` or `azp` has to name it. */
  clientId: string
  /** Further values of `aud` that are meant for us. */
  audiences?: readonly string[] | undefined
  /** Claims of the userinfo endpoint are added, and an access token is demanded for it. Default: no. */
  claimUserinfo?: boolean | undefined
  /** Allowed `alg`s. Default: all that we support and the provider advertises. */
  algorithms?: readonly string[] | undefined
  /** How far its clock may be ahead of ours (`nbf`, `iat`): 0 to 60, default 5. */
  clockSkewSeconds?: number | undefined
  /** How long its keys are taken as current: 1 to 86400, default 600. While it is away they serve for a day. */
  jwksCacheSeconds?: number | undefined
  /** PEM file: the only certificate authorities that are trusted for it. Read again when it changes. */
  caFile?: string | undefined
  /** Lets it be asked over plain http beyond loopback: whoever sits in between can be anybody then. */
  insecureHttp?: boolean | undefined
  /** A token of it is good for one exchange, by its `jti`; one without is refused. Default: no. */
  oneTime?: boolean | undefined
  /** `claim`: found by `iss` and `aud`, policies come from a claim. `role`: only when named. */
  mode: Readonly<{ kind: 'claim' | 'role' }>
}>

/** Fits no text. Never `undefined`, which is what a claim that is not there has. */
const noClient = Symbol('no client')

/** An `OpenIdProvider` that has been checked, or one made through the IAM API, with the defaults filled in. */
export type ProviderSettings = Readonly<{
  name: string
  configUrl: string
  issuer: string | undefined
  /** What `azp` may be instead of a fitting `aud`. */
  clientId: string | typeof noClient
  /** `clientId` and the further ones. */
  audiences: ReadonlySet<string>
  claimUserinfo: boolean
  algorithms: ReadonlySet<string>
  /** The operator listed the algorithms; what the provider advertises does not narrow them. */
  algorithmsAreListed: boolean
  clockSkewSeconds: number
  jwksCacheSeconds: number
  caFile: string | undefined
  insecureHttp: boolean
  oneTime: boolean
  /** `registered`: made through the IAM API, for roles whose trust policies name it. */
  mode: 'claim' | 'role' | 'registered'
  /** Its issuer is whatever its discovery document says, since nobody but it can answer at that address. */
  ownWord?: boolean
}>

/** @throws {TypeError} naming the provider and what is wrong with it */
export function parseProvider(provider: OpenIdProvider): ProviderSettings {
  try {
    return fillIn(provider)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`identity provider ${JSON.stringify(provider.name)}: ${reason}`, { cause })
  }
}

function fillIn(provider: OpenIdProvider): ProviderSettings {
  const { name, configUrl, clientId, issuer, audiences = [], algorithms } = provider
  for (const text of [name, clientId, issuer ?? 'absent', ...audiences]) {
    if (text === '') throw new TypeError('name, clientId, issuer and audiences cannot be empty')
  }
  // `aws:userid` is `provider:subject`: the subject `alice` of such a provider would pass for our own user.
  if (name === 'internal') throw new TypeError('the name "internal" is that of users and root')
  parseProviderUrl(configUrl, 'configUrl', provider.insecureHttp === true ? 'always' : 'loopback')
  return {
    name,
    configUrl,
    issuer,
    clientId,
    audiences: new Set([clientId, ...audiences]),
    claimUserinfo: provider.claimUserinfo ?? false,
    algorithms: new Set(checkAlgorithms(algorithms ?? supportedAlgorithms)),
    algorithmsAreListed: algorithms !== undefined,
    clockSkewSeconds: within(provider.clockSkewSeconds ?? 5, 0, 60, 'clockSkewSeconds'),
    jwksCacheSeconds: within(provider.jwksCacheSeconds ?? 600, 1, 86_400, 'jwksCacheSeconds'),
    caFile: provider.caFile,
    insecureHttp: provider.insecureHttp ?? false,
    oneTime: provider.oneTime ?? false,
    mode: provider.mode.kind,
  }
}

/**
 * Of a provider made through the IAM API: `aud` has to be one of its client ids, whatever `azp` says; its discovery
 * document stands at its URL, and TLS is judged by authorities alone.
 */
export function registeredSettings(
  { arn, url, clientIds }: Readonly<{ arn: string; url: string; clientIds: readonly string[] }>,
  caFile: string | undefined,
): ProviderSettings {
  return {
    name: arn,
    configUrl: `${url}/.well-known/openid-configuration`,
    issuer: undefined,
    clientId: noClient,
    audiences: new Set(clientIds),
    claimUserinfo: false,
    algorithms: new Set(supportedAlgorithms),
    algorithmsAreListed: false,
    clockSkewSeconds: 5,
    jwksCacheSeconds: 600,
    caFile,
    insecureHttp: false,
    oneTime: false,
    mode: 'registered',
  }
}

function checkAlgorithms(algorithms: readonly string[]): readonly string[] {
  if (algorithms.length === 0) throw new TypeError('no algorithm is allowed')
  const strange = algorithms.find((alg) => !supportedAlgorithms.includes(alg))
  if (strange === undefined) return algorithms
  throw new TypeError(`algorithm ${strange} is not one of ${supportedAlgorithms.join(', ')}`)
}

function within(value: number, least: number, most: number, what: string): number {
  if (value >= least && value <= most) return value
  throw new TypeError(`${what} is not between ${least} and ${most}`)
}
