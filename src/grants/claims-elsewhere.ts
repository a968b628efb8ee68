import type { SessionPrincipal } from '../credentials/types.ts'
import { readsClaim } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import type { Trace } from './trace.ts'

type Claims = ReadonlyMap<string, unknown>

/** Under which sessions keep the names of such claims; the token's own word for it. */
const mark = '_claim_names'

/**
 * The claims that the token does not carry and says are to be had elsewhere: distributed claims (OpenID Connect Core
 * section 5.6.2, `_claim_names`). Entra ID does so with `groups` when somebody is in more than a token holds (200 in a
 * JWT), or says `hasgroups` instead. Nobody goes there from here: it takes rights at the directory.
 */
function claimsElsewhere(claims: Claims): readonly string[] {
  const names = claims.get(mark)
  const isObject = typeof names === 'object' && names !== null && !Array.isArray(names)
  const hasGroups = [true, 'true'].some((value) => value === claims.get('hasgroups'))
  const named = [...(isObject ? Object.keys(names) : []), ...(hasGroups ? ['groups'] : [])]
  return [...new Set(named)].filter((name) => !claims.has(name)).slice(0, 100)
}

/** What a session keeps of it: no policy that reads such a claim can speak for the session as long as it lives. */
export function elsewhereMark(claims: Claims): ReadonlyMap<string, readonly string[]> {
  const names = claimsElsewhere(claims)
  return new Map(names.length === 0 ? [] : [[mark, names]])
}

function namesElsewhere({ claims }: Pick<SessionPrincipal, 'claims'>): readonly string[] {
  return [claims.get(mark) ?? []].flat()
}

/**
 * A claim that decides and is elsewhere is not an empty one: a Deny for a group would be slipped by being in many.
 * @throws GrantError `no_policy`, when it is the claim that names policies
 */
export function demandClaim(claims: Claims, name: string, trace: Trace): void {
  if (!claimsElsewhere(claims).includes(name)) return
  const what = `${missing(name)}, and policies are named by it; ${advice(name)}`
  throw trace.refusal('mapping', 'no_policy', what)
}

/** @throws GrantError `no_policy`, when one of the policies that decide reads such a claim */
export function demandClaimsReadBy(
  policies: readonly NamedPolicy[],
  principal: SessionPrincipal,
  trace: Trace,
): void {
  for (const name of namesElsewhere(principal)) {
    const reader = policies.find(({ policy }) => readsClaim(policy, name))
    if (reader === undefined) continue
    trace.refused('claims', `"${reader.name}" reads the claim "${name.slice(0, 64)}"`)
    const what = `${missing(name)}, and a policy that decides here reads it; ${advice(name)}`
    throw trace.refusal('claims', 'no_policy', what)
  }
}

/** The policy as it may speak for the session: one that reads what nobody knows of its owner denies everything. */
export function knownTo(principal: SessionPrincipal, named: NamedPolicy): NamedPolicy {
  if (!principal.claims.has(mark)) return named
  const unknown = namesElsewhere(principal).find((name) => readsClaim(named.policy, name))
  if (unknown === undefined) return named
  const problem = `it reads the claim "${unknown.slice(0, 64)}", which the token did not carry: it said that it is elsewhere`
  return { name: named.name, policy: { kind: 'broken', problem } }
}

function missing(name: string): string {
  return `The token does not carry the claim "${name.slice(0, 64)}" but says that it is to be asked for elsewhere`
}

function advice(name: string): string {
  return name === 'groups'
    ? 'the person is in too many groups: have the provider send only the groups assigned to the application, or roles'
    : 'have the provider put it into the token'
}
