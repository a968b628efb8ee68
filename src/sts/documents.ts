import type { Issued } from '../exchange.ts'
import { account, sessionArn, sessionUserId } from '../grants/index.ts'
import type { WireError } from './wire-errors.ts'
import { element, type Xml } from './xml.ts'

/**
 * The documents of API version 2011-06-15, in the order of MinIO's elements, which AWS's own parsers do not mind.
 * Clients such as minio-go match root name and namespace.
 */
const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'

export function assumeRoleDocument(issued: Issued, requestId: string): string {
  const children = [assumedRoleUser(issued), ...credentials(issued), ...sourceIdentity(issued)]
  return success('AssumeRole', children, requestId)
}

function sourceIdentity({ grant }: Issued): readonly Xml[] {
  const { sourceIdentity: name } = grant
  return name === undefined ? [] : [element('SourceIdentity', name)]
}

/** Web identity and client grants differ in the name of the action and of the subject only. */
export function webIdentityDocument(
  action: 'AssumeRoleWithWebIdentity' | 'AssumeRoleWithClientGrants',
  issued: Issued,
  requestId: string,
): string {
  const { principal } = issued.grant
  const audience = audienceOf(principal.claims)
  const subject = action === 'AssumeRoleWithWebIdentity' ? 'FromWebIdentityToken' : 'FromToken'
  const children = [
    assumedRoleUser(issued),
    ...(audience === undefined ? [] : [element('Audience', audience)]),
    ...credentials(issued),
    element('Provider', principal.issuer),
    ...sourceIdentity(issued),
    element(`Subject${subject}`, principal.subject),
  ]
  return success(action, children, requestId)
}

/** MinIO's own two, with the name of the session that MinIO leaves out. */
export function identityDocument(
  action: 'AssumeRoleWithLDAPIdentity' | 'AssumeRoleWithCertificate',
  issued: Issued,
  requestId: string,
): string {
  return success(action, [assumedRoleUser(issued), ...credentials(issued)], requestId)
}

/** MinIO's custom token: `AssumedUser` is the plugin's user, as policies knew it there. */
export function customTokenDocument(issued: Issued, requestId: string): string {
  const user = element('AssumedUser', `custom:${issued.grant.principal.subject}`)
  const children = [assumedRoleUser(issued), ...credentials(issued), user]
  return success('AssumeRoleWithCustomToken', children, requestId)
}

export function sessionTokenDocument(issued: Issued, requestId: string): string {
  const [keys] = credentials(issued)
  return success('GetSessionToken', [keys], requestId)
}

export function federationTokenDocument(issued: Issued, requestId: string): string {
  const { grant } = issued
  const user = element('FederatedUser', [
    element('Arn', sessionArn(grant)),
    element('FederatedUserId', sessionUserId(grant)),
  ])
  return success('GetFederationToken', [...credentials(issued), user], requestId)
}

/** There is one account, and every key of ours is its key. */
export function accessKeyInfoDocument(requestId: string): string {
  return success('GetAccessKeyInfo', [element('Account', account)], requestId)
}

export function callerIdentityDocument(
  identity: Readonly<{ arn: string; userId: string; account: string }>,
  requestId: string,
): string {
  const children = [
    element('Arn', identity.arn),
    element('UserId', identity.userId),
    element('Account', identity.account),
  ]
  return success('GetCallerIdentity', children, requestId)
}

export function decodedMessageDocument(message: string, requestId: string): string {
  return success('DecodeAuthorizationMessage', [element('DecodedMessage', message)], requestId)
}

/** `Type` is left empty in MinIO's documents. */
export function errorDocument(
  error: WireError,
  message: string,
  type: 'Sender' | 'Receiver' | '',
  requestId: string,
): string {
  const details = [element('Type', type), element('Code', error.code), element('Message', message)]
  const children = [element('Error', details), element('RequestId', requestId)]
  return prolog + element('ErrorResponse', children, namespace)
}

function success(action: string, result: readonly Xml[], requestId: string): string {
  const children = [
    element(`${action}Result`, result),
    element('ResponseMetadata', [element('RequestId', requestId)]),
  ]
  return prolog + element(`${action}Response`, children, namespace)
}

/** `AssumeRoleId` is how MinIO's clients spell what AWS calls `AssumedRoleId`; each parser skips the other's. */
function assumedRoleUser({ grant }: Issued): Xml {
  const id = sessionUserId(grant)
  return element('AssumedRoleUser', [
    element('Arn', sessionArn(grant)),
    element('AssumeRoleId', id),
    element('AssumedRoleId', id),
  ])
}

function credentials({ credentials: issued }: Issued): readonly [keys: Xml, size: Xml] {
  const fields = [
    element('AccessKeyId', issued.accessKeyId),
    element('SecretAccessKey', issued.secretAccessKey.reveal()),
    element('SessionToken', issued.sessionToken.reveal()),
    element('Expiration', wholeSeconds(issued.expiresAt)),
  ]
  return [
    element('Credentials', fields),
    element('PackedPolicySize', String(issued.packedPolicySize)),
  ]
}

/** RFC 3339 in UTC without a fraction. */
export function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`
}

/** Whom the token was made out to; the first of them when there are several. */
function audienceOf(claims: ReadonlyMap<string, string | readonly string[]>): string | undefined {
  const audience = claims.get('aud')
  return typeof audience === 'string' ? audience : audience?.[0]
}
