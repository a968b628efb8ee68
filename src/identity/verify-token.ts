import { isSignedBy } from './algorithms.ts'
import { IdentityError } from './identity-error.ts'
import type { JsonObject } from './json-object.ts'
import type { Jws, UnprovenToken } from './jws.ts'
import type { VerificationKey } from './key-set.ts'

declare const signed: unique symbol // not exported: only verifyToken makes one

/** Claims that stand under a good signature of the right provider. When and for whom they hold is not judged yet. */
export type SignedClaims = Readonly<{ claims: JsonObject; [signed]: true }>

/**
 * @throws {IdentityError} `token_algorithm` when the key is not one for the token's `alg`, `token_signature`
 */
export async function verifyToken(
  token: UnprovenToken,
  key: VerificationKey,
): Promise<SignedClaims> {
  await verifySignature(token, key)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where they are made
  return { claims: token.unproven } as SignedClaims
}

/**
 * The claims of a token whose signature is for its issuer alone to judge. They are good for a first look, and for more
 * only once the issuer has vouched for the very same token.
 */
export function claimsToBeVouchedFor(token: UnprovenToken): SignedClaims {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return { claims: token.unproven } as SignedClaims
}

/** The signature alone, whatever the payload is. @throws {IdentityError} `token_algorithm`, `token_signature` */
export async function verifySignature(jws: Jws, key: VerificationKey): Promise<void> {
  const { alg } = jws.header
  if (!key.algorithms.has(alg)) {
    throw new IdentityError('token_algorithm', 'The algorithm of the token does not fit its key')
  }
  if (await isSignedBy(key.publicKey, alg, jws.signedText, jws.signature)) return
  throw new IdentityError('token_signature', 'The signature of the token is not good')
}
