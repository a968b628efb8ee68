import { parseJsonObject } from './json-object.ts'
import { parseProviderUrl } from './provider-url.ts'
import type { ProviderSettings } from './provider-settings.ts'

/** What we take from a provider's discovery document (OpenID Connect Discovery 1.0 section 3). */
export type Discovery = Readonly<{
  issuer: string
  jwksUri: string
  userinfoEndpoint?: string
  /** `id_token_signing_alg_values_supported`, where it is given. */
  algorithms?: ReadonlySet<string>
}>

const suffix = '/.well-known/openid-configuration'

/**
 * The issuers that a discovery document at this address may speak for: the address without its well-known suffix
 * (Discovery 1.0 section 4.1), with or without the slash that is cut off before the suffix is added. Empty for an
 * address of another form: its issuer has to be configured.
 */
export function issuersOf(configUrl: string): readonly string[] {
  if (!configUrl.endsWith(suffix)) return []
  const issuer = configUrl.slice(0, -suffix.length)
  return [issuer, `${issuer}/`]
}

/**
 * @throws {SyntaxError | TypeError} when it is no discovery document, speaks for another issuer than expected, or
 * sends us to an address that we do not ask
 */
export function parseDiscovery(
  text: string,
  settings: Pick<ProviderSettings, 'configUrl' | 'issuer' | 'insecureHttp' | 'ownWord'>,
): Discovery {
  const document = parseJsonObject(text)
  const issuer = expectIssuer(document.issuer, settings)
  const plainHttp = plainHttpFor(settings)
  const jwksUri = parseProviderUrl(document.jwks_uri, 'jwks_uri', plainHttp).href
  const userinfo = document.userinfo_endpoint
  const algorithms = document.id_token_signing_alg_values_supported
  return {
    issuer,
    jwksUri,
    ...(userinfo !== undefined && {
      userinfoEndpoint: parseProviderUrl(userinfo, 'userinfo_endpoint', plainHttp).href,
    }),
    ...(Array.isArray(algorithms) && {
      algorithms: new Set(algorithms.filter((alg) => typeof alg === 'string')),
    }),
  }
}

// A provider reached over TLS does not send us back to plain http, loopback or not.
function plainHttpFor(
  settings: Pick<ProviderSettings, 'configUrl' | 'insecureHttp'>,
): 'never' | 'loopback' | 'always' {
  if (settings.insecureHttp) return 'always'
  return settings.configUrl.startsWith('http:') ? 'loopback' : 'never'
}

function expectIssuer(
  issuer: unknown,
  settings: Pick<ProviderSettings, 'configUrl' | 'issuer' | 'ownWord'>,
): string {
  if (typeof issuer !== 'string' || issuer === '') {
    throw new SyntaxError('the discovery document names no issuer')
  }
  if (settings.ownWord) return issuer
  const expected = settings.issuer === undefined ? issuersOf(settings.configUrl) : [settings.issuer]
  if (expected.includes(issuer)) return issuer
  const named = JSON.stringify(issuer.slice(0, 200))
  throw new SyntaxError(
    `the discovery document is that of the issuer ${named}, which is not the expected one; ` +
      'when it is the right one, name it as the issuer in the configuration',
  )
}
