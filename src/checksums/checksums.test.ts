import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  combineFullObject,
  composite,
  createChecksum,
  digestLength,
  isValidChecksum,
} from './index.ts'
import type { ChecksumAlgorithm, CombinableAlgorithm } from './index.ts'

const algorithms: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']
const crcs: readonly CombinableAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME']

function checksumOf(algorithm: ChecksumAlgorithm, ...pieces: readonly Uint8Array[]): string {
  const checksum = createChecksum(algorithm)
  for (const piece of pieces) checksum.update(piece)
  return checksum.digest()
}

function hexOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  return Buffer.from(checksumOf(algorithm, bytes), 'base64').toString('hex')
}

describe('check values of the CRC catalogue and FIPS 180-4', () => {
  const check = Buffer.from('123456789')
  const abc = Buffer.from('abc')

  it('computes CRC32', () => assert.equal(hexOf('CRC32', check), 'cbf43926'))
  it('computes CRC32C', () => assert.equal(hexOf('CRC32C', check), 'e3069283'))
  it('computes CRC64NVME', () => assert.equal(hexOf('CRC64NVME', check), 'ae8b14860a799888'))
  it('computes SHA1', () => {
    assert.equal(hexOf('SHA1', abc), 'a9993e364706816aba3e25717850c26c9cd0d89d')
  })
  it('computes SHA256', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(hexOf('SHA256', abc), expected)
  })

  it('computes the CRC32C vectors of RFC 3720, B.4', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
    assert.equal(hexOf('CRC32C', new Uint8Array(32)), '8a9136aa')
    assert.equal(hexOf('CRC32C', new Uint8Array(32).fill(0xff)), '62a8ab43')
    assert.equal(hexOf('CRC32C', ascending), '46dd794e')
    assert.equal(hexOf('CRC32C', ascending.toReversed()), '113fdb5c')
  })

  it('computes the CRC64NVME vectors of the NVM Express specification', () => {
    assert.equal(hexOf('CRC64NVME', new Uint8Array(4096)), '6482d367eb22b64e')
    assert.equal(hexOf('CRC64NVME', new Uint8Array(4096).fill(0xff)), 'c0ddba7302eca3ac')
  })

  it('gives the value of nothing for no bytes', () => {
    assert.equal(hexOf('CRC32', new Uint8Array()), '00000000')
    assert.equal(hexOf('CRC32C', new Uint8Array()), '00000000')
    assert.equal(hexOf('CRC64NVME', new Uint8Array()), '0000000000000000')
  })
})

describe('streaming', () => {
  // The bit-by-bit definition, slow and obvious.
  function referenceCrc(bytes: Uint8Array, width: bigint, polynomial: bigint): string {
    const ones = (1n << width) - 1n
    let crc = ones
    for (const byte of bytes) {
      crc ^= BigInt(byte)
      for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
    }
    return (crc ^ ones).toString(16).padStart(Number(width) / 4, '0')
  }

  it('agrees with the bit-by-bit definition at any length and alignment', () => {
    const input = fc.uint8Array({ minLength: 0, maxLength: 200 })
    fc.assert(
      fc.property(input, fc.nat({ max: 9 }), (bytes, offset) => {
        const shifted = bytes.subarray(Math.min(offset, bytes.length))
        assert.equal(hexOf('CRC32', shifted), referenceCrc(shifted, 32n, 0xedb88320n))
        assert.equal(hexOf('CRC32C', shifted), referenceCrc(shifted, 32n, 0x82f63b78n))
        assert.equal(hexOf('CRC64NVME', shifted), referenceCrc(shifted, 64n, 0x9a6c9329ac4bc9b5n))
      }),
    )
  })

  it('gives the same value however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }), (pieces) => {
        for (const algorithm of algorithms) {
          assert.equal(
            checksumOf(algorithm, ...pieces),
            checksumOf(algorithm, Buffer.concat(pieces)),
          )
        }
      }),
    )
  })
})

