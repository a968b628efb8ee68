import { crc32cPolynomial } from './crc32c.ts'
import { crc64NvmePolynomial } from './crc64nvme.ts'
import type { Halves } from './crc64nvme.ts'
import { parseDigest } from './digest.ts'
import type { CombinableAlgorithm } from './types.ts'

/** A part's checksum in base64, and its size in bytes. */
export type PartChecksum = Readonly<{ value: string; size: number }>

const crc32Polynomial = 0xedb88320

/**
 * The checksum of the parts one after the other, without their bytes: appending n bytes multiplies the polynomial of what
 * was there by x^8n. Throws a RangeError for a value that is no checksum of the algorithm and for an impossible size.
 */
export function combineFullObject(
  algorithm: CombinableAlgorithm,
  parts: readonly PartChecksum[],
): string {
  if (algorithm === 'CRC64NVME') return combine64(parts)
  return combine32(algorithm, parts)
}

// CRCs of 32 bits ride in the high half of the same field: reflected, x^0 is the highest bit in both.
function combine32(algorithm: 'CRC32' | 'CRC32C', parts: readonly PartChecksum[]): string {
  const polynomial = algorithm === 'CRC32' ? crc32Polynomial : crc32cPolynomial
  const multiply = (a: Halves, b: Halves) => multiply32(a, b, polynomial)
  const value = combine(parts, multiply, (text) => {
    return { high: parseDigest(algorithm, text).readInt32BE(0), low: 0 }
  })
  const digest = Buffer.alloc(4)
  digest.writeInt32BE(value.high)
  return digest.toString('base64')
}

function combine64(parts: readonly PartChecksum[]): string {
  const value = combine(parts, multiply64, (text) => {
    const digest = parseDigest('CRC64NVME', text)
    return { high: digest.readInt32BE(0), low: digest.readInt32BE(4) }
  })
  const digest = Buffer.alloc(8)
  digest.writeInt32BE(value.high, 0)
  digest.writeInt32BE(value.low, 4)
  return digest.toString('base64')
}

type Multiply = (a: Halves, b: Halves) => Halves

function combine(
  parts: readonly PartChecksum[],
  multiply: Multiply,
  parse: (value: string) => Halves,
): Halves {
  const powers = powersOfTwo(multiply)
  const shifts = new Map<number, Halves>()
  let whole: Halves = { high: 0, low: 0 }
  for (const { value, size } of parts) {
    const shift = shifts.get(size) ?? shiftBy(size, powers, multiply)
    shifts.set(size, shift)
    const part = parse(value)
    const moved = multiply(whole, shift)
    whole = { high: moved.high ^ part.high, low: moved.low ^ part.low }
  }
  return whole
}

const one: Readonly<Halves> = { high: 1 << 31, low: 0 }
const oneByte: Readonly<Halves> = { high: 1 << 23, low: 0 } // x^8

/** x^(8 * 2^k) for each bit k of a size. */
function powersOfTwo(multiply: Multiply): readonly Halves[] {
  const powers: Halves[] = [oneByte]
  for (let power: Halves = oneByte; powers.length < 53; powers.push(power)) {
    power = multiply(power, power)
  }
  return powers
}

function shiftBy(size: number, powers: readonly Halves[], multiply: Multiply): Halves {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('not a size in bytes')
  let shift: Halves = one
  let rest = size
  for (const power of powers) {
    if (rest % 2 === 1) shift = multiply(shift, power)
    rest = Math.floor(rest / 2)
  }
  return shift
}

function multiply32(a: Halves, b: Halves, polynomial: number): Halves {
  let product = 0
  let term = b.high
  for (let bit = 31; bit >= 0; bit--) {
    if ((a.high >>> bit) & 1) product ^= term
    term = (term >>> 1) ^ (term & 1 ? polynomial : 0)
  }
  return { high: product, low: 0 }
}

function multiply64(a: Halves, b: Halves): Halves {
  const product = { high: 0, low: 0 }
  let { high, low } = b
  for (let bit = 63; bit >= 0; bit--) {
    if (((bit >= 32 ? a.high : a.low) >>> (bit & 31)) & 1) {
      product.high ^= high
      product.low ^= low
    }
    const odd = low & 1
    low = ((low >>> 1) | (high << 31)) ^ (odd ? crc64NvmePolynomial.low : 0)
    high = (high >>> 1) ^ (odd ? crc64NvmePolynomial.high : 0)
  }
  return product
}
