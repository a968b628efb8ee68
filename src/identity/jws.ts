import { isUtf8 } from 'node:buffer'
import { IdentityError } from './identity-error.ts'
import { parseJsonObject, type JsonObject } from './json-object.ts'

/** A JWS in compact serialization, taken apart. Nothing in it is proven. */
export type Jws = Readonly<{
  header: Readonly<{ alg: string; kid?: string }>
  payload: Buffer
  /** What the signature covers: header and payload as they were sent. */
  signedText: Buffer
  signature: Buffer
}>

/** A token whose payload is a claims set. The claims only say whose keys to try: nobody has signed for them yet. */
export type UnprovenToken = Jws & Readonly<{ unproven: JsonObject }>

/** Of the whole token, in bytes (a token is ASCII). */
export const longestToken = 16_384
const longestKid = 1024

// `typ` says what a JWT is meant for (RFC 8725 section 3.11): an id token or an access token, never a logout
// token, a DPoP proof or a security event of the same issuer.
const acceptedTypes = new Set(['jwt', 'jose', 'at+jwt', 'application/jwt', 'application/at+jwt'])

/**
 * Takes a compact JWS apart (RFC 7515 section 7.1), as strictly as it was made: exactly three parts, each of them the
 * one base64url spelling of its bytes. `jwk`, `jku`, `x5c` and `x5u` are never looked at: an attacker brings those.
 * @throws {IdentityError} `token_malformed`
 */
export function parseJws(token: string): Jws {
  if (token.length === 0) throw malformed('The token is empty')
  if (token.length > longestToken) throw malformed(`The token is longer than ${longestToken} bytes`)
  const [header, payload, signature, ...more] = token.split('.', 6)
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw malformed('The token is not a signed JWT of three parts')
  }
  return {
    header: parseHeader(decode(header)),
    payload: decode(payload),
    signedText: Buffer.from(`${header}.${payload}`, 'latin1'),
    signature: decode(signature),
  }
}

/** A JWT (RFC 7519 section 7.2, up to the signature). @throws {IdentityError} `token_malformed` */
export function parseToken(token: string): UnprovenToken {
  const jws = parseJws(token)
  return { ...jws, unproven: parsePart(jws.payload, 'claims') }
}

function parsePart(bytes: Buffer, what: 'header' | 'claims'): JsonObject {
  if (!isUtf8(bytes)) throw malformed(`The ${what} of the token are not UTF-8`)
  try {
    return parseJsonObject(bytes.toString('utf8'))
  } catch (cause) {
    throw malformed(`The ${what} of the token are not a sound JSON object`, cause)
  }
}

// Node's decoder skips what it does not know: "Zm 9v", "Zm9v?" and "Zm9=v" would all pass, and so would unused bits in
// the last character. Only the spelling that encoding gives back is taken.
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw malformed('The token is not proper base64url')
  return bytes
}

function parseHeader(bytes: Buffer): Jws['header'] {
  const { alg, kid, typ, crit, b64, zip, enc } = parsePart(bytes, 'header')
  if (typeof alg !== 'string') throw malformed('The header of the token names no algorithm')
  // Extensions that change what is signed or how it reads. We understand none, so none may be critical (RFC 7515 4.1.11).
  if ([crit, b64, zip, enc].some((member) => member !== undefined)) {
    throw malformed('The header of the token asks for an extension that is not supported')
  }
  if (typ !== undefined && !(typeof typ === 'string' && acceptedTypes.has(typ.toLowerCase()))) {
    throw malformed('The token is of another type than an id token or an access token')
  }
  if (kid === undefined) return { alg }
  if (typeof kid !== 'string' || kid.length > longestKid) {
    throw malformed('The key id of the token is not a text, or too long')
  }
  return { alg, kid }
}

function malformed(message: string, cause?: unknown): IdentityError {
  return new IdentityError('token_malformed', message, { cause })
}
