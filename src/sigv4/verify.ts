import type { KeyObject } from 'node:crypto'
import type { CanonicalParts } from './canonical-request.ts'
import { canonicalParts, canonicalRequest, maskSecrets, stringToSign } from './canonical-request.ts'
import { payloadLine } from './payload-mode.ts'
import { SigV4Error } from './sigv4-error.ts'
import { hmac, isSignature } from './signature.ts'
import type { Authentication, WireRequest } from './types.ts'

declare const verified: unique symbol // not exported: only verifySignature makes the value

type SignedAuthentication = Exclude<Authentication, { kind: 'anonymous' }>

/** A signature that fits. Who the request is from is `authentication` in here and nowhere else. */
export type Verified = Readonly<{
  authentication: SignedAuthentication
  signingKey: KeyObject
  [verified]: true
}>

/**
 * Proves the claim of `readAuthentication`, over the same request. The path counts percent-encoded anew or, for clients
 * that keep `%2F` inside a key, as it was sent.
 *
 * @param signingKey of the claimed access key and scope: `SigningKeys`.
 * @param bodySha256 hex hash of the body as received; required for every service but S3, whose payload line it becomes.
 *
 * Throws `signature_mismatch`, `content_sha256_mismatch` (the header names another hash than `bodySha256`), `invalid_uri`.
 */
export function verifySignature(
  request: WireRequest,
  authentication: SignedAuthentication,
  signingKey: KeyObject,
  bodySha256?: string,
): Verified {
  const parts = canonicalParts(
    request,
    authentication.signedHeaders,
    judgePayloadLine(authentication, bodySha256),
    authentication.kind === 'query' ? 'X-Amz-Signature' : undefined,
  )
  if (
    !fits(parts, authentication, signingKey) &&
    (request.path === parts.path ||
      !fits({ ...parts, path: request.path }, authentication, signingKey))
  ) {
    throw mismatch(request, parts, authentication)
  }
  return { authentication, signingKey } as Verified // oxlint-disable-line typescript/no-unsafe-type-assertion -- this is where the brand is given
}

// A character that is no byte would be hashed as another one: "\u0141" as "A". No parser of ours makes any.
const beyondLatin1 = /[^\0-\xff]/

function fits(
  parts: CanonicalParts,
  authentication: SignedAuthentication,
  signingKey: KeyObject,
): boolean {
  const canonical = canonicalRequest(parts)
  if (beyondLatin1.test(canonical)) return false
  const expected = hmac(signingKey, textToSign(canonical, authentication))
  return isSignature(expected, authentication.signature)
}

function textToSign(canonical: string, authentication: SignedAuthentication): string {
  return stringToSign(authentication.timestamp, authentication.scope, canonical)
}

function judgePayloadLine(authentication: SignedAuthentication, bodySha256?: string): string {
  const { payload, scope } = authentication
  if (bodySha256 === undefined) {
    if (scope.service !== 's3') throw new TypeError('bodySha256 is required for this service')
    return payloadLine(payload)
  }
  if (payload.kind === 'hash' && payload.sha256 !== bodySha256) {
    throw contentSha256Mismatch(payload.sha256, bodySha256)
  }
  return bodySha256
}

export function contentSha256Mismatch(clientComputed: string, serverComputed: string): SigV4Error {
  return new SigV4Error(
    'content_sha256_mismatch',
    'The body does not have the SHA-256 that x-amz-content-sha256 names.',
    { detail: { clientComputed, serverComputed } },
  )
}

function mismatch(
  request: WireRequest,
  parts: CanonicalParts,
  authentication: SignedAuthentication,
): SigV4Error {
  const { accessKeyId, signedHeaders, signature } = authentication
  const without = authentication.kind === 'query' ? 'X-Amz-Signature' : undefined
  const masked = canonicalParts(maskSecrets(request), signedHeaders, parts.payload, without)
  return new SigV4Error(
    'signature_mismatch',
    'The signature does not fit the request. Check the secret key and the way of signing.',
    {
      detail: {
        accessKeyId,
        signatureProvided: signature,
        stringToSign: textToSign(canonicalRequest(parts), authentication),
        canonicalRequest: Buffer.from(canonicalRequest(masked), 'latin1').toString('utf8'),
      },
    },
  )
}
