import type { Exchange, Issued } from '../exchange.ts'
import type { TenantName } from '../grants/index.ts'
import { header } from '../http.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { Secret } from '../secret.ts'
import { readBody } from './body.ts'
import { wholeSeconds, webIdentityDocument } from './documents.ts'
import { readGrantRequest } from './grant-request.ts'
import { mergeParameters, Parameters, parseFields } from './parameters.ts'
import { toWireRefusal, type WireRefusal } from './refusal.ts'
import { refuse, succeed } from './respond.ts'
import { hasForm } from './routing.ts'
import { StsError } from './sts-error.ts'
import type { StsEvent, StsLimits } from './types.ts'

export type TenantStsFaceOptions = Readonly<{
  exchange: Pick<Exchange, 'exchange'>
  limits: StsLimits
  /** Told of each answer. Must neither block nor throw. */
  log: (event: StsEvent) => void
}>

export interface TenantStsFace {
  /** Whether the path is one of this face; whether it names a tenant is not asked. */
  accepts(request: Pick<HttpRequest, 'path'>): boolean
  /** Always answers; never throws. */
  handle(request: HttpRequest): Promise<HttpResponse>
}

/** A protocol over the one exchange: what it takes for a call, and how it writes what comes of it. */
type Protocol = Readonly<{
  method: 'GET' | 'POST'
  action: string
  perform(request: HttpRequest, tenant: TenantName, options: TenantStsFaceOptions): Promise<string>
  succeed(request: HttpRequest, document: string): HttpResponse
  refuse(request: HttpRequest, refusal: WireRefusal): HttpResponse
}>

const wire = { compat: 'aws', region: undefined } as const

/**
 * Credentials for the service accounts of a cluster, tenant by tenant: the STS of the MinIO Operator
 * (`POST /sts/NAMESPACE[/TENANT]`), and the container credentials of AWS's SDKs (`GET /credentials/NAMESPACE[/TENANT]`).
 */
export function createTenantStsFace(options: TenantStsFaceOptions): TenantStsFace {
  return {
    accepts: ({ path }) => protocolOf(path) !== undefined,
    async handle(request) {
      const protocol = protocolOf(request.path) ?? queryProtocol
      const { action } = protocol
      try {
        const tenant = readTenant(request, protocol)
        const document = await protocol.perform(request, tenant, options)
        options.log({ requestId: request.id, action, status: 200 })
        return protocol.succeed(request, document)
      } catch (error) {
        const refusal = toWireRefusal(error, wire.compat)
        const { status, code } = refusal.wire
        const fault = refusal.internal ? { error } : {}
        options.log({ requestId: request.id, action, status, code, ...fault })
        return protocol.refuse(request, refusal)
      }
    },
  }
}

const queryProtocol: Protocol = {
  method: 'POST',
  action: 'AssumeRoleWithWebIdentity',
  perform: assumeRoleWithWebIdentity,
  succeed: (request, document) => succeed(request, document, wire),
  refuse: (request, refusal) => allowing('POST', refuse(request, refusal, wire)),
}

const containerProtocol: Protocol = {
  method: 'GET',
  action: 'GetContainerCredentials',
  perform: containerCredentials,
  succeed: (request, document) => json(succeed(request, document, wire)),
  refuse(request, refusal) {
    const body = JSON.stringify({ code: refusal.wire.code, message: refusal.message })
    const answer = refuse(request, refusal, wire)
    const headers = { ...answer.headers, 'content-length': String(Buffer.byteLength(body)) }
    return allowing('GET', json({ ...answer, headers, body }))
  },
}

function protocolOf(path: string): Protocol | undefined {
  if (path.startsWith('/sts/')) return queryProtocol
  return path.startsWith('/credentials/') ? containerProtocol : undefined
}

/** RFC 1123: what Kubernetes takes for the name of a namespace. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * From the path as it came, byte for byte: whatever is percent-encoded is no name, so no two readers can differ about
 * it, and none of `%2F`, `..` or nothing at all leads to another tenant than the one that was checked.
 */
