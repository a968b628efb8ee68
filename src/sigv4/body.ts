import { Refusal } from '../errors.ts'
import type { BodyDecoder } from './body-decoder.ts'
import { brokenBody, plainDecoder } from './body-decoder.ts'
import { ChunkChain } from './chunk-chain.ts'
import { ChunkDecoder } from './chunk-decoder.ts'
import { SigV4Error } from './sigv4-error.ts'
import { parseTrailerName } from './trailers.ts'
import type { Authentication, PayloadMode } from './types.ts'
import type { Verified } from './verify.ts'

export type AnonymousAuthentication = Extract<Authentication, { kind: 'anonymous' }>

/** What the headers say of a body. All lengths in bytes. */
export type DeclaredBody = Readonly<{
  /** `content-length`, of the wire. */
  contentLength?: number
  /** `x-amz-decoded-content-length`, of the payload; anything but a whole number counts as missing. */
  decodedLength?: number
  /** `x-amz-trailer`, as sent. */
  trailer?: string
  /** Longest payload taken. */
  maxBytes: number
  /** Refuse smaller chunks but the last, as AWS does below 8192. Absent: any size. */
  minChunkBytes?: number
}>

/** A body that proves itself while it is read. */
export type SignedBody = Readonly<{
  /**
   * The payload, once. Throws a SigV4Error at the first fault, and withholds its last bytes until everything has been
   * judged: who has read to the end holds what was signed, who has not must leave no trace of it.
   */
  stream: AsyncIterable<Buffer>
  /** Length of the payload, when it is known beforehand. */
  size: number | undefined
  /** By lower-case name; proven, so only after the end of the stream: throws a plain Error before that. */
  trailers(): ReadonlyMap<string, string>
}>

/**
 * The payload of a request, by the mode that its signature covers; the framing is told by nothing else.
 * It pulls from `raw` as it is pulled from, holds one piece, and leaves `raw` where it stands when it breaks off
 * (whoever owns the connection decides what becomes of it).
 *
 * Throws at once what the headers alone decide: `missing_decoded_length`, `body_too_large`, `malformed_trailer`,
 * `invalid_trailer`, `incomplete_body` (fewer bytes on the wire than in the payload), `streaming_not_allowed`.
 */
export function openBody(
  payload: Verified | AnonymousAuthentication,
  raw: AsyncIterable<Uint8Array>,
  declared: DeclaredBody,
): SignedBody {
  const mode = 'authentication' in payload ? payload.authentication.payload : payload.payload
  const size = judgeSize(mode, declared)
  const decoder = createDecoder(payload, mode, declared, size ?? 0)
  let trailers: ReadonlyMap<string, string> | undefined
  const stream = decode(raw, decoder, declared, (proven) => {
    trailers = proven
  })
  return {
    stream,
    size,
    trailers() {
      if (trailers === undefined) throw new Error('trailers are known after the end of the body')
      return trailers
    },
  }
}

function createDecoder(
  payload: Verified | AnonymousAuthentication,
  mode: PayloadMode,
  declared: DeclaredBody,
  decodedLength: number,
): BodyDecoder {
  const { minChunkBytes = 0 } = declared
  const trailer = judgeTrailer(mode, declared.trailer)
  if (mode.kind === 'hash') return plainDecoder(mode.sha256)
  if (mode.kind === 'unsigned') return plainDecoder()
  const rules = { decodedLength, minChunkBytes, ...trailer }
  if (mode.kind === 'unsigned-chunks') return new ChunkDecoder(rules)
  if ('authentication' in payload) {
    return new ChunkDecoder({ ...rules, proof: new ChunkChain(payload) })
  }
  throw new SigV4Error('streaming_not_allowed', 'Signed chunks need a signed request.')
}

// A trailer that is announced but could never come would be a checksum that nobody checks.
function judgeTrailer(mode: PayloadMode, declared: string | undefined): { trailer?: string } {
  const expected =
    mode.kind === 'unsigned-chunks' || (mode.kind === 'signed-chunks' && mode.trailer)
  if (expected) return { trailer: parseTrailerName(declared) }
  if (declared === undefined) return {}
  throw new SigV4Error('malformed_trailer', 'This kind of body has no trailer to announce.')
}

function judgeSize(mode: PayloadMode, declared: DeclaredBody): number | undefined {
  const { contentLength, decodedLength, maxBytes } = declared
  const chunked = mode.kind === 'unsigned-chunks' || mode.kind === 'signed-chunks'
  const size = chunked ? decodedLength : contentLength
  if (size === undefined && !chunked) return undefined
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    throw new SigV4Error('missing_decoded_length', 'The length of the payload must be sent.')
  }
  if (size > maxBytes) throw tooLarge(maxBytes)
  if (contentLength !== undefined && contentLength < size) {
    throw brokenBody('content-length is less than x-amz-decoded-content-length.')
  }
  return size
}

async function* decode(
  raw: AsyncIterable<Uint8Array>,
  decoder: BodyDecoder,
  declared: DeclaredBody,
  onProven: (trailers: ReadonlyMap<string, string>) => void,
): AsyncGenerator<Buffer, void, void> {
  const pieces = raw[Symbol.asyncIterator]()
  let received = 0
  let payloadBytes = 0
  let held: Buffer | undefined
  for (;;) {
    const piece = await pull(pieces)
    if (piece === undefined) break
    received += piece.length
    if (received > (declared.contentLength ?? Number.POSITIVE_INFINITY)) {
      throw brokenBody('The body is longer than its content-length.')
    }
    const output = decoder.push(piece)
    payloadBytes += output.length
    if (payloadBytes > declared.maxBytes) throw tooLarge(declared.maxBytes)
    if (output.length === 0) continue
    if (held !== undefined) yield held
    held = output
  }
  if (declared.contentLength !== undefined && received !== declared.contentLength) {
    throw brokenBody('The body is shorter than its content-length.')
  }
  onProven(decoder.end())
  if (held !== undefined) yield held
}

async function pull(pieces: AsyncIterator<Uint8Array>): Promise<Buffer | undefined> {
  try {
    const next = await pieces.next()
    if (next.done === true) return undefined
    const { buffer, byteOffset, byteLength } = next.value
    return Buffer.from(buffer, byteOffset, byteLength)
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw brokenBody('The body broke off.', cause)
  }
}

function tooLarge(maxBytes: number): SigV4Error {
  return new SigV4Error('body_too_large', 'The body is larger than what is taken here.', {
    detail: { maxBytes },
  })
}
