import { Refusal } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import type { Address } from './address.ts'
import { findWireError } from './error-table.ts'
import type { WireError } from './error-table.ts'
import { element, xmlProlog } from './xml.ts'

/** What an error answer needs to know about its surroundings. */
export type ErrorContext = Readonly<{
  request: HttpRequest
  hostId: string
  region: string
  /** What the request is about, for elements that the refusal itself leaves open. */
  address?: Address
  /** Tells our log about what is nobody's refusal: a fault of ours. */
  logFault: (what: string, error: unknown) => void
}>

type Shown = Readonly<{
  wire: WireError
  message: string
  detail: Readonly<Record<string, unknown>>
}>

// A proxy or a client may refuse longer header lines; the same text stands in the body of everything but HEAD.
const longestMessageHeader = 3072

/** Any thrown value as an S3 error answer. Unknown ones leave as a constant text and are reported. */
export function errorResponse(thrown: unknown, context: ErrorContext): HttpResponse {
  const shown = show(thrown, context)
  const head = context.request.method === 'HEAD'
  return {
    status: shown.wire.status,
    headers: {
      ...commonHeaders(shown, context),
      ...(head ? headOnlyHeaders(shown) : { 'content-type': 'application/xml' }),
    },
    ...(head ? {} : { body: documentOf(shown, context) }),
    ...(leavesBodyBehind(context.request) ? { close: true } : {}),
  }
}

function show(thrown: unknown, context: ErrorContext): Shown {
  const wire = thrown instanceof Refusal ? findWireError(thrown.code) : undefined
  if (isOurs(thrown)) context.logFault(`S3 request ${context.request.id}`, thrown)
  if (thrown instanceof Refusal && wire !== undefined) {
    return { wire, message: thrown.message, detail: { ...context.address, ...thrown.detail } }
  }
  return {
    wire: { status: 500, code: 'InternalError' },
    message: 'We encountered an internal error. Please try again.',
    detail: {},
  }
}

/** Nobody's mistake but ours: news for the log. A disk that fails is told to the client as a refusal, and is ours too. */
export function isOurs(thrown: unknown): boolean {
  if (!(thrown instanceof Refusal)) return true
  const status = findWireError(thrown.code)?.status
  return status === undefined || (status === 503 && thrown.cause !== undefined)
}

/** The document alone, for an answer that has begun as a 200 already. Reports like `errorResponse`. */
export function errorDocument(thrown: unknown, context: ErrorContext): string {
  return documentOf(show(thrown, context), context)
}

/** Without namespace, as the SDKs parse it. */
function documentOf(shown: Shown, context: ErrorContext): string {
  return [
    `${xmlProlog}<Error>`,
    element('Code', shown.wire.code),
    element('Message', shown.message),
    ...extraElements(shown),
    element('Resource', context.request.path),
    element('RequestId', context.request.id),
    element('HostId', context.hostId),
    '</Error>',
  ].join('')
}

function extraElements(shown: Shown): readonly string[] {
  return Object.entries(shown.wire.elements ?? {}).map(([name, member]) =>
    element(name, textOf(shown.detail[member])),
  )
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(String).join(', ')
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  return undefined
}

function commonHeaders(shown: Shown, context: ErrorContext): Record<string, string> {
  const { wire, detail } = shown
  const allow = textOf(detail['allow'])
  const decisionId = wire.code === 'AccessDenied' ? textOf(detail['decisionId']) : undefined
  return {
    ...(wire.retryAfterSeconds === undefined ? {} : { 'retry-after': `${wire.retryAfterSeconds}` }),
    ...(tellsRegion(wire, context) ? { 'x-amz-bucket-region': context.region } : {}),
    ...(wire.status === 405 && allow !== undefined ? { allow } : {}),
    ...(decisionId === undefined ? {} : { 'x-daypass-decision-id': headerText(decisionId) }),
    ...deleteMarkerHeaders(detail),
  }
}

/** A client that asked in the wrong region, or for a bucket that it may not see, learns at least where to ask. */
function tellsRegion(wire: WireError, { request, address }: ErrorContext): boolean {
  if (wire.elements?.['Region'] !== undefined) return true
  return request.method === 'HEAD' && address?.kind === 'bucket' && wire.status === 403
}

// "x-amz-delete-marker: true" is how a client tells a deleted object from one that never was.
function deleteMarkerHeaders(detail: Readonly<Record<string, unknown>>): Record<string, string> {
  if (detail['deleteMarker'] !== true) return {}
  const versionId = textOf(detail['versionId'])
  return {
    'x-amz-delete-marker': 'true',
    ...(versionId === undefined ? {} : { 'x-amz-version-id': headerText(versionId) }),
  }
}

/** HEAD answers have no body: the document's main parts travel as headers. */
function headOnlyHeaders(shown: Shown): Record<string, string> {
  const encoded = textOf(shown.detail['encodedMessage'])
  const fits = encoded !== undefined && encoded.length <= longestMessageHeader
  return {
    'x-amz-error-code': shown.wire.code,
    'x-amz-error-message': headerText(shown.message),
    ...(shown.wire.code === 'AccessDenied' && fits
      ? { 'x-daypass-encoded-authorization-message': headerText(encoded) }
      : {}),
  }
}

/** Printable ASCII only: a line break from a caller's text would otherwise start a header of its own. */
function headerText(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, longestMessageHeader)
}

// Reading on to keep the connection would let a refused caller make us read gigabytes.
const worthReading = 64 * 1024

/** Whether the connection has to be closed, because too much of the request's body is still to come. */
function leavesBodyBehind(request: HttpRequest): boolean {
  let length = 0
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase()
    // The client waits for our word and may or may not send its body after a refusal.
    if (lower === 'transfer-encoding' || lower === 'expect') return true
    if (lower === 'content-length') length = Number(value)
  }
  return !(length <= worthReading)
}
