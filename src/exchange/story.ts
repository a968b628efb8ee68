import type { Credentials } from '../credentials/index.ts'
import { GrantError } from '../grants/index.ts'
import type { Grant, TraceStep } from '../grants/index.ts'
import type { Principal } from '../identity/index.ts'
import type { ExchangeError } from './exchange-error.ts'
import type {
  ExchangeFacts,
  ExchangeIssued,
  ExchangeObservation,
  ExchangeRefused,
  RefusedRequest,
} from './types.ts'

/** What is known so far about one exchange. */
export class Story {
  readonly request: RefusedRequest
  readonly at: Date
  principal: Principal | undefined
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
  if (evidence?.kind === 'web-identity') {
    return { kind: 'token', sha256: evidence.token.fingerprint() }
  }
  const key = evidence?.signer.accessKeyId ?? accessKeyId
  return key === undefined ? undefined : { kind: 'signature', accessKeyId: key.slice(0, 128) }
}

function peopleView(principal: Principal): NonNullable<ExchangeFacts['principal']> {
  const { kind, provider, issuer, subject, displayName } = principal
  return { kind, provider, issuer, subject, displayName }
}

export function issuedEvent(story: Story, grant: Grant, credentials: Credentials): ExchangeIssued {
  const { tenant, source, sessionName, sessionPolicies, issuedAt, expiresAt, lineage } = grant
  return {
    ...story.facts(),
    outcome: 'issued',
    accessKeyId: credentials.accessKeyId,
    tenant,
    source,
    sessionName,
    sessionPolicies,
    issuedAt,
    expiresAt,
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
