import type { PolicySource } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { claimLabel, readPolicyClaim } from './policy-claim.ts'
import type { Trace } from './trace.ts'
import type { PolicyBook, ProviderMapping, UserBook } from './types.ts'

/** What a grant stands on: where its policies come from, and which these are now. */
export type Base = Readonly<{ source: PolicySource; policies: readonly NamedPolicy[] }>

type Role = Extract<ProviderMapping, { kind: 'role' }>
type Claim = Extract<ProviderMapping, { kind: 'claim' }>

export function baseOfToken(
  mapping: ProviderMapping,
  principal: Principal,
  book: PolicyBook,
  trace: Trace,
): Base {
  return mapping.kind === 'role'
    ? baseOfRole(mapping, book, trace)
    : baseOfClaim(mapping, principal, book, trace)
}

/** A name that does not exist may have been meant to deny something: then nobody takes the role. */
function baseOfRole(role: Role, book: PolicyBook, trace: Trace): Base {
  const policies = existing(role.policies, book)
  const gone = without(role.policies, policies)
  if (gone.length > 0 || policies.length === 0) {
    const what = gone.length === 0 ? 'no policy' : `${listed(gone)}, which does not exist`
    const message = `The role of provider "${role.provider}" has ${what}`
    throw trace.refusal('mapping', 'no_policy', message)
  }
  trace.ok('mapping', `The role of provider "${role.provider}" has ${listed(role.policies)}`)
  return { source: { kind: 'role', arn: role.roleArn, name: role.provider }, policies }
}

/** Names that do not exist are passed over: a claim of groups names much that is no policy. */
function baseOfClaim(mapping: Claim, principal: Principal, book: PolicyBook, trace: Trace): Base {
  const claim = `The claim "${claimLabel(mapping)}" of the token`
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
  return { source: { kind: 'policies', names: found }, policies }
}

export function baseOfKey(principal: Principal, users: UserBook, trace: Trace): Base {
  if (principal.kind === 'root') {
    trace.ok('caller', 'The root key: everything that the session policy does not take away')
    return { source: { kind: 'root' }, policies: [] }
  }
  const policies = users.policiesOf(principal.subject)
  if (policies === undefined) {
    throw trace.refusal('caller', 'caller_not_allowed', 'The user is disabled or gone')
  }
  trace.ok('caller', `User "${principal.subject}": ${listed(policies.map(({ name }) => name))}`)
  return { source: { kind: 'user', name: principal.subject }, policies }
}

function existing(names: readonly string[], book: PolicyBook): readonly NamedPolicy[] {
  return names.flatMap((name) => book.find(name) ?? [])
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
