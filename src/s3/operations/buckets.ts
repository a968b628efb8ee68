import type { HttpResponse } from '../../http.ts'
import type { Access } from '../../policy/index.ts'
import { arnOf, authorize, bucketAccess, commonFacts, openBucket, writeFacts } from '../accesses.ts'
import { malformedXml, readXmlBody } from '../body.ts'
import type { BucketCall } from '../call.ts'
import { refuseUnserved } from '../object-attributes.ts'
import { emptyResponse, xmlResponse } from '../responses.ts'
import { S3Error } from '../s3-error.ts'
import { childText } from '../xml-parse.ts'
import { element, escapeXml, xmlDocument } from '../xml.ts'

const smallBody = { maxBytes: 64 * 1024, integrity: 'optional' } as const

/** CreateBucket. */
export async function createBucket(call: BucketCall): Promise<HttpResponse> {
  const { headers } = call.fields
  refuseUnserved(headers)
  assertOwnership(headers.get('x-amz-object-ownership'))
  assertUnreserved(call)
  // The region is part of what is judged, so the small body has to be read first; anonymous callers never get that far.
  if (call.caller.kind === 'anonymous') await authorize(call, createAccesses(call, undefined))
  const locationConstraint = await readLocation(call)
  await authorize(call, createAccesses(call, locationConstraint))
  assertLocation(call, locationConstraint)
  await call.face.options.origin.handle('CreateBucket', {
    bucket: call.bucket,
    ...(locationConstraint === undefined ? {} : { locationConstraint }),
  })
  return emptyResponse(200, { location: `/${call.bucket}`, 'x-amz-bucket-arn': arnOf(call.bucket) })
}

function createAccesses(call: BucketCall, location: string | undefined): readonly Access[] {
  const { headers } = call.fields
  const s3 = {
    ...commonFacts(call),
    ...writeFacts(call),
    ...(location === undefined ? {} : { LocationConstraint: location }),
  }
  const resource = arnOf(call.bucket)
  return [
    { action: 's3:CreateBucket', resource, s3 },
    ...(headers.has('x-amz-acl') ? [{ action: 's3:PutBucketAcl', resource, s3 }] : []),
    ...(headers.has('x-amz-object-ownership')
      ? [{ action: 's3:PutBucketOwnershipControls', resource, s3 }]
      : []),
  ]
}

function assertOwnership(ownership: string | undefined): void {
  if (ownership === undefined || ownership === 'BucketOwnerEnforced') return
  throw new S3Error('not_implemented', 'Buckets here always belong to their owner alone.', {
    detail: { header: 'x-amz-object-ownership' },
  })
}

function assertUnreserved(call: BucketCall): void {
  if (!call.face.options.reservedBuckets.has(call.bucket)) return
  throw new S3Error('invalid_bucket_name', 'The specified bucket name is reserved.', {
    detail: { bucket: call.bucket },
  })
}

async function readLocation(call: BucketCall): Promise<string | undefined> {
  const document = await readXmlBody(call, 'CreateBucketConfiguration', smallBody)
  if (document === undefined) return undefined
  const known = new Set(['LocationConstraint', 'Tags'])
  for (const child of document.children) {
    if (!known.has(child.name)) {
      throw new S3Error('not_implemented', 'This kind of bucket is not implemented.', {
        detail: { parameter: child.name },
      })
    }
    if (child.name === 'Tags' && child.children.length > 0) throw bucketTags()
  }
  const location = childText(document, 'LocationConstraint')?.trim()
  return location === '' ? undefined : location
}

function bucketTags(): S3Error {
  return new S3Error('not_implemented', 'Tags of buckets are not implemented.', {
    detail: { parameter: 'Tags' },
  })
}

/** Our own region, or the one that the client works in: it signs with it, and both are this endpoint. */
function assertLocation(call: BucketCall, location: string | undefined): void {
  const { authentication } = call.caller
  if (location === undefined || location === call.face.options.region) return
  if (authentication.kind !== 'anonymous' && location === authentication.scope.region) return
  throw new S3Error(
    'invalid_location_constraint',
    'The specified location-constraint is not valid.',
    { detail: { locationConstraint: location } },
  )
}

/** HeadBucket. */
export async function headBucket(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:ListBucket')])
  return emptyResponse(200, {
    'x-amz-bucket-region': call.face.options.region,
    'x-amz-bucket-arn': arnOf(call.bucket),
  })
}

/** GetBucketLocation: us-east-1 is written as nothing. */
export async function getBucketLocation(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:GetBucketLocation')])
  const { region } = call.face.options
  return xmlResponse(
    xmlDocument('LocationConstraint', region === 'us-east-1' ? '' : escapeXml(region)),
  )
}

/** DeleteBucket. */
export async function deleteBucket(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:DeleteBucket')])
  await call.face.options.origin.handle('DeleteBucket', { bucket: call.bucket })
  return emptyResponse(204)
}

/** GetBucketVersioning: nothing at all for buckets that never had it. */
export async function getBucketVersioning(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:GetBucketVersioning')])
  const { versioning } = open.bucket
  return xmlResponse(
    xmlDocument(
      'VersioningConfiguration',
      versioning === 'Off' ? '' : element('Status', versioning),
    ),
  )
}

/** PutBucketVersioning. */
export async function putBucketVersioning(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:PutBucketVersioning')])
  const document = await readXmlBody(call, 'VersioningConfiguration', smallBody)
  if (document === undefined) throw malformedXml('The VersioningConfiguration is missing.')
  if (childText(document, 'MfaDelete') === 'Enabled') {
    throw new S3Error('not_implemented', 'MFA delete is not implemented.', {
      detail: { parameter: 'MfaDelete' },
    })
  }
  const status = childText(document, 'Status')
  if (status !== 'Enabled' && status !== 'Suspended') {
    throw new S3Error(
      'illegal_versioning_configuration',
      'The versioning configuration specified in the request is invalid.',
    )
  }
  await call.face.options.origin.handle('PutBucketVersioning', { bucket: call.bucket, status })
  return emptyResponse(200)
}
