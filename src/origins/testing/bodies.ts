import { createHash } from 'node:crypto'
import { createChecksum } from '../../checksums/index.ts'
import type { ChecksumAlgorithm } from '../../checksums/index.ts'
import type { ObjectAttributes, ObjectBody } from '../../s3/index.ts'

/** A body as the face hands it over. `break`: how many bytes come before it turns out to be forged. */
export function bodyOf(
  bytes: Buffer,
  options: { algorithm?: ChecksumAlgorithm; breakAt?: number; chunk?: number } = {},
): ObjectBody {
  const algorithm = options.algorithm ?? 'CRC64NVME'
  const value = checksumValue(algorithm, bytes)
  return {
    stream: chunks(bytes, options.chunk ?? 64 * 1024, options.breakAt),
    size: bytes.length,
    checksum: () => ({ algorithm, type: 'FULL_OBJECT', value }),
  }
}

export class ForgedBody extends Error {}

async function* chunks(
  bytes: Buffer,
  size: number,
  breakAt: number | undefined,
): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    if (breakAt !== undefined && at >= breakAt) throw new ForgedBody('the chunk chain is broken')
    yield bytes.subarray(at, at + size)
    // As bytes from a socket come: not all in one tick.
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (breakAt !== undefined) throw new ForgedBody('the hash does not fit')
}

export function checksumValue(algorithm: ChecksumAlgorithm, bytes: Buffer): string {
  const checksum = createChecksum(algorithm)
  checksum.update(bytes)
  return checksum.digest()
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}

export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of body) all.push(chunk)
  return Buffer.concat(all)
}

export const plain: ObjectAttributes = { headers: {}, metadata: {}, tags: new Map() }

/** Bytes that are told apart: no two stretches are alike. */
export function patterned(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed >>> 0 || 1
  for (let i = 0; i < size; i++) {
    state = (state * 1664525 + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}