function readTenant(request: HttpRequest, { method }: Protocol): TenantName {
  const [, , namespace = '', ...rest] = request.path.split('/')
  if (rest.at(-1) === '') rest.pop()
  const [name, ...more] = rest
  const isName = label.test(namespace) && (name === undefined || label.test(name))
  if (!isName || more.length > 0) {
    throw new StsError(
      'malformed_tenant',
      'The path names no tenant: it is /NAMESPACE or /NAMESPACE/TENANT',
    )
  }
  if (request.method !== method) {
    throw new StsError('method_not_allowed', `This address is for ${method} alone`)
  }
  return { namespace, name }
}

async function assumeRoleWithWebIdentity(
  request: HttpRequest,
  tenant: TenantName,
  options: TenantStsFaceOptions,
): Promise<string> {
  const parameters = readFields(request, await readBody(request, options.limits))
  if (parameters.get('Version') !== '2011-06-15') {
    throw new StsError('missing_version', 'The parameter Version must be 2011-06-15')
  }
  if (parameters.get('Action') !== 'AssumeRoleWithWebIdentity') {
    throw new StsError('invalid_value', 'The only Action here is AssumeRoleWithWebIdentity')
  }
  const token = parameters.demand('WebIdentityToken').trim()
  const issued = await exchange(request, tenant, token, parameters, options)
  return webIdentityDocument('AssumeRoleWithWebIdentity', issued, request.id)
}

/** What proves the caller or narrows what it gets: two readers must not find two of it. */
const once: ReadonlySet<string> = new Set(['WebIdentityToken', 'Policy'])

/** A form beats the query, as it always has here. Within one of them, a name stands once. */
function readFields(request: HttpRequest, body: Buffer): Parameters {
  const form = hasForm(request) ? parseFields(body) : []
  const inForm = new Set(form.map(([name]) => name))
  const query = parseFields(Buffer.from(request.query, 'latin1'))
  return mergeParameters(
    query.filter(([name]) => once.has(name) || !inForm.has(name)),
    form,
  )
}

/** AWS SDKs and Tools Reference, container credential provider: the answer of the endpoint. */
async function containerCredentials(
  request: HttpRequest,
  tenant: TenantName,
  options: TenantStsFaceOptions,
): Promise<string> {
  const sent = request.headers.filter(([name]) => name.toLowerCase() === 'authorization')
  if (sent.length > 1) {
    throw new StsError('invalid_value', 'The header Authorization may stand here only once')
  }
  const authorization = header(request, 'authorization')?.trim() ?? ''
  const token = authorization.replace(/^Bearer(?:[ \t]+|$)/i, '')
  const { grant, credentials } = await exchange(
    request,
    tenant,
    token,
    new Parameters(new Map()),
    options,
  )
  return JSON.stringify({
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey.reveal(),
    Token: credentials.sessionToken.reveal(),
    Expiration: wholeSeconds(credentials.expiresAt),
    ...(grant.source.kind === 'binding' && grant.source.roleArn !== undefined
      ? { RoleArn: grant.source.roleArn }
      : {}),
  })
}

async function exchange(
  request: HttpRequest,
  tenant: TenantName,
  token: string,
  parameters: Parameters,
  options: TenantStsFaceOptions,
): Promise<Issued> {
  if (token === '')
    throw new StsError('missing_parameter', 'The token of the service account is missing')
  const asked = readGrantRequest('sts:AssumeRoleWithWebIdentity', parameters, request)
  return options.exchange.exchange({
    id: request.id,
    evidence: { kind: 'service-account', token: new Secret(token) },
    grant: { ...asked, tenant },
  })
}

function json(answer: HttpResponse): HttpResponse {
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' } }
}

/** RFC 9110, section 15.5.6. */
function allowing(method: string, answer: HttpResponse): HttpResponse {
  return answer.status === 405
    ? { ...answer, headers: { ...answer.headers, allow: method } }
    : answer
}
