import type { BodyDecoder } from './body-decoder.ts'
import { brokenBody } from './body-decoder.ts'
import type { ChunkProof } from './chunk-chain.ts'
import { SigV4Error } from './sigv4-error.ts'
import { parseTrailerSection } from './trailers.ts'

export type ChunkRules = Readonly<{
  decodedLength: number
  /** Chunks carry signatures; absent: none may. */
  proof?: ChunkProof
  /** Name of the trailer that must come; absent: none may. */
  trailer?: string
  /** Least size of a chunk that is not the last. */
  minChunkBytes: number
}>

const maxLineBytes = 1024
const maxTrailerBytes = 4096
const lineFeed = 0x0a
const signedLine = /^([0-9a-fA-F]{1,16});chunk-signature=([!-~]+)\r\n$/
const plainLine = /^([0-9a-fA-F]{1,16})\r\n$/

type State = 'line' | 'data' | 'data-end' | 'trailer' | 'end'

/**
 * Takes the framing `aws-chunked` off a body that comes in pieces cut anywhere. Data goes out as it comes, before its
 * chunk is proven; the one who hands it on holds the last of it back until `end` has passed.
 */
export class ChunkDecoder implements BodyDecoder {
  readonly #rules: ChunkRules
  readonly #trailers = new Map<string, string>()
  #state: State = 'line'
  /** Bytes of an unfinished line, line end or trailer section. */
  #pending: Buffer = Buffer.alloc(0)
  /** Of the chunk at hand. */
  #chunkBytes = 0
  #missing = 0
  #signature = ''
  #chunk = 0
  #decoded = 0

  constructor(rules: ChunkRules) {
    this.#rules = rules
  }

  push(input: Buffer): Buffer {
    const data: Buffer[] = []
    let rest = input
    while (rest.length > 0) {
      const used = this.#step(rest, data)
      rest = rest.subarray(used)
    }
    const [only] = data
    return data.length === 1 && only !== undefined ? only : Buffer.concat(data)
  }

  end(): ReadonlyMap<string, string> {
    if (this.#state === 'trailer') this.#endTrailer()
    else if (this.#state !== 'end') throw brokenBody('The body ends before its last chunk.')
    return this.#trailers
  }

  /** Consumes at least one byte and says how many. */
  #step(input: Buffer, data: Buffer[]): number {
    if (this.#state === 'data') return this.#data(input, data)
    if (this.#state === 'line') return this.#line(input)
    if (this.#state === 'data-end') return this.#dataEnd(input)
    if (this.#state === 'trailer') return this.#trailer(input)
    throw brokenBody('The body goes on after its last chunk.')
  }

  #line(input: Buffer): number {
    const end = input.indexOf(lineFeed) + 1
    const used = end === 0 ? input.length : end
    if (this.#pending.length + used > maxLineBytes) throw brokenBody('A chunk has too long a line.')
    const line = this.#gather(input.subarray(0, used), end > 0)
    if (line !== undefined) this.#beginChunk(line)
    return used
  }

  #beginChunk(line: string): void {
    const pattern = this.#rules.proof === undefined ? plainLine : signedLine
    const [, hex, signature = ''] = pattern.exec(line) ?? []
    if (hex === undefined) throw brokenBody('A chunk has a malformed line.')
    const size = Number.parseInt(hex, 16)
    if (size > 0 && this.#chunk > 0) this.#refuseSmall()
    if (size > this.#rules.decodedLength - this.#decoded) {
      throw brokenBody('The body is longer than x-amz-decoded-content-length.')
    }
    this.#chunk += 1
    this.#chunkBytes = size
    this.#missing = size
    this.#signature = signature
    if (size > 0) this.#state = 'data'
    else this.#endChunks()
  }

  #refuseSmall(): void {
    if (this.#chunkBytes >= this.#rules.minChunkBytes) return
    throw new SigV4Error('invalid_chunk_size', 'Only the last chunk may be that small.', {
      detail: { chunk: this.#chunk, badChunkSize: this.#chunkBytes },
    })
  }

  #data(input: Buffer, data: Buffer[]): number {
    const slice = input.subarray(0, this.#missing)
    this.#rules.proof?.data(slice)
    data.push(slice)
    this.#missing -= slice.length
    this.#decoded += slice.length
    if (this.#missing === 0) {
      this.#rules.proof?.endChunk(this.#signature)
      this.#state = 'data-end'
    }
    return slice.length
  }

  #dataEnd(input: Buffer): number {
    const used = Math.min(input.length, 2 - this.#pending.length)
    const lineEnd = this.#gather(input.subarray(0, used), this.#pending.length + used === 2)
    if (lineEnd === undefined) return used
    if (lineEnd !== '\r\n') throw brokenBody('A chunk is longer than its line says.')
    this.#state = this.#chunkBytes === 0 ? 'end' : 'line'
    return used
  }

  #endChunks(): void {
    if (this.#decoded !== this.#rules.decodedLength) {
      throw brokenBody('The body is shorter than x-amz-decoded-content-length.')
    }
    this.#rules.proof?.endChunk(this.#signature)
    this.#state = this.#rules.trailer === undefined ? 'data-end' : 'trailer'
  }

  #trailer(input: Buffer): number {
    if (this.#pending.length + input.length > maxTrailerBytes) {
      throw brokenBody('The trailer section is too long.')
    }
    this.#pending = Buffer.concat([this.#pending, input])
    return input.length
  }

  #endTrailer(): void {
    const { trailer = '', proof } = this.#rules
    const section = parseTrailerSection(this.#take(), trailer, proof !== undefined)
    proof?.trailer(section.canonical, section.signature ?? '')
    this.#trailers.set(trailer, section.value)
  }

  /** The text of what was pending and of these bytes, once it is whole. In one piece as a rule, and then nothing is copied. */
  #gather(bytes: Buffer, isWhole: boolean): string | undefined {
    if (isWhole && this.#pending.length === 0) return bytes.toString('latin1')
    this.#pending = Buffer.concat([this.#pending, bytes])
    return isWhole ? this.#take() : undefined
  }

  #take(): string {
    const text = this.#pending.toString('latin1')
    this.#pending = Buffer.alloc(0)
    return text
  }
}
