import { createHash } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { header } from '../http.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import type { Action, PreparedCall } from './action.ts'
import { actions } from './actions.ts'
import { localPolicyArn } from './arn.ts'
import { parseForm } from './form.ts'
import type { Form } from './form.ts'
import { iamAccess } from './iam-access.ts'
import { IamError } from './iam-error.ts'
import { readBody } from './read-body.ts'
import { answer, fault, refusal } from './response.ts'
import type {
  IamAuditEvent,
  IamCaller,
  IamFaceOptions,
  Permission,
  SignedIdentity,
} from './types.ts'
import type { Members } from './value.ts'

const version = '2010-05-08'

export type IamFace = Readonly<{
  /**
   * Whether the request is for this face: signed for service `iam`, or naming the API version or one of our actions
   * in its query string or, when it has been read already, in its form.
   */
  accepts(request: HttpRequest, form?: ReadonlyMap<string, string>): boolean
  /** Never throws. `body`: when the caller had to read it already. */
  handle(request: HttpRequest, body?: Buffer): Promise<HttpResponse>
}>

/** AWS IAM query API, version 2010-05-08: a form in, XML (or JSON, when asked for) out. */
export function createIamFace<Caller extends IamCaller>(options: IamFaceOptions<Caller>): IamFace {
  return {
    accepts,
    handle: async (request, body) => {
      try {
        return await serve(options, request, body ?? (await readWhole(request)))
      } catch (error) {
        const refused = refusal(request, error)
        if (refused) return isUnread(error) ? { ...refused, close: true } : refused
        options.logFault(request.id, error)
        return fault(request)
      }
    },
  }
}

function accepts(request: HttpRequest, form?: ReadonlyMap<string, string>): boolean {
  if (isIamScope(credentialOf(header(request, 'authorization') ?? ''))) return true
  const query = new URLSearchParams(request.query)
  if (isIamScope(query.get('X-Amz-Credential') ?? '')) return true
  return [query, form].some(
    (fields) => fields?.get('Version') === version || actions.has(fields?.get('Action') ?? ''),
  )
}

/** What an Authorization header claims. Only to choose a face: the signature check reads it anew, and strictly. */
function credentialOf(authorization: string): string {
  const start = authorization.indexOf('Credential=')
  if (start < 0) return ''
  const [credential = ''] = authorization.slice(start + 'Credential='.length).split(',', 1)
  return credential.trim()
}

function isIamScope(credential: string): boolean {
  return credential.endsWith('/iam/aws4_request')
}

/** A refusal that leaves a part of the body unread. */
function isUnread(error: unknown): boolean {
  return error instanceof IamError && error.code.startsWith('body_')
}

async function readWhole(request: HttpRequest): Promise<Buffer> {
  request.proceed()
  return readBody(request)
}

async function serve<Caller extends IamCaller>(
  options: IamFaceOptions<Caller>,
  request: HttpRequest,
  body: Buffer,
): Promise<HttpResponse> {
  const bodySha256 = createHash('sha256').update(body).digest('hex')
  const caller = await options.authenticate(request, bodySha256)
  const { identity } = caller
  if (identity.kind === 'anonymous') {
    throw new IamError('not_authenticated', 'The request is not signed; sign it for service iam')
  }
  refuseFederated(identity)
  const form = readForm(request, body)
  const name = form.get('Action') ?? ''
  const action = findAction(form)
  if (action.effect === 'change') refuseLink(caller, name)
  const call = action.prepare(form, { ...options, caller: identity, now: options.clock() })
  const event = (outcome: IamAuditEvent['outcome']): IamAuditEvent => ({
    kind: 'admin',
    requestId: request.id,
    at: options.clock(),
    action: name,
    outcome,
    caller: identify(identity),
    source: request.source,
    permissions: call.permissions.map(({ action: asked, resource }) => ({
      action: asked,
      resource,
    })),
    // The document of a policy need not stand in each line of one request.
    parameters: outcome === 'started' ? action.auditable(form) : shortened(action.auditable(form)),
  })
  await authorizeAll(options, caller, request, call.permissions, action, event)
  const result = await carryOut(options, action, call, event)
  return answer(request, name, result)
}

function identify(identity: SignedIdentity): IamAuditEvent['caller'] {
  const { kind, accessKeyId } = identity
  return { kind, accessKeyId, name: nameOf(identity) }
}

function nameOf(identity: SignedIdentity): string {
  if (identity.kind === 'root') return 'root'
  if (identity.kind === 'user') return identity.user
  const { provider, subject } = identity.session.principal
  return `${provider}:${subject}`
}

