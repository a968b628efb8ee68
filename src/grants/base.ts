import type { PolicySource } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import type { Ceiling, NamedPolicy } from '../policy/index.ts'
import { attachedTo, type Binding } from './bindings.ts'
import { demandClaim } from './claims-elsewhere.ts'
import type { FixedRole } from './options.ts'
import { claimLabel, outermostClaim, readPolicyClaim } from './policy-claim.ts'
import type { Trace } from './trace.ts'
import type { GrantDirectory, GrantRole, PolicyBook, ProviderMapping } from './types.ts'

/** What a grant stands on: where its policies come from, and which these are now. */
export type Base = Readonly<{
  source: PolicySource
  policies: readonly NamedPolicy[]
  /** Of the source itself; those of the caller are the caller's. */
  ceilings: readonly Ceiling[]
  /** Present exactly when a role of the directory is to be taken. */
  role?: GrantRole
}>

type Claim = Extract<ProviderMapping, { kind: 'claim' }>

export function baseOfToken(
  mapping: Exclude<ProviderMapping, { kind: 'plugin' }>,
  principal: Principal,
  book: PolicyBook,
  trace: Trace,
): Base {
  return mapping.kind === 'role'
    ? baseOfProviderRole(mapping, book, trace)
    : baseOfClaim(mapping, principal, book, trace)
}

/** A name that does not exist may have been meant to deny something: then nobody takes the role. */
export function baseOfProviderRole(role: FixedRole, book: PolicyBook, trace: Trace): Base {
  const policies = allOf(role.policies, `The role of provider "${role.provider}"`, book, trace)
  const source = { kind: 'role', arn: role.roleArn, name: role.provider } as const
  return { source, policies, ceilings: [] }
}

/** By the rule that let a certificate in. */
export function baseOfRule(names: readonly string[], book: PolicyBook, trace: Trace): Base {
  const policies = allOf(names, 'The rule for the certificate', book, trace)
  const source = { kind: 'policies', names: policies.map(({ name }) => name) } as const
  return { source, policies, ceilings: [] }
}

function allOf(
  names: readonly string[],
  whose: string,
  book: PolicyBook,
  trace: Trace,
): readonly NamedPolicy[] {
  const policies = existing(names, book)
  const gone = without(names, policies)
  if (gone.length > 0 || policies.length === 0) {
    const what = gone.length === 0 ? 'no policy' : `${listed(gone)}, which does not exist`
    throw trace.refusal('mapping', 'no_policy', `${whose} has ${what}`)
  }
  trace.ok('mapping', `${whose} has ${listed(names)}`)
  return policies
}

/** Names that do not exist are passed over: a claim of groups names much that is no policy. */
function baseOfClaim(mapping: Claim, principal: Principal, book: PolicyBook, trace: Trace): Base {
  const claim = `The claim "${claimLabel(mapping)}" of the token`
  demandClaim(principal.claims, outermostClaim(mapping), trace)
  const names = readPolicyClaim(principal.claims, mapping)
  const policies = existing(names, book)
  if (policies.length === 0) {
    const why = names.length === 0 ? 'is absent or empty' : `names ${listed(names)}; none exists`
    throw trace.refusal('mapping', 'no_policy', `${claim} ${why}`)
  }
  const found = policies.map(({ name }) => name)
  const gone = without(names, policies)
  const rest = gone.length === 0 ? '' : `; ${listed(gone)} is no policy here`
  trace.ok('mapping', `${claim} names ${listed(found)}${rest}`)
  return { source: { kind: 'policies', names: found }, policies, ceilings: [] }
}

/** The caller itself, with whatever it has now. */
export function baseOfKey(
  principal: Pick<Principal, 'kind' | 'subject'>,
  binding: Binding,
  trace: Trace,
): Base {
  if (principal.kind === 'root') {
    trace.ok('caller', 'The root key: everything that the session policy does not take away')
    return { source: { kind: 'root' }, policies: [], ceilings: [] }
  }
  const { identity } = binding
  trace.ok('caller', `User "${principal.subject}": ${listed(identity.map(({ name }) => name))}`)
  const source = { kind: 'user', name: principal.subject } as const
  return { source, policies: identity, ceilings: [] }
}

/** Whoever has nothing attached, neither to itself nor to a group, gets nothing: not even a session that may do nothing. */
export function baseOfLdap(principal: Principal, directory: GrantDirectory, trace: Trace): Base {
  const { subject } = principal
  const policies = attachedTo(subject, principal, directory)
  if (policies.length === 0) {
    const message = `No policy is attached to ${JSON.stringify(subject.slice(0, 256))} or to a group of it`
    throw trace.refusal('mapping', 'no_policy', message)
  }
  const names = [...new Set(policies.map(({ name }) => name))]
  trace.ok(
    'mapping',
    `Attached to ${JSON.stringify(subject.slice(0, 256))} or its groups: ${listed(names)}`,
  )
  return { source: { kind: 'ldap', user: subject }, policies, ceilings: [] }
}

function existing(names: readonly string[], book: PolicyBook): readonly NamedPolicy[] {
  return names.flatMap((name) => book.findPolicy(name) ?? [])
}

function without(names: readonly string[], policies: readonly NamedPolicy[]): readonly string[] {
  const found = new Set(policies.map(({ name }) => name))
  return names.filter((name) => !found.has(name))
}

/** Names for a message: quoted, and few enough to read. They may come from a token. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no policy'
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 64)))
  return shown.join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
}
