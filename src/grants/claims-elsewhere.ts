import { readsClaim } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import type { Trace } from './trace.ts'

type Claims = ReadonlyMap<string, unknown>

/**
 * The claims that the token does not carry and says are to be had elsewhere: distributed claims (OpenID Connect Core
 * section 5.6.2, `_claim_names`). Entra ID does so with `groups` when somebody is in more than a token holds (200 in a
 * JWT), or says `hasgroups` instead. Nobody goes there from here: it takes rights at the directory.
 */
function claimsElsewhere(claims: Claims): ReadonlySet<string> {
  const names = claims.get('_claim_names')
  const isObject = typeof names === 'object' && names !== null && !Array.isArray(names)
  const hasGroups = [true, 'true'].some((value) => value === claims.get('hasgroups'))
  const elsewhere = new Set([
    ...(isObject ? Object.keys(names) : []),
    ...(hasGroups ? ['groups'] : []),
  ])
  for (const name of elsewhere) if (claims.has(name)) elsewhere.delete(name)
  return elsewhere
}

/**
 * A claim that decides and is elsewhere is not an empty one: a Deny for a group would be slipped by being in many.
 * @throws GrantError `no_policy`, when it is the claim that names policies
 */
export function demandClaim(claims: Claims, name: string, trace: Trace): void {
  if (!claimsElsewhere(claims).has(name)) return
  throw trace.refusal(
    'mapping',
    'no_policy',
    `${missing(name)}, and policies are named by it; ${advice(name)}`,
  )
}

/** @throws GrantError `no_policy`, when one of the policies that decide reads such a claim */
export function demandClaimsReadBy(
  policies: readonly NamedPolicy[],
  claims: Claims,
  trace: Trace,
): void {
  for (const name of claimsElsewhere(claims)) {
    const reader = policies.find(({ policy }) => readsClaim(policy, name))
    if (reader === undefined) continue
    trace.refused('claims', `"${reader.name}" reads the claim "${name.slice(0, 64)}"`)
    throw trace.refusal(
      'claims',
      'no_policy',
      `${missing(name)}, and a policy that decides here reads it; ${advice(name)}`,
    )
  }
}

function missing(name: string): string {
  return `The token does not carry the claim "${name.slice(0, 64)}" but says that it is to be asked for elsewhere`
}

function advice(name: string): string {
  return name === 'groups'
    ? 'the person is in too many groups: have the provider send only the groups assigned to the application, or roles'
    : 'have the provider put it into the token'
}
