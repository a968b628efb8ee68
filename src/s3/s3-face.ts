import type { HttpRequest, HttpResponse } from '../http.ts'
import { header } from '../http.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from './access-port.ts'
import { parseAddress } from './address.ts'
import type { Address } from './address.ts'
import { isChunked } from './body.ts'
import { BucketPolicies } from './bucket-policies.ts'
import { withDefaults } from './call.ts'
import type { Face, S3FaceOptions, Settings } from './call.ts'
import { findOperation } from './dispatch.ts'
import type { Operation } from './dispatch.ts'
import { errorResponse } from './error-response.ts'
import { readFields } from './request-fields.ts'
import { S3Error } from './s3-error.ts'

export interface S3Face {
  /** Never rejects: whatever goes wrong is an error answer. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Whether the request is about a bucket that exists, for whoever shares the address with this face. */
  addressesBucket(request: HttpRequest): Promise<boolean>
}

/** The S3 face over an origin, behind an access port. */
export function createS3Face(options: S3FaceOptions): S3Face {
  const settings = withDefaults(options)
  const face: Face = { options: settings, policies: new BucketPolicies() }
  return {
    async handle(request) {
      const { name, response } = await serve(face, request)
      const seconds = (settings.clock().getTime() - request.receivedAt.getTime()) / 1000
      options.observe?.(name, response.status, seconds)
      return { ...response, headers: { ...response.headers, ...everyAnswer(settings, request) } }
    },
    addressesBucket: (request) => addressesBucket(face, request),
  }
}

type Served = Readonly<{ name: string; response: HttpResponse }>

async function serve(face: Face, request: HttpRequest): Promise<Served> {
  let name = 'unknown'
  let address: Address | undefined
  try {
    const caller = await authenticate(face, request)
    address = addressOf(face, request)
    const operation = dispatch(face, request, caller, address)
    name = operation.name
    return { name, response: await operation.handle() }
  } catch (error) {
    const context = { request, ...face.options, ...(address === undefined ? {} : { address }) }
    return { name, response: errorResponse(error, context) }
  }
}

async function authenticate(face: Face, request: HttpRequest): Promise<Caller> {
  if (request.method === 'OPTIONS') throw noCorsRules(request)
  return await face.options.access.authenticate(request, tellsRegion(face, request))
}

/** Who asks is known; each operation asks whether they may before it does or tells anything. */
function dispatch(face: Face, request: HttpRequest, caller: Caller, address: Address): Operation {
  const fields = readFields(request, caller.authentication.kind === 'query')
  const call = { face, request, caller, address, fields }
  const operation = findOperation(call, address)
  if (!operation.streams && isChunked(caller.authentication.payload)) {
    throw new S3Error('invalid_request', 'Only uploads may be sent in aws-chunked encoding.')
  }
  return operation
}

function addressOf(face: Face, request: HttpRequest): Address {
  return parseAddress(request.path, header(request, 'host'), face.options.domains)
}

async function addressesBucket(face: Face, request: HttpRequest): Promise<boolean> {
  try {
    const address = addressOf(face, request)
    if (address.kind === 'service') return false
    await face.options.origin.handle('HeadBucket', { bucket: address.bucket })
    return true
  } catch (error) {
    // No name of a bucket, or none that there is.
    if (error instanceof Refusal) return false
    throw error
  }
}

/** ListBuckets and GetBucketLocation: clients ask them with a region of their own guessing. */
function tellsRegion(face: Face, request: HttpRequest): boolean {
  if (request.method !== 'GET') return false
  if (request.path === '/' && addressOf(face, request).kind === 'service') return true
  return /(?:^|&)location(?:=|&|$)/.test(request.query)
}

function noCorsRules(request: HttpRequest): S3Error {
  return new S3Error('access_forbidden', 'CORSResponse: CORS is not enabled for this bucket.', {
    detail: {
      method: header(request, 'access-control-request-method') ?? '',
      resourceType: 'BUCKET',
    },
  })
}

function everyAnswer(options: Settings, request: HttpRequest): Record<string, string> {
  return {
    'x-amz-request-id': request.id,
    'x-amz-id-2': options.hostId,
    server: 'Daypass',
  }
}
