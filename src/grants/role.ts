import { decideTrust } from '../policy/index.ts'
import type { Base } from './base.ts'
import { draftFacts, type Draft } from './draft.ts'
import { account } from './session-identity.ts'
import type { Trace } from './trace.ts'
import type { GrantDirectory, GrantRequest, GrantRole } from './types.ts'

const ownRole = new RegExp(`^arn:aws:iam::${account}:role/([^/]+)$`)

/** The role of the directory that an ARN names; `undefined`: none, and the ARN may be any that a client makes up. */
export function findRole(
  arn: string | undefined,
  directory: Pick<GrantDirectory, 'findRole'>,
): GrantRole | undefined {
  if (arn === undefined || !ownRole.test(arn)) return undefined
  const role = directory.findRole(arn)
  // The directory knows roles by name, too; what was named is the ARN.
  return role?.arn === arn ? role : undefined
}

/**
 * What a session of the role stands on. A role without policies is one that bucket policies give to.
 * @throws GrantError `role_not_trusted` for a name that could pass for a user's or a provider's
 */
export function baseOfRole(
  role: GrantRole,
  { action }: Pick<GrantRequest, 'action'>,
  directory: GrantDirectory,
  trace: Trace,
): Base {
  const { name, arn, id } = role
  if (name.includes('=') || name === 'root') {
    trace.refused('role', `Sessions of a role "${name}" would go by the name of somebody else's`)
    throw notTrusted(action, arn, trace)
  }
  const boundary = directory.boundaryOfRole(arn)
  trace.ok('role', `RoleArn names the role "${name}" (${id})`)
  return {
    source: { kind: 'role', arn, name, id },
    policies: directory.policiesOfRole(arn) ?? [],
    ceilings: boundary ? [{ name: 'permissions boundary', policies: [boundary] }] : [],
    role,
  }
}

/** @throws GrantError `role_not_trusted`, with every reason in its trace and none in its message */
export function demandTrust(role: GrantRole, draft: Draft, trace: Trace): void {
  const { applicant, request, tags, sourceIdentity } = draft
  const decision = decideTrust({
    caller: applicant.caller,
    role: role.arn,
    trustPolicy: { name: `trust policy of ${role.name}`, policy: role.trustPolicy },
    actions: [
      request.action,
      ...(tags.tags.size > 0 ? ['sts:TagSession'] : []),
      ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ],
    facts: draftFacts(draft, applicant.facts),
    identity: applicant.binding.identity,
    ceilings: applicant.binding.ceilings,
  })
  for (const { outcome, reason } of decision.accesses) {
    if (outcome === 'allow') trace.ok('trust', reason)
    else trace.refused('trust', reason)
  }
  if (decision.allowed) return
  const missing = decision.accesses.find(({ outcome }) => outcome !== 'allow')
  throw notTrusted(missing?.action ?? request.action, role.arn, trace)
}

function notTrusted(action: string, arn: string, trace: Trace) {
  return trace.refusal('role', 'role_not_trusted', `Not authorized to perform ${action} on ${arn}`)
}
