import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { scopeText } from './credential.ts'
import { SigV4Error } from './sigv4-error.ts'
import { emptySha256, hmac, isSignature, sha256Hex } from './signature.ts'
import type { Verified } from './verify.ts'

/** What a chunk decoder asks to be proven. Each method throws `signature_mismatch`. */
export interface ChunkProof {
  data(bytes: Uint8Array): void
  endChunk(signature: string): void
  /** @param canonical `name:value LF` for each trailer, sorted. */
  trailer(canonical: string, signature: string): void
}

/** Each signature covers the one before it; the first of them covers the signature of the request. */
export class ChunkChain implements ChunkProof {
  readonly #verified: Verified
  #previous: string
  #hash: Hash = createHash('sha256')
  #chunk = 0

  constructor(verified: Verified) {
    this.#verified = verified
    this.#previous = verified.authentication.signature
  }

  data(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  endChunk(signature: string): void {
    this.#chunk += 1
    const hashes = `${emptySha256}\n${this.#hash.digest('hex')}`
    this.#verify('AWS4-HMAC-SHA256-PAYLOAD', hashes, signature, `chunk ${this.#chunk}`)
    this.#hash = createHash('sha256')
  }

  trailer(canonical: string, signature: string): void {
    this.#verify('AWS4-HMAC-SHA256-TRAILER', sha256Hex(canonical), signature, 'trailer')
  }

  #verify(algorithm: string, hashes: string, signature: string, what: string): void {
    const { timestamp, scope, accessKeyId } = this.#verified.authentication
    const stringToSign = [algorithm, timestamp, scopeText(scope), this.#previous, hashes].join('\n')
    if (!isSignature(hmac(this.#verified.signingKey, stringToSign), signature)) {
      throw new SigV4Error('signature_mismatch', `The signature of the ${what} does not fit.`, {
        detail: { accessKeyId, signatureProvided: signature, stringToSign },
      })
    }
    this.#previous = signature
  }
}
