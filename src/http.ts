/**
 * What a face sees of a request. Raw where a signature may cover it: the target and the header list are kept
 * byte for byte as they came (header values are latin1 strings, as Node hands them over).
 */
export type HttpRequest = Readonly<{
  /** Our request id: 16 upper-case hex digits, answered as `x-amz-request-id`. */
  id: string
  method: string
  /** The request target up to the first `?`, percent-encoding untouched. Empty never; `/` at least. */
  path: string
  /** What follows the first `?`, raw; empty when there is none. */
  query: string
  /** Name and value pairs in order of arrival, names as sent. */
  headers: readonly (readonly [string, string])[]
  /** Read once. Leaving it early, by `break` or a throw, harms nothing: the answer still reaches the client. */
  body: AsyncIterable<Uint8Array>
  /** Address of the peer (or of the client behind a configured proxy): `203.0.113.5` or `::1`. */
  source: string
  /** The other end of the connection, whatever it says of clients behind it. */
  peer?: string
  /** Arrived over TLS. */
  secure: boolean
  /**
   * The certificates that the other end presented in its TLS handshake, DER, the leaf first, judged by nobody: only the
   * possession of the first one's key is proven. Empty when there are none, or when they were not asked for.
   */
  clientCertificates?(): readonly Buffer[]
  receivedAt: Date
  /** Lets a client that sent `Expect: 100-continue` begin its body. Call it after authorisation, before reading. */
  proceed(): void
}>

/**
 * A body that can lend its memory out instead of giving it away: megabytes then pass without any of them becoming
 * garbage. As an iterable it gives every piece for good.
 */
export interface LendingBody extends AsyncIterable<Uint8Array> {
  /**
   * Hands every piece to `take` in turn. A piece is lent until `take` has resolved; then its memory is used again.
   * Ends early, with all that it holds set free, when `take` rejects, and rejects with the same.
   */
  lendTo(take: (piece: Uint8Array) => Promise<void>): Promise<void>
}

export type HttpResponse = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  /** A string is sent as UTF-8 with its exact length; a stream as it comes (give `content-length` when known). */
  body?: string | Buffer | AsyncIterable<Uint8Array> | LendingBody
  /** Close the connection after this answer, because the rest of the request's body is not worth reading. */
  close?: boolean
}>

/** First value of a header, by lower-case name. */
export function header(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  for (const [key, value] of request.headers) {
    if (key.length === name.length && key.toLowerCase() === name) return value
  }
  return undefined
}