describe('full-object checksums', () => {
  it('combines the parts into the value of the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (pieces) => {
        for (const algorithm of crcs) {
          const parts = pieces.map((piece) => ({
            value: checksumOf(algorithm, piece),
            size: piece.length,
          }))
          assert.equal(
            combineFullObject(algorithm, parts),
            checksumOf(algorithm, Buffer.concat(pieces)),
          )
        }
      }),
    )
  })

  it('combines the same whole whichever parts it is cut into, beyond 4 GiB too', () => {
    for (const algorithm of crcs) {
      const value = checksumOf(algorithm, Buffer.from('a part'))
      const size = 3 * 2 ** 31 + 1
      const pair = {
        value: combineFullObject(algorithm, [
          { value, size },
          { value, size },
        ]),
        size: 2 * size,
      }
      assert.equal(
        combineFullObject(algorithm, [pair, pair]),
        combineFullObject(
          algorithm,
          [1, 2, 3, 4].map(() => ({ value, size })),
        ),
      )
    }
  })

  it('combines ten thousand parts of as many sizes in an instant', () => {
    const value = checksumOf('CRC64NVME', Buffer.from('a part'))
    const parts = Array.from({ length: 10_000 }, (_, i) => ({ value, size: 5 * 2 ** 20 + i }))
    const startedAt = performance.now()
    combineFullObject('CRC64NVME', parts)
    assert.ok(performance.now() - startedAt < 5000) // BigInt matrices would take minutes
  })

  it('refuses a value of another length, and sizes that cannot be', () => {
    assert.throws(() => combineFullObject('CRC32', [{ value: '', size: 1 }]), RangeError)
    assert.throws(
      () => combineFullObject('CRC64NVME', [{ value: 'AAAAAA==', size: 1 }]),
      RangeError,
    )
    for (const size of [-1, 1.5, Number.NaN, 2 ** 53]) {
      assert.throws(() => combineFullObject('CRC32', [{ value: 'AAAAAA==', size }]), RangeError)
    }
  })
})

describe('composite checksums', () => {
  it('hashes the raw checksums of the parts and counts them', () => {
    const parts = ['one', 'two', 'three'].map((text) => checksumOf('SHA256', Buffer.from(text)))
    const raw = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')))
    const expected = createHash('sha256').update(raw).digest('base64')
    assert.equal(composite('SHA256', parts), `${expected}-3`)
  })

  it('works for each algorithm', () => {
    for (const algorithm of algorithms) {
      const part = checksumOf(algorithm, Buffer.from('part'))
      assert.match(composite(algorithm, [part, part]), /^[A-Za-z0-9+/]+=*-2$/)
    }
  })

  it('refuses a part value of another algorithm, and a composite one', () => {
    assert.throws(() => composite('SHA1', [checksumOf('CRC32', Buffer.from('x'))]), RangeError)
    const part = checksumOf('CRC32', Buffer.from('x'))
    assert.throws(() => composite('CRC32', [`${part}-1`]), RangeError)
  })
})

describe('validity', () => {
  it('takes the padded base64 of each length', () => {
    for (const algorithm of algorithms) {
      const value = Buffer.alloc(digestLength(algorithm), 0xab).toString('base64')
      assert.ok(isValidChecksum(algorithm, value))
    }
  })

  const value = 'sOO8/Q=='
  for (const [bad, why] of [
    ['', 'nothing'],
    ['sOO8/Q', 'no padding'],
    ['sOO8/Q=', 'half a padding'],
    ['sOO8/R==', 'unused bits set'],
    ['sOO8_Q==', 'the URL alphabet'],
    [' sOO8/Q==', 'a leading space'],
    ['sOO8/Q==\n', 'a line feed'],
    ['sOO8/Q==-2', 'a composite value'],
    ['sOO8/QAA', 'too many bytes'],
    ['b0e3bcfd', 'hex'],
  ] as const) {
    it(`refuses ${why}`, () => assert.equal(isValidChecksum('CRC32C', bad), false))
  }

  it('refuses the value of a shorter algorithm', () => {
    assert.ok(isValidChecksum('CRC32C', value))
    assert.equal(isValidChecksum('CRC64NVME', value), false)
    assert.equal(isValidChecksum('SHA256', value), false)
  })
})
