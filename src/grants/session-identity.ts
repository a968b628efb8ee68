import type { PolicySource, SessionPrincipal } from '../credentials/types.ts'

/** Of everything that we name in ARNs: there is one account, and it is nobody's at AWS. */
export const account = '000000000000'

/** What of a session its names are made from. `Session` and `Grant` fit it. */
export type NamedSession = Readonly<{
  principal: Pick<SessionPrincipal, 'provider' | 'subject'>
  source: PolicySource
  sessionName: string
}>

export const rootArn = `arn:aws:iam::${account}:root`

export function userArn(name: string): string {
  return `arn:aws:iam::${account}:user/${name}`
}

/** `arn:aws:sts::000000000000:assumed-role/ROLE/SESSION`: what bucket policies and `aws:PrincipalArn` know. */
export function sessionArn(session: NamedSession): string {
  return `arn:aws:sts::${account}:assumed-role/${roleName(session)}/${session.sessionName}`
}

/**
 * `aws:userid` of a session, and what AWS clients get as its `UserId`. Of the proven subject, since the session name
 * is the caller's own choice and `${aws:userid}` in a policy must not be.
 */
export function sessionUserId({ principal }: NamedSession): string {
  return `${principal.provider}:${principal.subject}`
}

/**
 * The ROLE in a session's ARN. What stands before `=` keeps a user called `dex` and a provider called `dex` apart,
 * else a bucket policy for one would let the other in.
 */
function roleName({ principal, source }: NamedSession): string {
  if (source.kind === 'root') return 'root'
  return source.kind === 'user' ? `user=${source.name}` : `openid=${principal.provider}`
}
