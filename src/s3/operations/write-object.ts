import type { HttpResponse } from '../../http.ts'
import type { Access, S3Facts } from '../../policy/index.ts'
import { authorize, objectAccess, openBucket, storedTags, writeFacts } from '../accesses.ts'
import type { OpenBucket } from '../accesses.ts'
import { openObjectBody } from '../body.ts'
import type { Call, ObjectCall } from '../call.ts'
import { parseDeleteConditions, parseWriteConditions } from '../conditions.ts'
import { checksumHeaders } from '../integrity.ts'
import { parseObjectAttributes, refuseUnserved } from '../object-attributes.ts'
import type { WriteConditions } from '../origin.ts'
import { emptyResponse, quoted, versionHeaders } from '../responses.ts'
import type { Tags } from '../tags.ts'
import { parseVersionId } from './read-object.ts'

/** PutObject. */
export async function putObject(call: ObjectCall): Promise<HttpResponse> {
  const { headers } = call.fields
  refuseUnserved(headers)
  const attributes = parseObjectAttributes(headers)
  const conditions = parseWriteConditions(headers)
  const open = await openBucket(call)
  const tags = await storedTags(call, open, call.key)
  const facts = { ...writeFacts(call), ...tags, ObjectCreationOperation: true }
  await authorize(call, writeAccesses(call, open, call.key, { attributes, conditions, facts }))
  const body = openObjectBody(call)
  call.request.proceed()
  const stored = await call.face.options.origin.handle('PutObject', {
    bucket: call.bucket,
    key: call.key,
    body,
    attributes,
    conditions,
  })
  return emptyResponse(200, {
    etag: quoted(stored.etag),
    ...versionHeaders(stored),
    ...checksumHeaders(stored.checksum),
  })
}

/** What a write is, as far as permissions go. */
export type Writing = Readonly<{
  attributes: Readonly<{ tags: Tags }>
  conditions: WriteConditions
  facts: S3Facts
}>

/**
 * Everything that a write of an object takes: the write itself, its tags, its access list, and the right to read when a
 * condition would tell what is there.
 */
export function writeAccesses(
  call: Call,
  open: OpenBucket,
  key: string,
  writing: Writing,
): readonly Access[] {
  const { tags } = writing.attributes
  const facts = { ...writing.facts, ...(tags.size === 0 ? {} : { requestObjectTags: tags }) }
  const needs = (action: string) => objectAccess(call, open, key, action, facts)
  const acl = writing.facts.headers?.has('x-amz-acl') ?? false
  return [
    needs('s3:PutObject'),
    ...(tags.size === 0 ? [] : [needs('s3:PutObjectTagging')]),
    ...(acl ? [needs('s3:PutObjectAcl')] : []),
    ...(tellsEtag(writing.conditions) ? [needs('s3:GetObject')] : []),
  ]
}

// "If-None-Match: *" tells no more than the write's own success; an ETag in a condition can be guessed at.
function tellsEtag(conditions: WriteConditions): boolean {
  const { ifMatch, ifNoneMatch } = conditions
  return ifMatch !== undefined || (ifNoneMatch !== undefined && ifNoneMatch !== '*')
}

/** DeleteObject. What is not there is deleted with success. */
export async function deleteObject(call: ObjectCall): Promise<HttpResponse> {
  const versionId = parseVersionId(call)
  const conditions = parseDeleteConditions(call.fields.headers)
  const open = await openBucket(call)
  const tags = await storedTags(call, open, call.key, versionId)
  await authorize(call, [deleteAccess(call, open, call.key, versionId, tags)])
  const deleted = await call.face.options.origin.handle('DeleteObject', {
    bucket: call.bucket,
    key: call.key,
    ...(versionId === undefined ? {} : { versionId }),
    conditions,
  })
  return emptyResponse(204, {
    ...(deleted.deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
    ...(deleted.versionId === undefined ? {} : { 'x-amz-version-id': deleted.versionId }),
  })
}

/** Deleting a version is another right than deleting an object. */
export function deleteAccess(
  call: Call,
  open: OpenBucket,
  key: string,
  versionId: string | undefined,
  facts: S3Facts = {},
): Access {
  return versionId === undefined
    ? objectAccess(call, open, key, 's3:DeleteObject', facts)
    : objectAccess(call, open, key, 's3:DeleteObjectVersion', { versionid: versionId, ...facts })
}
