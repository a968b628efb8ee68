import { createHash } from 'node:crypto'
import { SigV4Error } from './sigv4-error.ts'
import { contentSha256Mismatch } from './verify.ts'

/** From wire bytes to payload bytes, piece by piece; throws a SigV4Error at the first byte that cannot be right. */
export interface BodyDecoder {
  /** The payload bytes in a piece of the wire; may be none. */
  push(input: Buffer): Buffer
  /** The wire has ended: judges what is left to judge and gives the trailers, by lower-case name. */
  end(): ReadonlyMap<string, string>
}

/** A body that travels as it is; `sha256` (lower-case hex) is what it must hash to, if that was said. */
export function plainDecoder(sha256?: string): BodyDecoder {
  const hash = sha256 === undefined ? undefined : createHash('sha256')
  return {
    push(input) {
      hash?.update(input)
      return input
    },
    end() {
      const computed = hash?.digest('hex')
      if (sha256 !== undefined && computed !== undefined && computed !== sha256) {
        throw contentSha256Mismatch(sha256, computed)
      }
      return new Map()
    },
  }
}

export function brokenBody(message: string, cause?: unknown): SigV4Error {
  return new SigV4Error('incomplete_body', message, { cause })
}
