import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, rootArn, userArn } from './arn.ts'
import { cascadeOfUser } from './cascade.ts'
import { groupElement, userElement } from './elements.ts'
import { findGroup, findUser, nameOrOwn } from './find.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import {
  flag,
  oneOf,
  optional,
  policyArnText,
  required,
  pathPrefix,
  rootPath,
  tags,
  under,
  userName,
} from './parameter.ts'
import { on, onNew, onUser } from './permissions.ts'
import type { ActionContext } from './types.ts'

/** AWS IAM API reference, users; and `SetUserStatus` and `Cascade`, which are ours. */
export const userActions: readonly (readonly [string, Action])[] = [
  [
    'CreateUser',
    defineAction({
      parameters: {
        UserName: required(userName),
        Path: optional(rootPath),
        PermissionsBoundary: optional(policyArnText),
        Tags: tags,
      },
      effect: 'change',
      permissions: ({ UserName, PermissionsBoundary: permissionsBoundary, Tags }) =>
        onNew(
          userArn(UserName),
          { create: 'CreateUser', bound: 'PutUserPermissionsBoundary', tag: 'TagUser' },
          { tags: Tags, ...(permissionsBoundary !== undefined && { permissionsBoundary }) },
        ),
      run: async ({ UserName, PermissionsBoundary, Tags }, { admin }) => {
        const boundary =
          PermissionsBoundary === undefined
            ? {}
            : { permissionsBoundary: findPolicy(admin, PermissionsBoundary).name }
        const user = await admin.createUser(UserName, { ...boundary, tags: Tags })
        return { User: userElement(admin, user) }
      },
    }),
  ],
  [
    'GetUser',
    defineAction({
      parameters: { UserName: optional(userName) },
      effect: 'read',
      permissions: ({ UserName }, { caller }) =>
        asksForRoot(UserName, caller)
          ? on('GetUser', rootArn)
          : onUser('GetUser', nameOrOwn(UserName, caller)),
      run: ({ UserName }, { admin, caller, now }) =>
        asksForRoot(UserName, caller)
          ? { User: { Path: '/', UserId: '000000000000', Arn: rootArn, CreateDate: now } }
          : { User: userElement(admin, findUser(admin, nameOrOwn(UserName, caller))) },
    }),
  ],
  [
    'ListUsers',
    defineAction({
      parameters: { PathPrefix: optional(pathPrefix), ...pageParameters },
      effect: 'read',
      permissions: () => onUser('ListUsers', ''),
      run: ({ PathPrefix, ...range }, { admin }) =>
        page(
          'Users',
          under(PathPrefix, admin.listUsers()),
          (user) => user.name,
          range,
          (user) => userElement(admin, user),
        ),
    }),
  ],
  [
    'UpdateUser',
    defineAction({
      parameters: {
        UserName: required(userName),
        NewUserName: optional(userName),
        NewPath: optional(rootPath),
      },
      effect: 'change',
      permissions: ({ UserName }) => onUser('UpdateUser', UserName),
      run: ({ UserName, NewUserName }, { admin }) => {
        findUser(admin, UserName)
        refuseRename(UserName, NewUserName)
        return {}
      },
    }),
  ],
  [
    'DeleteUser',
    defineAction({
      parameters: { UserName: required(userName), Cascade: optional(flag) },
      effect: 'change',
      permissions: ({ UserName, Cascade }, { admin }) => [
        ...onUser('DeleteUser', UserName),
        ...(Cascade === true ? cascadeOfUser(admin, UserName) : []),
      ],
      run: async ({ UserName, Cascade }, { admin }) => {
        await admin.deleteUser(UserName, Cascade === true ? 'cascade' : 'bare')
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
    'ListGroupsForUser',
    defineAction({
      parameters: { UserName: required(userName), ...pageParameters },
      effect: 'read',
      permissions: ({ UserName }) => onUser('ListGroupsForUser', UserName),
      run: ({ UserName, ...range }, { admin }) =>
        page(
          'Groups',
          admin.groupsOf(findUser(admin, UserName).name),
          (name) => name,
          range,
          (name) => groupElement(findGroup(admin, name)),
        ),
    }),
  ],
]

/** Names stand in policies, sessions and audit records; a new one would leave them behind. */
export function refuseRename(name: string, newName: string | undefined): void {
  if (newName === undefined || newName === name) return
  throw new IamError('not_supported', 'Nothing is renamed on this server; make it anew')
}

function asksForRoot(name: string | undefined, caller: ActionContext['caller']): boolean {
  return name === undefined && caller.kind === 'root'
}
