import type { HttpRequest } from '../http.ts'
import { createChecksum } from '../checksums/index.ts'
import { parseQuery } from '../sigv4/index.ts'
import { hasControlCharacter } from './address.ts'
import { checksumAlgorithms, checksumHeader } from './integrity.ts'
import { invalidArgument } from './s3-error.ts'

/** Headers and query of a request, each name once. What is read here is what the signature covered. */
export type RequestFields = Readonly<{
  /**
   * By lower-case name; values are latin1 strings as on the wire. Presigned requests: also the `x-amz-*` names that
   * SDKs move from the headers to the query.
   */
  headers: ReadonlyMap<string, string>
  /** Decoded; without the parameters of the signature, without `x-id`, without what was moved from the headers. */
  parameters: ReadonlyMap<string, string>
}>

const signatureParameters: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
])

/**
 * @param presigned whether the signature that was verified stands in the query, so that it covers the query's `x-amz-*` too.
 * @throws S3Error `invalid_argument` for a name that comes twice: two readers could take different values.
 */
export function readFields(
  request: Pick<HttpRequest, 'headers' | 'query'>,
  presigned: boolean,
): RequestFields {
  const headers = readHeaders(request.headers)
  const sent = new Set(headers.keys())
  const parameters = new Map<string, string>()
  for (const [name, value] of parseQuery(request.query)) {
    const lower = name.toLowerCase()
    if (lower.startsWith('x-amz-')) {
      if (presigned && !signatureParameters.has(lower)) adoptMoved(headers, lower, value)
    } else if (name !== 'x-id' && !(name === '' && value === '')) {
      if (parameters.has(name)) throw repeated(name, value)
      parameters.set(name, value)
    }
  }
  if (presigned) forgetChecksumOfNothing(headers, sent)
  return { headers, parameters }
}

/**
 * The AWS SDK for JavaScript signs a link to an upload before there is a body, so each such link carries the checksum
 * of nothing. Amazon S3 minds no checksum in a query; any other one was put there by somebody who meant it, and stays.
 */
function forgetChecksumOfNothing(headers: Map<string, string>, sent: ReadonlySet<string>): void {
  for (const algorithm of checksumAlgorithms.values()) {
    const name = checksumHeader(algorithm)
    if (sent.has(name) || headers.get(name) !== createChecksum(algorithm).digest()) continue
    headers.delete(name)
    if (!sent.has('x-amz-sdk-checksum-algorithm')) headers.delete('x-amz-sdk-checksum-algorithm')
  }
}

function readHeaders(raw: HttpRequest['headers']): Map<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of raw) {
    const lower = name.toLowerCase()
    const before = headers.get(lower)
    if (before === undefined) headers.set(lower, value)
    else if (lower.startsWith('x-amz-meta-')) headers.set(lower, `${before},${value}`)
    else if (mustBeSingle(lower)) throw repeated(name, value)
    else headers.set(lower, `${before}, ${value}`)
  }
  return headers
}

function mustBeSingle(name: string): boolean {
  return /^(?:x-amz-|content-(?!encoding$)|if-|range$|host$|expires$|authorization$)/.test(name)
}

function adoptMoved(headers: Map<string, string>, name: string, value: string): void {
  if (hasControlCharacter(value)) {
    throw invalidArgument(name, '', 'Control characters are not allowed here.')
  }
  const latin1 = Buffer.from(value, 'utf8').toString('latin1')
  const before = headers.get(name)
  if (before !== undefined && before !== latin1) throw repeated(name, value)
  headers.set(name, latin1)
}

function repeated(name: string, value: string): Error {
  return invalidArgument(name, value, `${name} must be given once only.`)
}

/** UTF-8 text that travelled as a latin1 header string. */
export function utf8OfHeader(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8')
}

/** Text as a latin1 header string of its UTF-8 bytes. */
export function headerOfUtf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
