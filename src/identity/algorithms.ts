import { constants, verify, type KeyObject } from 'node:crypto'

/** What an `alg` demands of a key and of a signature (RFC 7518 section 3, RFC 8037, RFC 9864). */
type Algorithm = Readonly<{
  keyType: 'rsa' | 'ec' | 'ed25519'
  /** OpenSSL's name of the only curve that fits. */
  curve?: string
  /** Absent: the scheme hashes by itself. */
  hash?: string
  pss?: true
  /** Exact length in bytes; RSA: that of the modulus. */
  signatureBytes?: number
}>

// Asymmetric only. A symmetric key of an identity provider is known to its clients too, and any of them could make
// anybody's token; and an HS256 token "signed" with the text of a public key is the oldest trick of all.
const algorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', { keyType: 'rsa', hash: 'sha256' }],
  ['RS384', { keyType: 'rsa', hash: 'sha384' }],
  ['RS512', { keyType: 'rsa', hash: 'sha512' }],
  ['PS256', { keyType: 'rsa', hash: 'sha256', pss: true }],
  ['PS384', { keyType: 'rsa', hash: 'sha384', pss: true }],
  ['PS512', { keyType: 'rsa', hash: 'sha512', pss: true }],
  ['ES256', { keyType: 'ec', curve: 'prime256v1', hash: 'sha256', signatureBytes: 64 }],
  ['ES384', { keyType: 'ec', curve: 'secp384r1', hash: 'sha384', signatureBytes: 96 }],
  ['ES512', { keyType: 'ec', curve: 'secp521r1', hash: 'sha512', signatureBytes: 132 }],
  ['EdDSA', { keyType: 'ed25519', signatureBytes: 64 }],
  ['Ed25519', { keyType: 'ed25519', signatureBytes: 64 }],
])

/** Every `alg` that a provider may be allowed: RS, PS and ES with 256, 384, 512; EdDSA and Ed25519. */
export const supportedAlgorithms: readonly string[] = [...algorithms.keys()]

/** Does this public key belong with this `alg`: type and, for elliptic curves, the one curve? */
export function fitsAlgorithm(publicKey: KeyObject, alg: string): boolean {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined || publicKey.type !== 'public') return false
  if (publicKey.asymmetricKeyType !== algorithm.keyType) return false
  return publicKey.asymmetricKeyDetails?.namedCurve === algorithm.curve
}

/**
 * Checks a signature in libuv's thread pool, so that several tokens are verified at once. `false` for all that is not
 * a good signature, a key that does not fit included.
 */
export function isSignedBy(
  publicKey: KeyObject,
  alg: string,
  signedText: Buffer,
  signature: Buffer,
): Promise<boolean> {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined || !fitsAlgorithm(publicKey, alg)) return Promise.resolve(false)
  if ((algorithm.signatureBytes ?? signature.length) !== signature.length) {
    return Promise.resolve(false)
  }
  return new Promise((resolve) => {
    const key = keyInput(publicKey, algorithm)
    verify(algorithm.hash, signedText, key, signature, (error, good) =>
      resolve(error === null && good),
    )
  })
}

// A bare key where possible: an options object costs a third of the throughput.
function keyInput(publicKey: KeyObject, algorithm: Algorithm): Parameters<typeof verify>[2] {
  if (algorithm.keyType === 'ec') return { key: publicKey, dsaEncoding: 'ieee-p1363' }
  if (algorithm.pss !== true) return publicKey
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}
