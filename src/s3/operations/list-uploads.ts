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
import type { OriginResponse, Upload } from '../origin.ts'
import { xmlResponse } from '../responses.ts'
import { element, wrap, xmlDocument, xmlTime } from '../xml.ts'
import { renderDelimiter } from './list-objects.ts'
import { renderChoice } from './multipart.ts'

type Page = OriginResponse<'ListMultipartUploads'>

/** ListMultipartUploads: by key, then by the instant they began. */
export async function listMultipartUploads(call: BucketCall): Promise<HttpResponse> {
  const listing = parseListing(call)
  const maxUploads = parseMaximum(call, 'max-uploads')
  const keyMarker = textParameter(call, 'key-marker') ?? ''
  const marker = textParameter(call, 'upload-id-marker') ?? ''
  // Without a key it says nothing, so it is ignored.
  const uploadIdMarker = keyMarker === '' || marker === '' ? undefined : marker
  const open = await openBucket(call)
  const { 'max-keys': _, ...facts } = listFacts(call, maxUploads)
  await authorize(call, [bucketAccess(call, open, 's3:ListBucketMultipartUploads', facts)])
  const page = await readPage(call, listing, { maxUploads, keyMarker, uploadIdMarker })
  return xmlResponse(
    xmlDocument(
      'ListMultipartUploadsResult',
      element('Bucket', call.bucket),
      element('KeyMarker', listing.encode(keyMarker)),
      element('UploadIdMarker', uploadIdMarker ?? ''),
      ...renderNext(page, listing),
      element('Prefix', listing.encode(listing.prefix)),
      renderDelimiter(listing),
      element('MaxUploads', maxUploads),
      element('IsTruncated', page.next !== undefined),
      renderEncoding(call),
      ...page.uploads.map((upload) => renderUpload(call, upload, listing)),
      renderPrefixes(page.commonPrefixes, listing),
    ),
  )
}

type Start = Readonly<{ maxUploads: number; keyMarker: string; uploadIdMarker: string | undefined }>

async function readPage(call: BucketCall, listing: Listing, start: Start): Promise<Page> {
  const { maxUploads, keyMarker, uploadIdMarker } = start
  if (maxUploads === 0) return { uploads: [], commonPrefixes: [] }
  return await call.face.options.origin.handle('ListMultipartUploads', {
    bucket: call.bucket,
    prefix: listing.prefix,
    delimiter: listing.delimiter,
    keyMarker,
    ...(uploadIdMarker === undefined ? {} : { uploadIdMarker }),
    maxUploads,
  })
}

function renderNext(page: Page, listing: Listing): readonly string[] {
  if (page.next === undefined) return []
  return [
    element('NextKeyMarker', listing.encode(page.next.keyMarker)),
    element('NextUploadIdMarker', page.next.uploadIdMarker),
  ]
}

function renderUpload(call: BucketCall, upload: Upload, listing: Listing): string {
  return wrap(
    'Upload',
    element('Key', listing.encode(upload.key)),
    element('UploadId', upload.uploadId),
    wrap('Initiator', renderOwner(call)),
    wrap('Owner', renderOwner(call)),
    element('StorageClass', upload.storageClass ?? 'STANDARD'),
    element('Initiated', xmlTime(upload.initiated)),
    renderChoice(upload),
  )
}
