import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const signatureShape = /^[0-9a-f]{64}$/

/** HMAC-SHA-256 of an ASCII text, as 32 bytes. */
export function hmac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Constant time. Whatever is not 64 lower-case hex digits is never equal. */
export function isSignature(expected: Buffer, provided: string): boolean {
  return signatureShape.test(provided) && timingSafeEqual(expected, Buffer.from(provided, 'hex'))
}

/** Lower-case hex SHA-256; a string is taken as latin1, a byte for a character. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'hex')
}

/** SHA-256 of no bytes. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
