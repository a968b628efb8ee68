import { createHash } from 'node:crypto'
import type { Credentials, SessionPrincipal } from '../credentials/index.ts'
import { GrantError } from '../grants/index.ts'
import type { Grant, TraceStep } from '../grants/index.ts'
import type { ExchangeError } from './exchange-error.ts'
import type {
  ExchangeFacts,
  ExchangeIssued,
  ExchangeObservation,
  ExchangeRefused,
  RefusedRequest,
} from './types.ts'

type Proven = Pick<SessionPrincipal, 'kind' | 'provider' | 'issuer' | 'subject' | 'displayName'>

/** What is known so far about one exchange. */
export class Story {
  readonly request: RefusedRequest
  readonly at: Date
  principal: Proven | undefined
  trace: readonly TraceStep[] = []

  constructor(request: RefusedRequest, at: Date) {
    this.request = request
    this.at = at
  }

  facts(): ExchangeFacts {
    const { id, grant } = this.request
    const proof = proofOf(this.request)
    return {
      kind: 'exchange',
      at: this.at,
      decisionId: id,
      action: grant.action,
      client: grant.client,
      ...(proof && { proof }),
      ...(this.principal && { principal: peopleView(this.principal) }),
      trace: this.trace,
    }
  }

  observation(outcome: ExchangeObservation['outcome'], now: Date): ExchangeObservation {
    const seconds = Math.max(0, now.getTime() - this.at.getTime()) / 1000
    return { action: this.request.grant.action, outcome, seconds }
  }
}

function proofOf({ evidence, accessKeyId }: RefusedRequest): ExchangeFacts['proof'] {
  switch (evidence?.kind) {
    case 'web-identity':
    case 'custom-token':
    case 'service-account':
      return { kind: 'token', sha256: evidence.token.fingerprint() }
    case 'ldap':
      return { kind: 'login', username: evidence.username.slice(0, 256) }
    case 'certificate':
      return certificateProof(evidence.chain[0])
    case 'signature':
      return signatureProof(evidence.signer.accessKeyId)
    case 'session':
      return signatureProof(evidence.session.accessKeyId)
    case undefined:
      return accessKeyId === undefined ? undefined : signatureProof(accessKeyId)
  }
  return evidence satisfies never
}

function signatureProof(accessKeyId: string): ExchangeFacts['proof'] {
  return { kind: 'signature', accessKeyId: accessKeyId.slice(0, 128) }
}

function certificateProof(leaf: Buffer | undefined): ExchangeFacts['proof'] {
  if (leaf === undefined) return undefined
  return { kind: 'certificate', sha256: createHash('sha256').update(leaf).digest('hex') }
}

function peopleView(principal: Proven): NonNullable<ExchangeFacts['principal']> {
  const { kind, provider, issuer, subject, displayName } = principal
  return { kind, provider, issuer, subject, displayName }
}

export function issuedEvent(story: Story, grant: Grant, credentials: Credentials): ExchangeIssued {
  const { tenant, source, sessionName, sessionPolicies, issuedAt, lineage } = grant
  return {
    ...story.facts(),
    outcome: 'issued',
    accessKeyId: credentials.accessKeyId,
    tenant,
    source,
    sessionName,
    sessionPolicies,
    sessionPolicyNames: grant.sessionPolicyNames,
    tags: grant.tags,
    ...(grant.sourceIdentity !== undefined && { sourceIdentity: grant.sourceIdentity }),
    ...(lineage.parentAccessKeyId !== undefined && {
      parentAccessKeyId: lineage.parentAccessKeyId,
    }),
    issuedAt,
    // The STS of a tenant may round it: what counts is how long the credentials really live.
    expiresAt: credentials.expiresAt,
    ...(lineage.jti === undefined ? {} : { jti: lineage.jti }),
  }
}

export function refusedEvent(story: Story, refusal: ExchangeError | undefined): ExchangeRefused {
  const code = refusal?.code ?? 'internal'
  const message = refusal?.message ?? 'An internal error'
  return { ...story.facts(), trace: fullTrace(story, refusal), outcome: 'refused', code, message }
}

/** A grant's own trace when it got that far, else one line for the check that refused. */
function fullTrace(story: Story, refusal: ExchangeError | undefined): readonly TraceStep[] {
  if (refusal?.cause instanceof GrantError) return refusal.cause.trace
  const detail = refusal?.message ?? 'An internal error'
  const step = story.principal === undefined ? 'proof' : 'issue'
  return [...story.trace, { step, outcome: 'refused', detail }]
}
