import { header } from './http.ts'
import type { HttpRequest, HttpResponse } from './http.ts'

type Face = Readonly<{ handle(request: HttpRequest): Promise<HttpResponse> }>

export type RouterOptions = Readonly<{
  sts: Face & Readonly<{ accepts(request: HttpRequest): boolean }>
  iam: Face & Readonly<{ accepts(request: HttpRequest): boolean }>
  /** Two questions of MinIO's administration, each at a path of its own. */
  minioAdmin: Face & Readonly<{ accepts(request: HttpRequest): boolean }>
  s3: Face
  /** MinIO's health paths, which probes ask for on the main address. */
  health: (request: HttpRequest) => Promise<HttpResponse>
  /** Whether the request addresses a bucket that exists: then it is never one for STS or IAM. */
  addressesBucket(request: HttpRequest): Promise<boolean>
  /** Takes a place for a call that nobody has signed; `undefined`: too many. */
  enterAnonymous(source: string, now: Date): (() => void) | undefined
  /** The same for one that says it is signed and whose body is kept before that is proven: STS and IAM forms. */
  enterUnproven(source: string, now: Date): (() => void) | undefined
  /** The same body, cut off when it comes so slowly that it only keeps its place. */
  pace(body: HttpRequest['body']): HttpRequest['body']
}>

const healthPaths = new Set(['/minio/health/live', '/minio/health/ready'])

/** Which face a request on the main address is for, and the limits on what nobody has signed. */
export function createRouter(
  options: RouterOptions,
): (request: HttpRequest) => Promise<HttpResponse> {
  async function faceFor(request: HttpRequest): Promise<Face> {
    const { sts, iam, s3, minioAdmin } = options
    // No bucket is ever called `minio`.
    if (minioAdmin.accepts(request)) return minioAdmin
    const query = iam.accepts(request) ? iam : sts.accepts(request) ? sts : undefined
    if (query === undefined) return s3
    return (await options.addressesBucket(request)) ? s3 : query
  }

  return async (request) => {
    if (healthPaths.has(request.path)) return options.health(request)
    const signed = isSigned(request)
    const enter = signed ? options.enterUnproven : options.enterAnonymous
    const face = await faceFor(request)
    // A signature over an S3 request is proven before its body is read.
    if (signed && face === options.s3) return face.handle(request)
    const leave = enter(request.source, request.receivedAt)
    if (leave === undefined) return face === options.s3 ? slowDown(request) : throttled(request)
    try {
      return await face.handle({ ...request, body: options.pace(request.body) })
    } finally {
      leave()
    }
  }
}

/**
 * Says that it is signed, which proves nothing but costs no more than a hash of the request: no face takes such a
 * request for an anonymous one. The parameter's whole name counts, since `?x=X-Amz-Signature=` is nobody's signature.
 */
function isSigned(request: HttpRequest): boolean {
  return (
    header(request, 'authorization') !== undefined || /(?:^|&)X-Amz-Signature=/.test(request.query)
  )
}

const retryAfter = { 'content-type': 'application/xml', 'retry-after': '1' }
const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'
const text = 'Too many requests of which nobody knows who sent them; wait a second and try again.'

function throttled(request: HttpRequest): HttpResponse {
  const body =
    `${prolog}<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>` +
    `<Code>Throttling</Code><Message>${text}</Message></Error><RequestId>${request.id}</RequestId></ErrorResponse>`
  return { status: 503, headers: { ...retryAfter, 'x-amz-request-id': request.id }, body }
}

function slowDown(request: HttpRequest): HttpResponse {
  const body =
    `${prolog}<Error><Code>SlowDown</Code><Message>${text}</Message>` +
    `<RequestId>${request.id}</RequestId></Error>`
  return { status: 503, headers: { ...retryAfter, 'x-amz-request-id': request.id }, body }
}
