import type { KeyObject } from 'node:crypto'
import { malformed, parseCredential } from './credential.ts'
import { SigV4Error } from './sigv4-error.ts'
import { hmac, isSignature } from './signature.ts'
import { parseTimestamp } from './timestamp.ts'

/** The signed fields of a browser upload, as sent. */
export type PostPolicySignature = Readonly<{
  /** `policy`: still base64. */
  policy: string
  /** `x-amz-credential` */
  credential: string
  /** `x-amz-date` */
  date: string
  /** `x-amz-signature` */
  signature: string
  /** Of the credential's access key and scope. */
  signingKey: KeyObject
}>

/**
 * Proves that the holder of the credential signed the policy text. Its conditions and its expiration are the face's.
 * Throws `malformed_form_authentication`, `signature_mismatch`.
 */
export function verifyPostPolicySignature(form: PostPolicySignature): void {
  const { accessKeyId, scope } = parseCredential(form.credential, 'form')
  if (scope.service !== 's3')
    throw malformed('form', 'The credential scope must name the service s3.')
  if (parseTimestamp(form.date) === undefined || form.date.slice(0, 8) !== scope.date) {
    throw malformed(
      'form',
      'x-amz-date must be yyyymmddThhmmssZ, on the day of the credential scope.',
      'x-amz-date',
    )
  }
  if (!isSignature(hmac(form.signingKey, form.policy), form.signature)) {
    throw new SigV4Error('signature_mismatch', 'The signature does not fit the policy.', {
      detail: { accessKeyId, signatureProvided: form.signature, stringToSign: form.policy },
    })
  }
}
