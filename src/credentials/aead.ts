import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/** How many random bytes one sealing takes. */
export const sealingNonceBytes = nonceBytes

/**
 * AES-256-GCM (NIST SP 800-38D): nonce, ciphertext, tag in one buffer. The nonce must never come twice under one
 * key. Random nonces are good for 2^32 sealings; who seals more takes a `subkey` for each.
 */
export function sealBytes(
  sealingKey: KeyObject,
  nonce: Uint8Array,
  associated: string,
  plaintext: Uint8Array,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(associated, 'utf8'))
  const body = cipher.update(plaintext)
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()])
}

/** `undefined`: not sealed under this key with this associated text, or changed since. */
export function openBytes(
  sealingKey: KeyObject,
  associated: string,
  sealed: Buffer,
): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(0, nonceBytes)
  const cipher = createDecipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(associated, 'utf8'))
  cipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plaintext = cipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes))
  try {
    cipher.final()
    return plaintext
  } catch {
    return undefined
  }
}

/** A key of its own for one purpose: HKDF-SHA-256 (RFC 5869). What one purpose seals, no other opens. */
export function purposeKey(parent: KeyObject, purpose: string): KeyObject {
  const raw = Buffer.from(hkdfSync('sha256', parent, '', `daypass/${purpose}`, 32))
  return takeKey(raw)
}

/**
 * A key of its own for one token: HMAC-SHA-256 over the token's context. Random 96-bit nonces under one key collide
 * after some 2^32 tokens; with a key for each context there is nothing left to collide, and no bound on rotation.
 */
export function subkey(parent: KeyObject, context: string | Uint8Array): KeyObject {
  return takeKey(createHmac('sha256', parent).update(context).digest())
}

/** Raw bytes, 32 of them, to a KeyObject; the bytes are wiped. */
export function takeKey(raw: Buffer): KeyObject {
  if (raw.length !== 32) throw new RangeError('a key has 32 bytes')
  const made = createSecretKey(raw)
  raw.fill(0)
  return made
}

/** Strict base64url: one text for one value, so that a changed text is never the same token. */
export function parseBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
