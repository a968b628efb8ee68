import type { PolicySource, SessionPrincipal } from '../credentials/types.ts'

/** One line of an explained decision, in the order in which things were looked at. */
export type TraceStep = Readonly<{
  /** `token`, `provider`, `mapping`, `policy readonly`, `session policy`, … */
  step: string
  outcome: 'ok' | 'refused'
  /** A sentence for people. Never a secret. */
  detail: string
}>

declare const authorized: unique symbol // not exported from the room

/** The decision made concrete: who, with which policies, until when, and why. Only `grants/` makes one. */
export type Grant = Readonly<{
  principal: SessionPrincipal
  tenant: string
  source: PolicySource
  sessionName: string
  sessionPolicies: readonly (readonly string[])[]
  tags: ReadonlyMap<string, string>
  sourceIdentity?: string
  issuedAt: Date
  expiresAt: Date
  lineage: Readonly<{ parentAccessKeyId?: string; jti?: string }>
  trace: readonly TraceStep[]
  [authorized]: true
}>

export type GrantErrorCode =
  | 'invalid_parameter' // DurationSeconds, RoleSessionName, … : detail.parameter
  | 'malformed_policy' // the session policy does not parse
  | 'session_policy_too_large'
  | 'no_policy' // claim missing or names nothing that exists; role without policies
  | 'unknown_role'
  | 'denied' // a Deny statement for the sts action
  | 'caller_not_allowed' // this kind of caller may not take this way
  | 'expired' // the grant would already be over
