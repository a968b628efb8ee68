import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  checkAccessKey,
  checkGroupName,
  checkPolicyName,
  checkRoleName,
  checkUserName,
} from '../admin/index.ts'
import type {
  AccessKey,
  DeclaredGroup,
  DeclaredPolicy,
  DeclaredRole,
  DeclaredUser,
  Overlay,
} from '../admin/index.ts'
import { parsePolicy } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import type { ConfigSource } from './load.ts'
import type { Problem } from './problem.ts'
import type { ConfigFile, SecretReference } from './schema.ts'

/** Where files are named from, and where secrets of the environment are. */
export type Place = Readonly<{ base: string; env: ConfigSource['env'] }>

/** Users, keys and policies of the file, checked by the same rules as those made at run time. */
export function readOverlay(config: ConfigFile, place: Place, problems: Problem[]): Overlay {
  const attempt = attempts(problems)
  const policies = Object.entries(config.policies).flatMap(([name, value]) =>
    attempt(`policies.${name}`, () => filePolicy(name, value, place)),
  )
  const users = Object.entries(config.users).flatMap(([name, value]) =>
    attempt(`users.${name}`, () => fileUser(name, value)),
  )
  const accessKeys = Object.entries(config.users).flatMap(([name, value]) =>
    value.accessKeys.flatMap((key, index) =>
      attempt(`users.${name}.accessKeys.${index}`, () => fileAccessKey(name, key, place)),
    ),
  )
  const seen = new Set<string>()
  for (const { accessKeyId, user } of accessKeys) {
    if (seen.has(accessKeyId)) {
      problems.push({
        path: `users.${user}.accessKeys`,
        message: `repeats the key id ${accessKeyId}`,
      })
    }
    seen.add(accessKeyId)
  }
  const roles = Object.entries(config.roles).flatMap(([name, value]) =>
    attempt(`roles.${name}`, () => fileRole(name, value, place)),
  )
  const groups = Object.entries(config.groups).flatMap(([name, value]) =>
    attempt(`groups.${name}`, () => fileGroup(name, value)),
  )
  return { policies, users, accessKeys, roles, groups }
}

/** Makes one thing, or notes under its path why it could not be made. */
export function attempts(problems: Problem[]): <T>(path: string, make: () => T) => T[] {
  return (path, make) => {
    try {
      return [make()]
    } catch (error) {
      problems.push({ path, message: error instanceof Error ? error.message : String(error) })
      return []
    }
  }
}

// Declared things have no instant of their own; sessions of a declared user are never older than the user.
const declaredAt = new Date(0)

function filePolicy(
  name: string,
  value: ConfigFile['policies'][string],
  place: Place,
): DeclaredPolicy {
  checkPolicyName(name)
  const policy = parsePolicy(documentText(value, place), 'identity')
  return { name, policy, createdAt: declaredAt, updatedAt: declaredAt, managedBy: 'file' }
}

/** The document itself, or the file that `file` names. */
function documentText(value: ConfigFile['policies'][string], place: Place): string {
  const isReference = typeof value['file'] === 'string' && Object.keys(value).length === 1
  if (!isReference) return JSON.stringify(value)
  return readFileSync(resolve(place.base, String(value['file'])), 'utf8')
}

function fileRole(name: string, value: ConfigFile['roles'][string], place: Place): DeclaredRole {
  checkRoleName(name)
  const { permissionsBoundary, description } = value
  return {
    name,
    trustPolicy: parsePolicy(documentText(value.trustPolicy, place), 'trust'),
    policies: value.policies,
    maxSessionSeconds: value.maxSessionSeconds,
    ...(permissionsBoundary === undefined ? {} : { permissionsBoundary }),
    ...(description === undefined ? {} : { description }),
  }
}

function fileGroup(name: string, value: ConfigFile['groups'][string]): DeclaredGroup {
  checkGroupName(name)
  return { name, policies: value.policies, members: value.members }
}

function fileUser(name: string, value: ConfigFile['users'][string]): DeclaredUser {
  checkUserName(name)
  return {
    name,
    status: value.disabled ? 'disabled' : 'enabled',
    policies: value.policies,
    createdAt: declaredAt,
    managedBy: 'file',
  }
}

function fileAccessKey(
  user: string,
  key: ConfigFile['users'][string]['accessKeys'][number],
  place: Place,
): AccessKey {
  const secretAccessKey = readSecret(key.secretAccessKey, place)
  checkAccessKey(key.accessKeyId, secretAccessKey.reveal())
  return {
    accessKeyId: key.accessKeyId,
    secretAccessKey,
    user,
    status: 'Active',
    createdAt: declaredAt,
    managedBy: 'file',
  }
}

export function readSecret(reference: SecretReference, place: Place): Secret {
  if ('file' in reference) {
    return new Secret(readFileSync(resolve(place.base, reference.file), 'utf8').trim())
  }
  const value = place.env[reference.env]
  if (value === undefined || value === '') {
    throw new Error(`the environment variable ${reference.env} is not set`)
  }
  return new Secret(value)
}
