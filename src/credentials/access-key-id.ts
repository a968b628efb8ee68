/** RFC 4648 base32, without padding. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const pattern = /^ASIA[A-Z2-7]{16}$/

/** How many random bytes an access key id holds: 80 bits make 16 characters. */
export const accessKeyIdBytes = 10

/** The access key id of a session, from ten random bytes. */
export function sessionAccessKeyId(bytes: Uint8Array): string {
  return `ASIA${base32(bytes.subarray(0, accessKeyIdBytes))}`
}

/** Whether an access key id is a session's by its form; long-lived keys never have this form. */
export function isSessionAccessKeyId(text: string): boolean {
  return pattern.test(text)
}

/** Five bits a character; bits that fill no character are left out. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let pending = 0
  let bits = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet.charAt((pending >>> bits) & 31)
    }
    pending &= (1 << bits) - 1
  }
  return text
}
