import type { Directory, Group, RegisteredProvider, Role, User } from '../admin/index.ts'
import { IamError } from './iam-error.ts'
import type { ActionContext } from './types.ts'

export function findUser(admin: Directory, name: string): User {
  return admin.findUser(name) ?? absent(`user named "${name}"`)
}

export function findGroup(admin: Directory, name: string): Group {
  return admin.findGroup(name) ?? absent(`group named "${name}"`)
}

export function findRole(admin: Directory, name: string): Role {
  return admin.findRole(name) ?? absent(`role named "${name}"`)
}

export function findProvider(admin: Directory, arn: string): RegisteredProvider {
  return admin.findProvider(arn) ?? absent(`OpenID Connect provider ${arn.slice(0, 300)}`)
}

/** Calls without a `UserName` mean the user that signed; root and sessions are none. */
export function nameOrOwn(name: string | undefined, caller: ActionContext['caller']): string {
  if (name !== undefined) return name
  if (caller.kind === 'user') return caller.user
  throw new IamError(
    'missing_parameter',
    'UserName is needed, since the keys that signed are not those of a user',
  )
}

export function absent(what: string): never {
  throw new IamError('no_such_entity', `There is no ${what}`)
}
