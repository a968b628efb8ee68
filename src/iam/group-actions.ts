import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { cascadeOfGroup } from './cascade.ts'
import { groupElement, userElement } from './elements.ts'
import { findGroup, findUser } from './find.ts'
import { page, pageParameters } from './page.ts'
import {
  flag,
  groupName,
  optional,
  required,
  pathPrefix,
  rootPath,
  under,
  userName,
} from './parameter.ts'
import { onGroup } from './permissions.ts'
import { refuseRename } from './user-actions.ts'

/** AWS IAM API reference, groups. `Cascade` is ours: members and policies go with the group. */
export const groupActions: readonly (readonly [string, Action])[] = [
  [
    'CreateGroup',
    defineAction({
      parameters: { GroupName: required(groupName), Path: optional(rootPath) },
      effect: 'change',
      permissions: ({ GroupName }) => onGroup('CreateGroup', GroupName),
      run: async ({ GroupName }, { admin }) => ({
        Group: groupElement(await admin.createGroup(GroupName)),
      }),
    }),
  ],
  [
    'GetGroup',
    defineAction({
      parameters: { GroupName: required(groupName), ...pageParameters },
      effect: 'read',
      permissions: ({ GroupName }) => onGroup('GetGroup', GroupName),
      run: ({ GroupName, ...range }, { admin }) => {
        const group = findGroup(admin, GroupName)
        const users = page(
          'Users',
          group.members,
          (name) => name,
          range,
          (name) => userElement(admin, findUser(admin, name)),
        )
        return { Group: groupElement(group), ...users }
      },
    }),
  ],
  [
    'ListGroups',
    defineAction({
      parameters: { PathPrefix: optional(pathPrefix), ...pageParameters },
      effect: 'read',
      permissions: () => onGroup('ListGroups', ''),
      run: ({ PathPrefix, ...range }, { admin }) =>
        page(
          'Groups',
          under(PathPrefix, admin.listGroups()),
          (group) => group.name,
          range,
          groupElement,
        ),
    }),
  ],
  [
    'UpdateGroup',
    defineAction({
      parameters: {
        GroupName: required(groupName),
        NewGroupName: optional(groupName),
        NewPath: optional(rootPath),
      },
      effect: 'change',
      permissions: ({ GroupName }) => onGroup('UpdateGroup', GroupName),
      run: ({ GroupName, NewGroupName }, { admin }) => {
        findGroup(admin, GroupName)
        refuseRename(GroupName, NewGroupName)
        return {}
      },
    }),
  ],
  [
    'DeleteGroup',
    defineAction({
      parameters: { GroupName: required(groupName), Cascade: optional(flag) },
      effect: 'change',
      permissions: ({ GroupName, Cascade }, { admin }) => [
        ...onGroup('DeleteGroup', GroupName),
        ...(Cascade === true ? cascadeOfGroup(admin, GroupName) : []),
      ],
      run: async ({ GroupName, Cascade }, { admin }) => {
        await admin.deleteGroup(GroupName, Cascade === true ? 'cascade' : 'bare')
        return {}
      },
    }),
  ],
  [
    'AddUserToGroup',
    defineAction({
      parameters: { GroupName: required(groupName), UserName: required(userName) },
      effect: 'change',
      permissions: ({ GroupName }) => onGroup('AddUserToGroup', GroupName),
      run: async ({ GroupName, UserName }, { admin }) => {
        await admin.addUserToGroup(GroupName, UserName)
        return {}
      },
    }),
  ],
  [
    'RemoveUserFromGroup',
    defineAction({
      parameters: { GroupName: required(groupName), UserName: required(userName) },
      effect: 'change',
      permissions: ({ GroupName }) => onGroup('RemoveUserFromGroup', GroupName),
      run: async ({ GroupName, UserName }, { admin }) => {
        await admin.removeUserFromGroup(GroupName, UserName)
        return {}
      },
    }),
  ],
]
