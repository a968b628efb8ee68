import { openBytes, parseBase64url, sealBytes, sealingNonceBytes, subkey } from './aead.ts'
import { CredentialsError } from './credentials-error.ts'
import type { KeyRing } from './key-ring.ts'
import { pack, unpack } from './packing.ts'

/** Values that travel outside and come back: encoded authorization messages, continuation tokens. */
export type MessageSealer = Readonly<{
  /**
   * Gives base64url with two dots in it. The value is anything that JSON can say. Throws a CredentialsError
   * `session_too_large` when `open` would refuse it by its size.
   */
  seal(kind: string, value: unknown): string
  /** Throws a CredentialsError `token_invalid` for whatever `seal` did not make for this kind. */
  open(kind: string, text: string): unknown
}>

export type MessageSealerOptions = Readonly<{ random: (bytes: number) => Buffer }>

const version = 'dpm1'
const saltBytes = 16
const maxTextBytes = 65_536
const maxValueBytes = 1_048_576
const textPattern = /^dpm1\.([a-z2-7]{16})\.([A-Za-z0-9_-]+)$/

/**
 * AES-256-GCM under a key of its own for each message: strangers cause denials, and each denial seals a message, so
 * no count of random nonces under one key would be safe. The kind is associated data.
 */
export function createMessageSealer(
  ring: KeyRing,
  { random }: MessageSealerOptions,
): MessageSealer {
  return {
    seal(kind, value) {
      const { id, message } = ring.activeKey
      const encoded = Buffer.from(JSON.stringify(value), 'utf8')
      if (encoded.length > maxValueBytes) throw tooLarge()
      const bytes = random(saltBytes + sealingNonceBytes)
      const salt = bytes.subarray(0, saltBytes)
      const messageKey = subkey(message, salt)
      const head = `${version}.${id}`
      const body = sealBytes(
        messageKey,
        bytes.subarray(saltBytes),
        `${head}.${kind}`,
        pack(encoded),
      )
      const text = `${head}.${Buffer.concat([salt, body]).toString('base64url')}`
      if (text.length > maxTextBytes) throw tooLarge()
      return text
    },
    open(kind, text) {
      const encoded = openMessage(ring, kind, text)
      if (encoded) return JSON.parse(encoded.toString('utf8'))
      throw new CredentialsError('token_invalid', 'The text was not made here, or was changed.')
    },
  }
}

function openMessage(ring: KeyRing, kind: string, text: string): Buffer | undefined {
  if (text.length > maxTextBytes) return undefined
  const [, keyId = '', body = ''] = textPattern.exec(text) ?? []
  const ringKey = ring.find(keyId)
  const bytes = parseBase64url(body)
  if (!ringKey || !bytes) return undefined
  const messageKey = subkey(ringKey.message, bytes.subarray(0, saltBytes))
  const associated = `${version}.${keyId}.${kind}`
  const packed = openBytes(messageKey, associated, bytes.subarray(saltBytes))
  return packed && unpack(packed, maxValueBytes)
}

function tooLarge(): CredentialsError {
  return new CredentialsError('session_too_large', 'The message is too large to be sealed.')
}
