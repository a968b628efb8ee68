import { Refusal } from '../errors.ts'

/** What the face itself refuses. The status and the wire name of each are in `error-table.ts`. */
export type S3ErrorCode =
  | 'access_control_list_not_supported'
  | 'access_forbidden' // CORS
  | 'bad_digest'
  | 'bucket_owner_mismatch' // AccessDenied: x-amz-expected-bucket-owner
  | 'entity_too_large'
  | 'entity_too_small'
  | 'form_condition_unmet' // AccessDenied
  | 'form_expired' // AccessDenied
  | 'form_fields_too_large'
  | 'form_malformed'
  | 'form_policy_invalid'
  | 'incomplete_body'
  | 'invalid_argument'
  | 'invalid_bucket_name'
  | 'invalid_digest'
  | 'invalid_location_constraint'
  | 'invalid_range'
  | 'invalid_request'
  | 'invalid_storage_class'
  | 'invalid_tag'
  | 'invalid_version_id'
  | 'illegal_versioning_configuration'
  | 'key_too_long'
  | 'malformed_bucket_policy'
  | 'malformed_xml'
  | 'metadata_too_large'
  | 'method_not_allowed'
  | 'missing_content_length'
  | 'no_such_bucket_policy'
  | 'no_such_cors_configuration'
  | 'no_such_encryption_configuration'
  | 'no_such_lifecycle_configuration'
  | 'no_such_object_lock_configuration'
  | 'no_such_public_access_block'
  | 'no_such_retention'
  | 'no_such_tag_set'
  | 'no_such_website'
  | 'not_implemented'
  | 'policy_locks_out_writer' // MalformedPolicy
  | 'precondition_failed'
  | 'replication_not_found'
  | 'request_too_large' // MaxMessageLengthExceeded

/**
 * A refusal of the S3 face. `detail` members that stand in `error-table.ts` become elements of the error document:
 * `bucket`, `key`, `argumentName`, `argumentValue`, `condition`, ...
 */
export class S3Error extends Refusal<S3ErrorCode> {}

/** The commonest one: an argument by name and the value that was sent. */
export function invalidArgument(name: string, value: string, message: string): S3Error {
  return new S3Error('invalid_argument', message, {
    detail: { argumentName: name, argumentValue: value },
  })
}
