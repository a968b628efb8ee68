import type { PolicySource, SessionPrincipal } from '../credentials/types.ts'
import type { PolicyPrincipal } from '../policy/index.ts'

/** Of everything that we name in ARNs: there is one account, and it is nobody's at AWS. */
export const account = '000000000000'

/** What of a session its names are made from. `Session` and `Grant` fit it. */
export type NamedSession = Readonly<{
  principal: Pick<SessionPrincipal, 'kind' | 'provider' | 'subject'>
  source: PolicySource
  sessionName: string
  way?: 'session-token' | 'federation'
}>

export const rootArn = `arn:aws:iam::${account}:root`

export function userArn(name: string): string {
  return `arn:aws:iam::${account}:user/${name}`
}

/** `arn:aws:sts::000000000000:federated-user/NAME`, as GetFederationToken names what it gives. */
export function federatedUserArn(name: string): string {
  return `arn:aws:sts::${account}:federated-user/${name}`
}

/**
 * `arn:aws:sts::000000000000:assumed-role/ROLE/SESSION`: what bucket policies and `aws:PrincipalArn` know. The sessions
 * of GetSessionToken go by the name of the user itself, those of GetFederationToken by one of their own.
 */
export function sessionArn(session: NamedSession): string {
  const { source, way, sessionName } = session
  if (way === 'federation') return federatedUserArn(sessionName)
  if (way === 'session-token') return source.kind === 'user' ? userArn(source.name) : rootArn
  return `arn:aws:sts::${account}:assumed-role/${roleName(session)}/${sessionName}`
}

/**
 * `aws:userid` of a session, and what AWS clients get as its `UserId`. Of a role its id and the session's name, as at
 * AWS: who must not choose it is told so by the trust policy (`sts:RoleSessionName`). Else of the proven subject, since
 * the session name is the caller's own choice and `${aws:userid}` in a policy must not be.
 */
export function sessionUserId({ principal, source, sessionName, way }: NamedSession): string {
  if (source.kind === 'role' && source.id !== undefined) return `${source.id}:${sessionName}`
  if (way === 'federation') return `${account}:${sessionName}`
  if (way === 'session-token') return source.kind === 'user' ? source.name : account
  return `${principal.provider}:${principal.subject}`
}

/** The role that bucket and trust policies may name; only a session that really has one. */
function sessionRoleArn({ source }: Pick<NamedSession, 'source'>): string | undefined {
  if (source.kind === 'binding') return source.roleArn
  if (source.kind !== 'role') return undefined
  return source.id === undefined ? `arn:aws:iam::${account}:role/openid=${source.name}` : source.arn
}

/** A session as policies know it. What is said of a user, of a role, holds for its sessions too. */
export function sessionPolicyPrincipal(
  session: NamedSession,
): Extract<PolicyPrincipal, { kind: 'session' | 'root-session' }> {
  const { source } = session
  if (source.kind === 'root') return { kind: 'root-session', account }
  const roleArn = sessionRoleArn(session)
  return {
    kind: 'session',
    account,
    arn: sessionArn(session),
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(source.kind === 'user' ? { userArn: userArn(source.name) } : {}),
  }
}

const ways: Readonly<Record<SessionPrincipal['kind'], string>> = {
  root: 'root',
  user: 'user',
  'web-identity': 'openid',
  ldap: 'ldap',
  certificate: 'certificate',
  'custom-token': 'custom',
  'service-account': 'kubernetes',
}

/**
 * The ROLE in a session's ARN. What stands before `=` keeps a user called `dex` and a provider called `dex` apart,
 * else a bucket policy for one would let the other in. A role of the directory stands for itself: none whose name has
 * `=` in it can be taken.
 */
function roleName({ principal, source }: NamedSession): string {
  if (source.kind === 'root') return 'root'
  if (source.kind === 'role' && source.id !== undefined) return source.name
  if (source.kind === 'user') return `user=${source.name}`
  return `${ways[principal.kind]}=${principal.provider}`
}
