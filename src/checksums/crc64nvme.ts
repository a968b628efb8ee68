import { lookUp, splitWords } from './words.ts'

/** A 64-bit value as two signed 32-bit halves: a BigInt in the loop would be a hundred times slower. */
export type Halves = { high: number; low: number }

/** CRC-64/NVME, reflected. */
export const crc64NvmePolynomial: Readonly<Halves> = { high: 0x9a6c9329 | 0, low: 0xac4bc9b5 | 0 }

/** Adds bytes to a register, which starts at all ones and is inverted for the result. */
export function crc64Nvme(bytes: Uint8Array, register: Halves): void {
  const { head, words, tail } = splitWords(bytes, 2)
  addBytes(head, register)
  addWords(words, register)
  addBytes(tail, register)
}

function addWords(words: Int32Array, register: Halves): void {
  let { high, low } = register
  for (let i = 0; i < words.length; i += 2) {
    const first = low ^ (words[i] ?? 0)
    const second = high ^ (words[i + 1] ?? 0)
    low = lookUp(lows, 4, first) ^ lookUp(lows, 0, second)
    high = lookUp(highs, 4, first) ^ lookUp(highs, 0, second)
  }
  register.high = high
  register.low = low
}

function addBytes(bytes: Uint8Array, register: Halves): void {
  let { high, low } = register
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ (lows[index] ?? 0)
    high = (high >>> 8) ^ (highs[index] ?? 0)
  }
  register.high = high
  register.low = low
}

// The halves of eight slices: see lookUp.
const lows = new Int32Array(8 * 256)
const highs = new Int32Array(8 * 256)
fillTables()

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let low = byte
    let high = 0
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = ((low >>> 1) | (high << 31)) ^ (odd ? crc64NvmePolynomial.low : 0)
      high = (high >>> 1) ^ (odd ? crc64NvmePolynomial.high : 0)
    }
    lows[byte] = low
    highs[byte] = high
  }
  for (let i = 256; i < lows.length; i++) {
    const low = lows[i - 256] ?? 0
    const high = highs[i - 256] ?? 0
    lows[i] = ((low >>> 8) | (high << 24)) ^ (lows[low & 0xff] ?? 0)
    highs[i] = (high >>> 8) ^ (highs[low & 0xff] ?? 0)
  }
}
