import type { Fact } from './fact.ts'
import type { FederatedFacts } from './types.ts'

/**
 * The claim that a key such as `dex:department` or `idp.example.com/realms/main:sub` names, if the provider of that name,
 * or of that issuer, is the one that vouched for the caller. What stands before the claim compares without case, as AWS
 * has it; the claim does not. A dot leads into an object where no claim of the whole name exists.
 */
export function readFederatedClaim(facts: FederatedFacts | undefined, key: string): Fact {
  if (facts === undefined) return undefined
  for (const name of [facts.provider, issuerName(facts.issuer)]) {
    if (name === undefined || name === '') continue
    const prefix = `${name}:`.toLowerCase()
    if (!key.toLowerCase().startsWith(prefix)) continue
    const fact = claimFact(findClaim(facts.claims, key.slice(prefix.length)))
    if (fact !== undefined) return fact
  }
  return undefined
}

/** What AWS calls an issuer: its URL without the scheme. */
export function issuerName(issuer: string | undefined): string | undefined {
  return issuer?.replace(/^https?:\/\//, '')
}

function findClaim(claims: ReadonlyMap<string, unknown>, name: string): unknown {
  const flat = claims.get(name)
  if (flat !== undefined || !name.includes('.')) return flat
  const [first = '', ...rest] = name.split('.')
  return rest.reduce(member, claims.get(first))
}

/** Own members of plain objects only: `constructor` and the length of a list are no claims. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}

/** Of a list the texts; what is neither text, number, truth nor list has no value to compare. */
function claimFact(value: unknown): Fact {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (!Array.isArray(value)) return undefined
  return value.filter((item): item is string => typeof item === 'string')
}
