import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c } from './crc32c.ts'
import { crc64Nvme } from './crc64nvme.ts'
import type { ChecksumAlgorithm } from './types.ts'

/** A checksum of bytes that arrive bit by bit. */
interface RunningChecksum {
  update(bytes: Uint8Array): void
  /** Base64 over all bytes so far. Call it once, after the last `update`. */
  digest(): string
}

export function createChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  if (algorithm === 'CRC32') return createCrc32(crc32)
  if (algorithm === 'CRC32C') return createCrc32(crc32c)
  if (algorithm === 'CRC64NVME') return createCrc64Nvme()
  const hash = createHash(algorithm === 'SHA1' ? 'sha1' : 'sha256')
  return {
    update(bytes) {
      hash.update(bytes)
    },
    digest: () => hash.digest('base64'),
  }
}

function createCrc32(step: (bytes: Uint8Array, previous: number) => number): RunningChecksum {
  let value = 0
  return {
    update(bytes) {
      value = step(bytes, value)
    },
    digest() {
      const digest = Buffer.alloc(4)
      digest.writeUInt32BE(value)
      return digest.toString('base64')
    },
  }
}

function createCrc64Nvme(): RunningChecksum {
  const register = { high: -1, low: -1 }
  return {
    update(bytes) {
      crc64Nvme(bytes, register)
    },
    digest() {
      const digest = Buffer.alloc(8)
      digest.writeInt32BE(~register.high, 0)
      digest.writeInt32BE(~register.low, 4)
      return digest.toString('base64')
    },
  }
}
