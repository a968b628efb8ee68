import type { HttpResponse } from '../../http.ts'
import { authorize, objectAccess, openBucket, storedTags, writeFacts } from '../accesses.ts'
import type { ObjectCall } from '../call.ts'
import { parseWriteConditions } from '../conditions.ts'
import { copySourceFact, findSource, parseCopySource, sourceVersionHeader } from '../copy-source.ts'
import type { CopySource, FoundSource } from '../copy-source.ts'
import { knownAlgorithm } from '../integrity.ts'
import { answerInTime } from '../late-answer.ts'
import { parseObjectAttributes, refuseUnserved } from '../object-attributes.ts'
import type { ObjectAttributes, OriginRequest, StoredObject } from '../origin.ts'
import { renderChecksum } from '../render.ts'
import { retryChanged } from '../retry-changed.ts'
import { quoted, versionHeaders, xmlResponse } from '../responses.ts'
import type { XmlResponse } from '../responses.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import type { Tags } from '../tags.ts'
import { element, xmlDocument, xmlTime } from '../xml.ts'
import { writeAccesses } from './write-object.ts'

const largestCopy = 5 * 1024 ** 3

type Directive = 'COPY' | 'REPLACE'
type Directives = Readonly<{ metadata: Directive; tagging: Directive }>

/** CopyObject: the source's right to be read and the target's to be written, both on decoded names. */
export async function copyObject(call: ObjectCall): Promise<HttpResponse> {
  const { headers } = call.fields
  refuseUnserved(headers)
  const source = parseCopySource(headers.get('x-amz-copy-source') ?? '')
  const directives = parseDirectives(headers)
  assertChanges(call, source, directives)
  const sent = parseObjectAttributes(headers)
  const wanted = { source, directives, sent, conditions: parseWriteConditions(headers) }
  const judged = await judge(call, wanted)
  const copying = retryChanged(
    judged,
    () => judge(call, wanted),
    (copyable) => copy(call, wanted, copyable),
  )
  return await answerInTime(call, copying, sourceVersionHeader(source))
}

type Wanted = Readonly<{
  source: CopySource
  directives: Directives
  sent: ObjectAttributes
  conditions: OriginRequest<'CopyObject'>['conditions']
}>

/** The source as it was found, and may be copied. */
type Copyable = Readonly<{
  object: StoredObject
  /** Those that were judged: the source's own may change in the meantime. */
  tags: Tags
}>

async function judge(call: ObjectCall, wanted: Wanted): Promise<Copyable> {
  const { source, directives, sent, conditions } = wanted
  const open = await openBucket(call)
  const facts = {
    ...writeFacts(call, new Map([copySourceFact(source)])),
    ...(await storedTags(call, open, call.key)),
    ObjectCreationOperation: true,
  }
  const found = await findSource(call, source)
  const tags = directives.tagging === 'REPLACE' ? sent.tags : found.object.tags
  const travelling = directives.tagging === 'COPY' && tags.size > 0
  await authorize(call, [
    ...writeAccesses(call, open, call.key, { attributes: { tags }, conditions, facts }),
    found.access,
    ...(travelling ? [readTagsAccess(call, source, found)] : []),
  ])
  assertCopyable(found.object)
  return { object: found.object, tags }
}

async function copy(call: ObjectCall, wanted: Wanted, copyable: Copyable): Promise<XmlResponse> {
  const attributes = attributesOf(wanted, copyable.object)
  const algorithm = call.fields.headers.get('x-amz-checksum-algorithm')
  const stored = await call.face.options.origin.handle('CopyObject', {
    source: { ...wanted.source, etag: copyable.object.etag },
    bucket: call.bucket,
    key: call.key,
    ...(attributes === undefined ? {} : { attributes }),
    tags: copyable.tags,
    ...(algorithm === undefined ? {} : { checksumAlgorithm: knownAlgorithm(algorithm) }),
    conditions: wanted.conditions,
  })
  const document = xmlDocument(
    'CopyObjectResult',
    element('LastModified', xmlTime(stored.lastModified)),
    element('ETag', quoted(stored.etag)),
    renderChecksum(stored.checksum),
  )
  return xmlResponse(document, versionHeaders(stored))
}

/** `undefined`: the source's as they stand. The storage class is the call's own in either case. */
function attributesOf(
  { sent, directives }: Wanted,
  source: StoredObject,
): Omit<ObjectAttributes, 'tags'> | undefined {
  const { tags: _, ...replaced } = sent
  if (directives.metadata === 'REPLACE') return replaced
  if (sent.storageClass === undefined && sent.websiteRedirectLocation === undefined)
    return undefined
  const { headers, metadata } = source
  return { ...replaced, headers, metadata }
}

function parseDirectives(headers: ReadonlyMap<string, string>): Directives {
  return {
    metadata: parseDirective('x-amz-metadata-directive', headers),
    tagging: parseDirective('x-amz-tagging-directive', headers),
  }
}

function parseDirective(name: string, headers: ReadonlyMap<string, string>): Directive {
  const value = headers.get(name) ?? 'COPY'
  if (value === 'COPY' || value === 'REPLACE') return value
  throw invalidArgument(name, value, `Unknown ${name}.`)
}

function assertChanges(call: ObjectCall, source: CopySource, directives: Directives): void {
  const { headers } = call.fields
  const itself = source.bucket === call.bucket && source.key === call.key
  if (!itself || source.versionId !== undefined) return
  if (directives.metadata === 'REPLACE' || directives.tagging === 'REPLACE') return
  if (headers.has('x-amz-storage-class') || headers.has('x-amz-website-redirect-location')) return
  if (headers.has('x-amz-checksum-algorithm')) return
  throw new S3Error(
    'invalid_request',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  )
}

function assertCopyable(object: StoredObject): void {
  if (object.size <= largestCopy) return
  throw new S3Error(
    'invalid_request',
    'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
  )
}

function readTagsAccess(call: ObjectCall, source: CopySource, found: FoundSource) {
  const { versionId } = source
  const action = versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging'
  return objectAccess(call, found.open, source.key, action, {
    existingObjectTags: found.object.tags,
    ...(versionId === undefined ? {} : { versionid: versionId }),
  })
}
