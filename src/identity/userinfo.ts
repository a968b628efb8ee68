import type { Secret } from '../secret.ts'
import type { CheckedClaims } from './claims.ts'
import type { FetchedText, FetchText } from './fetch-text.ts'
import { IdentityError } from './identity-error.ts'
import { parseJsonObject, type JsonObject } from './json-object.ts'
import type { ProviderSettings } from './provider-settings.ts'

const fetchLimits = { timeoutMs: 5000, maxBytes: 65_536 }
const longestAccessToken = 16_384

/** What a token says of itself is only ever taken from the token. */
const tokenClaims = new Set(['iss', 'sub', 'aud', 'azp', 'exp', 'nbf', 'iat', 'jti'])

/**
 * The claims of the userinfo endpoint (OpenID Connect Core section 5.3) that the token does not have itself. The
 * endpoint has to name the token's own `sub`: else one's id token with another's access token would mix two people.
 * @throws {IdentityError} `userinfo_rejected`, `provider_unavailable`
 */
export async function fetchUserinfo(
  proven: CheckedClaims,
  accessToken: Secret | undefined,
  endpoint: string | undefined,
  settings: ProviderSettings,
  fetch: FetchText,
): Promise<JsonObject> {
  const bearer = checkAccessToken(accessToken)
  if (endpoint === undefined) throw unavailable(settings, 'it has no userinfo endpoint')
  const answer = await ask(endpoint, bearer, settings, fetch)
  const userinfo = readAnswer(answer, settings)
  if (userinfo.sub !== proven.subject) {
    throw rejected('The access token is not that of the person in the token')
  }
  const added = Object.entries(userinfo).filter(
    ([name]) => !tokenClaims.has(name) && !Object.hasOwn(proven.claims, name),
  )
  return Object.fromEntries(added)
}

function checkAccessToken(accessToken: Secret | undefined): string {
  const text = accessToken?.reveal() ?? ''
  if (text === '') throw rejected('The identity provider needs an access token as well')
  // b64token of RFC 6750: nothing that could end the header.
  if (text.length <= longestAccessToken && /^[\w.~+/-]+=*$/.test(text)) return text
  throw rejected('The access token is malformed')
}

async function ask(
  endpoint: string,
  bearer: string,
  settings: ProviderSettings,
  fetch: FetchText,
): Promise<FetchedText> {
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${bearer}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const { caFile } = settings
  try {
    return await fetch(endpoint, { method: 'POST', headers, body: '', caFile, ...fetchLimits })
  } catch (cause) {
    throw unavailable(settings, 'its userinfo endpoint did not answer', cause)
  }
}

function readAnswer({ status, body }: FetchedText, settings: ProviderSettings): JsonObject {
  if (status >= 500 || status === 429) throw unavailable(settings, `userinfo: status ${status}`)
  if (status !== 200) throw rejected('The identity provider does not take the access token')
  try {
    return parseJsonObject(body)
  } catch (cause) {
    throw unavailable(settings, 'userinfo is not a sound JSON object', cause)
  }
}

function rejected(message: string): IdentityError {
  return new IdentityError('userinfo_rejected', message)
}

function unavailable(settings: ProviderSettings, reason: string, cause?: unknown): IdentityError {
  const { name } = settings
  return new IdentityError(
    'provider_unavailable',
    `The identity provider ${JSON.stringify(name)} cannot be asked for userinfo; try again`,
    { detail: { provider: name, reason }, cause },
  )
}
