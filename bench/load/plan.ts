/** What the load generator is told. Requests are finished bytes, signed beforehand, and are sent in turn, over and over. */
export type Plan = Readonly<{
  port: number
  connections: number
  warmupSeconds: number
  seconds: number
  requests: readonly PlannedRequest[]
  /** Every request on a TLS connection of its own: PEM of the authority, and of the client's certificate and key. */
  newTls?: Readonly<{ ca: string; cert: string; key: string }>
  /** Connections are kept, and are TLS: PEM of the authority. */
  keptTls?: Readonly<{ ca: string }>
}>

export type PlannedRequest = Readonly<{
  /** Request line and headers with the empty line behind them. */
  head: string
  /** Base64; sent `times` times over, so that a large body needs no large plan. */
  body?: string
  times?: number
}>

/** What it says at the end. Warming up counts in `requests` alone. */
export type LoadResult = Readonly<{
  /** All of them, those of the warm-up too. */
  requests: number
  requestsPerSecond: number
  /** Of the bodies, in either direction. */
  bytesPerSecond: number
  p50Milliseconds: number
  p99Milliseconds: number
}>

type Message = Readonly<{
  method: string
  /** Path and query. */
  target: string
  headers: readonly (readonly [string, string])[]
  body?: Uint8Array
  times?: number
}>

/** `content-length` is added; all other headers are to be there. */
export function planRequest({ method, target, headers, body, times = 1 }: Message): PlannedRequest {
  const length = (body?.length ?? 0) * times
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const sized = body === undefined ? '' : `content-length: ${length}\r\n`
  return {
    head: `${method} ${target} HTTP/1.1\r\n${lines}${sized}\r\n`,
    ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64'), times }),
  }
}

const formType = 'application/x-www-form-urlencoded'

/** A form as the SDKs post them, unsigned. */
export function planForm(fields: Readonly<Record<string, string>>): PlannedRequest {
  const headers = [
    ['host', 'localhost'],
    ['content-type', formType],
  ] as const
  const body = Buffer.from(new URLSearchParams(fields).toString())
  return planRequest({ method: 'POST', target: '/', headers, body })
}
