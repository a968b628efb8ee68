import type { HttpResponse } from '../../http.ts'
import { authorize, bucketAccess, objectAccess, openBucket, storedTags } from '../accesses.ts'
import type { BucketCall, ObjectCall } from '../call.ts'
import { aclNotSupported, refuseUnserved } from '../object-attributes.ts'
import { emptyResponse, xmlResponse } from '../responses.ts'
import { S3Error } from '../s3-error.ts'
import type { S3ErrorCode } from '../s3-error.ts'
import { element, wrap, xmlDocument } from '../xml.ts'
import { assertPrivateAcl, renderAcl } from './object-details.ts'
import { findObject, parseVersionId } from './read-object.ts'

/** GetBucketAcl: the owner owns everything. */
export async function getBucketAcl(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:GetBucketAcl')])
  return xmlResponse(renderAcl(call))
}

/** PutBucketAcl: takes what changes nothing and refuses the rest. */
export async function putBucketAcl(call: BucketCall): Promise<HttpResponse> {
  refuseUnserved(call.fields.headers)
  const open = await openBucket(call)
  const acl = call.fields.headers.get('x-amz-acl')
  const facts = acl === undefined ? {} : { headers: new Map([['x-amz-acl', acl]]) }
  await authorize(call, [bucketAccess(call, open, 's3:PutBucketAcl', facts)])
  if (acl === 'bucket-owner-full-control') throw aclNotSupported()
  await assertPrivateAcl(call)
  return emptyResponse(200)
}

type Setting = Readonly<{
  action: string
  /** A document that says "nothing set", or the refusal that says so. */
  answer: string | Readonly<{ code: S3ErrorCode; message: string }>
}>

/** What consoles, terraform and the command lines ask of every bucket, and we have none of. By sub-resource. */
const unset: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  [
    'accelerate',
    { action: 'GetAccelerateConfiguration', answer: xmlDocument('AccelerateConfiguration') },
  ],
  [
    'cors',
    {
      action: 'GetBucketCORS',
      answer: {
        code: 'no_such_cors_configuration',
        message: 'The CORS configuration does not exist',
      },
    },
  ],
  [
    'encryption',
    {
      action: 'GetEncryptionConfiguration',
      answer: {
        code: 'no_such_encryption_configuration',
        message: 'The server side encryption configuration was not found',
      },
    },
  ],
  [
    'lifecycle',
    {
      action: 'GetLifecycleConfiguration',
      answer: {
        code: 'no_such_lifecycle_configuration',
        message: 'The lifecycle configuration does not exist',
      },
    },
  ],
  ['logging', { action: 'GetBucketLogging', answer: xmlDocument('BucketLoggingStatus') }],
  [
    'notification',
    {
      action: 'GetBucketNotification',
      answer: xmlDocument('NotificationConfiguration'),
    },
  ],
  [
    'object-lock',
    {
      action: 'GetBucketObjectLockConfiguration',
      answer: {
        code: 'no_such_object_lock_configuration',
        message: 'Object Lock configuration does not exist for this bucket',
      },
    },
  ],
  [
    'ownershipControls',
    {
      action: 'GetBucketOwnershipControls',
      answer: xmlDocument(
        'OwnershipControls',
        wrap('Rule', element('ObjectOwnership', 'BucketOwnerEnforced')),
      ),
    },
  ],
  [
    'publicAccessBlock',
    {
      action: 'GetBucketPublicAccessBlock',
      answer: {
        code: 'no_such_public_access_block',
        message: 'The public access block configuration was not found',
      },
    },
  ],
  [
    'replication',
    {
      action: 'GetReplicationConfiguration',
      answer: {
        code: 'replication_not_found',
        message: 'The replication configuration was not found',
      },
    },
  ],
  [
    'requestPayment',
    {
      action: 'GetBucketRequestPayment',
      answer: xmlDocument('RequestPaymentConfiguration', element('Payer', 'BucketOwner')),
    },
  ],
  [
    'tagging',
    {
      action: 'GetBucketTagging',
      answer: { code: 'no_such_tag_set', message: 'The TagSet does not exist' },
    },
  ],
  [
    'website',
    {
      action: 'GetBucketWebsite',
      answer: {
        code: 'no_such_website',
        message: 'The specified bucket does not have a website configuration',
      },
    },
  ],
])

/** The sub-resources whose answer is always that nothing is set. */
export const unsetSettings: readonly string[] = [...unset.keys()]

/** GET of a setting that buckets here do not have. */
export async function getUnsetSetting(call: BucketCall): Promise<HttpResponse> {
  const setting = [...unset].find(([name]) => call.fields.parameters.has(name))?.[1]
  if (setting === undefined) throw new Error('a setting without an answer')
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, `s3:${setting.action}`)])
  if (typeof setting.answer === 'string') return xmlResponse(setting.answer)
  throw new S3Error(setting.answer.code, setting.answer.message, {
    detail: { bucket: call.bucket },
  })
}

/** GetObjectRetention and GetObjectLegalHold: no object is ever held. */
export async function getObjectLock(call: ObjectCall): Promise<HttpResponse> {
  const versionId = parseVersionId(call)
  const open = await openBucket(call)
  const held = call.fields.parameters.has('retention') ? 'GetObjectRetention' : 'GetObjectLegalHold'
  const facts = {
    ...(versionId === undefined ? {} : { versionid: versionId }),
    ...(await storedTags(call, open, call.key, versionId)),
  }
  await authorize(call, [objectAccess(call, open, call.key, `s3:${held}`, facts)])
  await findObject(call, open, versionId)
  throw new S3Error(
    'no_such_retention',
    'The specified object does not have an ObjectLock configuration',
  )
}
