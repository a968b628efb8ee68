import { Refusal } from '../errors.ts'
import type { ExchangeErrorCode } from './types.ts'

/** Nothing was issued. The cause is the room's own error. */
export class ExchangeError extends Refusal<ExchangeErrorCode> {
  /** The sealed trace of the decision, once the caller was proven. */
  encodedMessage: string | undefined
}

/** `undefined` for what is no refusal of a room on the way: then it is our own fault. */
export function asExchangeError(error: unknown): ExchangeError | undefined {
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
  login_refused: true,
  throttled: true,
  certificate_missing: true,
  certificate_refused: true,
  too_many_certificates: true,
  custom_token_refused: true,
  cluster_unavailable: true,
  no_provider: true,
  invalid_parameter: true,
  malformed_policy: true,
  session_policy_too_large: true,
  no_policy: true,
  unknown_role: true,
  unknown_tenant: true,
  role_not_trusted: true,
  denied: true,
  caller_not_allowed: true,
  expired: true,
  session_too_large: true,
  caller_unproven: true,
  target_unavailable: true,
  target_refused: true,
  token_replayed: true,
  replay_unknown: true,
  audit_unavailable: true,
}
