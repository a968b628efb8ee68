import type { AccessKey, Administration } from '../admin/index.ts'
import { Secret } from '../secret.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { accessKeyElement } from './elements.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import type { Range } from './page.ts'
import { oneOf, optional, optionalSecret, required, text, userName } from './parameter.ts'
import { findUser, nameOrOwn } from './find.ts'
import { onUser } from './permissions.ts'

/**
 * AWS IAM API reference, access keys. Ours: CreateAccessKey with an id and a secret that the administrator brings
 * along (a move from another server), and `ListAllAccessKeys`, which spares one call per user.
 */
export const accessKeyActions: readonly (readonly [string, Action])[] = [
  [
    'CreateAccessKey',
    defineAction({
      parameters: {
        UserName: optional(userName),
        AccessKeyId: optional(text),
        SecretAccessKey: optionalSecret,
      },
      effect: 'change',
      permissions: ({ UserName, AccessKeyId, SecretAccessKey }, { caller }) => [
        ...onUser('CreateAccessKey', nameOrOwn(UserName, caller)),
        ...(given(AccessKeyId, SecretAccessKey)
          ? [{ action: 'admin:ImportAccessKey', resource: '*' }]
          : []),
      ],
      run: async ({ UserName, AccessKeyId, SecretAccessKey }, { admin, caller }) => {
        const name = nameOrOwn(UserName, caller)
        const key = await admin.createAccessKey(name, given(AccessKeyId, SecretAccessKey))
        return { AccessKey: { ...accessKeyElement(key), SecretAccessKey: key.secretAccessKey } }
      },
    }),
  ],
  [
    'ListAccessKeys',
    defineAction({
      parameters: { UserName: optional(userName), ...pageParameters },
      effect: 'read',
      permissions: ({ UserName }, { caller }) =>
        onUser('ListAccessKeys', nameOrOwn(UserName, caller)),
      run: ({ UserName, ...range }, { admin, caller }) =>
        listKeys(admin.listAccessKeys(findUser(admin, nameOrOwn(UserName, caller)).name), range),
    }),
  ],
  [
    'ListAllAccessKeys',
    defineAction({
      parameters: pageParameters,
      effect: 'read',
      permissions: () => [{ action: 'iam:ListAccessKeys', resource: '*' }],
      run: (range, { admin }) => listKeys(admin.listAccessKeys(), range),
    }),
  ],
  [
    'GetAccessKeyLastUsed',
    defineAction({
      parameters: { AccessKeyId: required(text) },
      effect: 'read',
      // On `*`: whose key it is, is what the call tells.
      permissions: () => [{ action: 'iam:GetAccessKeyLastUsed', resource: '*' }],
      run: ({ AccessKeyId }, { admin }) => ({
        UserName: findKey(admin, AccessKeyId).user,
        AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' },
      }),
    }),
  ],
  [
    'UpdateAccessKey',
    defineAction({
      parameters: {
        UserName: optional(userName),
        AccessKeyId: required(text),
        Status: required(oneOf('Active', 'Inactive')),
      },
      effect: 'change',
      permissions: ({ UserName }, { caller }) =>
        onUser('UpdateAccessKey', nameOrOwn(UserName, caller)),
      run: async ({ UserName, AccessKeyId, Status }, { admin, caller }) => {
        const key = findKeyOf(admin, nameOrOwn(UserName, caller), AccessKeyId)
        await admin.setAccessKeyStatus(key.accessKeyId, Status)
        return {}
      },
    }),
  ],
  [
    'DeleteAccessKey',
    defineAction({
      parameters: { UserName: optional(userName), AccessKeyId: required(text) },
      effect: 'change',
      permissions: ({ UserName }, { caller }) =>
        onUser('DeleteAccessKey', nameOrOwn(UserName, caller)),
      run: async ({ UserName, AccessKeyId }, { admin, caller }) => {
        const key = findKeyOf(admin, nameOrOwn(UserName, caller), AccessKeyId)
        await admin.deleteAccessKey(key.accessKeyId)
        return {}
      },
    }),
  ],
]

function given(
  accessKeyId: string | undefined,
  secretAccessKey: Secret | undefined,
): Readonly<{ accessKeyId: string; secretAccessKey: Secret }> | undefined {
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new IamError('missing_parameter', 'AccessKeyId and SecretAccessKey come together')
  }
  return { accessKeyId, secretAccessKey }
}

function listKeys(keys: readonly AccessKey[], range: Range): ReturnType<typeof page> {
  return page('AccessKeyMetadata', keys, (key) => key.accessKeyId, range, accessKeyElement)
}

function findKey(admin: Administration, accessKeyId: string): AccessKey {
  const key = admin.findAccessKey(accessKeyId)
  if (!key) throw new IamError('no_such_entity', `There is no access key ${accessKeyId}`)
  return key
}

/** Permission was given for one user, so a key of another one counts as absent. */
function findKeyOf(admin: Administration, user: string, accessKeyId: string): AccessKey {
  const key = admin.findAccessKey(accessKeyId)
  if (key?.user !== user) {
    throw new IamError('no_such_entity', `User "${user}" has no access key ${accessKeyId}`)
  }
  return key
}
