import type { HttpResponse } from '../http.ts'
import type { Call } from './call.ts'

/** An answer that is a document. */
export type XmlResponse = HttpResponse & Readonly<{ body: string }>

/** A success document. */
export function xmlResponse(
  body: string,
  headers: Readonly<Record<string, string>> = {},
): XmlResponse {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body }
}

/** A success without a body. */
export function emptyResponse(
  status: 200 | 204,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: status === 204 ? headers : { 'content-length': '0', ...headers } }
}

/** `x-amz-version-id`, on buckets that have versions. */
export function versionHeaders(
  stored: Readonly<{ versionId: string; versioned: boolean }>,
): Record<string, string> {
  return stored.versioned ? { 'x-amz-version-id': stored.versionId } : {}
}

/** Where an object of the call's bucket is found by path style. */
export function locationOf(call: Call, bucket: string, key: string): string {
  const host = call.fields.headers.get('host') ?? ''
  const scheme = call.request.secure ? 'https' : 'http'
  const path = key.split('/').map(encodeURIComponent).join('/')
  return `${scheme}://${host}/${bucket}/${path}`
}

export function quoted(etag: string): string {
  return `"${etag}"`
}
