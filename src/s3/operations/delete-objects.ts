import { Refusal } from '../../errors.ts'
import type { HttpResponse } from '../../http.ts'
import { authorize, openBucket, storedTags } from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import { assertObjectKey, hasControlCharacter } from '../address.ts'
import { malformedXml, readXmlBody } from '../body.ts'
import type { BucketCall } from '../call.ts'
import { bareEtag, parseSize } from '../conditions.ts'
import { isOurs } from '../error-response.ts'
import { findWireError } from '../error-table.ts'
import type { OriginResponse, WriteConditions } from '../origin.ts'
import { xmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { childrenOf, childText } from '../xml-parse.ts'
import type { XmlElement } from '../xml-parse.ts'
import { element, wrap, xmlDocument } from '../xml.ts'
import { deleteAccess } from './write-object.ts'

const mostObjects = 1000
/** At a time: each deletion waits for the disk, and those that wait together share one sync. */
const together = 250
const largestBody = 2 * 1024 * 1024

type Doomed = Readonly<{ key: string; versionId?: string; conditions: WriteConditions }>

/**
 * DeleteObjects: each key is judged by itself; a refusal goes into the list of a 200.
 *
 * The body names the keys, so it is read before the judgement on them; who has no signature at all has to own a right that
 * the bucket's policy grants, and the body is small.
 */
export async function deleteObjects(call: BucketCall): Promise<HttpResponse> {
  const open = await openBucket(call)
  const document = await readXmlBody(call, 'Delete', {
    maxBytes: largestBody,
    integrity: 'required',
  })
  if (document === undefined) throw malformedXml('The list of objects is missing.')
  const objects = childrenOf(document, 'Object').map(parseDoomed)
  if (objects.length === 0 || objects.length > mostObjects) {
    throw malformedXml(`Between 1 and ${mostObjects} objects can be deleted at once.`)
  }
  const quiet = childText(document, 'Quiet')?.trim().toLowerCase() === 'true'
  const rows: string[] = []
  for (let at = 0; at < objects.length; at += together) {
    const some = objects.slice(at, at + together)
    rows.push(...(await Promise.all(some.map((doomed) => deleteOne(call, open, doomed, quiet)))))
  }
  return xmlResponse(xmlDocument('DeleteResult', ...rows))
}

function parseDoomed(object: XmlElement): Doomed {
  const key = childText(object, 'Key')
  if (key === undefined || key === '') throw malformedXml('An Object needs a Key.')
  const versionId = childText(object, 'VersionId')
  const etag = childText(object, 'ETag')
  const size = childText(object, 'Size')
  const lastModified = childText(object, 'LastModifiedTime')
  return {
    key,
    ...(versionId === undefined || versionId === '' ? {} : { versionId }),
    conditions: {
      ...(etag === undefined ? {} : { ifMatch: bareEtag(etag) }),
      ...(size === undefined ? {} : { ifMatchSize: parseSize('Size', size) }),
      ...(lastModified === undefined ? {} : { ifMatchLastModified: parseTime(lastModified) }),
    },
  }
}

function parseTime(text: string): Date {
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime())) throw malformedXml('LastModifiedTime is not a date.')
  return instant
}

async function deleteOne(
  call: BucketCall,
  open: OpenBucket,
  doomed: Doomed,
  quiet: boolean,
): Promise<string> {
  try {
    assertObjectKey(doomed.key)
    if (doomed.versionId !== undefined && hasControlCharacter(doomed.versionId)) {
      throw invalidArgument('VersionId', '', 'Invalid version id specified.')
    }
    const tags = await storedTags(call, open, doomed.key, doomed.versionId)
    await authorize(call, [deleteAccess(call, open, doomed.key, doomed.versionId, tags)])
    const deleted = await call.face.options.origin.handle('DeleteObject', {
      bucket: call.bucket,
      ...doomed,
    })
    return quiet ? '' : renderDeleted(doomed, deleted)
  } catch (error) {
    return renderRefused(call, doomed, error)
  }
}

function renderDeleted(doomed: Doomed, deleted: OriginResponse<'DeleteObject'>): string {
  return wrap(
    'Deleted',
    element('Key', doomed.key),
    element('VersionId', doomed.versionId),
    deleted.deleteMarker ? element('DeleteMarker', true) : '',
    deleted.deleteMarker ? element('DeleteMarkerVersionId', deleted.versionId) : '',
  )
}

function renderRefused(call: BucketCall, doomed: Doomed, error: unknown): string {
  const wire = error instanceof Refusal ? findWireError(error.code) : undefined
  if (isOurs(error)) call.face.options.logFault(`S3 request ${call.request.id}`, error)
  const decisionId = error instanceof Refusal ? error.detail['decisionId'] : undefined
  return wrap(
    'Error',
    element('Key', doomed.key),
    element('VersionId', doomed.versionId),
    element('Code', wire?.code ?? 'InternalError'),
    element(
      'Message',
      wire !== undefined && error instanceof Refusal
        ? error.message
        : 'We encountered an internal error. Please try again.',
    ),
    typeof decisionId === 'string' ? element('DecisionId', decisionId) : '',
  )
}
