import { IdentityError } from './identity-error.ts'
import { isJsonObject, type JsonObject } from './json-object.ts'
import type { ProviderSettings } from './provider-settings.ts'
import type { SignedClaims } from './verify-token.ts'

declare const checked: unique symbol // not exported: only checkClaims makes one

/** Claims that are signed, in time, by the issuer and for us. */
export type CheckedClaims = Readonly<{
  issuer: string
  subject: string
  expiresAt: Date
  claims: JsonObject
  [checked]: true
}>

type Expected = Pick<ProviderSettings, 'clientId' | 'audiences' | 'clockSkewSeconds'> &
  Readonly<{ issuer: string }>

/** Seconds of the last instant of the year 9999: what is later is no date that anybody means. */
const lastInstant = 253_402_300_799

/**
 * RFC 7519 section 4.1 and OpenID Connect Core section 3.1.3.7, as far as they bind one who holds no nonce.
 * @throws {IdentityError} `token_issuer`, `token_audience`, `token_expired`, `token_not_yet_valid`, `token_claims`
 */
export function checkClaims(
  { claims }: SignedClaims,
  expected: Expected,
  now: Date,
): CheckedClaims {
  if (claims.iss !== expected.issuer) throw wrongIssuer()
  if (!isMeantFor(claims, expected)) {
    throw new IdentityError('token_audience', 'The token is meant for another audience')
  }
  const expiresAt = checkTimes(claims, expected.clockSkewSeconds, now)
  // A security event (RFC 8417), such as a logout token, is signed by the same issuer for the same audience.
  if (isJsonObject(claims.events)) throw badClaim('events', 'makes it no token of identity')
  const { iss: issuer } = claims
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where they are made
  return { issuer, subject: checkSubject(claims.sub), expiresAt, claims } as CheckedClaims
}

/**
 * `aud` names us, as a text or in a list; or `azp` says that the token was issued to our client (then `aud` is there
 * all the same). A text with commas is one audience, not several.
 */
export function isMeantFor(
  claims: JsonObject,
  expected: Pick<ProviderSettings, 'clientId' | 'audiences'>,
): boolean {
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (audiences.length === 0) return false
  if (!audiences.every((audience) => typeof audience === 'string')) return false
  return (
    audiences.some((audience) => expected.audiences.has(audience)) ||
    claims.azp === expected.clientId
  )
}

export function wrongIssuer(): IdentityError {
  return new IdentityError('token_issuer', 'The token is of an issuer that is not trusted here')
}

// The allowance for clocks that differ is for the beginning of a token only. Credentials end with the token, so one that
// ended a second ago would buy nothing.
function checkTimes(claims: JsonObject, skewSeconds: number, now: Date): Date {
  const nowSeconds = now.getTime() / 1000
  const exp = instant(claims, 'exp')
  if (exp === undefined) throw badClaim('exp', 'is missing')
  if (!(nowSeconds < exp)) throw new IdentityError('token_expired', 'The token has expired')
  for (const name of ['nbf', 'iat'] as const) {
    const start = instant(claims, name)
    if (start !== undefined && start > nowSeconds + skewSeconds) {
      throw new IdentityError('token_not_yet_valid', `The token is not valid yet (${name})`)
    }
  }
  if (exp > lastInstant) throw badClaim('exp', 'is too far away')
  return new Date(Math.floor(exp * 1000))
}

/** A NumericDate: seconds, fractions allowed. Never a text: "1e9" and "0x5" would be read in several ways. */
function instant(claims: JsonObject, name: 'exp' | 'nbf' | 'iat'): number | undefined {
  const value = claims[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw badClaim(name, 'is not a number')
}

function checkSubject(sub: unknown): string {
  if (typeof sub !== 'string' || sub === '') throw badClaim('sub', 'is missing, empty or no text')
  // OpenID Connect Core, section 2, allows 255; Kubernetes goes beyond it with long names.
  if (sub.length > 1024) throw badClaim('sub', 'has more than 1024 characters')
  // oxlint-disable-next-line no-control-regex -- they are what is looked for: XML and logs cannot carry them
  if (/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(sub)) {
    throw badClaim('sub', 'holds control characters')
  }
  return sub
}

/**
 * Of a token that is good for one exchange: what tells it from the next one.
 * @throws {IdentityError} `token_claims`
 */
export function demandJti({ claims: { jti } }: CheckedClaims): void {
  if (typeof jti === 'string' && jti !== '') return
  throw badClaim(
    'jti',
    'is missing, empty or no text, and its provider takes each token once (oneTime): have it put a jti into its tokens',
  )
}

function badClaim(name: string, what: string): IdentityError {
  return new IdentityError('token_claims', `The claim ${name} of the token ${what}`)
}
