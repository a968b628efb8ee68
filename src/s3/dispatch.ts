import type { HttpResponse } from '../http.ts'
import type { Address } from './address.ts'
import type { BucketCall, Call, ObjectCall } from './call.ts'
import {
  getObjectLock,
  getUnsetSetting,
  getBucketAcl,
  putBucketAcl,
  unsetSettings,
} from './operations/bucket-settings.ts'
import {
  deleteBucketPolicy,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketPolicy,
} from './operations/bucket-policy.ts'
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  putBucketVersioning,
} from './operations/buckets.ts'
import { copyObject } from './operations/copy-object.ts'
import { deleteObjects } from './operations/delete-objects.ts'
import { listBuckets } from './operations/list-buckets.ts'
import { listObjects, listObjectsV2 } from './operations/list-objects.ts'
import { listMultipartUploads } from './operations/list-uploads.ts'
import { listObjectVersions } from './operations/list-versions.ts'
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './operations/multipart.ts'
import {
  deleteObjectTagging,
  getObjectAcl,
  getObjectAttributes,
  getObjectTagging,
  putObjectAcl,
  putObjectTagging,
} from './operations/object-details.ts'
import { postForm } from './operations/post-form.ts'
import { getObject, headObject, readParameters } from './operations/read-object.ts'
import { deleteObject, putObject } from './operations/write-object.ts'
import { S3Error } from './s3-error.ts'

/** How one operation is recognised, and what it may be asked. */
type Row<C extends Call> = Readonly<{
  name: string
  /** Query names that must all be there: the sub-resource. */
  has?: readonly string[]
  /** Further query names that it knows. Any other name makes the request an unknown one. */
  knows?: readonly string[]
  /** Whether `x-amz-copy-source` is sent; absent: it must not be. */
  copies?: true
  /** Its body is an object's content and may come in chunks. */
  streams?: true
  handle: (call: C) => Promise<HttpResponse>
}>

export type Operation = Readonly<{
  name: string
  streams: boolean
  handle: () => Promise<HttpResponse>
}>

const version = ['versionId']
const listing = ['prefix', 'delimiter', 'encoding-type']

// In each list the first row that fits is taken; rows with a sub-resource stand before those without.

const onService: ReadonlyMap<string, readonly Row<Call>[]> = new Map([
  [
    'GET',
    [
      {
        name: 'ListBuckets',
        knows: ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'],
        handle: listBuckets,
      },
    ],
  ],
])

const onBucket: ReadonlyMap<string, readonly Row<BucketCall>[]> = new Map<
  string,
  readonly Row<BucketCall>[]
>([
  ['HEAD', [{ name: 'HeadBucket', handle: headBucket }]],
  [
    'GET',
    [
      { name: 'GetBucketLocation', has: ['location'], handle: getBucketLocation },
      {
        name: 'ListObjectVersions',
        has: ['versions'],
        knows: [...listing, 'key-marker', 'version-id-marker', 'max-keys'],
        handle: listObjectVersions,
      },
      {
        name: 'ListMultipartUploads',
        has: ['uploads'],
        knows: [...listing, 'key-marker', 'upload-id-marker', 'max-uploads'],
        handle: listMultipartUploads,
      },
      { name: 'GetBucketVersioning', has: ['versioning'], handle: getBucketVersioning },
      { name: 'GetBucketPolicy', has: ['policy'], handle: getBucketPolicy },
      { name: 'GetBucketPolicyStatus', has: ['policyStatus'], handle: getBucketPolicyStatus },
      { name: 'GetBucketAcl', has: ['acl'], handle: getBucketAcl },
      ...unsetSettings.map((name) => ({
        name: `GetBucket:${name}`,
        has: [name],
        handle: getUnsetSetting,
      })),
      {
        name: 'ListObjectsV2',
        has: ['list-type'],
        knows: [...listing, 'max-keys', 'continuation-token', 'start-after', 'fetch-owner'],
        handle: listObjectsV2,
      },
      { name: 'ListObjects', knows: [...listing, 'max-keys', 'marker'], handle: listObjects },
    ],
  ],
  [
    'PUT',
    [
      { name: 'PutBucketPolicy', has: ['policy'], handle: putBucketPolicy },
      { name: 'PutBucketVersioning', has: ['versioning'], handle: putBucketVersioning },
      { name: 'PutBucketAcl', has: ['acl'], handle: putBucketAcl },
      { name: 'CreateBucket', handle: createBucket },
    ],
  ],
  [
    'DELETE',
    [
      { name: 'DeleteBucketPolicy', has: ['policy'], handle: deleteBucketPolicy },
      { name: 'DeleteBucket', handle: deleteBucket },
    ],
  ],
  [
    'POST',
    [
      { name: 'DeleteObjects', has: ['delete'], handle: deleteObjects },
      { name: 'PostObject', handle: postForm },
    ],
  ],
])

