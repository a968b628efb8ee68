import type { Facts, PolicyPrincipal, Question } from '../policy/index.ts'
import { draftFacts, type Draft } from './draft.ts'
import { noTags, tagsOver } from './session-tags.ts'
import { sessionFacts, type IdentityFacts } from './session-facts.ts'
import {
  account,
  federatedUserArn,
  sessionPolicyPrincipal,
  type NamedSession,
} from './session-identity.ts'

/**
 * What the policies of the session that is about to be say to this: "does any statement deny that these credentials
 * are issued?", or "do they allow it?". The owner of a key who stays who it is asks as itself.
 */
export function issueQuestion(draft: Draft, actions: readonly string[]): Question {
  const { base, applicant } = draft
  return {
    principal: policyPrincipal(draft),
    accesses: actions.map((action) => ({ action, resource: resourceOf(draft) })),
    facts: issueFacts(draft),
    identity: base.policies,
    ceilings: [
      ...base.ceilings,
      ...(isItself(draft) ? applicant.binding.ceilings : draft.tenantCeilings),
    ],
  }
}

/** Root and users who ask for a session of their own. */
function isItself({ base: { source } }: Draft): boolean {
  return source.kind === 'root' || source.kind === 'user'
}

function resourceOf({ base: { source }, request, sessionName }: Draft): string {
  if (request.action === 'sts:GetFederationToken') return federatedUserArn(sessionName)
  return source.kind === 'role' ? source.arn : '*'
}

function policyPrincipal(draft: Draft): PolicyPrincipal {
  const { source } = draft.base
  if (source.kind === 'root') return { kind: 'root', account }
  const { caller } = draft.applicant
  if (source.kind === 'user' && caller.kind === 'key') return caller.principal
  return sessionPolicyPrincipal(namedSession(draft))
}

function issueFacts(draft: Draft): Facts {
  return draftFacts(draft, isItself(draft) ? draft.applicant.facts : futureFacts(draft))
}

/** Of the session that is about to be, with the tags that it is about to have. */
function futureFacts(draft: Draft): IdentityFacts {
  const { applicant, base, lifetime, tags } = draft
  const session = { ...namedSession(draft), principal: applicant.principal }
  return sessionFacts(
    { ...session, issuedAt: lifetime.issuedAt },
    tagsOver(base.role?.tags ?? noTags.tags, tags.tags),
  )
}

function namedSession({ applicant, base, sessionName }: Draft): NamedSession {
  return { principal: applicant.principal, source: base.source, sessionName }
}
