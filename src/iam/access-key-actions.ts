import type { AccessKey, Administration, BroughtAccessKey, NewAccessKey } from '../admin/index.ts'
import type { Secret } from '../secret.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { accessKeyDetail, accessKeyElement } from './elements.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import type { Range } from './page.ts'
import {
  instant,
  oneOf,
  optional,
  optionalSecret,
  required,
  requiredSecret,
  stated,
  text,
  userName,
} from './parameter.ts'
import { findUser, nameOrOwn } from './find.ts'
import { onUser } from './permissions.ts'
import type { Permission } from './types.ts'

const status = oneOf('Active', 'Inactive')

/** Ours: what a key has beside its id and secret. `PolicyDocument` narrows it, like a session policy. */
const wishes = {
  Status: optional(status),
  KeyName: optional(text),
  Description: optional(text),
  ExpireDate: stated(instant),
  PolicyDocument: stated(text),
}

/** A key of another server, whole: what is not said of it is as it is with a new key. */
const brought = {
  UserName: required(userName),
  AccessKeyId: required(text),
  SecretAccessKey: requiredSecret,
  ...wishes,
}

/**
 * AWS IAM API reference, access keys. Ours: CreateAccessKey with an id and a secret that the administrator brings along
 * (a move from another server), CompareAccessKey and ReplaceAccessKey for doing that twice, GetAccessKey, and
 * ListAllAccessKeys, which spares one call per user.
 */
export const accessKeyActions: readonly (readonly [string, Action])[] = [
  [
    'CreateAccessKey',
    defineAction({
      parameters: {
        UserName: optional(userName),
        AccessKeyId: optional(text),
        SecretAccessKey: optionalSecret,
        ...wishes,
      },
      effect: 'change',
      permissions: ({ UserName, AccessKeyId, SecretAccessKey }, { caller }) => [
        ...onUser('CreateAccessKey', nameOrOwn(UserName, caller)),
        ...(AccessKeyId === undefined && SecretAccessKey === undefined ? [] : [toImport]),
      ],
      run: async ({ UserName, ...given }, { admin, caller }) => {
        const key = await admin.createAccessKey(nameOrOwn(UserName, caller), wishOf(given))
        return { AccessKey: { ...accessKeyElement(key), SecretAccessKey: key.secretAccessKey } }
      },
    }),
  ],
  [
    'CompareAccessKey',
    defineAction({
      parameters: brought,
      effect: 'read',
      permissions: () => [toImport],
      run: ({ UserName, ...given }, { admin }) => {
        const found = admin.compareAccessKey(UserName, broughtKey(given))
        return { Exists: found !== undefined, Differences: found ?? [] }
      },
    }),
  ],
  [
    'ReplaceAccessKey',
    defineAction({
      parameters: brought,
      effect: 'change',
      permissions: ({ UserName }) => [...onUser('CreateAccessKey', UserName), toImport],
      run: async ({ UserName, ...given }, { admin }) => ({
        AccessKey: accessKeyElement(await admin.replaceAccessKey(UserName, broughtKey(given))),
      }),
    }),
  ],
  [
    'GetAccessKey',
    defineAction({
      parameters: { AccessKeyId: required(text) },
      effect: 'read',
      // On `*`: whose key it is, is what the call tells.
      permissions: () => [{ action: 'iam:ListAccessKeys', resource: '*' }],
      run: ({ AccessKeyId }, { admin }) => ({
        AccessKey: accessKeyDetail(findKey(admin, AccessKeyId)),
      }),
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
        Status: required(status),
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

const toImport: Permission = { action: 'admin:ImportAccessKey', resource: '*' }

type Given = Readonly<{
  AccessKeyId?: string | undefined
  SecretAccessKey?: Secret | undefined
  Status: AccessKey['status'] | undefined
  KeyName: string | undefined
  Description: string | undefined
  ExpireDate: Date | undefined
  PolicyDocument: string | undefined
}>

function wishOf(given: Given): NewAccessKey {
  const { AccessKeyId, SecretAccessKey, Status, KeyName, Description, ExpireDate } = given
  return {
    ...(AccessKeyId !== undefined && { accessKeyId: AccessKeyId }),
    ...(SecretAccessKey !== undefined && { secretAccessKey: SecretAccessKey }),
    ...(Status !== undefined && { status: Status }),
    ...(KeyName !== undefined && { name: KeyName }),
    ...(Description !== undefined && { description: Description }),
    ...(ExpireDate !== undefined && { expiresAt: ExpireDate }),
    ...(given.PolicyDocument !== undefined && { policy: given.PolicyDocument }),
  }
}

function broughtKey(
  given: Given & Readonly<{ AccessKeyId: string; SecretAccessKey: Secret }>,
): BroughtAccessKey {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = given
  return { ...wishOf(given), accessKeyId, secretAccessKey }
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
