import { createPublicKey, type KeyObject } from 'node:crypto'
import { fitsAlgorithm, supportedAlgorithms } from './algorithms.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from './json-object.ts'
import { hasRocaShape } from './roca.ts'

/** A public key that a provider signs with. */
export type VerificationKey = Readonly<{
  kid?: string
  publicKey: KeyObject
  /** The `alg`s that it may verify: one, when the provider says which, else all that fit its type and curve. */
  algorithms: ReadonlySet<string>
}>

/** The usable part of a JWK set, and why the rest of it is not. */
export type KeySet = Readonly<{
  keys: readonly VerificationKey[]
  skipped: readonly Readonly<{ kid?: string; reason: string }>[]
}>

const mostKeys = 200

/**
 * Reads a JWK set (RFC 7517 section 5). A key that cannot be used or should not be trusted is left out and spoils
 * none of the others; keys that share a `kid` are all left out, since nobody can say which one is meant.
 * @throws {SyntaxError} when the text is no JWK set at all
 */
export function parseKeySet(text: string): KeySet {
  const { keys } = parseJsonObject(text)
  if (!Array.isArray(keys)) throw new SyntaxError('the key set has no list of keys')
  if (keys.length > mostKeys) throw new SyntaxError(`the key set has more than ${mostKeys} keys`)
  const usable: VerificationKey[] = []
  const skipped: { kid?: string; reason: string }[] = []
  for (const jwk of keys) {
    const kid = isJsonObject(jwk) && typeof jwk.kid === 'string' ? { kid: jwk.kid } : {}
    const key = readKey(jwk)
    if (typeof key === 'string') skipped.push({ ...kid, reason: key })
    else usable.push({ ...kid, ...key })
  }
  return withoutDoubles(usable, skipped)
}

/**
 * The key that a token names. Without a `kid` in the token: the only key of the set that fits `alg`, when there is
 * exactly one. Whether a named key fits `alg` is for the caller to see.
 */
export function findKey(
  set: KeySet,
  wanted: Readonly<{ alg: string; kid?: string }>,
): VerificationKey | undefined {
  if (wanted.kid !== undefined) return set.keys.find((key) => key.kid === wanted.kid)
  const fitting = set.keys.filter((key) => key.algorithms.has(wanted.alg))
  return fitting.length === 1 ? fitting[0] : undefined
}

function withoutDoubles(keys: VerificationKey[], skipped: KeySet['skipped']): KeySet {
  const counts = new Map<string, number>()
  for (const { kid } of keys) if (kid !== undefined) counts.set(kid, (counts.get(kid) ?? 0) + 1)
  const isDouble = ({ kid }: VerificationKey) => kid !== undefined && counts.get(kid) !== 1
  const doubled = [...counts].filter(([, count]) => count > 1)
  return {
    keys: keys.filter((key) => !isDouble(key)),
    skipped: [
      ...skipped,
      ...doubled.map(([kid]) => ({ kid, reason: 'several keys share the kid' })),
    ],
  }
}

/** The key, or why it is not taken. */
function readKey(jwk: unknown): Omit<VerificationKey, 'kid'> | string {
  if (!isJsonObject(jwk)) return 'not a JSON object'
  const unfit = misuse(jwk)
  if (unfit !== undefined) return unfit
  const publicKey = importKey(jwk)
  if (publicKey === undefined) return 'the key does not decode'
  const weak = publicKey.asymmetricKeyType === 'rsa' ? rsaWeakness(publicKey, jwk) : undefined
  if (weak !== undefined) return weak
  const fitting = supportedAlgorithms.filter(
    (alg) => (jwk.alg === undefined || jwk.alg === alg) && fitsAlgorithm(publicKey, alg),
  )
  if (fitting.length === 0)
    return 'neither type, curve nor alg is one for signatures that we verify'
  return { publicKey, algorithms: new Set(fitting) }
}

/** By what the key says of itself (RFC 7517 section 4). */
function misuse(jwk: JsonObject): string | undefined {
  if (jwk.kty === 'oct') return 'a symmetric key'
  // What is published with its private part proves nothing: anybody signs with it.
  if (jwk.d !== undefined) return 'a private key'
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') return 'its kid is not a text'
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'not for signatures (use)'
  if (jwk.key_ops === undefined) return undefined
  const verifies = Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify')
  return verifies ? undefined : 'not for signatures (key_ops)'
}

// Only what makes up a public key goes in, so that nothing else in the JWK can steer the import.
function importKey({ kty, n, e, crv, x, y }: JsonObject): KeyObject | undefined {
  const texts = Object.entries({ kty, n, e, crv, x, y }).filter(([, text]) => text !== undefined)
  if (!texts.every(([, text]) => typeof text === 'string' && text.length <= 2048)) return undefined
  try {
    return createPublicKey({ key: Object.fromEntries(texts), format: 'jwk' })
  } catch {
    return undefined
  }
}

function rsaWeakness(publicKey: KeyObject, jwk: JsonObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {}
  if (modulusLength < 2048) return 'an RSA modulus of less than 2048 bits'
  if (modulusLength > 8192) return 'an RSA modulus of more than 8192 bits'
  // With an exponent of 1 every message is its own signature.
  if (publicExponent < 65_537n || publicExponent % 2n === 0n) return 'a weak RSA exponent'
  if (publicExponent >= 2n ** 64n) return 'an RSA exponent of more than 64 bits'
  const modulus = BigInt(`0x${Buffer.from(String(jwk.n), 'base64url').toString('hex')}`)
  if (modulus % 2n === 0n) return 'an even RSA modulus'
  return hasRocaShape(modulus) ? 'an RSA modulus that can be factored (CVE-2017-15361)' : undefined
}
