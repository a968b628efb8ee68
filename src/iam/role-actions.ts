import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, roleArn } from './arn.ts'
import { cascadeOfRole } from './cascade.ts'
import { roleElement } from './elements.ts'
import { findRole } from './find.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import {
  clearableText,
  flag,
  optional,
  policyArnText,
  required,
  roleName,
  pathPrefix,
  rootPath,
  seconds,
  tags,
  text,
  under,
} from './parameter.ts'
import { onAll, onNew, onRole } from './permissions.ts'

/** AWS IAM API reference, roles. `Cascade` is ours: the role's policies go with it. */
export const roleActions: readonly (readonly [string, Action])[] = [
  [
    'CreateRole',
    defineAction({
      parameters: {
        RoleName: required(roleName),
        AssumeRolePolicyDocument: required(text),
        Path: optional(rootPath),
        Description: optional(text),
        MaxSessionDuration: optional(seconds),
        PermissionsBoundary: optional(policyArnText),
        Tags: tags,
      },
      effect: 'change',
      permissions: ({ RoleName, PermissionsBoundary: permissionsBoundary, Tags }) =>
        onNew(
          roleArn(RoleName),
          { create: 'CreateRole', bound: 'PutRolePermissionsBoundary', tag: 'TagRole' },
          { tags: Tags, ...(permissionsBoundary !== undefined && { permissionsBoundary }) },
        ),
      run: async (values, { admin }) => {
        const { Description, MaxSessionDuration, PermissionsBoundary } = values
        const role = await admin.createRole({
          name: values.RoleName,
          trustPolicy: values.AssumeRolePolicyDocument,
          ...(Description === undefined ? {} : { description: Description }),
          ...(MaxSessionDuration === undefined ? {} : { maxSessionSeconds: MaxSessionDuration }),
          ...(PermissionsBoundary === undefined
            ? {}
            : { permissionsBoundary: findPolicy(admin, PermissionsBoundary).name }),
          tags: values.Tags,
        })
        return { Role: roleElement(admin, role) }
      },
    }),
  ],
  [
    'GetRole',
    defineAction({
      parameters: { RoleName: required(roleName) },
      effect: 'read',
      permissions: ({ RoleName }) => onRole('GetRole', RoleName),
      run: ({ RoleName }, { admin }) => ({ Role: roleElement(admin, findRole(admin, RoleName)) }),
    }),
  ],
  [
    'ListRoles',
    defineAction({
      parameters: { PathPrefix: optional(pathPrefix), ...pageParameters },
      effect: 'read',
      permissions: () => onRole('ListRoles', ''),
      run: ({ PathPrefix, ...range }, { admin }) =>
        page(
          'Roles',
          under(PathPrefix, admin.listRoles()),
          (role) => role.name,
          range,
          (role) => roleElement(admin, role),
        ),
    }),
  ],
  [
    'UpdateRole',
    defineAction({
      parameters: {
        RoleName: required(roleName),
        Description: clearableText,
        MaxSessionDuration: optional(seconds),
      },
      effect: 'change',
      permissions: ({ RoleName }) => onRole('UpdateRole', RoleName),
      run: async ({ RoleName, Description, MaxSessionDuration }, { admin }) => {
        await admin.updateRole(RoleName, {
          ...(Description === undefined ? {} : { description: Description }),
          ...(MaxSessionDuration === undefined ? {} : { maxSessionSeconds: MaxSessionDuration }),
        })
        return {}
      },
    }),
  ],
  [
    'UpdateRoleDescription',
    defineAction({
      parameters: { RoleName: required(roleName), Description: clearableText },
      effect: 'change',
      permissions: ({ RoleName }) => onRole('UpdateRoleDescription', RoleName),
      run: async ({ RoleName, Description }, { admin }) => {
        await admin.updateRole(RoleName, { description: Description ?? '' })
        return { Role: roleElement(admin, findRole(admin, RoleName)) }
      },
    }),
  ],
  [
    'UpdateAssumeRolePolicy',
    defineAction({
      parameters: { RoleName: required(roleName), PolicyDocument: required(text) },
      effect: 'change',
      permissions: ({ RoleName }) => onRole('UpdateAssumeRolePolicy', RoleName),
      run: async ({ RoleName, PolicyDocument }, { admin }) => {
        await admin.updateTrustPolicy(RoleName, PolicyDocument)
        return {}
      },
    }),
  ],
  [
    'DeleteRole',
    defineAction({
      parameters: { RoleName: required(roleName), Cascade: optional(flag) },
      effect: 'change',
      permissions: ({ RoleName, Cascade }, { admin }) => [
        ...onRole('DeleteRole', RoleName),
        ...(Cascade === true ? cascadeOfRole(admin, RoleName) : []),
      ],
      run: async ({ RoleName, Cascade }, { admin }) => {
        await admin.deleteRole(RoleName, Cascade === true ? 'cascade' : 'bare')
        return {}
      },
    }),
  ],
  [
    'CreateServiceLinkedRole',
    defineAction({
      parameters: {
        AWSServiceName: optional(text),
        Description: optional(text),
        CustomSuffix: optional(text),
      },
      effect: 'change',
      permissions: () => onAll('CreateServiceLinkedRole'),
      run: () => {
        throw new IamError('not_supported', 'No service of this server has roles of its own')
      },
    }),
  ],
]
