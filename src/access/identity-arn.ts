import type { Session } from '../credentials/index.ts'
import type { Identity } from './caller.ts'

/** There is one account; AWS clients want twelve digits. */
export const accountId = '000000000000'

/** `aws:PrincipalArn` and what GetCallerIdentity answers (AWS IAM user guide, IAM identifiers). */
export function identityArn(identity: Identity): string | undefined {
  switch (identity.kind) {
    case 'anonymous':
      return undefined
    case 'root':
      return `arn:aws:iam::${accountId}:root`
    case 'user':
      return `arn:aws:iam::${accountId}:user/${identity.user}`
    case 'session':
      return sessionArn(identity.session)
  }
}

/** The role of a session: its own, else the provider (web identity) or the user that stands for one. */
export function sessionRoleName(session: Session): string {
  if (session.source.kind === 'role') return session.source.name
  if (session.principal.kind === 'web-identity') return session.principal.provider
  return session.principal.subject
}

function sessionArn(session: Session): string {
  return `arn:aws:sts::${accountId}:assumed-role/${sessionRoleName(session)}/${session.sessionName}`
}

/** The role that bucket policies may name; only a session that really has one. */
export function sessionRoleArn(session: Session): string | undefined {
  if (session.source.kind !== 'role') return undefined
  return `arn:aws:iam::${accountId}:role/${session.source.name}`
}
