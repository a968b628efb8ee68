import { hash } from 'node:crypto'
import type { KnownCaller } from '../access/index.ts'
import { Refusal } from '../errors.ts'
import type { RefusedRequest } from '../exchange.ts'
import type { IssueAction } from '../grants/index.ts'
import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import { actions } from './actions.ts'
import { readBody } from './body.ts'
import { clientOf } from './grant-request.ts'
import { mergeParameters, parseFields, type Parameters } from './parameters.ts'
import { hasForm } from './routing.ts'
import { StsError } from './sts-error.ts'
import type { Call, StsAction, StsFaceOptions } from './types.ts'

const version = '2011-06-15'

/** What is asked for, before anybody knows by whom. */
type Asked = Omit<Call, 'caller'>

/**
 * A request becomes a call: the body is read and bounded, the parameters are parsed, the signature, if there is one,
 * is checked over exactly the bytes that were parsed. Throws an StsError, or what the signature check throws.
 */
export async function readCall(
  request: HttpRequest,
  options: StsFaceOptions,
  tell: (action: StsAction) => void,
): Promise<Call> {
  const body = await readBody(request, options.limits)
  const bodySha256 = hash('sha256', body)
  checkAnnouncedHash(request, bodySha256)
  const asked = readAction(request, readParameters(request, body))
  tell(asked.action)
  const caller = await authenticate(asked, bodySha256, options)
  if (caller.identity.kind !== 'anonymous') refusePlusInQuery(request)
  return { ...asked, caller }
}

/** Of query and form together. A form counts when the request is a POST and says that it has one. */
function readParameters(request: HttpRequest, body: Buffer): Parameters {
  const query = parseFields(Buffer.from(request.query, 'latin1'))
  const form = request.method === 'POST' && hasForm(request) ? parseFields(body) : []
  return mergeParameters(query, form)
}

function readAction(request: HttpRequest, parameters: Parameters): Asked {
  if (parameters.get('Version') !== version) {
    throw new StsError('missing_version', `The parameter Version must be ${version}`)
  }
  const action = parameters.get('Action')
  if (action === undefined) throw new StsError('missing_action', 'The parameter Action is missing')
  if (!isAction(action)) throw new StsError('unknown_action', 'There is no such Action here')
  return { request, action, parameters }
}

function isAction(name: string): name is StsAction {
  return (actions as ReadonlyMap<string, unknown>).has(name)
}

async function authenticate(
  { request, action }: Asked,
  bodySha256: string,
  { access, exchange }: StsFaceOptions,
): Promise<KnownCaller> {
  try {
    return await access.authenticate(request, { services: ['sts'], bodySha256 })
  } catch (error) {
    // For the record only: what is answered is the particular error.
    const attempted = attempts.get(action)
    if (attempted !== undefined && error instanceof Refusal) {
      const attempt = unprovenAttempt(request, attempted, error)
      await exchange.refuse(attempt, 'caller_unproven', error.message).catch(() => undefined)
    }
    throw error
  }
}

/** The actions that get credentials for a signature. */
const attempts: ReadonlyMap<StsAction, IssueAction> = new Map<StsAction, IssueAction>([
  ['AssumeRole', 'sts:AssumeRole'],
  ['GetSessionToken', 'sts:GetSessionToken'],
  ['GetFederationToken', 'sts:GetFederationToken'],
])

function unprovenAttempt(
  request: HttpRequest,
  action: IssueAction,
  error: Refusal,
): RefusedRequest {
  const grant = { action, client: clientOf(request) }
  const { accessKeyId } = error.detail
  return typeof accessKeyId === 'string'
    ? { id: request.id, grant, accessKeyId }
    : { id: request.id, grant }
}

/** A body that is not the one that its sender hashed was damaged on the way, signed or not. */
function checkAnnouncedHash(request: HttpRequest, bodySha256: string): void {
  const announced = header(request, 'x-amz-content-sha256')
  if (announced === undefined || !/^[0-9a-f]{64}$/i.test(announced)) return
  if (announced.toLowerCase() === bodySha256) return
  throw new StsError('malformed_form', 'The body does not have the hash in x-amz-content-sha256')
}

/**
 * A plus sign in a query is a space to form readers and a plus sign to SigV4, so the signature of `%2B` covers it too:
 * a signed query that holds one could have been changed on its way.
 */
function refusePlusInQuery(request: HttpRequest): void {
  if (!request.query.includes('+')) return
  throw new StsError('malformed_form', 'In a signed query a space is %20 and a plus sign is %2B')
}
