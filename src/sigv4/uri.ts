import { SigV4Error } from './sigv4-error.ts'

const unreservedPath = /^[A-Za-z0-9\-._~/]*$/
const unreserved = /^[A-Za-z0-9\-._~]*$/
const beyondAscii = /[^\0-\x7f]/
const beyondLatin1 = /[^\0-\xff]/

/**
 * Percent-encodes a decoded path as S3 does for signing: once, every byte of its UTF-8 but `A-Z a-z 0-9 - . _ ~ /`.
 * Throws `invalid_uri` for text or bytes that are not Unicode.
 */
export function encodePath(path: string | Uint8Array): string {
  const text = typeof path === 'string' ? path : decodeUtf8(path)
  return unreservedPath.test(text) ? text : encode(text).replaceAll('%2F', '/')
}

/** The path as text: percent-decoding once, `+` is a plus. Throws `invalid_uri` for broken escapes and for bytes that are not UTF-8. */
export function decodePath(raw: string): string {
  return unreservedPath.test(raw) ? raw : decode(raw)
}

/**
 * Name and value pairs, decoded, in order of arrival, duplicates kept. Split on `&` only and at the first `=`; a lone
 * name has an empty value; `+` is a space; empty pieces are nothing. Throws `invalid_uri`.
 */
export function parseQuery(raw: string): readonly (readonly [string, string])[] {
  if (raw === '') return []
  const pairs: (readonly [string, string])[] = []
  for (const piece of raw.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = equals < 0 ? piece : piece.slice(0, equals)
    const value = equals < 0 ? '' : piece.slice(equals + 1)
    pairs.push([decodeQueryPart(name), decodeQueryPart(value)])
  }
  return pairs
}

/** The path line of a canonical request: decoded and encoded anew, nothing normalised. */
export function canonicalPath(raw: string): string {
  if (raw === '') return '/'
  return unreservedPath.test(raw) ? raw : encodePath(decode(raw))
}

/** The query line of a canonical request, sorted bytewise by encoded name, then by encoded value; `without` is left out. */
export function canonicalQuery(
  pairs: readonly (readonly [string, string])[],
  without?: string,
): string {
  if (pairs.length === 0) return ''
  return pairs
    .filter(([name]) => name !== without)
    .map(([name, value]) => [encodeQueryPart(name), encodeQueryPart(value)] as const)
    .sort(byNameThenValue)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function byNameThenValue(
  [a, aValue]: readonly [string, string],
  [b, bValue]: readonly [string, string],
): number {
  if (a !== b) return a < b ? -1 : 1
  if (aValue === bValue) return 0
  return aValue < bValue ? -1 : 1
}

function decodeQueryPart(part: string): string {
  return unreserved.test(part) ? part : decode(part.replaceAll('+', ' '))
}

function encodeQueryPart(part: string): string {
  return unreserved.test(part) ? part : encode(part)
}

function encode(text: string): string {
  if (!text.isWellFormed()) throw invalidUri()
  return encodeURIComponent(text).replace(/[!'()*]/g, escapeByte)
}

// A request target is handed over as latin1: a character is a byte that the client did not escape.
function decode(raw: string): string {
  if (beyondLatin1.test(raw)) throw invalidUri()
  try {
    return decodeURIComponent(beyondAscii.test(raw) ? raw.replace(/[\x80-\xff]/g, escapeByte) : raw)
  } catch (cause) {
    throw invalidUri(cause)
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw invalidUri(cause)
  }
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function invalidUri(cause?: unknown): SigV4Error {
  return new SigV4Error('invalid_uri', 'The request target is not valid percent-encoded UTF-8.', {
    cause,
  })
}
