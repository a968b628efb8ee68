import { createHash } from 'node:crypto'
import { scopeText } from '../credential.ts'
import { emptySha256, hmac } from '../signature.ts'
import type { Verified } from '../index.ts'

/** How to frame a body; each member is one way of getting it wrong. */
export type Framing = Readonly<{
  /** `name:value`, without line end. */
  trailer?: string
  trailerEnd?: string
  /** Changes a chunk's line before it is sent; `i` counts from 0. */
  line?: (line: string, i: number) => string
}>

const crlf = Buffer.from('\r\n')

/** `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, or unsigned chunks without trailer. */
export function frame(chunks: readonly Uint8Array[], framing: Framing = {}): Buffer {
  const line = framing.line ?? ((text) => text)
  const framed = chunks.map((chunk, i) => [line(chunk.length.toString(16), i), chunk] as const)
  const pieces = framed.flatMap(([head, chunk]) => [Buffer.from(`${head}\r\n`), chunk, crlf])
  const end = Buffer.from(`${line('0', chunks.length)}\r\n`)
  const trailer =
    framing.trailer === undefined ? '' : framing.trailer + (framing.trailerEnd ?? '\r\n')
  return Buffer.concat([...pieces, end, Buffer.from(`${trailer}\r\n`)])
}

/** `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with `-TRAILER` when there is one. */
export function frameSigned(
  verified: Verified,
  chunks: readonly Uint8Array[],
  framing: Framing = {},
): Buffer {
  const { signatures, trailerSignature } = chain(verified, chunks, framing.trailer)
  const line = (text: string, i: number) => {
    const head = `${text};chunk-signature=${signatures[i] ?? ''}`
    return framing.line?.(head, i) ?? head
  }
  if (framing.trailer === undefined) return frame(chunks, { line })
  const trailerEnd = `${framing.trailerEnd ?? '\r\n'}x-amz-trailer-signature:${trailerSignature}\r\n`
  return frame(chunks, { line, trailer: framing.trailer, trailerEnd })
}

/** The signatures of the chunks, the empty last one included, and of the trailer. */
export function chain(
  verified: Verified,
  chunks: readonly Uint8Array[],
  trailer = '',
): Readonly<{ signatures: readonly string[]; trailerSignature: string }> {
  const { authentication, signingKey } = verified
  const prefix = `${authentication.timestamp}\n${scopeText(authentication.scope)}`
  let previous = authentication.signature
  const sign = (algorithm: string, hashes: string) => {
    previous = hmac(signingKey, `${algorithm}\n${prefix}\n${previous}\n${hashes}`).toString('hex')
    return previous
  }
  const signatures = [...chunks, Buffer.alloc(0)].map((chunk) =>
    sign('AWS4-HMAC-SHA256-PAYLOAD', `${emptySha256}\n${hash(chunk)}`),
  )
  return { signatures, trailerSignature: sign('AWS4-HMAC-SHA256-TRAILER', hash(`${trailer}\n`)) }
}

function hash(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** A body that arrives in these pieces. */
export async function* arriving(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

/** Cut at these places, in any order, some of them outside. */
export function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const inside = [...new Set(places.filter((place) => place < bytes.length))].sort((a, b) => a - b)
  const bounds = [0, ...inside, bytes.length]
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end))
}

export async function read(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}
