import type { Access, NamedPolicy, S3Facts } from '../policy/index.ts'
import type { BucketCall, Call } from './call.ts'
import { OriginError } from './origin-error.ts'
import type { Bucket } from './origin.ts'
import { S3Error } from './s3-error.ts'

/** A bucket that exists, with its policy ready to be asked. */
export type OpenBucket = Readonly<{ bucket: Bucket; policy?: NamedPolicy }>

/** The name of a bucket or object in policies; the key is the decoded one. */
export function arnOf(bucket: string, key?: string): string {
  return key === undefined ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`
}

/**
 * The call's bucket. A caller without a signature learns nothing about which buckets exist.
 *
 * @throws S3Error `bucket_owner_mismatch`; OriginError `no_such_bucket`; `access_denied` for anonymous callers.
 */
export async function openBucket(call: BucketCall): Promise<OpenBucket> {
  assertExpectedOwner(call, 'x-amz-expected-bucket-owner')
  return await openNamedBucket(call, call.bucket)
}

/** The same for another bucket of the request: the source of a copy. */
export async function openNamedBucket(call: Call, name: string): Promise<OpenBucket> {
  const { origin } = call.face.options
  try {
    const bucket = await origin.handle('HeadBucket', { bucket: name })
    const policy = call.face.policies.find(name, bucket.policy)
    return { bucket, ...(policy === undefined ? {} : { policy }) }
  } catch (error) {
    if (!(error instanceof OriginError)) throw error
    if (call.caller.kind === 'anonymous') {
      await authorize(call, [{ action: 's3:ListBucket', resource: arnOf(name) }])
    }
    throw about(error, { bucket: name })
  }
}

/** `x-amz-expected-bucket-owner`: the client would rather fail than meet somebody else's bucket. */
export function assertExpectedOwner(call: Call, header: string): void {
  const expected = call.fields.headers.get(header)
  if (expected === undefined || expected === call.face.options.account) return
  throw new S3Error('bucket_owner_mismatch', 'Access Denied')
}

/** Throws unless every one of the accesses is allowed. */
export async function authorize(call: Call, accesses: readonly Access[]): Promise<void> {
  await call.face.options.access.authorize(call.caller, call.request, accesses)
}

export function isAllowed(call: Call, accesses: readonly Access[]): boolean {
  return call.face.options.access.isAllowed(call.caller, call.request, accesses)
}

/** An access to the bucket itself. */
export function bucketAccess(
  call: Call,
  open: OpenBucket,
  action: string,
  facts: S3Facts = {},
): Access {
  return access(call, open, action, arnOf(open.bucket.name), facts)
}

/** An access to one object of the bucket. */
export function objectAccess(
  call: Call,
  open: OpenBucket,
  key: string,
  action: string,
  facts: S3Facts = {},
): Access {
  return access(call, open, action, arnOf(open.bucket.name, key), facts)
}

function access(
  call: Call,
  open: OpenBucket,
  action: string,
  resource: string,
  facts: S3Facts,
): Access {
  return {
    action,
    resource,
    s3: { ...commonFacts(call), ResourceAccount: call.face.options.account, ...facts },
    ...(open.policy === undefined ? {} : { bucketPolicy: open.policy }),
  }
}

/** The facts about how the request is signed: the same for all of its accesses. */
export function commonFacts(call: Call): S3Facts {
  const { authentication, kind } = call.caller
  const hash = call.fields.headers.get('x-amz-content-sha256')
  const headers = hash === undefined ? new Map() : new Map([['x-amz-content-sha256', hash]])
  if (kind === 'anonymous') return { headers }
  const signed = { headers, signatureversion: 'AWS4-HMAC-SHA256' as const }
  // Proven, yet not by the request: by the form in its body.
  if (authentication.kind === 'anonymous') return { ...signed, authType: 'POST' }
  if (authentication.kind === 'header') return { ...signed, authType: 'REST-HEADER' }
  return {
    ...signed,
    authType: 'REST-QUERY-STRING',
    signatureAge: call.request.receivedAt.getTime() - authentication.signedAt.getTime(),
  }
}

/** The request headers that are condition keys of writing calls. Reading calls do not know them. */
const writeConditionHeaders = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-ownership',
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-website-redirect-location',
  'x-amz-content-sha256',
  'if-match',
  'if-none-match',
] as const

/** The facts that a write's own headers state. `more`: what the caller of this function has parsed, such as the copy source. */
export function writeFacts(
  call: Call,
  more: ReadonlyMap<string, string> = new Map(),
): Pick<S3Facts, 'headers'> {
  const headers = new Map(more)
  for (const name of writeConditionHeaders) {
    const value = call.fields.headers.get(name)
    if (value !== undefined) headers.set(name, value)
  }
  return { headers }
}

/** Whether any policy that applies asks for the tags of the stored object. */
export function readsObjectTags(call: Call, open: OpenBucket): boolean {
  const policy = open.policy?.policy
  if (policy !== undefined && (policy.kind === 'broken' || policy.readsObjectTags)) return true
  return call.face.options.access.readsObjectTags(call.caller)
}

/**
 * The stored object's tags as a fact, when a policy asks for them; no fact where there is no object. Any other failure
 * to fetch them refuses the request: a Deny on a tag must not be lost to a full disk.
 */
export async function storedTags(
  call: Call,
  open: OpenBucket,
  key: string,
  versionId?: string,
): Promise<Pick<S3Facts, 'existingObjectTags'>> {
  if (!readsObjectTags(call, open)) return {}
  try {
    const stored = await call.face.options.origin.handle('HeadObject', {
      bucket: open.bucket.name,
      key,
      ...(versionId === undefined ? {} : { versionId }),
    })
    return { existingObjectTags: stored.tags }
  } catch (error) {
    if (isMissing(error)) return {}
    throw error
  }
}

/** The same refusal with what it is about: in a copy that is not always the request's own address. */
export function about(
  error: OriginError,
  detail: Readonly<{ bucket: string; key?: string }>,
): OriginError {
  return new OriginError(error.code, error.message, {
    detail: { ...detail, ...error.detail },
    cause: error,
  })
}

/** There is no such object, version, or only a delete marker. */
export function isMissing(error: unknown): error is OriginError {
  return (
    error instanceof OriginError &&
    (error.code === 'no_such_key' ||
      error.code === 'no_such_version' ||
      error.code === 'delete_marker')
  )
}

/**
 * The existence rule: that an object is not there is told only to callers who may list the bucket; others are denied.
 * Rethrows anything else as it is.
 */
export async function hideMissing(call: Call, open: OpenBucket, error: unknown): Promise<never> {
  if (isMissing(error)) await authorize(call, [bucketAccess(call, open, 's3:ListBucket')])
  throw error
}
