import type { AccessErrorCode } from '../access/index.ts'
import type { CredentialsErrorCode } from '../credentials/index.ts'
import type { ExchangeErrorCode } from '../exchange.ts'
import type { SigV4ErrorCode } from '../sigv4/index.ts'
import type { Compat, StsErrorCode } from './types.ts'

export type WireError = Readonly<{ status: number; code: string }>
type Row = Readonly<Record<Compat, WireError>>

const invalidValue: WireError = { status: 400, code: 'InvalidParameterValue' }
const accessDenied: WireError = { status: 403, code: 'AccessDenied' }
const badToken: WireError = { status: 400, code: 'InvalidIdentityToken' }
const unavailable: WireError = { status: 503, code: 'ServiceUnavailable' }

/** MinIO folds nearly everything into two codes; AWS's let an SDK tell "get a new token" from "try again". */
const foldedToInvalid = (status: number, code: string): Row => ({
  aws: { status, code },
  minio: invalidValue,
})
const foldedToDenied = (status: number, code: string): Row => ({
  aws: { status, code },
  minio: accessDenied,
})
const both = (wire: WireError): Row => ({ aws: wire, minio: wire })

/** Of our own faults: the constant text that stands for all of them is in `refusal.ts`. */
export const internalError: Row = {
  aws: { status: 500, code: 'InternalFailure' },
  minio: { status: 500, code: 'InternalError' },
}

/** AWS STS API reference, errors of AssumeRoleWithWebIdentity and common errors; MinIO's STS error codes. */
export const exchangeErrors: Readonly<Record<ExchangeErrorCode, Row>> = {
  token_malformed: { aws: badToken, minio: invalidValue },
  token_algorithm: { aws: badToken, minio: invalidValue },
  token_signature: { aws: badToken, minio: invalidValue },
  token_expired: foldedToInvalid(400, 'ExpiredTokenException'),
  token_not_yet_valid: { aws: badToken, minio: invalidValue },
  token_issuer: { aws: badToken, minio: invalidValue },
  token_audience: { aws: badToken, minio: invalidValue },
  token_claims: { aws: badToken, minio: invalidValue },
  provider_unavailable: foldedToInvalid(400, 'IDPCommunicationError'),
  userinfo_rejected: foldedToInvalid(403, 'IDPRejectedClaim'),
  // Unknown name and wrong password look alike, and so they do for MinIO's clients.
  login_refused: { aws: accessDenied, minio: invalidValue },
  throttled: { aws: { status: 429, code: 'Throttling' }, minio: { status: 503, code: 'SlowDown' } },
  certificate_missing: both({ status: 400, code: 'MissingParameter' }),
  certificate_refused: both({ status: 400, code: 'InvalidClientCertificate' }),
  too_many_certificates: both({ status: 400, code: 'TooManyIntermediateCAs' }),
  // A 500 makes clients try a token again that will never do; those of MinIO know nothing else.
  custom_token_refused: { aws: accessDenied, minio: { status: 500, code: 'InternalError' } },
  cluster_unavailable: both({ status: 503, code: 'IDPCommunicationError' }),
  no_provider: { aws: badToken, minio: invalidValue },
  invalid_parameter: both(invalidValue),
  malformed_policy: foldedToInvalid(400, 'MalformedPolicyDocument'),
  session_policy_too_large: foldedToInvalid(400, 'PackedPolicyTooLarge'),
  no_policy: { aws: accessDenied, minio: invalidValue },
  unknown_role: both(invalidValue),
  unknown_tenant: both(invalidValue),
  role_not_trusted: both(accessDenied),
  denied: both(accessDenied),
  caller_not_allowed: both(accessDenied),
  expired: foldedToInvalid(400, 'ExpiredTokenException'),
  session_too_large: foldedToInvalid(400, 'PackedPolicyTooLarge'),
  caller_unproven: both(accessDenied),
  target_unavailable: both({ status: 503, code: 'STSNotInitialized' }),
  target_refused: both({ status: 500, code: 'InternalError' }),
  token_replayed: { aws: badToken, minio: invalidValue },
  replay_unknown: { aws: unavailable, minio: { status: 500, code: 'InternalError' } },
  audit_unavailable: { aws: unavailable, minio: { status: 500, code: 'InternalError' } },
}

