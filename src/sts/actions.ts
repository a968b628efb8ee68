import { identityArn, identityUserId } from '../access/index.ts'
import { ExchangeError } from '../exchange.ts'
import type { Issued, Presented } from '../exchange.ts'
import { account } from '../grants/index.ts'
import type { GrantRequest, IssueAction } from '../grants/index.ts'
import { IdentityError } from '../identity/index.ts'
import type { Evidence } from '../identity/index.ts'
import { Secret } from '../secret.ts'
import {
  accessKeyInfoDocument,
  assumeRoleDocument,
  callerIdentityDocument,
  customTokenDocument,
  decodedMessageDocument,
  federationTokenDocument,
  identityDocument,
  sessionTokenDocument,
  webIdentityDocument,
} from './documents.ts'
import { readGrantRequest } from './grant-request.ts'
import type { Parameters } from './parameters.ts'
import { StsError } from './sts-error.ts'
import type { Call, StsAction, StsErrorCode, StsFaceOptions } from './types.ts'

/** Answers a call with the document to send. */
type Action = (call: Call, options: StsFaceOptions) => Promise<string>

/** By the name in `Action`, which is case-sensitive. */
export const actions: ReadonlyMap<StsAction, Action> = new Map<StsAction, Action>([
  ['AssumeRole', assumeRole],
  ['AssumeRoleWithWebIdentity', webIdentity('AssumeRoleWithWebIdentity')],
  ['AssumeRoleWithClientGrants', webIdentity('AssumeRoleWithClientGrants')],
  ['AssumeRoleWithLDAPIdentity', ldapIdentity],
  ['AssumeRoleWithCertificate', certificate],
  ['AssumeRoleWithCustomToken', customToken],
  ['GetSessionToken', getSessionToken],
  ['GetFederationToken', getFederationToken],
  ['GetAccessKeyInfo', getAccessKeyInfo],
  ['GetCallerIdentity', getCallerIdentity],
  ['DecodeAuthorizationMessage', decodeAuthorizationMessage],
])

/** Users and root take a role or get a session of their own; sessions take a role. */
async function assumeRole(call: Call, options: StsFaceOptions): Promise<string> {
  const grant = readGrantRequest('sts:AssumeRole', call.parameters, call.request)
  return assumeRoleDocument(await bySignature(call, grant, options), call.request.id)
}

async function getSessionToken(call: Call, options: StsFaceOptions): Promise<string> {
  const grant = readGrantRequest('sts:GetSessionToken', call.parameters, call.request)
  return sessionTokenDocument(await bySignature(call, grant, options), call.request.id)
}

async function getFederationToken(call: Call, options: StsFaceOptions): Promise<string> {
  const grant = readGrantRequest('sts:GetFederationToken', call.parameters, call.request)
  const roleSessionName = call.parameters.demand('Name')
  if (!/^[\w+=,.@-]{2,32}$/.test(roleSessionName)) {
    throw new StsError('invalid_value', 'Name has 2 to 32 letters, digits or characters of _+=,.@-')
  }
  const issued = await bySignature(call, { ...grant, roleSessionName }, options)
  return federationTokenDocument(issued, call.request.id)
}

async function bySignature(
  { caller, request: { id } }: Call,
  grant: GrantRequest,
  { exchange }: StsFaceOptions,
): Promise<Issued> {
  const { identity } = caller
  if (identity.kind === 'anonymous') throw unsigned()
  const action = grant.action.slice('sts:'.length)
  const { accessKeyId } = identity
  // A presigned link works for whoever finds it, for days, in a log or a history. It must not mint credentials.
  if (caller.authentication.kind === 'query') {
    const message = `${action} takes no presigned link; sign in the Authorization header`
    return exchange.refuse({ id, grant, accessKeyId }, 'caller_not_allowed', message)
  }
  // The session would be as wide as the user, or outlive the key.
  if (identity.kind === 'user' && identity.limits !== undefined) {
    const message = `${action} takes no access key that has a policy or an end of its own; sign with another key of the user`
    return exchange.refuse({ id, grant, accessKeyId }, 'caller_not_allowed', message)
  }
  const evidence: Presented =
    identity.kind === 'session'
      ? { kind: 'session', session: identity.session }
      : { kind: 'signature', signer: identity }
  return exchange.exchange({ id, evidence, grant })
}

