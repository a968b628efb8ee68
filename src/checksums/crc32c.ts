import { lookUp, splitWords } from './words.ts'

/** CRC-32/ISCSI (Castagnoli), reflected. */
export const crc32cPolynomial = 0x82f63b78

/** CRC32C of `bytes` appended to what gave `previous` (0 for nothing). Unsigned. */
export function crc32c(bytes: Uint8Array, previous: number): number {
  const { head, words, tail } = splitWords(bytes, 4)
  return ~addBytes(tail, addWords(words, addBytes(head, ~previous))) >>> 0
}

function addWords(words: Int32Array, register: number): number {
  let crc = register
  for (let i = 0; i < words.length; i += 4) {
    crc =
      lookUp(table, 12, crc ^ (words[i] ?? 0)) ^
      lookUp(table, 8, words[i + 1] ?? 0) ^
      lookUp(table, 4, words[i + 2] ?? 0) ^
      lookUp(table, 0, words[i + 3] ?? 0)
  }
  return crc
}

function addBytes(bytes: Uint8Array, register: number): number {
  let crc = register
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return crc
}

// Sixteen slices: see lookUp.
const table = makeTable()

function makeTable(): Int32Array {
  const made = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? crc32cPolynomial : 0)
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) {
    const shorter = made[i - 256] ?? 0
    made[i] = (shorter >>> 8) ^ (made[shorter & 0xff] ?? 0)
  }
  return made
}