/** What may be wrong with a signed request, or with the session that signed it. */
export const callerErrors: Readonly<
  Record<SigV4ErrorCode | AccessErrorCode | CredentialsErrorCode, Row>
> = {
  malformed_authorization_header: foldedToDenied(400, 'IncompleteSignature'),
  malformed_authorization_query: foldedToDenied(400, 'IncompleteSignature'),
  malformed_form_authentication: foldedToDenied(400, 'IncompleteSignature'),
  wrong_region: foldedToDenied(403, 'SignatureDoesNotMatch'),
  ambiguous_authentication: both({ status: 400, code: 'InvalidRequest' }),
  unknown_scheme: { aws: { status: 400, code: 'IncompleteSignature' }, minio: invalidRequest() },
  signature_v2: { aws: { status: 400, code: 'IncompleteSignature' }, minio: invalidRequest() },
  signature_v4a: both({ status: 501, code: 'NotImplemented' }),
  express_session: both({ status: 501, code: 'NotImplemented' }),
  missing_date: {
    aws: { status: 400, code: 'IncompleteSignature' },
    minio: { status: 400, code: 'AccessDenied' },
  },
  skewed: both({ status: 403, code: 'RequestTimeTooSkewed' }),
  not_yet_valid: both({ status: 403, code: 'RequestTimeTooSkewed' }),
  presigned_expired: foldedToDenied(400, 'RequestExpired'),
  unsigned_headers: both(accessDenied),
  signature_mismatch: foldedToDenied(403, 'SignatureDoesNotMatch'),
  missing_content_sha256: foldedToDenied(400, 'IncompleteSignature'),
  bad_content_sha256: both(invalidValue),
  invalid_uri: both(invalidValue),
  duplicate_token: both(invalidValue),
  token_without_signature: foldedToDenied(403, 'MissingAuthenticationToken'),
  streaming_not_allowed: both(invalidValue),
  content_sha256_mismatch: both(invalidValue),
  missing_decoded_length: both(invalidValue),
  incomplete_body: both(invalidValue),
  invalid_chunk_size: both(invalidValue),
  malformed_trailer: both(invalidValue),
  invalid_trailer: both(invalidValue),
  body_too_large: foldedToInvalid(413, 'RequestEntityTooLarge'),
  access_denied: both(accessDenied),
  access_key_unknown: foldedToDenied(403, 'InvalidClientTokenId'),
  anonymous_token: foldedToDenied(403, 'MissingAuthenticationToken'),
  not_ready: { aws: unavailable, minio: { status: 503, code: 'STSIAMNotInitialized' } },
  token_invalid: foldedToDenied(403, 'InvalidClientTokenId'),
  token_missing: foldedToDenied(403, 'InvalidClientTokenId'),
  token_expired: foldedToDenied(403, 'ExpiredToken'),
  session_revoked: foldedToDenied(403, 'ExpiredToken'),
  session_too_large: both(invalidValue),
  revocations_stale: both(unavailable),
}

export const protocolErrors: Readonly<Record<StsErrorCode, Row>> = {
  malformed_form: both(invalidValue),
  body_too_large: foldedToInvalid(413, 'RequestEntityTooLarge'),
  body_too_slow: both({ status: 408, code: 'RequestTimeout' }),
  body_incomplete: foldedToInvalid(400, 'IncompleteBody'),
  missing_version: both({ status: 400, code: 'MissingParameter' }),
  missing_action: foldedToInvalid(400, 'MissingAction'),
  unknown_action: foldedToInvalid(400, 'InvalidAction'),
  missing_parameter: foldedToInvalid(400, 'MissingParameter'),
  invalid_value: both(invalidValue),
  missing_login: both({ status: 400, code: 'MissingParameter' }),
  login_not_enabled: foldedToInvalid(400, 'InvalidAction'),
  proof_not_enabled: {
    aws: { status: 400, code: 'InvalidAction' },
    minio: { status: 503, code: 'STSNotInitialized' },
  },
  malformed_tenant: both(invalidValue),
  method_not_allowed: both({ status: 405, code: 'MethodNotAllowed' }),
  insecure_connection: both({ status: 400, code: 'InsecureConnection' }),
  missing_authentication: foldedToInvalid(403, 'MissingAuthenticationToken'),
  malformed_message: foldedToInvalid(400, 'InvalidAuthorizationMessageException'),
}

function invalidRequest(): WireError {
  return { status: 400, code: 'InvalidRequest' }
}
