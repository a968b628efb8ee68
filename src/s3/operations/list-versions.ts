import type { HttpResponse } from '../../http.ts'
import { authorize, bucketAccess, openBucket } from '../accesses.ts'
import type { BucketCall } from '../call.ts'
import {
  listFacts,
  parseListing,
  parseMaximum,
  renderEncoding,
  renderOwner,
  renderPrefixes,
  textParameter,
} from '../listing.ts'
import type { Listing } from '../listing.ts'
import type { ListedObject, OriginResponse } from '../origin.ts'
import { xmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { element, wrap, xmlDocument, xmlTime } from '../xml.ts'
import { renderDelimiter, renderListed } from './list-objects.ts'

/** ListObjectVersions; works on buckets that never had versions too. */
export async function listObjectVersions(call: BucketCall): Promise<HttpResponse> {
  const listing = parseListing(call)
  const maxKeys = parseMaximum(call, 'max-keys')
  const keyMarker = textParameter(call, 'key-marker') ?? ''
  const versionIdMarker = parseVersionIdMarker(call, keyMarker)
  const open = await openBucket(call)
  await authorize(call, [
    bucketAccess(call, open, 's3:ListBucketVersions', listFacts(call, maxKeys)),
  ])
  const page = await readPage(call, listing, { maxKeys, keyMarker, versionIdMarker })
  return xmlResponse(
    xmlDocument(
      'ListVersionsResult',
      element('Name', call.bucket),
      element('Prefix', listing.encode(listing.prefix)),
      element('KeyMarker', listing.encode(keyMarker)),
      element('VersionIdMarker', versionIdMarker ?? ''),
      ...renderNext(page, listing),
      element('MaxKeys', maxKeys),
      renderDelimiter(listing),
      element('IsTruncated', page.next !== undefined),
      renderEncoding(call),
      ...page.versions.map((version) => renderVersion(call, version, listing)),
      renderPrefixes(page.commonPrefixes, listing),
    ),
  )
}

type Page = OriginResponse<'ListObjectVersions'>
type Start = Readonly<{ maxKeys: number; keyMarker: string; versionIdMarker: string | undefined }>

function parseVersionIdMarker(call: BucketCall, keyMarker: string): string | undefined {
  const marker = textParameter(call, 'version-id-marker')
  if (marker === undefined) return undefined
  if (keyMarker === '') {
    if (marker === '') return undefined
    throw invalidArgument(
      'version-id-marker',
      marker,
      'A version-id marker cannot be specified without a key marker.',
    )
  }
  if (marker === '') {
    throw invalidArgument('version-id-marker', '', 'A version-id marker cannot be empty.')
  }
  return marker
}

async function readPage(call: BucketCall, listing: Listing, start: Start): Promise<Page> {
  const { maxKeys, keyMarker, versionIdMarker } = start
  if (maxKeys === 0) return { versions: [], commonPrefixes: [] }
  return await call.face.options.origin.handle('ListObjectVersions', {
    bucket: call.bucket,
    prefix: listing.prefix,
    delimiter: listing.delimiter,
    keyMarker,
    ...(versionIdMarker === undefined ? {} : { versionIdMarker }),
    maxKeys,
  })
}

function renderNext(page: Page, listing: Listing): readonly string[] {
  if (page.next === undefined) return []
  return [
    element('NextKeyMarker', listing.encode(page.next.keyMarker)),
    element('NextVersionIdMarker', page.next.versionIdMarker),
  ]
}

function renderVersion(call: BucketCall, version: ListedObject, listing: Listing): string {
  const identity = element('VersionId', version.versionId) + element('IsLatest', version.isLatest)
  const owner = wrap('Owner', renderOwner(call))
  if (!version.deleteMarker) return wrap('Version', renderListed(version, listing), identity, owner)
  return wrap(
    'DeleteMarker',
    element('Key', listing.encode(version.key)),
    identity,
    element('LastModified', xmlTime(version.lastModified)),
    owner,
  )
}
