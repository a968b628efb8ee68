import type { BoundedCache } from '../bounded-cache.ts'
import type { PolicySource, Session, SessionPrincipal } from '../credentials/types.ts'
import { parsePolicy, PolicyError } from '../policy/index.ts'
import type { Ceiling, NamedPolicy } from '../policy/index.ts'
import { knownTo } from './claims-elsewhere.ts'
import { isRegistered } from './registered-provider.ts'
import { tagsOver } from './session-tags.ts'
import type { GrantDirectory } from './types.ts'

/** What binds a caller now: its policies, what they cannot go beyond, and the tags that it has. */
export type Binding = Readonly<{
  identity: readonly NamedPolicy[]
  ceilings: readonly Ceiling[]
  /** `aws:PrincipalTag/K` */
  tags: ReadonlyMap<string, string>
}>

export type BindingSources = Readonly<{
  directory: GrantDirectory
  /** The policies of providers' roles. */
  roles: Readonly<{ policiesOfRole(arn: string): readonly NamedPolicy[] | undefined }>
  /** Names of policies beyond which nobody in the tenant may go but the root key. Absent: no such bound. */
  tenantCeiling?: readonly string[] | undefined
  /** Compiled session policies by their text. */
  sessionPolicies: BoundedCache<NamedPolicy['policy']>
}>

type BoundSession = Pick<
  Session,
  'principal' | 'source' | 'sessionPolicies' | 'sessionPolicyNames' | 'tags' | 'issuedAt'
>

const noTags: ReadonlyMap<string, string> = new Map()

/** Looked up at each use, so that an edit or removal acts at once; a user who is disabled or gone may do nothing. */
export function bindingOfUser(name: string, sources: BindingSources): Binding {
  const { directory } = sources
  return {
    identity: directory.policiesOf(name) ?? [gone(`user ${name}`)],
    ceilings: [...boundary(directory.boundaryOf(name)), ...tenantCeilings(sources)],
    tags: directory.findUser(name)?.tags ?? noTags,
  }
}

/** Whoever opens something to everybody opens it no further than the tenant goes. */
export function bindingOfAnonymous(sources: BindingSources): Binding {
  return { identity: [], ceilings: tenantCeilings(sources), tags: noTags }
}

/** Looked up at each use, too. Whatever the session stands on and is not there any more denies everything. */
export function bindingOfSession(session: BoundSession, sources: BindingSources): Binding {
  const base = baseOf(session, sources)
  const known = (policies: readonly NamedPolicy[]): readonly NamedPolicy[] =>
    policies.map((policy) => knownTo(session.principal, policy))
  const ceilings = [
    ...base.ceilings,
    ...tenantCeilings(sources),
    ...sessionCeilings(session, sources),
  ]
  return {
    identity: known(base.identity),
    ceilings: ceilings.map(({ name, policies }) => ({ name, policies: known(policies) })),
    tags: tagsOver(base.tags, session.tags),
  }
}

function baseOf(session: BoundSession, sources: BindingSources): Binding {
  const { directory } = sources
  const { source, principal } = session
  const without = { ceilings: [], tags: noTags }
  if (isRegistered(principal) && !isProviderThere(session, directory)) {
    return { identity: [gone(`provider ${principal.provider}`)], ...without }
  }
  switch (source.kind) {
    case 'root':
      return { identity: [], ...without }
    case 'user':
      return baseOfUser(source.name, session, sources)
    case 'policies':
      return { identity: source.names.map((name) => find(name, directory)), ...without }
    case 'role':
      return source.id === undefined
        ? { identity: providerRole(source.arn, sources), ...without }
        : baseOfRole({ ...source, id: source.id }, session, sources)
    case 'ldap':
      return { identity: attachedTo(source.user, principal, directory), ...without }
    case 'binding':
      return baseOfBinding(source, sources)
  }
  return source satisfies never
}

function baseOfUser(name: string, session: BoundSession, sources: BindingSources): Binding {
  const { directory } = sources
  return isThere(name, session, directory)
    ? {
        identity: directory.policiesOf(name) ?? [gone(`user ${name}`)],
        ceilings: boundary(directory.boundaryOf(name)),
        tags: directory.findUser(name)?.tags ?? noTags,
      }
    : { identity: [gone(`user ${name}`)], ceilings: [], tags: noTags }
}

/** A role that was deleted and made again under the same name is another one. So is the user who took it. */
function baseOfRole(
  { arn, id, name }: Extract<PolicySource, { kind: 'role' }> & { id: string },
  session: BoundSession,
  { directory }: BindingSources,
): Binding {
  const { kind, subject } = session.principal
  if (kind === 'user' && !isThere(subject, session, directory)) {
    return { identity: [gone(`user ${subject}`)], ceilings: [], tags: noTags }
  }
  const role = directory.findRole(arn)
  const policies = role?.id === id ? directory.policiesOfRole(arn) : undefined
  if (role === undefined || policies === undefined) {
    return { identity: [gone(`role ${name}`)], ceilings: [], tags: noTags }
  }
  return {
    identity: policies,
    ceilings: boundary(directory.boundaryOfRole(arn)),
    tags: role.tags,
  }
}

