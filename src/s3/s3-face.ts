import type { HttpRequest, HttpResponse } from '../http.ts'
import { header } from '../http.ts'
import { parseAddress } from './address.ts'
import { isChunked } from './body.ts'
import { BucketPolicies } from './bucket-policies.ts'
import type { Face, S3FaceOptions } from './call.ts'
import { findOperation } from './dispatch.ts'
import { errorResponse } from './error-response.ts'
import { readFields } from './request-fields.ts'
import { S3Error } from './s3-error.ts'

export interface S3Face {
  /** Never rejects: whatever goes wrong is an error answer. */
  handle(request: HttpRequest): Promise<HttpResponse>
}

/** The S3 face over an origin, behind an access port. */
export function createS3Face(options: S3FaceOptions): S3Face {
  const face: Face = { options, policies: new BucketPolicies() }
  return {
    async handle(request) {
      const response = await serve(face, request)
      return { ...response, headers: { ...response.headers, ...everyAnswer(options, request) } }
    },
  }
}

async function serve(face: Face, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await answer(face, request)
  } catch (error) {
    const { hostId, region, report } = face.options
    return errorResponse(error, { request, hostId, region, report })
  }
}

/** Who asks, then what for; each operation asks whether they may before it does or tells anything. */
async function answer(face: Face, request: HttpRequest): Promise<HttpResponse> {
  if (request.method === 'OPTIONS') throw noCorsRules(request)
  const caller = await face.options.access.authenticate(request)
  const fields = readFields(request, caller.authentication.kind === 'query')
  const address = parseAddress(request.path, header(request, 'host'), face.options.domains)
  const call = { face, request, caller, address, fields }
  const operation = findOperation(call, address)
  if (!operation.streams && isChunked(caller.authentication.payload)) {
    throw new S3Error('invalid_request', 'Only uploads may be sent in aws-chunked encoding.')
  }
  return await operation.handle()
}

function noCorsRules(request: HttpRequest): S3Error {
  return new S3Error('access_forbidden', 'CORSResponse: CORS is not enabled for this bucket.', {
    detail: {
      method: header(request, 'access-control-request-method') ?? '',
      resourceType: 'BUCKET',
    },
  })
}

function everyAnswer(options: S3FaceOptions, request: HttpRequest): Record<string, string> {
  return {
    'x-amz-request-id': request.id,
    'x-amz-id-2': options.hostId,
    server: 'Daypass',
  }
}
