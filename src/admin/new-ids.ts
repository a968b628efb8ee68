import { Secret } from '../secret.ts'

type Random = (bytes: number) => Buffer

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A prefix such as `AROA` and 16 characters of base 32: 80 random bits, in the shape that AWS's clients know. */
export function newId(prefix: 'AIDA' | 'AGPA' | 'AROA' | 'ANPA' | 'AKIA', random: Random): string {
  return prefix + Array.from(random(16), (byte) => alphabet[byte % 32]).join('')
}

export function newSecret(random: Random): Secret {
  return new Secret(random(30).toString('base64'))
}
