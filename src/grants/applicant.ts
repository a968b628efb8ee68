import type { Session, SessionPrincipal } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import type { TrustCaller } from '../policy/index.ts'
import type { Binding } from './bindings.ts'
import { isRegistered } from './registered-provider.ts'
import {
  providerAwsFacts,
  providerFacts,
  rootFacts,
  sessionFacts,
  userFacts,
  type IdentityFacts,
} from './session-facts.ts'
import { account, sessionPolicyPrincipal, userArn } from './session-identity.ts'
import { noLayers, type SessionLayers } from './session-policy.ts'
import { noTags, transitivePart, type SessionTags } from './session-tags.ts'
import { storable } from './storable.ts'

/** Who asks for a grant, with all that it brings along. */
export type Applicant = Readonly<{
  /** As the new session will know it. */
  principal: SessionPrincipal
  /** The claims of a token as they stood there; empty for keys and sessions. */
  claims: ReadonlyMap<string, unknown>
  proofEnds?: Date | undefined
  caller: TrustCaller
  facts: IdentityFacts
  binding: Binding
  heritage: Heritage
}>

/** What a session hands on to those that are made from it. */
export type Heritage = Readonly<{
  layers: SessionLayers
  tags: SessionTags
  sourceIdentity?: string | undefined
  lineage: Session['lineage']
  /** Nothing that is made from it lasts longer. */
  expiresAt?: Date
}>

const nothing: Binding = { identity: [], ceilings: [], tags: new Map() }

/** For whom a provider vouches: has no policies of its own before it is somebody here. */
export function federatedApplicant(principal: Principal): Applicant {
  const who = storable(principal)
  const { kind, provider, issuer, claims, expiresAt, jti } = principal
  const facts = providerFacts(who)
  return {
    principal: who,
    claims,
    proofEnds: expiresAt,
    caller: {
      kind: 'federated',
      provider,
      ...(kind === 'web-identity' && { issuer }),
      ...(isRegistered(principal) && { registered: true }),
    },
    facts: {
      ...facts,
      // As they came, and as the sessions will have them: one key means the same when a role is taken and when it is used.
      ...(facts.federated && {
        federated: { ...facts.federated, claims: new Map([...claims, ...who.claims]) },
      }),
      aws: providerAwsFacts(who),
    },
    binding: nothing,
    heritage: heritageOf(jti === undefined ? {} : { jti }),
  }
}

/** The owner of a long-lived key. */
export function keyApplicant(principal: Principal, binding: Binding): Applicant {
  const isRoot = principal.kind === 'root'
  const { subject } = principal
  return {
    principal: storable(principal),
    claims: new Map(),
    caller: {
      kind: 'key',
      principal: isRoot
        ? { kind: 'root', account }
        : { kind: 'user', account, arn: userArn(subject) },
    },
    facts: isRoot ? rootFacts : userFacts(subject, binding.tags),
    binding,
    heritage: heritageOf({}),
  }
}

/** The owner of a session: what narrows it narrows all that comes of it, whoever it becomes. */
export function sessionApplicant(session: Session, binding: Binding): Applicant {
  const { accessKeyId, sealingKey, issuedAt, source, lineage } = session
  const ancestors = [...(lineage.ancestors ?? []), { accessKeyId, sealingKey, issuedAt, source }]
  return {
    principal: session.principal,
    claims: new Map(),
    caller: { kind: 'key', principal: sessionPolicyPrincipal(session) },
    facts: sessionFacts(session, binding.tags),
    binding,
    heritage: {
      layers: { documents: session.sessionPolicies, names: session.sessionPolicyNames },
      tags: transitivePart(session.tags, session.transitiveTagKeys),
      sourceIdentity: session.sourceIdentity,
      lineage: {
        parentAccessKeyId: accessKeyId,
        ...(lineage.jti !== undefined && { jti: lineage.jti }),
        ancestors,
      },
      expiresAt: session.expiresAt,
    },
  }
}

function heritageOf(lineage: Session['lineage']): Heritage {
  return { layers: noLayers, tags: noTags, lineage }
}
