/**
 * Signature Version 4: from a raw request to the claim of who signed it, to the proof, to a body that proves itself.
 *
 * Takes requests as they came off the wire (raw path, raw query, header list in order), an instant, and the secret of the
 * access key that the claim names. Gives a `Verified`, which is the only thing that says who a request is from, and
 * the payload as a stream. Refuses with SigV4Error. Also signs, for our own clients.
 *
 * Never looks a key up, never opens a session token, never judges permissions, never reads a clock.
 */
export { readAuthentication } from './authentication.ts'
export type { Expectation } from './authentication.ts'
export { openBody } from './body.ts'
export type { AnonymousAuthentication, DeclaredBody, SignedBody } from './body.ts'
export { parseCredential } from './credential.ts'
export { verifyPostPolicySignature } from './post-policy.ts'
export type { PostPolicySignature } from './post-policy.ts'
export { signRequest } from './sign-request.ts'
export type { ClientKey } from './sign-request.ts'
export { SigningKeys } from './signing-keys.ts'
export { SigV4Error } from './sigv4-error.ts'
export { decodePath, encodePath, parseQuery } from './uri.ts'
export { verifySignature } from './verify.ts'
export type { Verified } from './verify.ts'
export type * from './types.ts'
