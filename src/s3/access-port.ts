import type { HttpRequest } from '../http.ts'
import type { Access } from '../policy/index.ts'
import type { Authentication, Verified } from '../sigv4/index.ts'

/** Who asks, proven. Only the access port makes one; the face hands it back unread when it asks for permission. */
export type Caller = Readonly<{
  kind: 'anonymous' | 'root' | 'user' | 'session'
  /** How the request says it is signed. `anonymous` for form uploads: there the form's policy is signed, not the request. */
  authentication: Authentication
  /** Present exactly when the request itself is signed. */
  verified?: Verified
}>

/** The fields of a browser form before its file, names in lower case, as sent. */
export type FormFields = ReadonlyMap<string, string>

/**
 * The port through which the face learns who asks and whether they may. It throws a Refusal: those of SigV4, of
 * sealed sessions, and `AccessErrorCode`.
 */
export interface AccessControl {
  /**
   * Proves the request's signature before anything else is done. The body is not read.
   *
   * @param anyRegion the call is one by which clients learn the region, so it is taken whatever region it is signed for.
   */
  authenticate(request: HttpRequest, anyRegion: boolean): Promise<Caller>
  /**
   * Proves the signature over the `policy` field; `x-amz-security-token` carries the session token. Called only with all
   * of `policy`, `x-amz-algorithm`, `x-amz-credential`, `x-amz-date` and `x-amz-signature` present.
   */
  authenticateForm(fields: FormFields, request: HttpRequest): Promise<Caller>
  /** All of `accesses` or none; empty means no. Throws `access_denied` with the decision's id and sealed trace in `detail`. */
  authorize(caller: Caller, request: HttpRequest, accesses: readonly Access[]): void | Promise<void>
  /** The same judgement as a filter, for what is left out silently. */
  isAllowed(caller: Caller, request: HttpRequest, accesses: readonly Access[]): boolean
  /**
   * Whether a policy of the caller's (not the bucket's) reads `s3:ExistingObjectTag/*`: only then are the stored tags
   * fetched before the judgement. When in doubt, true.
   */
  readsObjectTags(caller: Caller): boolean
}

/** What `access_denied` carries in `detail`: `decisionId` and, when there is one, `encodedMessage`. */
export type AccessErrorCode =
  | 'access_denied' // AccessDenied 403
  | 'access_key_unknown' // InvalidAccessKeyId 403: not there, or disabled
  | 'anonymous_token' // AccessDenied 403: a session token without a signature
  | 'not_ready' // ServiceUnavailable 503
