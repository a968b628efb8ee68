import { createHash } from 'node:crypto'
import { parsePolicy, PolicyError } from '../policy/index.ts'
import type { BrokenPolicy, NamedPolicy, Policy } from '../policy/index.ts'
import { providerArn, roleArn } from './arn.ts'
import type { Secret } from '../secret.ts'
import type {
  AccessKeyDocument,
  GroupDocument,
  HolderDocument,
  PolicyDocument,
  ProviderDocument,
  RoleDocument,
  UserDocument,
} from './documents.ts'
import type { DeclaredGroup, DeclaredPolicy, DeclaredRole, DeclaredUser } from './overlay.ts'
import type {
  AccessKey,
  Group,
  PolicyHolder,
  RegisteredProvider,
  Role,
  StoredPolicy,
  User,
} from './types.ts'

/** Documents, stored or declared, -> the entities of the directory. */

/** A group without its members, which the users' documents name. */
export type MemberlessGroup = Omit<Group, 'members'>

export function storedUser(name: string, document: UserDocument): User {
  return {
    ...holderMembers({ kind: 'user', name }, document),
    id: document.id ?? derivedId('AIDA', name, document.createdAt),
    status: document.status,
    ...(document.boundary === undefined ? {} : { permissionsBoundary: document.boundary }),
    tags: new Map(document.tags),
  }
}

export function storedGroup(name: string, document: GroupDocument): MemberlessGroup {
  return {
    ...holderMembers({ kind: 'group', name }, document),
    id: document.id ?? derivedId('AGPA', name, document.createdAt),
  }
}

export function storedRole(name: string, document: RoleDocument): Role {
  return {
    ...holderMembers({ kind: 'role', name }, document),
    arn: roleArn(name),
    id: document.id ?? derivedId('AROA', name, document.createdAt),
    path: '/',
    ...(document.description === undefined ? {} : { description: document.description }),
    trustPolicy: parsedOrBroken(document.trustPolicy, 'trust'),
    maxSessionSeconds: document.maxSessionSeconds,
    ...(document.boundary === undefined ? {} : { permissionsBoundary: document.boundary }),
    tags: new Map(document.tags),
  }
}

function holderMembers(
  holder: PolicyHolder,
  document: HolderDocument,
): Pick<User, 'name' | 'policies' | 'inlinePolicies' | 'createdAt' | 'managedBy'> {
  return {
    name: holder.name,
    policies: document.policies,
    inlinePolicies: document.inline.map(([name, text]) => ({
      name: inlineName(holder, name),
      policy: parseIdentity(text),
    })),
    createdAt: new Date(document.createdAt),
    managedBy: 'api',
  }
}

function inlineName(holder: PolicyHolder, policy: string): string {
  return `${holder.kind} ${holder.name}: ${policy}`
}

/** `user alice: policy` -> `policy` */
export function ownNameOfInline(holder: PolicyHolder, inline: string): string {
  return inline.slice(inlineName(holder, '').length)
}

export function storedPolicy(name: string, document: PolicyDocument): StoredPolicy {
  const current = document.versions.find(({ id }) => id === document.defaultVersion)
  let parsed: NamedPolicy['policy'] | undefined
  return {
    name,
    // Ten thousand documents take a second to compile, and most of them are not asked at once.
    get policy() {
      parsed ??= current
        ? parseIdentity(current.text)
        : { kind: 'broken', problem: 'its default version is gone' }
      return parsed
    },
    id: document.id ?? derivedId('ANPA', name, document.createdAt),
    ...(document.description === undefined ? {} : { description: document.description }),
    tags: new Map(document.tags),
    defaultVersion: document.defaultVersion,
    versions: document.versions.map(({ id, text, createdAt }) => ({
      id,
      text,
      createdAt: new Date(createdAt),
    })),
    createdAt: new Date(document.createdAt),
    updatedAt: new Date(document.updatedAt),
    managedBy: 'api',
  }
}

export function storedAccessKey(
  accessKeyId: string,
  document: AccessKeyDocument,
  secretAccessKey: Secret,
): AccessKey {
  const { user, status, name, description, expiresAt, policy } = document
  const key: AccessKey = {
    accessKeyId,
    secretAccessKey,
    user,
    status,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    createdAt: new Date(document.createdAt),
    managedBy: 'api',
  }
  if (policy === undefined) return key
  let parsed: AccessKey['policy']
  return {
    ...key,
    get policy() {
      return (parsed ??= parsedOrBroken(policy, 'session'))
    },
  }
}

export function storedProvider(name: string, document: ProviderDocument): RegisteredProvider {
  const { url, clientIds, thumbprints } = document
  return {
    arn: providerArn(name),
    url,
    clientIds,
    thumbprints,
    tags: new Map(document.tags),
    createdAt: new Date(document.createdAt),
    managedBy: 'api',
  }
}

const declaredAt = new Date(0)

export function declaredUser(user: DeclaredUser): User {
  return {
    ...user,
    id: derivedId('AIDA', user.name),
    inlinePolicies: inlineOf({ kind: 'user', name: user.name }, user.inlinePolicies),
    tags: user.tags ?? new Map(),
  }
}

export function declaredGroup(group: DeclaredGroup): MemberlessGroup {
  return {
    name: group.name,
    id: derivedId('AGPA', group.name),
    policies: group.policies,
    inlinePolicies: inlineOf({ kind: 'group', name: group.name }, group.inlinePolicies),
    createdAt: declaredAt,
    managedBy: 'file',
  }
}

export function declaredRole(role: DeclaredRole): Role {
  return {
    ...role,
    arn: roleArn(role.name),
    id: derivedId('AROA', role.name),
    path: '/',
    inlinePolicies: inlineOf({ kind: 'role', name: role.name }, role.inlinePolicies),
    maxSessionSeconds: role.maxSessionSeconds ?? 3600,
    tags: role.tags ?? new Map(),
    createdAt: declaredAt,
    managedBy: 'file',
  }
}

export function declaredPolicy(policy: DeclaredPolicy): StoredPolicy {
  const text = 'text' in policy.policy ? policy.policy.text : ''
  return {
    ...policy,
    id: derivedId('ANPA', policy.name, policy.managedBy),
    tags: new Map(),
    defaultVersion: 'v1',
    versions: [{ id: 'v1', text, createdAt: policy.updatedAt }],
  }
}

function inlineOf(
  holder: PolicyHolder,
  declared: readonly NamedPolicy[] | undefined,
): readonly NamedPolicy[] {
  return (declared ?? []).map(({ name, policy }) => ({ name: inlineName(holder, name), policy }))
}

/** A stored document that no longer parses denies everything in its layer; it is never treated as absent. */
function parseIdentity(text: string): Policy | BrokenPolicy {
  return parsedOrBroken(text, 'identity')
}

function parsedOrBroken(
  text: string,
  kind: 'identity' | 'session' | 'trust',
): Policy | BrokenPolicy {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    if (error instanceof PolicyError) return { kind: 'broken', problem: error.message }
    throw error
  }
}

/** For what has no id of its own: the same for as long as it lives. */
function derivedId(prefix: string, name: string, instant = 'declared'): string {
  const hash = createHash('sha256').update(`${instant} ${name}`)
  return prefix + hash.digest('hex').slice(0, 16).toUpperCase()
}
