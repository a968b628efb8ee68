import type { HttpResponse } from '../../http.ts'
import { aclNotSupported, refuseUnserved } from '../object-attributes.ts'
import { authorize, hideMissing, objectAccess, openBucket, storedTags } from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import { malformedXml, readXmlBody } from '../body.ts'
import type { Call, ObjectCall } from '../call.ts'
import type { StoredObject } from '../origin.ts'
import { renderChecksum, renderChecksumValue } from '../render.ts'
import { emptyResponse, xmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { parseTagging, renderTagging } from '../tags.ts'
import type { Tags } from '../tags.ts'
import { childrenOf, childText } from '../xml-parse.ts'
import type { XmlElement } from '../xml-parse.ts'
import { element, wrap, xmlDocument } from '../xml.ts'
import { parseVersionId, readAccess, findObject } from './read-object.ts'

const smallBody = { maxBytes: 1024 * 1024, integrity: 'optional' } as const

/** GetObjectTagging. */
export async function getObjectTagging(call: ObjectCall): Promise<HttpResponse> {
  const { open, versionId } = await openFor(call, 'GetObject')
  const object = await findObject(call, open, versionId)
  await authorizeDetail(call, open, 'GetObject', versionId, { existingObjectTags: object.tags })
  return xmlResponse(renderTagging(object.tags), versionOf(open, object.versionId))
}

/** PutObjectTagging: replaces all tags. */
export async function putObjectTagging(call: ObjectCall): Promise<HttpResponse> {
  const versionId = parseVersionId(call)
  const open = await openBucket(call)
  const stored = await storedTags(call, open, call.key, versionId)
  // The tags are part of what is judged, so the small body has to be read first.
  const document = await readXmlBody(call, 'Tagging', smallBody)
  if (document === undefined) throw malformedXml('The Tagging document is missing.')
  const tags = parseTagging(document)
  await authorizeDetail(call, open, 'PutObject', versionId, { ...stored, requestObjectTags: tags })
  return await replaceTags(call, open, versionId, tags, 200)
}

/** DeleteObjectTagging. */
export async function deleteObjectTagging(call: ObjectCall): Promise<HttpResponse> {
  const { open, versionId } = await openFor(call, 'DeleteObject')
  return await replaceTags(call, open, versionId, none, 204)
}

const none: Tags = new Map()

type Verb = 'GetObject' | 'PutObject' | 'DeleteObject'

async function openFor(call: ObjectCall, verb: Verb) {
  const versionId = parseVersionId(call)
  const open = await openBucket(call)
  const stored = await storedTags(call, open, call.key, versionId)
  await authorizeDetail(call, open, verb, versionId, stored)
  return { open, versionId }
}

async function authorizeDetail(
  call: ObjectCall,
  open: OpenBucket,
  verb: Verb,
  versionId: string | undefined,
  facts: Readonly<{ existingObjectTags?: Tags; requestObjectTags?: Tags }>,
): Promise<void> {
  const action = `s3:${verb}${versionId === undefined ? '' : 'Version'}Tagging`
  const version = versionId === undefined ? {} : { versionid: versionId }
  await authorize(call, [objectAccess(call, open, call.key, action, { ...version, ...facts })])
}

async function replaceTags(
  call: ObjectCall,
  open: OpenBucket,
  versionId: string | undefined,
  tags: Tags,
  status: 200 | 204,
): Promise<HttpResponse> {
  try {
    const stored = await call.face.options.origin.handle('PutObjectTagging', {
      bucket: call.bucket,
      key: call.key,
      ...(versionId === undefined ? {} : { versionId }),
      tags,
    })
    return emptyResponse(status, versionOf(open, stored.versionId))
  } catch (error) {
    return await hideMissing(call, open, error)
  }
}

function versionOf(open: OpenBucket, versionId: string): Record<string, string> {
  return open.bucket.versioning === 'Off' ? {} : { 'x-amz-version-id': versionId }
}

/** GetObjectAcl: the owner owns everything. */
export async function getObjectAcl(call: ObjectCall): Promise<HttpResponse> {
  const open = await authorizeAcl(call, 'Get')
  await findObject(call, open, parseVersionId(call))
  return xmlResponse(renderAcl(call))
}

/** PutObjectAcl: takes what changes nothing and refuses the rest. */
export async function putObjectAcl(call: ObjectCall): Promise<HttpResponse> {
  refuseUnserved(call.fields.headers)
  const open = await authorizeAcl(call, 'Put')
  await assertPrivateAcl(call)
  await findObject(call, open, parseVersionId(call))
  return emptyResponse(200)
}

async function authorizeAcl(call: ObjectCall, verb: 'Get' | 'Put'): Promise<OpenBucket> {
  const versionId = parseVersionId(call)
  const open = await openBucket(call)
  const stored = await storedTags(call, open, call.key, versionId)
  const acl = call.fields.headers.get('x-amz-acl')
  const facts = {
    ...(versionId === undefined ? {} : { versionid: versionId }),
    ...(verb === 'Put' && acl !== undefined ? { headers: new Map([['x-amz-acl', acl]]) } : {}),
    ...stored,
  }
  const action = `s3:${verb}Object${versionId === undefined ? '' : 'Version'}Acl`
  await authorize(call, [objectAccess(call, open, call.key, action, facts)])
  return open
}

/** @throws S3Error `access_control_list_not_supported` for a body that grants anything to anybody but the owner. */
export async function assertPrivateAcl(call: Call): Promise<void> {
  const document = await readXmlBody(call, 'AccessControlPolicy', smallBody)
  if (document === undefined) return
  const grants = childrenOf(document, 'AccessControlList').flatMap((list) =>
    childrenOf(list, 'Grant'),
  )
  const { id } = call.face.options.owner
  if (!grants.every((grant) => isOwners(grant, id))) throw aclNotSupported()
}

function isOwners(grant: XmlElement, ownerId: string): boolean {
  const [grantee] = childrenOf(grant, 'Grantee')
  if (grantee === undefined) return false
  return childText(grantee, 'ID') === ownerId && childText(grant, 'Permission') === 'FULL_CONTROL'
}

/** The constant access list: full control for the owner. */
export function renderAcl(call: Call): string {
  const { id, displayName } = call.face.options.owner
  const names = element('ID', id) + element('DisplayName', displayName)
  const grantee =
    `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">` +
    `${names}</Grantee>`
  return xmlDocument(
    'AccessControlPolicy',
    wrap('Owner', names),
    wrap('AccessControlList', wrap('Grant', grantee, element('Permission', 'FULL_CONTROL'))),
  )
}

const attributeNames: ReadonlySet<string> = new Set([
  'ETag',
  'Checksum',
  'ObjectParts',
  'StorageClass',
  'ObjectSize',
])

/** GetObjectAttributes. */
export async function getObjectAttributes(call: ObjectCall): Promise<HttpResponse> {
  const versionId = parseVersionId(call)
  const wanted = parseWanted(call.fields.headers.get('x-amz-object-attributes'))
  const paging = parsePartPaging(call.fields.headers)
  const open = await openBucket(call)
  const stored = await storedTags(call, open, call.key, versionId)
  const accesses = (facts: Readonly<{ existingObjectTags?: Tags }>) => [
    readAccess(call, open, versionId, facts),
    objectAccess(
      call,
      open,
      call.key,
      versionId === undefined ? 's3:GetObjectAttributes' : 's3:GetObjectVersionAttributes',
      { ...(versionId === undefined ? {} : { versionid: versionId }), ...facts },
    ),
  ]
  await authorize(call, accesses(stored))
  const object = await findObject(call, open, versionId)
  await authorize(call, accesses({ existingObjectTags: object.tags }))
  return xmlResponse(renderAttributes(object, wanted, paging), {
    'last-modified': object.lastModified.toUTCString(),
    ...versionOf(open, object.versionId),
  })
}

function parseWanted(header: string | undefined): ReadonlySet<string> {
  const names = (header ?? '').split(',').map((name) => name.trim())
  for (const name of names) {
    if (!attributeNames.has(name)) {
      throw invalidArgument('x-amz-object-attributes', name, 'Invalid attribute name specified.')
    }
  }
  return new Set(names)
}

type PartPaging = Readonly<{ marker: number; most: number }>

function parsePartPaging(headers: ReadonlyMap<string, string>): PartPaging {
  const number = (name: string, otherwise: number) => {
    const text = headers.get(name)
    if (text === undefined) return otherwise
    if (!/^\d{1,9}$/.test(text)) throw invalidArgument(name, text, `${name} must be a number.`)
    return Number(text)
  }
  return {
    marker: number('x-amz-part-number-marker', 0),
    most: Math.min(number('x-amz-max-parts', 1000), 1000),
  }
}

function renderAttributes(
  object: StoredObject,
  wanted: ReadonlySet<string>,
  paging: PartPaging,
): string {
  const when = (name: string, markup: () => string) => (wanted.has(name) ? markup() : '')
  return xmlDocument(
    'GetObjectAttributesResponse',
    when('ETag', () => element('ETag', object.etag)),
    when('Checksum', () =>
      object.checksum === undefined ? '' : wrap('Checksum', renderChecksum(object.checksum)),
    ),
    when('ObjectParts', () => renderParts(object, paging)),
    when('StorageClass', () => element('StorageClass', object.storageClass ?? 'STANDARD')),
    when('ObjectSize', () => element('ObjectSize', object.size)),
  )
}

function renderParts(object: StoredObject, paging: PartPaging): string {
  if (object.parts === undefined) return ''
  const after = object.parts.filter((part) => part.partNumber > paging.marker)
  const page = after.slice(0, paging.most)
  const truncated = after.length > page.length
  return wrap(
    'ObjectParts',
    element('PartsCount', object.parts.length),
    element('PartNumberMarker', paging.marker),
    element('NextPartNumberMarker', page.at(-1)?.partNumber ?? paging.marker),
    element('MaxParts', paging.most),
    element('IsTruncated', truncated),
    ...page.map((part) =>
      wrap(
        'Part',
        element('PartNumber', part.partNumber),
        element('Size', part.size),
        renderChecksumValue(part.checksum),
      ),
    ),
  )
}
