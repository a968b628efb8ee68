import { stepsOf } from './claim-path.ts'
import type { ProviderMapping } from './types.ts'

type ClaimMapping = Extract<ProviderMapping, { kind: 'claim' }>

/** The claim's name as people know it: prefix and name joined. */
export function claimLabel(mapping: ClaimMapping): string {
  return `${mapping.claimPrefix ?? ''}${mapping.claimName}`
}

/** The claim of the token itself, in which the policy names stand or to which the path leads. */
export function outermostClaim(mapping: ClaimMapping): string {
  const label = claimLabel(mapping)
  return mapping.dottedPath === true ? (stepsOf(label)[0] ?? '') : label
}

/**
 * The policy names in a token, without repeats and sorted. A text may be a comma list; a list's members may be comma
 * lists too; names are trimmed, empty ones and members that are no text are dropped. Any other shape names nothing.
 */
export function readPolicyClaim(
  claims: ReadonlyMap<string, unknown>,
  mapping: ClaimMapping,
): readonly string[] {
  const value = find(claims, mapping)
  const texts = typeof value === 'string' ? [value] : Array.isArray(value) ? value : []
  const names = texts.flatMap((text) => (typeof text === 'string' ? text.split(',') : []))
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))].sort()
}

function find(claims: ReadonlyMap<string, unknown>, mapping: ClaimMapping): unknown {
  if (mapping.dottedPath !== true) return claims.get(claimLabel(mapping))
  const [first = '', ...rest] = stepsOf(claimLabel(mapping))
  return rest.reduce(member, claims.get(first))
}

/** Own members of plain objects only: `constructor` and `__proto__` are not claims, nor is the length of a list. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}
