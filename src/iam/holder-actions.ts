import { ownNameOfInline } from '../admin/index.ts'
import type { Directory, PolicyHolder } from '../admin/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { attachedName, findPolicy } from './arn.ts'
import { attachedElement, documentText } from './elements.ts'
import { absent, findGroup, findRole, findUser } from './find.ts'
import { page, pageParameters } from './page.ts'
import type { Parameter } from './parameter.ts'
import {
  groupName,
  named,
  optional,
  policyArnText,
  policyName,
  required,
  roleName,
  pathPrefix,
  text,
  under,
  userName,
} from './parameter.ts'
import { onGroup, onRole, onUser } from './permissions.ts'
import type { About, Permission } from './types.ts'

/** What differs between users, groups and roles. */
type Noun = Readonly<{
  word: 'User' | 'Group' | 'Role'
  kind: PolicyHolder['kind']
  name: Parameter<string>
  on(action: string, name: string, about?: About): readonly Permission[]
  find(
    admin: Directory,
    name: string,
  ): Readonly<{ policies: readonly string[]; inlinePolicies: readonly NamedPolicy[] }>
}>

const nouns: readonly Noun[] = [
  {
    word: 'User',
    kind: 'user',
    name: named('UserName', required(userName)),
    on: onUser,
    find: findUser,
  },
  {
    word: 'Group',
    kind: 'group',
    name: named('GroupName', required(groupName)),
    on: onGroup,
    find: findGroup,
  },
  {
    word: 'Role',
    kind: 'role',
    name: named('RoleName', required(roleName)),
    on: onRole,
    find: findRole,
  },
]

/** AWS IAM API reference: attached and inline policies of users, groups and roles. */
export const holderActions: readonly (readonly [string, Action])[] = nouns.flatMap((noun) => [
  ...attachedActions(noun),
  ...inlineActions(noun),
  ...boundaryActions(noun),
])

function attachedActions(noun: Noun): readonly (readonly [string, Action])[] {
  const { word, kind, find, on } = noun
  const attach = `Attach${word}Policy`
  const detach = `Detach${word}Policy`
  const list = `ListAttached${word}Policies`
  return [
    [
      attach,
      defineAction({
        parameters: { name: noun.name, PolicyArn: required(policyArnText) },
        effect: 'change',
        permissions: ({ name, PolicyArn: policyArn }) => on(attach, name, { policyArn }),
        run: async ({ name, PolicyArn }, { admin }) => {
          await admin.attachPolicy({ kind, name }, findPolicy(admin, PolicyArn).name)
          return {}
        },
      }),
    ],
    [
      detach,
      defineAction({
        parameters: { name: noun.name, PolicyArn: required(policyArnText) },
        effect: 'change',
        permissions: ({ name, PolicyArn: policyArn }) => on(detach, name, { policyArn }),
        run: async ({ name, PolicyArn }, { admin }) => {
          await admin.detachPolicy({ kind, name }, attachedName(admin, PolicyArn))
          return {}
        },
      }),
    ],
    [
      list,
      defineAction({
        parameters: { name: noun.name, PathPrefix: optional(pathPrefix), ...pageParameters },
        effect: 'read',
        permissions: ({ name }) => on(list, name),
        run: ({ name, PathPrefix, ...range }, { admin }) =>
          page(
            'AttachedPolicies',
            under(PathPrefix, find(admin, name).policies),
            (policy) => policy,
            range,
            (policy) => attachedElement(admin, policy),
          ),
      }),
    ],
  ]
}

function inlineActions(noun: Noun): readonly (readonly [string, Action])[] {
  const { word, kind, find, on } = noun
  const one = { name: noun.name, PolicyName: required(policyName) }
  const inlineNames = (admin: Directory, name: string): readonly string[] =>
    find(admin, name).inlinePolicies.map((each) => ownNameOfInline({ kind, name }, each.name))
  const put = `Put${word}Policy`
  const get = `Get${word}Policy`
  const remove = `Delete${word}Policy`
  const list = `List${word}Policies`
  return [
    [
      put,
      defineAction({
        parameters: { ...one, PolicyDocument: required(text) },
        effect: 'change',
        permissions: ({ name }) => on(put, name),
        run: async ({ name, PolicyName, PolicyDocument }, { admin }) => {
          await admin.putInlinePolicy({ kind, name }, PolicyName, PolicyDocument)
          return {}
        },
      }),
    ],
    [
      get,
      defineAction({
        parameters: one,
        effect: 'read',
        permissions: ({ name }) => on(get, name),
        run: ({ name, PolicyName }, { admin }) => {
          const found = find(admin, name).inlinePolicies.find(
            (each) => ownNameOfInline({ kind, name }, each.name) === PolicyName,
          )
          if (!found) return absent(`inline policy "${PolicyName}" of ${kind} "${name}"`)
          return {
            [`${word}Name`]: name,
            PolicyName,
            PolicyDocument: documentText(found.policy),
          }
        },
      }),
    ],
    [
      remove,
      defineAction({
        parameters: one,
        effect: 'change',
        permissions: ({ name }) => on(remove, name),
        run: async ({ name, PolicyName }, { admin }) => {
          await admin.deleteInlinePolicy({ kind, name }, PolicyName)
          return {}
        },
      }),
    ],
    [
      list,
      defineAction({
        parameters: { name: noun.name, ...pageParameters },
        effect: 'read',
        permissions: ({ name }) => on(list, name),
        run: ({ name, ...range }, { admin }) =>
          page(
            'PolicyNames',
            inlineNames(admin, name),
            (each) => each,
            range,
            (each) => each,
          ),
      }),
    ],
  ]
}

/** Groups have none: a boundary is of one identity. */
function boundaryActions(noun: Noun): readonly (readonly [string, Action])[] {
  const { word, kind, on } = noun
  if (kind === 'group') return []
  const put = `Put${word}PermissionsBoundary`
  const remove = `Delete${word}PermissionsBoundary`
  return [
    [
      put,
      defineAction({
        parameters: { name: noun.name, PermissionsBoundary: required(policyArnText) },
        effect: 'change',
        permissions: ({ name, PermissionsBoundary: permissionsBoundary }) =>
          on(put, name, { permissionsBoundary }),
        run: async ({ name, PermissionsBoundary }, { admin }) => {
          await admin.setBoundary({ kind, name }, findPolicy(admin, PermissionsBoundary).name)
          return {}
        },
      }),
    ],
    [
      remove,
      defineAction({
        parameters: { name: noun.name },
        effect: 'change',
        permissions: ({ name }) => on(remove, name),
        run: async ({ name }, { admin }) => {
          await admin.setBoundary({ kind, name }, undefined)
          return {}
        },
      }),
    ],
  ]
}