/** The password is the proof. It comes with every call, and leads nowhere but to the directory. */
async function ldapIdentity(call: Call, options: StsFaceOptions): Promise<string> {
  const { parameters, request } = call
  const [username, password] = [parameters.get('LDAPUsername'), parameters.get('LDAPPassword')]
  if (username === undefined || password === undefined) {
    throw new StsError('missing_login', 'LDAPUsername and LDAPPassword are both needed')
  }
  const evidence: Evidence = {
    kind: 'ldap',
    username,
    password: new Secret(password),
    source: request.source,
  }
  const ask = { action: 'sts:AssumeRoleWithLDAPIdentity', evidence } as const
  const issued = await byProof(call, ask, 'login_not_enabled', options)
  return identityDocument('AssumeRoleWithLDAPIdentity', issued, request.id)
}

/** The TLS handshake is the proof. */
async function certificate(call: Call, options: StsFaceOptions): Promise<string> {
  const { request } = call
  const evidence: Evidence = { kind: 'certificate', chain: await readChain(call, options) }
  const ask = { action: 'sts:AssumeRoleWithCertificate', evidence } as const
  const issued = await byProof(call, ask, 'proof_not_enabled', options)
  return identityDocument('AssumeRoleWithCertificate', issued, request.id)
}

async function readChain(
  { request, parameters }: Call,
  { clientChain, exchange }: StsFaceOptions,
): Promise<readonly Buffer[]> {
  if (clientChain === undefined) throw notEnabled('proof_not_enabled')
  try {
    const chain = clientChain(request)
    if (chain !== undefined) return chain
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const grant = readGrantRequest('sts:AssumeRoleWithCertificate', parameters, request)
    return exchange.refuse({ id: request.id, grant }, error.code, error.message)
  }
  throw new StsError(
    'insecure_connection',
    'A client certificate is shown over TLS, and in no other way',
  )
}

async function customToken(call: Call, options: StsFaceOptions): Promise<string> {
  const { parameters, request } = call
  const token = new Secret(parameters.demand('Token'))
  const roleArn = parameters.demand('RoleArn')
  const evidence: Evidence = { kind: 'custom-token', token, roleArn }
  const ask = { action: 'sts:AssumeRoleWithCustomToken', evidence } as const
  const issued = await byProof(call, ask, 'proof_not_enabled', options)
  return customTokenDocument(issued, request.id)
}

/** Of a proof that nobody here can judge, the caller learns that it is no way in. */
async function byProof(
  { parameters, request }: Call,
  { action, evidence }: Readonly<{ action: IssueAction; evidence: Evidence }>,
  otherwise: 'login_not_enabled' | 'proof_not_enabled',
  { exchange }: StsFaceOptions,
): Promise<Issued> {
  const grant = readGrantRequest(action, parameters, request)
  try {
    return await exchange.exchange({ id: request.id, evidence, grant })
  } catch (error) {
    if (error instanceof ExchangeError && error.code === 'no_provider') throw notEnabled(otherwise)
    throw error
  }
}

function notEnabled(code: StsErrorCode): StsError {
  return new StsError(code, 'This way in is not configured here')
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

/** There is one account, so the answer tells nothing of the key: not even whether it exists. */
async function getAccessKeyInfo(call: Call, { access }: StsFaceOptions): Promise<string> {
  const { caller, parameters, request } = call
  if (caller.identity.kind === 'anonymous') throw unsigned()
  access.authorize(caller, request, [{ action: 'sts:GetAccessKeyInfo', resource: '*' }])
  if (!/^[\w.-]{3,128}$/.test(parameters.demand('AccessKeyId'))) {
    throw new StsError('invalid_value', 'AccessKeyId is no access key id')
  }
  return accessKeyInfoDocument(request.id)
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
