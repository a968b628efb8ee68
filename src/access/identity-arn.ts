import { account, rootArn, sessionArn, sessionUserId, userArn } from '../grants/index.ts'
import type { Identity } from './caller.ts'

/** `aws:PrincipalArn` and what GetCallerIdentity answers (AWS IAM user guide, IAM identifiers). */
export function identityArn(identity: Exclude<Identity, { kind: 'anonymous' }>): string {
  switch (identity.kind) {
    case 'root':
      return rootArn
    case 'user':
      return userArn(identity.user)
    case 'session':
      return sessionArn(identity.session)
  }
}

/** `aws:userid` (AWS IAM user guide, "Principal key values"). */
export function identityUserId(identity: Exclude<Identity, { kind: 'anonymous' }>): string {
  switch (identity.kind) {
    case 'root':
      return account
    case 'user':
      return identity.user
    case 'session':
      return sessionUserId(identity.session)
  }
}
