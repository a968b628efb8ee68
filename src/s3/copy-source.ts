import type { Access } from '../policy/index.ts'
import {
  about,
  assertExpectedOwner,
  authorize,
  hideMissing,
  isMissing,
  objectAccess,
  openNamedBucket,
  storedTags,
} from './accesses.ts'
import type { OpenBucket } from './accesses.ts'
import { assertBucketName, assertObjectKey, hasControlCharacter } from './address.ts'
import type { Call } from './call.ts'
import { assertCopySource } from './conditions.ts'
import type { StoredObject } from './origin.ts'
import { utf8OfHeader } from './request-fields.ts'
import { invalidArgument, S3Error } from './s3-error.ts'

/** What is copied from, decoded. */
export type CopySource = Readonly<{ bucket: string; key: string; versionId?: string }>

/**
 * `x-amz-copy-source`: `/bucket/key?versionId=id`, percent-encoded, leading slash optional. The version is split off, then
 * all is decoded, then cut at the first slash: cut earlier, `b%2Fsecret%2Fk` would name another bucket here than below.
 *
 * @throws S3Error `invalid_argument`, `invalid_bucket_name`, `key_too_long`; `not_implemented` for ARNs.
 */
export function parseCopySource(header: string): CopySource {
  const text = utf8OfHeader(header)
  if (text.startsWith('arn:')) {
    throw new S3Error('not_implemented', 'Access points cannot be copied from.')
  }
  const [, path = '', version] = /^(.*?)(?:\?versionId=(.*))?$/s.exec(text) ?? []
  const decoded = decode(path, header).replace(/^\//, '')
  const slash = decoded.indexOf('/')
  if (slash <= 0 || slash === decoded.length - 1) throw malformed(header)
  const source = { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) }
  assertBucketName(source.bucket)
  assertObjectKey(source.key)
  if (version === undefined) return source
  const versionId = decode(version, header)
  if (versionId === '' || hasControlCharacter(versionId)) throw malformed(header)
  return { ...source, versionId }
}

function decode(text: string, header: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(header)
  }
}

function malformed(header: string): S3Error {
  return invalidArgument(
    'x-amz-copy-source',
    header,
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  )
}

/** The canonical spelling of a source, as the condition key `s3:x-amz-copy-source` sees it. */
export function copySourceFact(source: CopySource): readonly [string, string] {
  return ['x-amz-copy-source', `/${source.bucket}/${source.key}`]
}

/** Tells which version was copied, where the request names one. */
export function sourceVersionHeader({ versionId }: CopySource): Record<string, string> {
  return versionId === undefined ? {} : { 'x-amz-copy-source-version-id': versionId }
}

/** A source that may be read, as it is now. `access` is the right that was needed for it. */
export type FoundSource = Readonly<{ open: OpenBucket; object: StoredObject; access: Access }>

/**
 * Finds the source once the right to read it is granted; so nothing is told about it before. The whole request is
 * judged after that, when the source's tags are known.
 *
 * @throws S3Error `precondition_failed` by the `x-amz-copy-source-if-*` headers.
 */
export async function findSource(call: Call, source: CopySource): Promise<FoundSource> {
  assertExpectedOwner(call, 'x-amz-source-expected-bucket-owner')
  const open = await openNamedBucket(call, source.bucket)
  const tags = await storedTags(call, open, source.key, source.versionId)
  const access = objectAccess(
    call,
    open,
    source.key,
    source.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
    { ...(source.versionId === undefined ? {} : { versionid: source.versionId }), ...tags },
  )
  await authorize(call, [access])
  const object = await headSource(call, open, source)
  assertCopySource(call.fields.headers, object, call.request.receivedAt)
  return { open, object, access: withTags(access, object) }
}

async function headSource(call: Call, open: OpenBucket, source: CopySource): Promise<StoredObject> {
  try {
    return await call.face.options.origin.handle('HeadObject', source)
  } catch (error) {
    if (isMissing(error) && error.code === 'delete_marker' && source.versionId !== undefined) {
      throw new S3Error(
        'invalid_request',
        'The source of a copy request may not specifically refer to a delete marker by version id.',
        { cause: error },
      )
    }
    return await hideMissing(call, open, isMissing(error) ? about(error, source) : error)
  }
}

/** The same access with the tags of the very object that was found. */
function withTags(access: Access, object: StoredObject): Access {
  return { ...access, s3: { ...access.s3, existingObjectTags: object.tags } }
}
