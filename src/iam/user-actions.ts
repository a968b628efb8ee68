import type { Administration, User } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, localPolicyArn, policyArn, policyNameOf, rootArn, userArn } from './arn.ts'
import { userElement } from './elements.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import { oneOf, optional, policyArnText, required, rootPath, userName } from './parameter.ts'
import type { ActionContext, Permission } from './types.ts'

/** AWS IAM API reference, users; and `SetUserStatus`, which is ours. */
export const userActions: readonly (readonly [string, Action])[] = [
  [
    'CreateUser',
    defineAction({
      parameters: { UserName: required(userName), Path: optional(rootPath) },
      effect: 'change',
      permissions: ({ UserName }) => onUser('CreateUser', UserName),
      run: async ({ UserName }, { admin }) => ({
        User: userElement(await admin.createUser(UserName)),
      }),
    }),
  ],
  [
    'GetUser',
    defineAction({
      parameters: { UserName: optional(userName) },
      effect: 'read',
      permissions: ({ UserName }, { caller }) =>
        asksForRoot(UserName, caller)
          ? [{ action: 'iam:GetUser', resource: rootArn }]
          : onUser('GetUser', nameOrOwn(UserName, caller)),
      run: ({ UserName }, { admin, caller }) =>
        asksForRoot(UserName, caller)
          ? { User: { Path: '/', UserId: '000000000000', Arn: rootArn } }
          : { User: userElement(findUser(admin, nameOrOwn(UserName, caller))) },
    }),
  ],
  [
    'ListUsers',
    defineAction({
      parameters: { PathPrefix: optional(rootPath), ...pageParameters },
      effect: 'read',
      permissions: () => onUser('ListUsers', ''),
      run: (range, { admin }) =>
        page('Users', admin.listUsers(), (user) => user.name, range, userElement),
    }),
  ],
  [
    'DeleteUser',
    defineAction({
      parameters: { UserName: required(userName) },
      effect: 'change',
      permissions: ({ UserName }) => onUser('DeleteUser', UserName),
      run: async ({ UserName }, { admin }) => {
        await admin.deleteUser(UserName)
        return {}
      },
    }),
  ],
  [
    'SetUserStatus',
    defineAction({
      parameters: {
        UserName: required(userName),
        Status: required(oneOf('enabled', 'disabled')),
      },
      effect: 'change',
      permissions: ({ UserName }) => onUser('UpdateUser', UserName),
      run: async ({ UserName, Status }, { admin }) => {
        await admin.setUserStatus(UserName, Status)
        return {}
      },
    }),
  ],
  [
    'AttachUserPolicy',
    defineAction({
      parameters: { UserName: required(userName), PolicyArn: required(policyArnText) },
      effect: 'change',
      permissions: ({ UserName }) => onUser('AttachUserPolicy', UserName),
      run: async ({ UserName, PolicyArn }, { admin }) => {
        await admin.attachUserPolicy(UserName, findPolicy(admin, PolicyArn).name)
        return {}
      },
    }),
  ],
  [
    'DetachUserPolicy',
    defineAction({
      parameters: { UserName: required(userName), PolicyArn: required(policyArnText) },
      effect: 'change',
      permissions: ({ UserName }) => onUser('DetachUserPolicy', UserName),
      run: async ({ UserName, PolicyArn }, { admin }) => {
        await admin.detachUserPolicy(UserName, attachedName(admin, PolicyArn))
        return {}
      },
    }),
  ],
  [
    'ListAttachedUserPolicies',
    defineAction({
      parameters: {
        UserName: required(userName),
        PathPrefix: optional(rootPath),
        ...pageParameters,
      },
      effect: 'read',
      permissions: ({ UserName }) => onUser('ListAttachedUserPolicies', UserName),
      run: ({ UserName, ...range }, { admin }) =>
        page(
          'AttachedPolicies',
          findUser(admin, UserName).policies,
          (name) => name,
          range,
          (name) => ({ PolicyName: name, PolicyArn: attachedArn(admin, name) }),
        ),
    }),
  ],
]

export function onUser(action: string, name: string): readonly Permission[] {
  return [{ action: `iam:${action}`, resource: userArn(name) }]
}

export function findUser(admin: Administration, name: string): User {
  const user = admin.findUser(name)
  if (!user) throw new IamError('no_such_entity', `There is no user named "${name}"`)
  return user
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

function asksForRoot(name: string | undefined, caller: ActionContext['caller']): boolean {
  return name === undefined && caller.kind === 'root'
}

function attachedArn(admin: Administration, name: string): string {
  const policy = admin.findPolicy(name)
  return policy ? policyArn(policy) : localPolicyArn(name)
}

/** A policy that is attached but gone can still be detached, by the ARN under which it is listed. */
function attachedName(admin: Administration, arn: string): string {
  const name = policyNameOf(arn)
  return attachedArn(admin, name) === arn ? name : findPolicy(admin, arn).name
}
