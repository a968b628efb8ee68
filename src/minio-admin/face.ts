import { Refusal } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import type { Access, NamedPolicy } from '../policy/index.ts'
import { parseQuery } from '../sigv4/index.ts'

/** Whom the signature proved; `anonymous` is nobody. */
type Caller = Readonly<{ kind: string }>

export type MinioAdminOptions<C extends Caller = Caller> = Readonly<{
  findPolicy(name: string): NamedPolicy | undefined
  region: string
  /** Proves who signed, for service `s3`, with or without a region. Throws a refusal. */
  authenticate(request: HttpRequest): Promise<C>
  /** Returns when the caller may; else throws a refusal with code `access_denied`. */
  authorize(caller: C, request: HttpRequest, access: Access): void
  /** A fault of ours, for the log; the caller sees a constant text. */
  logFault(requestId: string, error: unknown): void
}>

export interface MinioAdminFace {
  accepts(request: Pick<HttpRequest, 'method' | 'path'>): boolean
  /** Always answers; never throws. */
  handle(request: HttpRequest): Promise<HttpResponse>
}

type Known = Pick<MinioAdminOptions, 'findPolicy' | 'region'>
type Answer = Readonly<{ status: number; value: unknown }>
type Question = Readonly<{
  /** As MinIO's policies name the right to ask it. */
  action: string
  answer(query: ReadonlyMap<string, string>, known: Known): Answer
}>

const root = '/minio/admin/v3/'
const questions: ReadonlyMap<string, Question> = new Map([
  [`${root}info-canned-policy`, { action: 'admin:GetPolicy', answer: cannedPolicy }],
  [`${root}info`, { action: 'admin:ServerInfo', answer: serverInfo }],
])

export function createMinioAdminFace<C extends Caller>(
  options: MinioAdminOptions<C>,
): MinioAdminFace {
  return {
    accepts: ({ method, path }) => method === 'GET' && questions.has(path),
    async handle(request) {
      try {
        return respond(request, await judge(options, request))
      } catch (error) {
        const wire = error instanceof Refusal ? wireErrors.get(error.code) : undefined
        if (wire === undefined) {
          options.logFault(request.id, error)
          return refuse(
            request,
            500,
            'InternalError',
            'We encountered an internal error, please try again.',
          )
        }
        const message = error instanceof Refusal ? error.message : ''
        return refuse(request, wire.status, wire.code, message)
      }
    },
  }
}

async function judge<C extends Caller>(
  options: MinioAdminOptions<C>,
  request: HttpRequest,
): Promise<Answer> {
  const question = questions.get(request.path)
  if (question === undefined) throw new TypeError('a question that this face does not know')
  const caller = await options.authenticate(request)
  if (caller.kind === 'anonymous') {
    return failure(403, 'AccessDenied', 'The request is not signed; sign it for service s3.')
  }
  options.authorize(caller, request, { action: question.action, resource: '*' })
  return question.answer(new Map(parseQuery(request.query)), options)
}

/** MinIO's info-canned-policy: with `v=2` wrapped in its name, without it the bare document. */
function cannedPolicy(query: ReadonlyMap<string, string>, { findPolicy }: Known): Answer {
  const name = query.get('name') ?? ''
  const policy = name === '' ? undefined : findPolicy(name)?.policy
  // What does not parse any more is not shown as if it were a policy.
  if (policy === undefined || policy.kind === 'broken') {
    return failure(404, 'XMinioAdminNoSuchPolicy', 'The canned policy does not exist.')
  }
  const document: unknown = JSON.parse(policy.text)
  return {
    status: 200,
    value: query.get('v') === '2' ? { PolicyName: name, Policy: document } : document,
  }
}

/** The fields of MinIO's info that say how to talk to it. */
function serverInfo(_: unknown, { region }: Known): Answer {
  return { status: 200, value: { mode: 'online', region } }
}

function failure(status: number, Code: string, Message: string): Answer {
  return { status, value: { Code, Message } }
}

type WireError = Readonly<{ status: number; code: string }>

const signatureRefused = { status: 403, code: 'SignatureDoesNotMatch' }
const malformed = { status: 400, code: 'AuthorizationHeaderMalformed' }
const badToken = { status: 403, code: 'InvalidTokenId' }

/** Codes of the rooms behind this face, as MinIO's administration words them. Whatever stands in none is a plain denial. */
const wireErrors: ReadonlyMap<string, WireError> = new Map<string, WireError>([
  ['access_denied', { status: 403, code: 'AccessDenied' }],
  ['access_key_unknown', { status: 403, code: 'InvalidAccessKeyId' }],
  ['signature_mismatch', signatureRefused],
  ['skewed', { status: 403, code: 'RequestTimeTooSkewed' }],
  ['token_invalid', badToken],
  ['token_missing', badToken],
  ['token_expired', { status: 400, code: 'ExpiredToken' }],
  ['session_revoked', { status: 400, code: 'ExpiredToken' }],
  ['revocations_stale', { status: 503, code: 'ServiceUnavailable' }],
  ...[
    'malformed_authorization_header',
    'malformed_authorization_query',
    'wrong_region',
    'ambiguous_authentication',
    'unknown_scheme',
    'signature_v2',
    'signature_v4a',
    'express_session',
    'missing_date',
    'not_yet_valid',
    'presigned_expired',
    'unsigned_headers',
    'missing_content_sha256',
    'bad_content_sha256',
    'invalid_uri',
    'duplicate_token',
    'token_without_signature',
    'anonymous_token',
    'streaming_not_allowed',
  ].map((code) => [code, malformed] as const),
])

function refuse(request: HttpRequest, status: number, code: string, message: string): HttpResponse {
  return respond(request, failure(status, code, message))
}

function respond(request: HttpRequest, { status, value }: Answer): HttpResponse {
  const about = { Resource: request.path, RequestId: request.id, HostId: '' }
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-amz-request-id': request.id,
      ...(status === 503 && { 'retry-after': '1' }),
    },
    body: JSON.stringify(status < 400 ? value : Object.assign({}, value, about)),
    // A question has no body; what comes as one is not read.
    ...(hasBody(request) && { close: true }),
  }
}

function hasBody({ headers }: Pick<HttpRequest, 'headers'>): boolean {
  return headers.some(([name, value]) => {
    const lower = name.toLowerCase()
    return lower === 'transfer-encoding' || (lower === 'content-length' && value.trim() !== '0')
  })
}
