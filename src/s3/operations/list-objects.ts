import type { HttpResponse } from '../../http.ts'
import { authorize, bucketAccess, openBucket } from '../accesses.ts'
import type { BucketCall } from '../call.ts'
import {
  listFacts,
  openToken,
  parseListing,
  parseMaximum,
  renderEncoding,
  renderOwner,
  renderPrefixes,
  sealToken,
  textParameter,
} from '../listing.ts'
import type { Listing } from '../listing.ts'
import type { ListedObject, OriginResponse } from '../origin.ts'
import { quoted, xmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { element, wrap, xmlDocument, xmlTime } from '../xml.ts'

type Page = OriginResponse<'ListObjects'>

const emptyPage: Page = { objects: [], commonPrefixes: [] }

/** ListObjects, version 1: markers are keys. */
export async function listObjects(call: BucketCall): Promise<HttpResponse> {
  const listing = parseListing(call)
  const maxKeys = parseMaximum(call, 'max-keys')
  const marker = textParameter(call, 'marker') ?? ''
  await authorizeListing(call, maxKeys)
  const page = await readPage(call, listing, maxKeys, marker)
  const truncated = page.nextAfter !== undefined
  return xmlResponse(
    xmlDocument(
      'ListBucketResult',
      element('Name', call.bucket),
      element('Prefix', listing.encode(listing.prefix)),
      element('Marker', listing.encode(marker)),
      // Without a delimiter clients go on from the last key.
      truncated && listing.delimiter !== '' ? element('NextMarker', nextMarker(page, listing)) : '',
      element('MaxKeys', maxKeys),
      renderDelimiter(listing),
      element('IsTruncated', truncated),
      renderEncoding(call),
      ...page.objects.map((object) => renderObject(object, listing, renderOwner(call))),
      renderPrefixes(page.commonPrefixes, listing),
    ),
  )
}

function nextMarker(page: Page, listing: Listing): string {
  return listing.encode(page.nextAfter ?? '')
}

/** ListObjectsV2: continuation tokens are sealed and bound to bucket, prefix and delimiter. */
export async function listObjectsV2(call: BucketCall): Promise<HttpResponse> {
  const { parameters } = call.fields
  assertVersion(parameters.get('list-type') ?? '')
  const listing = parseListing(call)
  const maxKeys = parseMaximum(call, 'max-keys')
  const token = parameters.get('continuation-token')
  const startAfter = textParameter(call, 'start-after')
  const owner = parameters.get('fetch-owner') === 'true' ? renderOwner(call) : undefined
  const after = token === undefined ? (startAfter ?? '') : openToken(call, listing, token)
  await authorizeListing(call, maxKeys)
  const page = await readPage(call, listing, maxKeys, after)
  const next = page.nextAfter
  return xmlResponse(
    xmlDocument(
      'ListBucketResult',
      element('Name', call.bucket),
      element('Prefix', listing.encode(listing.prefix)),
      element('StartAfter', startAfter === undefined ? undefined : listing.encode(startAfter)),
      element('ContinuationToken', token),
      element('NextContinuationToken', next === undefined ? next : sealToken(call, listing, next)),
      element('KeyCount', page.objects.length + page.commonPrefixes.length),
      element('MaxKeys', maxKeys),
      renderDelimiter(listing),
      element('IsTruncated', next !== undefined),
      renderEncoding(call),
      ...page.objects.map((object) => renderObject(object, listing, owner)),
      renderPrefixes(page.commonPrefixes, listing),
    ),
  )
}

function assertVersion(listType: string): void {
  if (listType === '2') return
  throw invalidArgument('list-type', listType, 'Invalid List Type specified in Request')
}

async function authorizeListing(call: BucketCall, maxKeys: number): Promise<void> {
  const open = await openBucket(call)
  await authorize(call, [bucketAccess(call, open, 's3:ListBucket', listFacts(call, maxKeys))])
}

async function readPage(
  call: BucketCall,
  listing: Listing,
  maxKeys: number,
  after: string,
): Promise<Page> {
  if (maxKeys === 0) return emptyPage
  const { prefix, delimiter } = listing
  return await call.face.options.origin.handle('ListObjects', {
    bucket: call.bucket,
    prefix,
    delimiter,
    after,
    maxKeys,
  })
}

export function renderDelimiter(listing: Listing): string {
  return listing.delimiter === '' ? '' : element('Delimiter', listing.encode(listing.delimiter))
}

function renderObject(object: ListedObject, listing: Listing, owner: string | undefined): string {
  return wrap(
    'Contents',
    renderListed(object, listing),
    owner === undefined ? '' : wrap('Owner', owner),
  )
}

/** The elements that a listing tells of an object; delete markers have fewer of them. */
export function renderListed(object: ListedObject, listing: Listing): string {
  return [
    element('Key', listing.encode(object.key)),
    element('LastModified', xmlTime(object.lastModified)),
    element('ETag', quoted(object.etag)),
    element('Size', object.size),
    element('StorageClass', object.storageClass ?? 'STANDARD'),
    element('ChecksumAlgorithm', object.checksum?.algorithm),
    element('ChecksumType', object.checksum?.type),
  ].join('')
}