const onObject: ReadonlyMap<string, readonly Row<ObjectCall>[]> = new Map<
  string,
  readonly Row<ObjectCall>[]
>([
  ['HEAD', [{ name: 'HeadObject', knows: readParameters, handle: headObject }]],
  [
    'GET',
    [
      {
        name: 'ListParts',
        has: ['uploadId'],
        knows: ['max-parts', 'part-number-marker', 'encoding-type'],
        handle: listParts,
      },
      { name: 'GetObjectTagging', has: ['tagging'], knows: version, handle: getObjectTagging },
      { name: 'GetObjectAcl', has: ['acl'], knows: version, handle: getObjectAcl },
      {
        name: 'GetObjectAttributes',
        has: ['attributes'],
        knows: version,
        handle: getObjectAttributes,
      },
      { name: 'GetObjectRetention', has: ['retention'], knows: version, handle: getObjectLock },
      { name: 'GetObjectLegalHold', has: ['legal-hold'], knows: version, handle: getObjectLock },
      { name: 'GetObject', knows: readParameters, handle: getObject },
    ],
  ],
  [
    'PUT',
    [
      {
        name: 'UploadPartCopy',
        has: ['partNumber', 'uploadId'],
        copies: true,
        handle: uploadPartCopy,
      },
      { name: 'UploadPart', has: ['partNumber', 'uploadId'], streams: true, handle: uploadPart },
      { name: 'PutObjectTagging', has: ['tagging'], knows: version, handle: putObjectTagging },
      { name: 'PutObjectAcl', has: ['acl'], knows: version, handle: putObjectAcl },
      { name: 'CopyObject', copies: true, handle: copyObject },
      { name: 'PutObject', streams: true, handle: putObject },
    ],
  ],
  [
    'DELETE',
    [
      { name: 'AbortMultipartUpload', has: ['uploadId'], handle: abortMultipartUpload },
      {
        name: 'DeleteObjectTagging',
        has: ['tagging'],
        knows: version,
        handle: deleteObjectTagging,
      },
      { name: 'DeleteObject', knows: version, handle: deleteObject },
    ],
  ],
  [
    'POST',
    [
      { name: 'CreateMultipartUpload', has: ['uploads'], handle: createMultipartUpload },
      { name: 'CompleteMultipartUpload', has: ['uploadId'], handle: completeMultipartUpload },
    ],
  ],
])

/**
 * The operation that a request is. A query name that it does not know never falls through to the operation without it:
 * `DELETE /b/k?annotation` must not delete the object.
 *
 * @throws S3Error `method_not_allowed`, `not_implemented`
 */
export function findOperation(call: Call, address: Address): Operation {
  if (address.kind === 'service') return select(onService, call, call, 'SERVICE')
  const { bucket } = address
  if (address.kind === 'bucket') return select(onBucket, call, { ...call, bucket }, 'BUCKET')
  return select(onObject, call, { ...call, bucket, key: address.key }, 'OBJECT')
}

function select<C extends Call>(
  table: ReadonlyMap<string, readonly Row<C>[]>,
  { request, fields }: Call,
  target: C,
  resourceType: string,
): Operation {
  const rows = table.get(request.method)
  if (rows === undefined) throw methodNotAllowed(request.method, resourceType, [...table.keys()])
  const row = rows.find((candidate) => fits(candidate, target))
  const unknown = [...fields.parameters.keys()].find((name) => !isKnown(row, name))
  if (row === undefined || unknown !== undefined) throw notImplemented(unknown)
  return { name: row.name, streams: row.streams === true, handle: () => row.handle(target) }
}

function fits<C extends Call>(row: Row<C>, { fields }: C): boolean {
  const copies = fields.headers.has('x-amz-copy-source')
  if (row.copies === true && !copies) return false
  // A copy whose source were overlooked would write an empty object over the target.
  if (row.streams === true && copies) return false
  return (row.has ?? []).every((name) => fields.parameters.has(name))
}

function isKnown(row: Pick<Row<Call>, 'has' | 'knows'> | undefined, name: string): boolean {
  return (row?.has?.includes(name) ?? false) || (row?.knows?.includes(name) ?? false)
}

function methodNotAllowed(
  method: string,
  resourceType: string,
  allowed: readonly string[],
): S3Error {
  return new S3Error(
    'method_not_allowed',
    'The specified method is not allowed against this resource.',
    { detail: { method, resourceType, allow: allowed.join(', ') } },
  )
}

function notImplemented(parameter: string | undefined): S3Error {
  return new S3Error(
    'not_implemented',
    'A parameter you provided implies functionality that is not implemented.',
    { detail: { parameter } },
  )
}
