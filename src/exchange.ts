import type { Credentials, CredentialsErrorCode, PolicySource } from './credentials/types.ts'
import { Refusal } from './errors.ts'
import { GrantError } from './grants/index.ts'
import type { Grant, GrantErrorCode, GrantRequest, Grants, TraceStep } from './grants/index.ts'
import type { Evidence, IdentityErrorCode, Principal } from './identity/index.ts'

/**
 * The whole story: evidence is verified into a principal, the principal is authorised to a grant, the grant becomes
 * credentials, and these leave only after the audit record of them is durable. Refusals are recorded as well.
 */
export function createExchange(parts: ExchangeParts): Exchange {
  async function exchange(request: ExchangeRequest): Promise<Issued> {
    const story = new Story(request, parts.clock())
    try {
      const principal = await verify(request, story)
      const grant = authorize(principal, request, story)
      const credentials = parts.sessions.issue(grant)
      await record(issuedEvent(story, grant, credentials))
      parts.observe(story.observation('issued', parts.clock()))
      return { grant, credentials }
    } catch (error) {
      throw await refuse(story, error)
    }
  }

  async function verify(request: ExchangeRequest, story: Story): Promise<Principal> {
    const principal = await parts.identity.verify(addressed(request, parts.grants), story.at)
    return (story.principal = principal)
  }

  function authorize(principal: Principal, request: ExchangeRequest, story: Story): Grant {
    const grant =
      request.evidence.kind === 'signature'
        ? parts.grants.authorizeUser(principal, request.grant)
        : parts.grants.authorizeWebIdentity(principal, request.grant)
    story.trace = grant.trace
    return grant
  }

  async function record(event: ExchangeEvent): Promise<void> {
    try {
      await parts.audit.record(event)
    } catch (cause) {
      const message = 'The audit log cannot be written, so nothing is issued; try again later'
      throw new ExchangeError('audit_unavailable', message, { cause })
    }
  }

  /** Records the refusal and gives back what to throw: an ExchangeError, or what broke in our own house. */
  async function refuse(story: Story, error: unknown): Promise<unknown> {
    const refusal = asExchangeError(error)
    parts.observe(story.observation(refusal?.code ?? 'internal', parts.clock()))
    if (refusal?.code === 'audit_unavailable') return refusal
    const event = refusedEvent(story, refusal)
    // The audit log reports its own failure; the refusal stands either way, and nothing has been issued.
    await parts.audit.record(event).catch(() => undefined)
    if (refusal !== undefined) refusal.encodedMessage = seal(story, event)
    return refusal ?? error
  }

  /** Only who has been proven gets the sealed trace: it costs something. Without it the refusal is still a refusal. */
  function seal(story: Story, event: ExchangeRefused): string | undefined {
    if (story.principal === undefined) return undefined
    try {
      return parts.explain?.seal(event)
    } catch {
      return undefined
    }
  }

  return {
    exchange,
    async refuse(request, code, message) {
      throw await refuse(new Story(request, parts.clock()), new ExchangeError(code, message))
    },
  }
}

export type ExchangeParts = Readonly<{
  /** Throws when the evidence proves nobody, also when it is of a kind that nobody here can judge. */
  identity: Readonly<{ verify(evidence: Evidence, now: Date): Promise<Principal> }>
  grants: Grants
  sessions: Readonly<{ issue(grant: Grant): Credentials }>
  /** Resolves when the event is durable. Rejects: nothing may be issued. */
  audit: Readonly<{ record(event: ExchangeEvent): Promise<void> }>
  /** Seals a refusal, so that only who may open it can read it; the caller carries it. */
  explain?: Readonly<{ seal(event: ExchangeRefused): string }> | undefined
  observe: (observation: ExchangeObservation) => void
  clock: () => Date
}>

export interface Exchange {
  /** Throws an ExchangeError; anything else that it throws is our own fault. */
  exchange(request: ExchangeRequest): Promise<Issued>
  /** Records a refusal that a face found out before there was evidence (a wrong signature), then throws it. */
  refuse(request: RefusedRequest, code: ExchangeErrorCode, message: string): Promise<never>
}

export type ExchangeRequest = Readonly<{
  /** Our request id; it is the decision id too. */
  id: string
  evidence: Evidence
  grant: GrantRequest
}>
export type RefusedRequest = Omit<ExchangeRequest, 'evidence'> & Readonly<{ evidence?: Evidence }>
export type Issued = Readonly<{ grant: Grant; credentials: Credentials }>

export type ExchangeErrorCode =
  | IdentityErrorCode
  | GrantErrorCode
  | Extract<CredentialsErrorCode, 'session_too_large'>
  | 'caller_unproven' // a signature that did not verify; the face knows the particulars
  | 'audit_unavailable'

