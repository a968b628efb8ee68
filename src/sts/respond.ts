import type { HttpRequest, HttpResponse } from '../http.ts'
import { errorDocument } from './documents.ts'
import type { WireRefusal } from './refusal.ts'
import type { StsFaceOptions } from './types.ts'

type Settings = Pick<StsFaceOptions, 'region' | 'compat'>

export function succeed(request: HttpRequest, document: string, settings: Settings): HttpResponse {
  return { status: 200, headers: headers(request, document, settings), body: document }
}

export function refuse(
  request: HttpRequest,
  { wire, message, bodyUnread, retryAfterSeconds }: WireRefusal,
  settings: Settings,
): HttpResponse {
  const fault = wire.status < 500 ? 'Sender' : 'Receiver'
  const type = settings.compat === 'minio' ? '' : fault
  const retryAfter = retryAfterSeconds ?? (wire.status === 503 ? 2 : undefined)
  const document = errorDocument(wire, message, type, request.id)
  return {
    status: wire.status,
    headers: {
      ...headers(request, document, settings),
      ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter)) }),
    },
    body: document,
    ...(bodyUnread && { close: true }),
  }
}

/** Answers hold secrets: nobody on the way keeps them. HSTS means nothing over plain HTTP (RFC 6797, section 7.2). */
function headers(
  request: HttpRequest,
  document: string,
  { region }: Settings,
): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/xml',
    'content-length': String(Buffer.byteLength(document)),
    'x-amz-request-id': request.id,
    server: 'Daypass',
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-content-type-options': 'nosniff',
    'x-xss-protection': '1; mode=block',
    ...(request.secure && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
    ...(region && { 'x-amz-bucket-region': region }),
  }
}
