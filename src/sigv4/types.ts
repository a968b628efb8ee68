import type { Secret } from '../secret.ts'

/** The part of a request that a signature covers; raw, as it came. `HttpRequest` fits it. */
export type WireRequest = Readonly<{
  method: string
  path: string
  query: string
  headers: readonly (readonly [string, string])[]
}>

/** `yyyymmdd/region/service/aws4_request` */
export type Scope = Readonly<{ date: string; region: string; service: string }>

/** What `x-amz-content-sha256` announces (S3 surface, sections 3 and 7). */
export type PayloadMode =
  | Readonly<{ kind: 'hash'; sha256: string }>
  | Readonly<{ kind: 'unsigned' }>
  | Readonly<{ kind: 'signed-chunks'; trailer: boolean }>
  | Readonly<{ kind: 'unsigned-chunks' }> // always with trailer

/** A claim, not yet proven: what the request says about who signed it. */
export type Authentication =
  | Readonly<{ kind: 'anonymous'; payload: PayloadMode }>
  | Readonly<{
      kind: 'header' | 'query'
      accessKeyId: string
      sessionToken?: Secret
      scope: Scope
      /** `yyyymmddThhmmssZ` as signed, and the same as an instant. */
      timestamp: string
      signedAt: Date
      signedHeaders: readonly string[]
      signature: string
      payload: PayloadMode
      /** Presigned only. */
      expiresSeconds?: number
    }>

/**
 * What stands behind each code: the S3 error that a face answers, and the members of `detail` (all of them safe to send).
 */
export type SigV4ErrorCode =
  | 'malformed_authorization_header' // AuthorizationHeaderMalformed 400
  | 'malformed_authorization_query' // AuthorizationQueryParametersError 400
  | 'malformed_form_authentication' // InvalidArgument 400; detail.argumentName
  | 'wrong_region' // AuthorizationHeaderMalformed 400 + Region; detail.region (the expected one)
  | 'ambiguous_authentication' // InvalidArgument 400; detail.argumentName
  | 'unknown_scheme' // InvalidArgument 400; detail.argumentName
  | 'signature_v2' // InvalidRequest 400
  | 'signature_v4a' // NotImplemented 501
  | 'express_session' // NotImplemented 501: scope service `s3express`
  | 'missing_date' // AccessDenied 403
  | 'skewed' // RequestTimeTooSkewed 403; detail.requestTime, serverTime, maxAllowedSkewMilliseconds
  | 'not_yet_valid' // AccessDenied 403; detail.requestTime, serverTime
  | 'presigned_expired' // AccessDenied 403; detail.expiresSeconds, expires, serverTime
  | 'unsigned_headers' // AccessDenied 403; detail.headersNotSigned: string[]
  | 'signature_mismatch' // SignatureDoesNotMatch 403; detail: accessKeyId, signatureProvided, stringToSign, canonicalRequest (secrets masked)
  | 'missing_content_sha256' // InvalidRequest 400
  | 'bad_content_sha256' // InvalidArgument 400; detail.argumentName
  | 'invalid_uri' // InvalidURI 400
  | 'duplicate_token' // InvalidArgument 400: more than one session token
  | 'token_without_signature' // AccessDenied 403: a session token on an anonymous request
  | 'streaming_not_allowed' // InvalidRequest 400
  | 'content_sha256_mismatch' // XAmzContentSHA256Mismatch 400; detail.clientComputed, serverComputed
  | 'missing_decoded_length' // MissingContentLength 411
  | 'incomplete_body' // IncompleteBody 400
  | 'invalid_chunk_size' // InvalidChunkSizeError 403 (strict switch); detail.chunk, badChunkSize
  | 'malformed_trailer' // MalformedTrailerError 400
  | 'invalid_trailer' // InvalidRequest 400
  | 'body_too_large' // EntityTooLarge 400; detail.maxBytes
