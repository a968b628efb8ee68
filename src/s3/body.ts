import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'

import { createChecksum } from '../checksums/index.ts'
import type { Checksum, ChecksumAlgorithm } from '../checksums/index.ts'
import { openBody } from '../sigv4/index.ts'
import type { PayloadMode, SignedBody } from '../sigv4/index.ts'
import type { Call } from './call.ts'
import { parseIntegrity } from './integrity.ts'
import type { Integrity } from './integrity.ts'
import type { ObjectBody } from './origin.ts'
import { parseXml } from './xml-parse.ts'
import type { XmlElement } from './xml-parse.ts'
import { S3Error } from './s3-error.ts'

/** Whether the body comes in chunks of its own framing, which only uploads of objects and parts may. */
export function isChunked(payload: PayloadMode): boolean {
  return payload.kind === 'signed-chunks' || payload.kind === 'unsigned-chunks'
}

/**
 * The request's body as an object's content, verified while it streams: signature, declared length, Content-MD5 and
 * checksum. Nothing is read before the stream is.
 *
 * @param algorithm the checksum to be kept; absent: the client's, else CRC64NVME.
 * @throws S3Error `missing_content_length`, `entity_too_large`, and what `parseIntegrity` throws.
 */
export function openObjectBody(call: Call, algorithm?: ChecksumAlgorithm): ObjectBody {
  const payload = call.caller.authentication.payload
  const integrity = parseIntegrity(call.fields.headers, hasTrailer(payload))
  const size = declaredSize(call, payload)
  const { maxObjectBytes } = call.face.options
  if (size > maxObjectBytes) throw entityTooLarge(size, maxObjectBytes)
  const kept = algorithm ?? integrity.checksum?.algorithm ?? 'CRC64NVME'
  if (algorithm !== undefined && (integrity.checksum?.algorithm ?? algorithm) !== algorithm) {
    throw new S3Error(
      'invalid_request',
      `The upload was created with the ${algorithm} algorithm; the part brings another one.`,
    )
  }
  const signed = openSigned(call, maxObjectBytes)
  return verifiedBody(signed.stream, { integrity, kept, size, trailers: () => signed.trailers() })
}

/** What a stream of bytes has to prove before its end may be believed. */
export type Proof = Readonly<{
  integrity: Integrity
  /** Whose value the body's `checksum()` gives. */
  kept: ChecksumAlgorithm
  size: number | undefined
  /** Asked after the stream's end, for a checksum that comes in the trailer. */
  trailers?: () => ReadonlyMap<string, string>
  /** A last word about the length, as form policies have one. Throws to refuse. */
  assertSize?: (size: number) => void
  /** Lengths beyond it are refused as they stream. */
  maxBytes?: number
}>

/** The body that holds back its last bytes until all of the proof is there. */
export function verifiedBody(source: AsyncIterable<Uint8Array>, proof: Proof): ObjectBody {
  let proven: Checksum | undefined
  return {
    size: proof.size,
    stream: verify(source, proof, (checksum) => {
      proven = checksum
    }),
    checksum() {
      if (proven === undefined) throw new Error('the body has not been read to its end')
      return proven
    },
  }
}

async function* verify(
  source: AsyncIterable<Uint8Array>,
  proof: Proof,
  done: (checksum: Checksum) => void,
): AsyncGenerator<Uint8Array> {
  const checksum = createChecksum(proof.kept)
  const md5 = proof.integrity.contentMd5 === undefined ? undefined : createHash('md5')
  const most = proof.size ?? proof.maxBytes ?? Infinity
  let size = 0
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    if (chunk.length === 0) continue
    size += chunk.length
    if (size > most) throw proof.size === undefined ? entityTooLarge(size, most) : incompleteBody()
    if (held !== undefined) yield held
    checksum.update(chunk)
    md5?.update(chunk)
    held = chunk
  }
  if (proof.size !== undefined && size !== proof.size) throw incompleteBody()
  proof.assertSize?.(size)
  assertMd5(proof.integrity, md5)
  const value = checksum.digest()
  assertChecksum(proof, value)
  done({ algorithm: proof.kept, type: 'FULL_OBJECT', value })
  if (held !== undefined) yield held
}

function assertMd5(integrity: Integrity, md5: Hash | undefined): void {
  if (md5 === undefined || md5.digest('base64') === integrity.contentMd5) return
  throw new S3Error('bad_digest', 'The Content-MD5 you specified did not match what we received.')
}

function assertChecksum(proof: Proof, computed: string): void {
  const claimed = proof.integrity.checksum
  if (claimed === undefined) return
  const name = `x-amz-checksum-${claimed.algorithm.toLowerCase()}`
  const value = claimed.value ?? proof.trailers?.().get(name)
  if (value === computed && claimed.algorithm === proof.kept) return
  throw new S3Error(
    'bad_digest',
    `The ${claimed.algorithm} you specified did not match the calculated checksum.`,
  )
}

