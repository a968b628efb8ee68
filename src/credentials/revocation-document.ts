import { z } from 'zod'
import type { RevocationRule } from './types.ts'

const member = z.string().min(1).exactOptional()
const instant = z.iso.datetime().transform((text) => new Date(text))
const document = z.strictObject({
  schema: z.literal(1),
  rule: z.strictObject({
    id: z.string().min(1),
    session: member,
    principal: member,
    provider: member,
    role: member,
    policySource: member,
    tenant: member,
    sealingKey: member,
    issuedBefore: instant,
    expiresAt: instant,
    reason: z.string(),
  }),
})

/** Throws for a rule that this version does not wholly understand: half a rule would spare sessions. */
export function parseRevocation(text: string): RevocationRule {
  return assertNarrow(document.parse(JSON.parse(text)).rule)
}

export function printRevocation(rule: RevocationRule): string {
  return JSON.stringify({ schema: 1, rule })
}

/** Throws unless the rule names something, and nothing by the empty text: such a rule would meet all or none. */
export function assertNarrow(rule: RevocationRule): RevocationRule {
  const { session, principal, provider, role, policySource, tenant, sealingKey } = rule
  const members = [session, principal, provider, role, policySource, tenant, sealingKey]
  const named = members.filter((value) => value !== undefined)
  if (named.length > 0 && !named.includes('')) return rule
  throw new TypeError('a revocation names what it revokes: session, principal, provider, …')
}
