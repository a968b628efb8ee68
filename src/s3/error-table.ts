import type { CredentialsErrorCode } from '../credentials/index.ts'
import type { PolicyErrorCode } from '../policy/index.ts'
import type { SigV4ErrorCode } from '../sigv4/index.ts'
import type { AccessErrorCode } from './access-port.ts'
import type { OriginErrorCode } from './origin.ts'
import type { S3ErrorCode } from './s3-error.ts'

/** How a refusal looks on the wire. */
export type WireError = Readonly<{
  status: number
  /** S3's own name of the error. */
  code: string
  /** The members of `detail` that become elements of the error document, by the element's name. */
  elements?: Readonly<Record<string, string>>
  retryAfterSeconds?: number
}>

type KnownCode =
  | AccessErrorCode
  | CredentialsErrorCode
  | OriginErrorCode
  | PolicyErrorCode
  | S3ErrorCode
  | SigV4ErrorCode

const argument = { ArgumentName: 'argumentName', ArgumentValue: 'argumentValue' }
const object = { Key: 'key', VersionId: 'versionId' }
const upload = { UploadId: 'uploadId' }
const range = { RangeRequested: 'rangeRequested', ActualObjectSize: 'size' }
const decision = { DecisionId: 'decisionId', EncodedAuthorizationMessage: 'encodedMessage' }

/**
 * Every code that the face can meet, with the answer of Amazon S3 ("Error responses", REST API) or, where clients need
 * another one, of the S3 surface, sections 8 and 9. A new code in any of the unions is missed here by the compiler.
 */
