import { parsePolicy, PolicyError } from '../policy/index.ts'
import type { Policy } from '../policy/index.ts'
import { AdminError } from './admin-error.ts'

/** A document that a caller brings. @throws AdminError `malformed_policy` or `limit_exceeded` */
export function parseGiven(text: string, kind: 'identity' | 'session' | 'trust'): Policy {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const code = error.code === 'policy_too_large' ? 'limit_exceeded' : 'malformed_policy'
    throw new AdminError(code, error.message, { cause: error })
  }
}