/** Nothing was issued. The cause is the room's own error. */
export class ExchangeError extends Refusal<ExchangeErrorCode> {
  /** The sealed trace of the decision, once the caller was proven. */
  encodedMessage: string | undefined
}

export type ExchangeObservation = Readonly<{
  action: GrantRequest['action']
  outcome: 'issued' | 'internal' | ExchangeErrorCode
  seconds: number
}>

/** What the audit log keeps of an exchange. No secret is in it; a token shows as its SHA-256. */
export type ExchangeEvent = ExchangeIssued | ExchangeRefused
type ExchangeFacts = Readonly<{
  kind: 'exchange'
  at: Date
  /** Request id and decision id. */
  decisionId: string
  action: GrantRequest['action']
  client: GrantRequest['client']
  proof?: Readonly<{ kind: 'token'; sha256: string } | { kind: 'signature'; accessKeyId: string }>
  principal?: Readonly<Record<'kind' | 'provider' | 'issuer' | 'subject' | 'displayName', string>>
  trace: readonly TraceStep[]
}>
export type ExchangeIssued = ExchangeFacts &
  Readonly<{
    outcome: 'issued'
    accessKeyId: string
    tenant: string
    source: PolicySource
    sessionName: string
    sessionPolicies: readonly (readonly string[])[]
    issuedAt: Date
    expiresAt: Date
    jti?: string
  }>
export type ExchangeRefused = ExchangeFacts &
  Readonly<{ outcome: 'refused'; code: ExchangeErrorCode | 'internal'; message: string }>

/** What is known so far about one exchange. */
class Story {
  readonly request: RefusedRequest
  readonly at: Date
  principal: Principal | undefined
  trace: readonly TraceStep[] = []

  constructor(request: RefusedRequest, at: Date) {
    this.request = request
    this.at = at
  }

  facts(): ExchangeFacts {
    const { id, evidence, grant } = this.request
    return {
      kind: 'exchange',
      at: this.at,
      decisionId: id,
      action: grant.action,
      client: grant.client,
      ...(evidence && { proof: proofOf(evidence) }),
      ...(this.principal && { principal: peopleView(this.principal) }),
      trace: this.trace,
    }
  }

  observation(outcome: ExchangeObservation['outcome'], now: Date): ExchangeObservation {
    const seconds = Math.max(0, now.getTime() - this.at.getTime()) / 1000
    return { action: this.request.grant.action, outcome, seconds }
  }
}

/** A role ARN says which provider is meant; without one the claim-based providers are told apart by the token. */
function addressed({ evidence, grant }: ExchangeRequest, grants: Grants): Evidence {
  if (evidence.kind !== 'web-identity') return evidence
  const provider = grants.chooseProvider(grant.roleArn)
  return provider === undefined ? evidence : { ...evidence, provider }
}

function proofOf(evidence: Evidence): NonNullable<ExchangeFacts['proof']> {
  return evidence.kind === 'web-identity'
    ? { kind: 'token', sha256: evidence.token.fingerprint() }
    : { kind: 'signature', accessKeyId: evidence.signer.accessKeyId }
}

function peopleView(principal: Principal): NonNullable<ExchangeFacts['principal']> {
  const { kind, provider, issuer, subject, displayName } = principal
  return { kind, provider, issuer, subject, displayName }
}

function issuedEvent(story: Story, grant: Grant, credentials: Credentials): ExchangeIssued {
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

function refusedEvent(story: Story, refusal: ExchangeError | undefined): ExchangeRefused {
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

function asExchangeError(error: unknown): ExchangeError | undefined {
  if (error instanceof ExchangeError) return error
  if (!(error instanceof Refusal) || !isExchangeCode(error.code)) return undefined
  return new ExchangeError(error.code, error.message, { detail: error.detail, cause: error })
}

function isExchangeCode(code: string): code is ExchangeErrorCode {
  return Object.hasOwn(codes, code)
}

/** All codes; the compiler asks for each new one. */
const codes: Readonly<Record<ExchangeErrorCode, true>> = {
  token_malformed: true,
  token_algorithm: true,
  token_signature: true,
  token_expired: true,
  token_not_yet_valid: true,
  token_issuer: true,
  token_audience: true,
  token_claims: true,
  provider_unavailable: true,
  userinfo_rejected: true,
  no_provider: true,
  invalid_parameter: true,
  malformed_policy: true,
  session_policy_too_large: true,
  no_policy: true,
  unknown_role: true,
  denied: true,
  caller_not_allowed: true,
  expired: true,
  session_too_large: true,
  caller_unproven: true,
  audit_unavailable: true,
}
