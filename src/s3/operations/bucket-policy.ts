import type { HttpResponse } from '../../http.ts'
import { parsePolicy } from '../../policy/index.ts'
import type { Policy } from '../../policy/index.ts'
import { arnOf, authorize, bucketAccess, isAllowed, openBucket } from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import { readSmallBody } from '../body.ts'
import type { BucketCall } from '../call.ts'
import { emptyResponse, xmlResponse } from '../responses.ts'
import { S3Error } from '../s3-error.ts'
import { element, xmlDocument } from '../xml.ts'

const largestPolicy = 20 * 1024

/** GetBucketPolicy: the document as it is kept. */
export async function getBucketPolicy(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:GetBucketPolicy')])
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: policyText(call, open),
  }
}

function policyText(call: BucketCall, open: OpenBucket): string {
  if (open.bucket.policy !== undefined) return open.bucket.policy
  throw new S3Error('no_such_bucket_policy', 'The bucket policy does not exist', {
    detail: { bucket: call.bucket },
  })
}

/** PutBucketPolicy: parsed, held to this bucket, and not one that its writer could never change again. */
export async function putBucketPolicy(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:PutBucketPolicy')])
  // More than a policy may have, so that its own limit is told by its own error.
  const bytes = await readSmallBody(call, { maxBytes: 4 * largestPolicy, integrity: 'optional' })
  const policy = parsePolicy(decode(bytes), 'bucket')
  assertInside(call.bucket, policy)
  assertStillWritable(call, open, policy)
  await call.face.options.origin.handle('PutBucketPolicy', {
    bucket: call.bucket,
    policy: policy.text,
  })
  return emptyResponse(204)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new S3Error('malformed_bucket_policy', 'Policies must be valid JSON in UTF-8.', { cause })
  }
}

/** DeleteBucketPolicy. */
export async function deleteBucketPolicy(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:DeleteBucketPolicy')])
  await call.face.options.origin.handle('PutBucketPolicy', {
    bucket: call.bucket,
    policy: undefined,
  })
  return emptyResponse(204)
}

/** GetBucketPolicyStatus: whether everybody is let in. */
export async function getBucketPolicyStatus(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:GetBucketPolicyStatus')])
  const isPublic = statementsOf(policyText(call, open)).some(letsEverybodyIn)
  return xmlResponse(xmlDocument('PolicyStatus', element('IsPublic', isPublic)))
}

type Statement = Readonly<Record<string, unknown>>

function statementsOf(text: string): readonly Statement[] {
  const document: unknown = JSON.parse(text)
  const statement: unknown = isRecord(document) ? document['Statement'] : undefined
  const list: readonly unknown[] = Array.isArray(statement) ? statement : [statement]
  return list.filter(isRecord)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An Allow for everybody; conditions of any kind count as none, so this errs towards "public". */
function letsEverybodyIn(statement: Statement): boolean {
  if (statement['Effect'] !== 'Allow') return false
  const principal = statement['Principal']
  const names = isRecord(principal) ? Object.values(principal).flat() : [principal]
  return names.includes('*')
}

/** @throws S3Error `malformed_bucket_policy` for resources of other buckets and actions of other services. */
function assertInside(bucket: string, policy: Policy): void {
  for (const statement of statementsOf(policy.text)) {
    for (const resource of textsOf(statement['Resource'] ?? statement['NotResource'])) {
      if (!isInside(bucket, resource)) {
        throw new S3Error('malformed_bucket_policy', 'Policy has invalid resource')
      }
    }
    for (const action of textsOf(statement['Action'] ?? statement['NotAction'])) {
      if (action !== '*' && !/^s3:/i.test(action)) {
        throw new S3Error('malformed_bucket_policy', 'Policy has invalid action')
      }
    }
  }
}

function textsOf(value: unknown): readonly string[] {
  return [value].flat().filter((text) => typeof text === 'string')
}

function isInside(bucket: string, resource: string): boolean {
  const own = resource.replace(/^arn:aws(?:-cn|-us-gov)?:s3:::/, arnOf(''))
  return own === arnOf(bucket) || own.startsWith(`${arnOf(bucket)}/`)
}

/** A writer who shuts itself out would leave a policy that only the root keys can mend. */
function assertStillWritable(call: BucketCall, open: OpenBucket, policy: Policy): void {
  if (call.fields.headers.get('x-amz-confirm-remove-self-bucket-access') === 'true') return
  const judged = { bucket: open.bucket, policy: { name: 'the new bucket policy', policy } }
  const writable = ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'].some((action) =>
    isAllowed(call, [bucketAccess(call, judged, action)]),
  )
  if (writable) return
  throw new S3Error(
    'policy_locks_out_writer',
    'The new bucket policy will not allow you to update bucket policy in the future.',
  )
}