/**
 * AWS STS API reference, GetFederationToken: no operation of IAM. It stands for somebody whom the owner of a key vouches
 * for; that one must not make itself a key of the owner's which never ends.
 */
function refuseFederated(identity: SignedIdentity): void {
  if (identity.kind !== 'session' || identity.session.way !== 'federation') return
  throw new IamError('access_denied', 'The credentials of GetFederationToken call nothing of IAM')
}

/** A presigned link works for whoever finds it, for days, in a log or a history. It must not make keys or attach policies. */
function refuseLink({ authentication }: IamCaller, name: string): void {
  if (authentication.kind !== 'query') return
  throw new IamError(
    'not_authenticated',
    `${name} takes no presigned link; sign in the Authorization header`,
  )
}

function readForm(request: HttpRequest, body: Buffer): Form {
  if (request.method !== 'POST' && request.method !== 'GET') {
    throw new IamError('method_not_allowed', 'This API is called with POST or GET')
  }
  const type = header(request, 'content-type') ?? ''
  if (body.length > 0 && !/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    throw new IamError('malformed_form', 'The body must be application/x-www-form-urlencoded')
  }
  // Percent-encoded text is ASCII; anything else would not survive latin1 as what was signed.
  return parseForm(request.query, body.toString('latin1'))
}

function findAction(form: Form): Action {
  const name = form.get('Action')
  if (name === undefined || name === '') throw new IamError('missing_action', 'Action is missing')
  const action = actions.get(name)
  if (!action)
    throw new IamError(
      'unknown_action',
      `This server does not know the action ${name.slice(0, 100)}`,
    )
  if (form.get('Version') !== version) {
    throw new IamError('wrong_version', `Version must be ${version} for ${name}`)
  }
  return action
}

const maxShortLength = 256

function shortened(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      value.length > maxShortLength ? `(${value.length} characters)` : value,
    ]),
  )
}

async function authorizeAll<Caller extends IamCaller>(
  options: IamFaceOptions<Caller>,
  caller: Caller,
  request: HttpRequest,
  permissions: readonly Permission[],
  action: Action,
  event: (outcome: IamAuditEvent['outcome']) => IamAuditEvent,
): Promise<void> {
  if (permissions.length === 0) throw new Error('an action asks for no permission')
  try {
    if (action.effect === 'change') keepCeiling(options, caller, permissions)
    for (const permission of permissions) {
      await authorizeOne(options, caller, request, permission)
    }
  } catch (error) {
    if (action.effect === 'change') await options.audit({ ...event('refused'), ...reasons(error) })
    throw error
  }
}

/** Whoever is held by the ceiling of the tenant does not raise it, be it with all the rights on policies that there are. */
function keepCeiling<Caller extends IamCaller>(
  { tenantCeiling = [] }: IamFaceOptions<Caller>,
  { identity }: Caller,
  permissions: readonly Permission[],
): void {
  if (identity.kind === 'root') return
  const named = tenantCeiling.find((name) =>
    permissions.some(({ resource }) => resource === localPolicyArn(name)),
  )
  if (named === undefined) return
  throw new IamError(
    'access_denied',
    `The policy "${named}" is the ceiling of the tenant: only the root key changes it`,
  )
}

/** Says to the caller what was missing; why it was is in the encoded message, for those who may open it. */
async function authorizeOne<Caller extends IamCaller>(
  options: IamFaceOptions<Caller>,
  caller: Caller,
  request: HttpRequest,
  permission: Permission,
): Promise<void> {
  try {
    await options.authorize(caller, request, iamAccess(options.admin, permission))
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'access_denied') throw error
    const { action, resource } = permission
    throw new IamError(
      'access_denied',
      `You are not authorized to perform ${action} on ${resource}.`,
      {
        detail: error.detail,
        cause: error,
      },
    )
  }
}

/** A change is on record before it is made and again, with its outcome, before it is acknowledged. */
async function carryOut(
  options: Readonly<{ audit(event: IamAuditEvent): Promise<void> }>,
  action: Action,
  call: PreparedCall,
  event: (outcome: IamAuditEvent['outcome']) => IamAuditEvent,
): Promise<Members> {
  if (action.effect === 'read') return call.run()
  await options.audit(event('started'))
  try {
    const result = await call.run()
    await options.audit({ ...event('done'), result })
    return result
  } catch (error) {
    await options.audit({ ...event('failed'), ...reasons(error) })
    throw error
  }
}

function reasons(error: unknown): Partial<Pick<IamAuditEvent, 'code' | 'decisionId'>> {
  if (!(error instanceof Refusal)) return { code: 'fault' }
  const { decisionId } = error.detail
  return typeof decisionId === 'string' ? { code: error.code, decisionId } : { code: error.code }
}