const answers: Readonly<Record<KnownCode, WireError>> = {
  // Who asks.
  malformed_authorization_header: { status: 400, code: 'AuthorizationHeaderMalformed' },
  malformed_authorization_query: { status: 400, code: 'AuthorizationQueryParametersError' },
  malformed_form_authentication: { status: 400, code: 'InvalidArgument', elements: argument },
  wrong_region: {
    status: 400,
    code: 'AuthorizationHeaderMalformed',
    elements: { Region: 'region' },
  },
  ambiguous_authentication: { status: 400, code: 'InvalidArgument', elements: argument },
  unknown_scheme: { status: 400, code: 'InvalidArgument', elements: argument },
  signature_v2: { status: 400, code: 'InvalidRequest' },
  express_session: { status: 501, code: 'NotImplemented' },
  token_without_signature: { status: 403, code: 'AccessDenied' },
  signature_v4a: { status: 501, code: 'NotImplemented' },
  missing_date: { status: 403, code: 'AccessDenied' },
  skewed: {
    status: 403,
    code: 'RequestTimeTooSkewed',
    elements: {
      RequestTime: 'requestTime',
      ServerTime: 'serverTime',
      MaxAllowedSkewMilliseconds: 'maxAllowedSkewMilliseconds',
    },
  },
  not_yet_valid: { status: 403, code: 'AccessDenied', elements: { ServerTime: 'serverTime' } },
  presigned_expired: {
    status: 403,
    code: 'AccessDenied',
    elements: { 'X-Amz-Expires': 'expiresSeconds', Expires: 'expires', ServerTime: 'serverTime' },
  },
  unsigned_headers: {
    status: 403,
    code: 'AccessDenied',
    elements: { HeadersNotSigned: 'headersNotSigned' },
  },
  signature_mismatch: {
    status: 403,
    code: 'SignatureDoesNotMatch',
    elements: {
      AWSAccessKeyId: 'accessKeyId',
      StringToSign: 'stringToSign',
      SignatureProvided: 'signatureProvided',
      StringToSignBytes: 'stringToSignBytes',
      CanonicalRequest: 'canonicalRequest',
      CanonicalRequestBytes: 'canonicalRequestBytes',
    },
  },
  missing_content_sha256: { status: 400, code: 'InvalidRequest' },
  bad_content_sha256: { status: 400, code: 'InvalidArgument', elements: argument },
  invalid_uri: { status: 400, code: 'InvalidURI' },
  duplicate_token: { status: 400, code: 'InvalidArgument', elements: argument },
  token_invalid: { status: 400, code: 'InvalidToken' },
  token_missing: { status: 403, code: 'InvalidAccessKeyId' },
  token_expired: { status: 400, code: 'ExpiredToken' },
  session_revoked: { status: 400, code: 'ExpiredToken' },
  session_too_large: { status: 400, code: 'PackedPolicyTooLarge' },
  revocations_stale: { status: 503, code: 'ServiceUnavailable', retryAfterSeconds: 1 },
  access_key_unknown: {
    status: 403,
    code: 'InvalidAccessKeyId',
    elements: { AWSAccessKeyId: 'accessKeyId' },
  },
  anonymous_token: { status: 403, code: 'AccessDenied' },
  not_ready: { status: 503, code: 'ServiceUnavailable', retryAfterSeconds: 1 },

  // Whether they may.
  access_denied: { status: 403, code: 'AccessDenied', elements: decision },
  bucket_owner_mismatch: { status: 403, code: 'AccessDenied' },
  access_forbidden: {
    status: 403,
    code: 'AccessForbidden',
    elements: { Method: 'method', ResourceType: 'resourceType' },
  },
  form_condition_unmet: { status: 403, code: 'AccessDenied' },
  form_expired: { status: 403, code: 'AccessDenied' },

  // The body.
  streaming_not_allowed: { status: 400, code: 'InvalidRequest' },
  content_sha256_mismatch: {
    status: 400,
    code: 'XAmzContentSHA256Mismatch',
    elements: {
      ClientComputedContentSHA256: 'clientComputed',
      S3ComputedContentSHA256: 'serverComputed',
    },
  },
  missing_decoded_length: { status: 411, code: 'MissingContentLength' },
  missing_content_length: { status: 411, code: 'MissingContentLength' },
  incomplete_body: { status: 400, code: 'IncompleteBody' },
  invalid_chunk_size: {
    status: 403,
    code: 'InvalidChunkSizeError',
    elements: { Chunk: 'chunk', BadChunkSize: 'badChunkSize' },
  },
  malformed_trailer: { status: 400, code: 'MalformedTrailerError' },
  invalid_trailer: { status: 400, code: 'InvalidRequest' },
  body_too_large: { status: 400, code: 'EntityTooLarge' },
  entity_too_large: {
    status: 400,
    code: 'EntityTooLarge',
    elements: { ProposedSize: 'proposedSize', MaxSizeAllowed: 'maxSizeAllowed' },
  },
  entity_too_small: {
    status: 400,
    code: 'EntityTooSmall',
    elements: { ProposedSize: 'proposedSize', MinSizeAllowed: 'minSizeAllowed' },
  },
  request_too_large: {
    status: 400,
    code: 'MaxMessageLengthExceeded',
    elements: { MaxMessageLengthBytes: 'maxSizeAllowed' },
  },
  invalid_digest: { status: 400, code: 'InvalidDigest', elements: { 'Content-MD5': 'contentMd5' } },
  bad_digest: { status: 400, code: 'BadDigest' },
  bad_checksum: { status: 400, code: 'BadDigest' },
  malformed_xml: { status: 400, code: 'MalformedXML' },
  malformed_policy: { status: 400, code: 'MalformedPolicy' },
  malformed_bucket_policy: { status: 400, code: 'MalformedPolicy' },
  policy_locks_out_writer: { status: 400, code: 'MalformedPolicy' },
  policy_too_large: { status: 400, code: 'PolicyTooLarge' },
  form_malformed: { status: 400, code: 'InvalidArgument', elements: argument },
  form_policy_invalid: { status: 400, code: 'InvalidPolicyDocument' },
  form_fields_too_large: { status: 400, code: 'MaxPostPreDataLengthExceededError' },

  // What is asked for.
  access_control_list_not_supported: { status: 400, code: 'AccessControlListNotSupported' },
  illegal_versioning_configuration: {
    status: 400,
    code: 'IllegalVersioningConfigurationException',
  },
  invalid_argument: { status: 400, code: 'InvalidArgument', elements: argument },
  invalid_bucket_name: {
    status: 400,
    code: 'InvalidBucketName',
    elements: { BucketName: 'bucket' },
  },
  invalid_location_constraint: {
    status: 400,
    code: 'InvalidLocationConstraint',
    elements: { LocationConstraint: 'locationConstraint' },
  },
  invalid_part: { status: 400, code: 'InvalidPart', elements: { PartNumber: 'partNumber' } },
  invalid_part_number: {
    status: 416,
    code: 'InvalidPartNumber',
    elements: { PartNumberRequested: 'partNumber', ActualPartCount: 'partCount' },
  },
  invalid_part_order: { status: 400, code: 'InvalidPartOrder', elements: upload },
  invalid_range: { status: 416, code: 'InvalidRange', elements: range },
  invalid_request: { status: 400, code: 'InvalidRequest' },
  invalid_storage_class: { status: 400, code: 'InvalidStorageClass' },
  invalid_tag: { status: 400, code: 'InvalidTag', elements: { TagKey: 'tagKey' } },
  invalid_version_id: { status: 400, code: 'InvalidArgument', elements: argument },
  key_too_long: {
    status: 400,
    code: 'KeyTooLongError',
    elements: { Size: 'size', MaxSizeAllowed: 'maxSizeAllowed' },
  },
  metadata_too_large: {
    status: 400,
    code: 'MetadataTooLarge',
    elements: { Size: 'size', MaxSizeAllowed: 'maxSizeAllowed' },
  },
  method_not_allowed: {
    status: 405,
    code: 'MethodNotAllowed',
    elements: { Method: 'method', ResourceType: 'resourceType' },
  },
  not_implemented: {
    status: 501,
    code: 'NotImplemented',
    elements: { Header: 'header', Parameter: 'parameter' },
  },
  part_too_small: {
    status: 400,
    code: 'EntityTooSmall',
    elements: { PartNumber: 'partNumber', MinSizeAllowed: 'minSize', ProposedSize: 'size' },
  },

  // What is there.
  bucket_exists: {
    status: 409,
    code: 'BucketAlreadyOwnedByYou',
    elements: { BucketName: 'bucket' },
  },
  bucket_not_empty: { status: 409, code: 'BucketNotEmpty', elements: { BucketName: 'bucket' } },
  conditional_conflict: {
    status: 409,
    code: 'ConditionalRequestConflict',
    elements: { Condition: 'condition', Key: 'key' },
  },
  // By version id the read answers 405 instead (`read-object.ts`).
  delete_marker: { status: 404, code: 'NoSuchKey', elements: object },
  no_such_bucket: { status: 404, code: 'NoSuchBucket', elements: { BucketName: 'bucket' } },
  no_such_key: { status: 404, code: 'NoSuchKey', elements: object },
  no_such_upload: { status: 404, code: 'NoSuchUpload', elements: upload },
  no_such_version: { status: 404, code: 'NoSuchVersion', elements: object },
  precondition_failed: {
    status: 412,
    code: 'PreconditionFailed',
    elements: { Condition: 'condition' },
  },
  no_such_bucket_policy: {
    status: 404,
    code: 'NoSuchBucketPolicy',
    elements: { BucketName: 'bucket' },
  },
  no_such_cors_configuration: { status: 404, code: 'NoSuchCORSConfiguration' },
  no_such_encryption_configuration: {
    status: 404,
    code: 'ServerSideEncryptionConfigurationNotFoundError',
  },
  no_such_lifecycle_configuration: { status: 404, code: 'NoSuchLifecycleConfiguration' },
  no_such_object_lock_configuration: {
    status: 404,
    code: 'ObjectLockConfigurationNotFoundError',
  },
  no_such_public_access_block: { status: 404, code: 'NoSuchPublicAccessBlockConfiguration' },
  no_such_retention: { status: 404, code: 'NoSuchObjectLockConfiguration' },
  no_such_tag_set: { status: 404, code: 'NoSuchTagSet' },
  no_such_website: { status: 404, code: 'NoSuchWebsiteConfiguration' },
  replication_not_found: { status: 404, code: 'ReplicationConfigurationNotFoundError' },

  unavailable: { status: 503, code: 'ServiceUnavailable', retryAfterSeconds: 1 },
}

const byCode: ReadonlyMap<string, WireError> = new Map(Object.entries(answers))

/** The answer to a refusal's code; `undefined` for a code of no union of ours. */
export function findWireError(code: string): WireError | undefined {
  return byCode.get(code)
}
