import type { AccessErrorCode } from '../access/index.ts'
import type { AdminErrorCode } from '../admin/index.ts'
import type { CredentialsErrorCode } from '../credentials/index.ts'
import type { PolicyErrorCode } from '../policy/index.ts'
import type { SigV4ErrorCode } from '../sigv4/index.ts'
import type { IamErrorCode } from './types.ts'

export type WireError = Readonly<{ status: number; code: string }>

type Code =
  | IamErrorCode
  | AccessErrorCode
  | AdminErrorCode
  | PolicyErrorCode
  | SigV4ErrorCode
  | CredentialsErrorCode

const mismatch: WireError = { status: 403, code: 'SignatureDoesNotMatch' }
const incomplete: WireError = { status: 400, code: 'IncompleteSignature' }
const unknownKey: WireError = { status: 403, code: 'InvalidClientTokenId' }
const expired: WireError = { status: 403, code: 'ExpiredToken' }
const invalid: WireError = { status: 400, code: 'ValidationError' }

/** AWS IAM API reference, common errors, and the errors of its actions. */
const table: Readonly<Record<Code, WireError>> = {
  missing_action: { status: 400, code: 'MissingAction' },
  unknown_action: { status: 400, code: 'InvalidAction' },
  wrong_version: { status: 400, code: 'InvalidAction' },
  malformed_form: { status: 400, code: 'MalformedQueryString' },
  duplicate_parameter: { status: 400, code: 'MalformedQueryString' },
  unknown_parameter: invalid,
  missing_parameter: invalid,
  invalid_parameter: invalid,
  body_too_large: { status: 413, code: 'RequestEntityTooLarge' },
  body_too_slow: { status: 400, code: 'RequestTimeout' },
  body_incomplete: { status: 400, code: 'IncompleteBody' },
  method_not_allowed: { status: 405, code: 'InvalidAction' },
  no_such_entity: { status: 404, code: 'NoSuchEntity' },
  not_authenticated: { status: 403, code: 'MissingAuthenticationToken' },
  anonymous_token: { status: 403, code: 'MissingAuthenticationToken' },
  access_key_unknown: unknownKey,
  not_ready: { status: 503, code: 'ServiceUnavailable' },
  access_denied: { status: 403, code: 'AccessDenied' },

  already_exists: { status: 409, code: 'EntityAlreadyExists' },
  delete_conflict: { status: 409, code: 'DeleteConflict' },
  invalid_name: invalid,
  invalid_key: invalid,
  invalid_value: { status: 400, code: 'InvalidInput' },
  not_supported: { status: 400, code: 'InvalidInput' },
  unmodifiable: { status: 400, code: 'UnmodifiableEntity' },
  malformed_policy: { status: 400, code: 'MalformedPolicyDocument' },
  limit_exceeded: { status: 409, code: 'LimitExceeded' },
  policy_too_large: { status: 409, code: 'LimitExceeded' },
  conflict: { status: 409, code: 'ConcurrentModification' },

  malformed_authorization_header: incomplete,
  malformed_authorization_query: incomplete,
  malformed_form_authentication: incomplete,
  ambiguous_authentication: incomplete,
  unknown_scheme: incomplete,
  signature_v2: incomplete,
  signature_v4a: incomplete,
  express_session: incomplete,
  token_without_signature: { status: 403, code: 'MissingAuthenticationToken' },
  missing_date: incomplete,
  duplicate_token: incomplete,
  wrong_region: mismatch,
  skewed: mismatch,
  not_yet_valid: mismatch,
  presigned_expired: { status: 400, code: 'RequestExpired' },
  unsigned_headers: mismatch,
  signature_mismatch: mismatch,
  content_sha256_mismatch: mismatch,
  missing_content_sha256: invalid,
  bad_content_sha256: invalid,
  invalid_uri: invalid,
  streaming_not_allowed: invalid,
  missing_decoded_length: invalid,
  incomplete_body: invalid,
  invalid_chunk_size: invalid,
  malformed_trailer: invalid,
  invalid_trailer: invalid,

  token_invalid: unknownKey,
  token_missing: unknownKey,
  token_expired: expired,
  session_revoked: expired,
  session_too_large: { status: 400, code: 'PackedPolicyTooLarge' },
  revocations_stale: { status: 503, code: 'ServiceUnavailable' },
}

const errors: ReadonlyMap<string, WireError> = new Map(Object.entries(table))

/** `undefined`: not a refusal that this face knows, so a fault of ours. */
export function wireErrorOf(code: string): WireError | undefined {
  return errors.get(code)
}
