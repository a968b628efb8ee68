import { hasVariables, variableNames } from './compile.ts'
import { CompiledPolicy } from './compiled-policy.ts'
import type { BrokenPolicy, Policy } from './types.ts'

/**
 * Whether a condition or a variable of the policy reads the claim: as `jwt:groups`, `aws:groups`, `dex:groups`,
 * `idp.example.com/realm:groups`. A member of the claim (`dex:groups.staff`) counts, too. `ldap:` is no token's.
 */
export function readsClaim(policy: Policy | BrokenPolicy, claim: string): boolean {
  if (!(policy instanceof CompiledPolicy)) return false
  const { document } = policy
  return document.statements.some((statement) => {
    const variables = hasVariables(document) ? variableNames(statement) : []
    return [...statement.conditions.map(({ key }) => key), ...variables].some((key) =>
      isOfClaim(key, claim),
    )
  })
}

function isOfClaim(key: string, claim: string): boolean {
  const text = key.toLowerCase()
  const wanted = `:${claim.toLowerCase()}`
  return !text.startsWith('ldap:') && (text.endsWith(wanted) || text.includes(`${wanted}.`))
}
