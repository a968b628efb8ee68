import { hasControlCharacter } from './address.ts'
import type { ObjectAttributes, StoredObject } from './origin.ts'
import { invalidArgument, S3Error } from './s3-error.ts'
import { parseTagHeader } from './tags.ts'

type Headers = ReadonlyMap<string, string>

const kept = [
  'content-type',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
] as const

const storageClasses: ReadonlySet<string> = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
])

// Names and values together, as Amazon S3 counts them.
const mostMetadataBytes = 2048
const metadataPrefix = 'x-amz-meta-'

/** What travels with an object, from the headers of the call that writes it. */
export function parseObjectAttributes(headers: Headers): ObjectAttributes {
  const storageClass = parseStorageClass(headers.get('x-amz-storage-class'))
  const redirect = headers.get('x-amz-website-redirect-location')
  return {
    headers: parseStandardHeaders(headers),
    metadata: parseMetadata(headers),
    tags: parseTagHeader(headers.get('x-amz-tagging')),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(redirect === undefined ? {} : { websiteRedirectLocation: parseRedirect(redirect) }),
  }
}

function parseStandardHeaders(headers: Headers): Record<string, string> {
  const found = kept.flatMap((name) => {
    const value = headers.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const encoding = withoutFraming(headers.get('content-encoding'))
  return Object.fromEntries(encoding === '' ? found : [...found, ['content-encoding', encoding]])
}

/** `aws-chunked` names the framing of the upload, which ends here; what else there is belongs to the object. */
function withoutFraming(encoding = ''): string {
  const items = encoding.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '' && item.toLowerCase() !== 'aws-chunked').join(',')
}

function parseMetadata(headers: Headers): Record<string, string> {
  const metadata = new Map<string, string>()
  let size = 0
  for (const [name, value] of headers) {
    if (!name.startsWith(metadataPrefix)) continue
    const short = name.slice(metadataPrefix.length)
    assertHeaderValue(name, value)
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(short)) {
      throw invalidArgument(name, value, 'This is not a name for metadata.')
    }
    metadata.set(short, value)
    size += short.length + value.length
  }
  if (size > mostMetadataBytes) {
    throw new S3Error(
      'metadata_too_large',
      'Your metadata headers exceed the maximum allowed metadata size.',
      { detail: { size, maxSizeAllowed: mostMetadataBytes } },
    )
  }
  return Object.fromEntries(metadata)
}

/** A value from a query or a form could carry a line break into a later answer's headers. */
function assertHeaderValue(name: string, value: string): void {
  if (hasControlCharacter(value.replaceAll('\t', ' '))) {
    throw invalidArgument(name, '', 'Control characters are not allowed here.')
  }
}

/** `undefined` for STANDARD, which is never written out. @throws S3Error `invalid_storage_class` */
function parseStorageClass(value: string | undefined): string | undefined {
  if (value === undefined || value === 'STANDARD') return undefined
  if (storageClasses.has(value)) return value
  throw new S3Error('invalid_storage_class', 'The storage class you specified is not valid.')
}

function parseRedirect(value: string): string {
  if (/^(?:\/|https?:\/\/)[!-~]*$/.test(value)) return value
  throw invalidArgument(
    'x-amz-website-redirect-location',
    value,
    'The website redirect location must have a prefix of http:// or https:// or /.',
  )
}

/** The stored attributes as response headers; `overrides` are the caller's `response-*`. */
export function attributeHeaders(
  object: StoredObject,
  overrides: ReadonlyMap<string, string> = new Map(),
): Record<string, string> {
  return {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    ...Object.fromEntries(overrides),
    ...Object.fromEntries(
      Object.entries(object.metadata).map(([name, value]) => [metadataPrefix + name, value]),
    ),
    ...(object.storageClass === undefined ? {} : { 'x-amz-storage-class': object.storageClass }),
    ...(object.websiteRedirectLocation === undefined
      ? {}
      : { 'x-amz-website-redirect-location': object.websiteRedirectLocation }),
  }
}

const unserved =
  /^x-amz-(?:server-side-encryption|copy-source-server-side-encryption|object-lock-|write-offset-bytes$|bucket-object-lock-enabled$)/

/**
 * Refuses what would silently not be done: encryption at rest, object lock, appending, access lists.
 *
 * @throws S3Error `not_implemented`, `access_control_list_not_supported`
 */
export function refuseUnserved(headers: Headers): void {
  for (const [name, value] of headers) {
    if (name.startsWith('x-amz-grant-')) throw aclNotSupported()
    if (unserved.test(name) && value.toLowerCase() !== 'false') {
      throw new S3Error(
        'not_implemented',
        'A header you provided implies functionality that is not implemented.',
        { detail: { header: name } },
      )
    }
  }
  const acl = headers.get('x-amz-acl')
  if (acl !== undefined && acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw aclNotSupported()
  }
}

export function aclNotSupported(): S3Error {
  return new S3Error(
    'access_control_list_not_supported',
    'The bucket does not allow ACLs; its owner owns everything in it.',
  )
}
