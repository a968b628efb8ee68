import { scopeText } from './credential.ts'
import type { HeaderList } from './headers.ts'
import { canonicalHeaders, lowerNames } from './headers.ts'
import { sha256Hex } from './signature.ts'
import type { Scope, WireRequest } from './types.ts'
import { canonicalPath, canonicalQuery, parseQuery } from './uri.ts'

/** The lines of a canonical request that do not depend on which form of the path is tried; latin1 text. */
export type CanonicalParts = Readonly<{
  method: string
  path: string
  query: string
  headers: string
  signedHeaders: string
  payload: string
}>

/** @param signedHeaders sorted. @param payload the payload line. */
export function canonicalParts(
  request: WireRequest,
  signedHeaders: readonly string[],
  payload: string,
  withoutQuery?: string,
): CanonicalParts {
  return {
    method: request.method,
    path: canonicalPath(request.path),
    query: canonicalQuery(parseQuery(request.query), withoutQuery),
    headers: canonicalHeaders(lowerNames(request.headers), signedHeaders),
    signedHeaders: signedHeaders.join(';'),
    payload,
  }
}

export function canonicalRequest(parts: CanonicalParts): string {
  const { method, path, query, headers, signedHeaders, payload } = parts
  return `${method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${payload}`
}

/** @param request the canonical request. */
export function stringToSign(timestamp: string, scope: Scope, request: string): string {
  return `AWS4-HMAC-SHA256\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(request)}`
}

const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-amz-security-token',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key',
])

/** The same request with `[secret]` for what an error document or a log must not repeat. */
export function maskSecrets(request: WireRequest): WireRequest {
  return { ...request, headers: maskHeaders(request.headers), query: maskQuery(request.query) }
}

function maskHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [
    name,
    secretHeaders.has(name.toLowerCase()) ? '[secret]' : value,
  ])
}

function maskQuery(query: string): string {
  return query
    .split('&')
    .map((piece) => {
      const [pair] = parseQuery(piece)
      return pair !== undefined && secretHeaders.has(pair[0].toLowerCase())
        ? `${piece.split('=', 1).join('')}=[secret]`
        : piece
    })
    .join('&')
}