/** A name that is not there may have been meant to deny something, so it denies everything. */
function baseOfBinding(
  { names, documents, roleArn }: Extract<PolicySource, { kind: 'binding' }>,
  sources: BindingSources,
): Binding {
  const { directory } = sources
  const role = roleArn === undefined ? undefined : directory.findRole(roleArn)
  const ofRole = roleArn === undefined ? [] : directory.policiesOfRole(roleArn)
  const identity = [
    ...names.map((name) => find(name, directory)),
    ...documents.map((text) => ({ ...sessionPolicy(text, sources), name: 'bound policy' })),
    ...(ofRole ?? [gone(`role ${roleArn}`)]),
  ]
  return {
    identity: identity.length === 0 ? [gone('what the binding gave')] : identity,
    ceilings: role === undefined ? [] : boundary(directory.boundaryOfRole(role.arn)),
    tags: role?.tags ?? noTags,
  }
}

function providerRole(arn: string, { roles }: BindingSources): readonly NamedPolicy[] {
  return roles.policiesOfRole(arn) ?? [gone(`role ${arn}`)]
}

/** None at all is what a person has whose last policy was taken away: nothing. */
export function attachedTo(
  user: string,
  { groups, provider }: Pick<SessionPrincipal, 'groups' | 'provider'>,
  directory: Pick<GrantDirectory, 'policiesAttachedTo'>,
): readonly NamedPolicy[] {
  // Another directory may have people and groups of the very same names.
  const attached = (kind: 'ldap-user' | 'ldap-group', name: string): readonly NamedPolicy[] =>
    directory.policiesAttachedTo({ kind, name, directory: provider })
  return [...attached('ldap-user', user), ...groups.flatMap((name) => attached('ldap-group', name))]
}

/**
 * A user that was deleted and made again under the same name is another one: its past sessions stay dead, be it that both
 * happened within one second, by another process whose rule of revocation has not come yet.
 */
function isThere(
  name: string,
  { issuedAt }: Pick<Session, 'issuedAt'>,
  directory: GrantDirectory,
): boolean {
  const user = directory.findUser(name)
  const sameUser = user !== undefined && user.createdAt.getTime() <= issuedAt.getTime()
  return sameUser && directory.policiesOf(name) !== undefined
}

/** The same of a provider that was made through the IAM API: it takes with it whatever it proved. */
function isProviderThere(
  { principal, issuedAt }: Pick<Session, 'principal' | 'issuedAt'>,
  directory: GrantDirectory,
): boolean {
  const provider = directory.findProvider(principal.provider)
  return provider !== undefined && provider.createdAt.getTime() <= issuedAt.getTime()
}

function boundary(policy: NamedPolicy | undefined): readonly Ceiling[] {
  return policy === undefined ? [] : [{ name: 'permissions boundary', policies: [policy] }]
}

export function tenantCeilings({
  tenantCeiling,
  directory,
}: Pick<BindingSources, 'tenantCeiling' | 'directory'>): readonly Ceiling[] {
  if (tenantCeiling === undefined) return []
  const policies = tenantCeiling.map((name) => find(name, directory))
  return [{ name: 'tenant ceiling', policies }]
}

function sessionCeilings(session: BoundSession, sources: BindingSources): readonly Ceiling[] {
  const { sessionPolicies: documents, sessionPolicyNames: names } = session
  return Array.from({ length: Math.max(documents.length, names.length) }, (_, layer) => ({
    name: 'session policy',
    policies: [
      ...(documents[layer] ?? []).map((text) => sessionPolicy(text, sources)),
      ...(names[layer] ?? []).map((name) => find(name, sources.directory)),
    ],
  }))
}

function find(name: string, directory: Pick<GrantDirectory, 'findPolicy'>): NamedPolicy {
  return directory.findPolicy(name) ?? gone(`policy "${name}"`, name)
}

/** Stands where something should: denies everything in its layer and says why. */
function gone(what: string, name = what): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `${what} does not exist or is disabled` } }
}

function sessionPolicy(text: string, { sessionPolicies }: BindingSources): NamedPolicy {
  const known = sessionPolicies.get(text)
  if (known) return { name: 'session policy', policy: known }
  const policy = parseSessionPolicy(text)
  sessionPolicies.set(text, policy)
  return { name: 'session policy', policy }
}

function parseSessionPolicy(text: string): NamedPolicy['policy'] {
  try {
    return parsePolicy(text, 'session')
  } catch (error) {
    if (error instanceof PolicyError) return { kind: 'broken', problem: error.message }
    throw error
  }
}
