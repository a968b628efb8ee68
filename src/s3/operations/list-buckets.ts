import type { HttpResponse } from '../../http.ts'
import { arnOf, authorize, bucketAccess, commonFacts, isAllowed } from '../accesses.ts'
import type { Call } from '../call.ts'
import type { Bucket } from '../origin.ts'
import { renderOwner } from '../listing.ts'
import { xmlResponse } from '../responses.ts'
import { invalidArgument } from '../s3-error.ts'
import { element, wrap, xmlDocument, xmlTime } from '../xml.ts'

const tokenKind = 's3-list-buckets'
const mostBuckets = 10_000

/** ListBuckets: all of them, or those that the caller may list or locate; `access_denied` when none is left. */
export async function listBuckets(call: Call): Promise<HttpResponse> {
  const { parameters } = call.fields
  const prefix = parameters.get('prefix') ?? ''
  const maximum = parseMaxBuckets(parameters.get('max-buckets'))
  const after = openToken(call, prefix, parameters.get('continuation-token'))
  const region = parameters.get('bucket-region')
  const visible = await visibleBuckets(call)
  const here = region === undefined || region === '' || region === call.face.options.region
  const wanted = (here ? visible : []).filter(
    ({ name }) => name.startsWith(prefix) && (after === undefined || name > after),
  )
  const page = wanted.slice(0, maximum)
  const last = wanted.length > page.length ? page.at(-1) : undefined
  const { sealer } = call.face.options
  return xmlResponse(
    xmlDocument(
      'ListAllMyBucketsResult',
      wrap('Owner', renderOwner(call)),
      wrap('Buckets', ...page.map((bucket) => renderBucket(call, bucket))),
      element(
        'ContinuationToken',
        last === undefined ? undefined : sealer.seal(tokenKind, [prefix, last.name]),
      ),
      prefix === '' ? '' : element('Prefix', prefix),
    ),
  )
}

async function visibleBuckets(call: Call): Promise<readonly Bucket[]> {
  const all = { action: 's3:ListAllMyBuckets', resource: '*', s3: commonFacts(call) }
  // Names of buckets are for callers who have one themselves.
  if (call.caller.kind === 'anonymous') await authorize(call, [all])
  const { buckets } = await call.face.options.origin.handle('ListBuckets', {})
  const sorted = [...buckets].sort((one, other) => (one.name < other.name ? -1 : 1))
  if (isAllowed(call, [all])) return sorted
  const seen = sorted.filter((bucket) => maySee(call, bucket))
  if (seen.length === 0) await authorize(call, [all])
  return seen
}

function maySee(call: Call, bucket: Bucket): boolean {
  const policy = call.face.policies.find(bucket.name, bucket.policy)
  const open = { bucket, ...(policy === undefined ? {} : { policy }) }
  const asFolder = { prefix: '', delimiter: '/' }
  return (
    isAllowed(call, [bucketAccess(call, open, 's3:ListBucket', asFolder)]) ||
    isAllowed(call, [bucketAccess(call, open, 's3:GetBucketLocation')])
  )
}

function renderBucket(call: Call, bucket: Bucket): string {
  return wrap(
    'Bucket',
    element('Name', bucket.name),
    element('CreationDate', xmlTime(bucket.createdAt)),
    element('BucketRegion', call.face.options.region),
    element('BucketArn', arnOf(bucket.name)),
  )
}

function parseMaxBuckets(text: string | undefined): number {
  if (text === undefined) return mostBuckets
  const maximum = Number(text)
  if (/^\d{1,5}$/.test(text) && maximum >= 1 && maximum <= mostBuckets) return maximum
  throw invalidArgument(
    'max-buckets',
    text,
    `Argument max-buckets must be an integer between 1 and ${mostBuckets}`,
  )
}

function openToken(call: Call, prefix: string, token: string | undefined): string | undefined {
  if (token === undefined) return undefined
  const opened = open(call, token)
  if (Array.isArray(opened) && opened[0] === prefix && typeof opened[1] === 'string') {
    return opened[1]
  }
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
}

function open(call: Call, token: string): unknown {
  try {
    return call.face.options.sealer.open(tokenKind, token)
  } catch {
    return undefined
  }
}
