import { SigV4Error } from './sigv4-error.ts'
import type { PayloadMode } from './types.ts'

const modes: ReadonlyMap<string, PayloadMode> = new Map([
  ['UNSIGNED-PAYLOAD', { kind: 'unsigned' }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { kind: 'unsigned-chunks' }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { kind: 'signed-chunks', trailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { kind: 'signed-chunks', trailer: true }],
])
const asymmetric = /^STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD(?:-TRAILER)?$/
const sha256Hex = /^[0-9a-f]{64}$/

/** A value of `x-amz-content-sha256`. Throws `bad_content_sha256`, or `signature_v4a` for the two names of SigV4A. */
export function parsePayloadMode(value: string): PayloadMode {
  if (sha256Hex.test(value)) return { kind: 'hash', sha256: value }
  const mode = modes.get(value)
  if (mode !== undefined) return mode
  if (asymmetric.test(value)) {
    throw new SigV4Error('signature_v4a', 'Chunks signed by SigV4A are not implemented.')
  }
  throw new SigV4Error(
    'bad_content_sha256',
    'x-amz-content-sha256 must be a lower-case hex SHA-256 or the name of a payload mode.',
    { detail: { argumentName: 'x-amz-content-sha256' } },
  )
}

/** The payload line of a canonical request: what `parsePayloadMode` would read. */
export function payloadLine(mode: PayloadMode): string {
  if (mode.kind === 'hash') return mode.sha256
  if (mode.kind === 'unsigned') return 'UNSIGNED-PAYLOAD'
  if (mode.kind === 'unsigned-chunks') return 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  return `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${mode.trailer ? '-TRAILER' : ''}`
}

export function isStreaming(mode: PayloadMode): boolean {
  return mode.kind === 'signed-chunks' || mode.kind === 'unsigned-chunks'
}