function declaredSize(call: Call, payload: PayloadMode): number {
  const name = isChunked(payload) ? 'x-amz-decoded-content-length' : 'content-length'
  const text = call.fields.headers.get(name)
  const size = Number(text)
  if (text === undefined || !/^\d{1,16}$/.test(text) || !Number.isSafeInteger(size)) {
    throw new S3Error('missing_content_length', 'You must provide the Content-Length HTTP header.')
  }
  return size
}

function hasTrailer(payload: PayloadMode): boolean {
  return payload.kind === 'unsigned-chunks' || (payload.kind === 'signed-chunks' && payload.trailer)
}

function openSigned(call: Call, maxBytes: number): SignedBody {
  const { headers } = call.fields
  const { caller, request, face } = call
  const contentLength = numberOf(headers.get('content-length'))
  const decodedLength = numberOf(headers.get('x-amz-decoded-content-length'))
  const trailer = headers.get('x-amz-trailer')
  const { minChunkBytes } = face.options
  const { authentication } = caller
  const payload = authentication.kind === 'anonymous' ? authentication : caller.verified
  if (payload === undefined) throw new Error('a signed caller without a verified signature')
  return openBody(payload, request.body, {
    maxBytes,
    ...(contentLength === undefined ? {} : { contentLength }),
    ...(decodedLength === undefined ? {} : { decodedLength }),
    ...(trailer === undefined ? {} : { trailer }),
    ...(minChunkBytes === undefined ? {} : { minChunkBytes }),
  })
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined
}

// Nothing that nobody has signed may take more than this (DESIGN, section 5).
const mostAnonymous = 64 * 1024

/** How a call wants its small body. */
export type SmallBody = Readonly<{
  maxBytes: number
  /** `object`: the checksum headers speak of the whole object and not of this body. */
  integrity: 'required' | 'optional' | 'object'
}>

/**
 * The whole of a small body: a document, a policy. Verified like an object's.
 *
 * @throws S3Error `request_too_large`; `invalid_request` when a hash is required and none was sent.
 */
export async function readSmallBody(call: Call, wanted: SmallBody): Promise<Buffer> {
  const { headers } = call.fields
  const integrity = parseIntegrity(
    wanted.integrity === 'object' ? withoutChecksums(headers) : headers,
    false,
  )
  if (wanted.integrity === 'required' && integrity.contentMd5 === undefined) {
    if (integrity.checksum === undefined) {
      throw new S3Error(
        'invalid_request',
        'Missing required header for this request: Content-MD5 or x-amz-checksum-*.',
      )
    }
  }
  const contentLength = numberOf(headers.get('content-length'))
  const mostBytes =
    call.caller.kind === 'anonymous' ? Math.min(wanted.maxBytes, mostAnonymous) : wanted.maxBytes
  if ((contentLength ?? 0) > mostBytes) throw requestTooLarge(mostBytes)
  call.request.proceed()
  // One more than the limit, so that the limit is told by its own error and not by the stream's.
  const signed = openSigned(call, mostBytes + 1)
  const kept = integrity.checksum?.algorithm ?? 'CRC64NVME'
  const body = verifiedBody(signed.stream, { integrity, kept, size: contentLength })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body.stream) {
    size += chunk.length
    if (size > mostBytes) throw requestTooLarge(mostBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function withoutChecksums(headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...headers].filter(([name]) => !/^x-amz-(?:sdk-)?checksum-/.test(name)))
}

/** The same, parsed; `undefined` for an empty body. The root element must have the name. */
export async function readXmlBody(
  call: Call,
  root: string,
  wanted: SmallBody,
): Promise<XmlElement | undefined> {
  const bytes = await readSmallBody(call, wanted)
  if (bytes.length === 0) return undefined
  const document = parseXml(bytes)
  if (document.name !== root) throw malformedXml(`The document element must be ${root}.`)
  return document
}

export function malformedXml(message: string): S3Error {
  return new S3Error('malformed_xml', message)
}

export function entityTooLarge(proposedSize: number, maxSizeAllowed: number): S3Error {
  return new S3Error(
    'entity_too_large',
    'Your proposed upload exceeds the maximum allowed object size.',
    { detail: { proposedSize, maxSizeAllowed } },
  )
}

export function incompleteBody(cause?: unknown): S3Error {
  return new S3Error(
    'incomplete_body',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
    { cause },
  )
}

function requestTooLarge(maxSizeAllowed: number): S3Error {
  return new S3Error('request_too_large', 'Your request was too large.', {
    detail: { maxSizeAllowed },
  })
}
