import { identityArn, identityUserId } from '../access/index.ts'
import { account } from '../grants/index.ts'
import type { Evidence } from '../identity/index.ts'
import { Secret } from '../secret.ts'
import {
  assumeRoleDocument,
  callerIdentityDocument,
  decodedMessageDocument,
  webIdentityDocument,
} from './documents.ts'
import { readGrantRequest } from './grant-request.ts'
import type { Parameters } from './parameters.ts'
import { StsError } from './sts-error.ts'
import type { Call, StsAction, StsFaceOptions } from './types.ts'

/** Answers a call with the document to send. */
type Action = (call: Call, options: StsFaceOptions) => Promise<string>

/** By the name in `Action`, which is case-sensitive. */
export const actions: ReadonlyMap<StsAction, Action> = new Map<StsAction, Action>([
  ['AssumeRole', assumeRole],
  ['AssumeRoleWithWebIdentity', webIdentity('AssumeRoleWithWebIdentity')],
  ['AssumeRoleWithClientGrants', webIdentity('AssumeRoleWithClientGrants')],
  ['GetCallerIdentity', getCallerIdentity],
  ['DecodeAuthorizationMessage', decodeAuthorizationMessage],
])

async function assumeRole(call: Call, { exchange }: StsFaceOptions): Promise<string> {
  const { caller, parameters, request } = call
  const { id } = request
  const { identity } = caller
  if (identity.kind === 'anonymous') throw unsigned()
  const grant = readGrantRequest('sts:AssumeRole', parameters, request)
  const { accessKeyId } = identity
  if (identity.kind === 'session') {
    const message = 'Temporary credentials cannot be used to get further ones'
    return exchange.refuse({ id, grant, accessKeyId }, 'caller_not_allowed', message)
  }
  // A presigned link works for whoever finds it, for days, in a log or a history. It must not mint credentials.
  if (caller.authentication.kind === 'query') {
    const message = 'AssumeRole takes no presigned link; sign in the Authorization header'
    return exchange.refuse({ id, grant, accessKeyId }, 'caller_not_allowed', message)
  }
  const evidence: Evidence = { kind: 'signature', signer: identity }
  return assumeRoleDocument(await exchange.exchange({ id, evidence, grant }), id)
}

/** The token is the proof. A signature is not needed, but has been checked when there is one. */
function webIdentity(action: 'AssumeRoleWithWebIdentity' | 'AssumeRoleWithClientGrants'): Action {
  return async ({ parameters, request }, { exchange }) => {
    const evidence = readWebIdentity(action, parameters)
    const grant = readGrantRequest(`sts:${action}`, parameters, request)
    const issued = await exchange.exchange({ id: request.id, evidence, grant })
    return webIdentityDocument(action, issued, request.id)
  }
}

/** Both actions take both spellings of the token; `Token` goes first, as with MinIO. */
function readWebIdentity(action: StsAction, parameters: Parameters): Evidence {
  const own = action === 'AssumeRoleWithWebIdentity' ? 'WebIdentityToken' : 'Token'
  const other = parameters.get('Token') ?? parameters.get('WebIdentityToken')
  const token = new Secret(other ?? parameters.demand(own))
  const accessToken = parameters.get('WebIdentityAccessToken')
  return {
    kind: 'web-identity',
    token,
    ...(accessToken !== undefined && { accessToken: new Secret(accessToken) }),
  }
}

/** Needs no right: it tells callers only who they are. */
async function getCallerIdentity({ caller, request }: Call): Promise<string> {
  const { identity } = caller
  if (identity.kind === 'anonymous') throw unsigned()
  const arn = identityArn(identity)
  return callerIdentityDocument({ arn, userId: identityUserId(identity), account }, request.id)
}

/** Opens the sealed trace of a denial, for root and for whom a policy allows it. */
async function decodeAuthorizationMessage(call: Call, options: StsFaceOptions): Promise<string> {
  const { caller, parameters, request } = call
  if (caller.identity.kind === 'anonymous') throw unsigned()
  const right = { action: 'sts:DecodeAuthorizationMessage', resource: '*' }
  options.access.authorize(caller, request, [right])
  const message = open(parameters.demand('EncodedMessage'), options)
  return decodedMessageDocument(JSON.stringify(message), request.id)
}

function open(encodedMessage: string, options: StsFaceOptions): unknown {
  try {
    return options.openDenial(encodedMessage)
  } catch (cause) {
    throw new StsError('malformed_message', 'EncodedMessage is not a message of ours', { cause })
  }
}

function unsigned(): StsError {
  return new StsError('missing_authentication', 'This action needs a signed request')
}
