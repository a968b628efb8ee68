/**
 * The bytes as 32-bit words for a table-driven CRC, which takes words in the machine's order and needs it little-endian
 * (as x86-64 and arm64 are): first the bytes before an aligned address, then words in groups, then the rest.
 */
export function splitWords(
  bytes: Uint8Array,
  wordsPerGroup: number,
): Readonly<{ head: Uint8Array; words: Int32Array; tail: Uint8Array }> {
  const start = Math.min(-bytes.byteOffset & 3, bytes.length)
  const groups = Math.floor((bytes.length - start) / (4 * wordsPerGroup))
  const end = start + groups * wordsPerGroup * 4
  return {
    head: bytes.subarray(0, start),
    words:
      groups === 0
        ? noWords
        : new Int32Array(bytes.buffer, bytes.byteOffset + start, groups * wordsPerGroup),
    tail: bytes.subarray(end),
  }
}

const noWords = new Int32Array(0)

/**
 * One look-up for each byte of a word. `table[slice * 256 + b]` is what byte b does to the register when `slice` zero
 * bytes follow it; the word's last byte has `slice` bytes after it.
 */
export function lookUp(table: Int32Array, slice: number, word: number): number {
  const i = slice << 8
  return (
    (table[i + 768 + (word & 0xff)] ?? 0) ^
    (table[i + 512 + ((word >>> 8) & 0xff)] ?? 0) ^
    (table[i + 256 + ((word >>> 16) & 0xff)] ?? 0) ^
    (table[i + (word >>> 24)] ?? 0)
  )
}
