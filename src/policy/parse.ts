import { CompiledPolicy } from './compiled-policy.ts'
import { tooLarge } from './errors.ts'
import { readDocument } from './grammar.ts'
import { scanJson } from './json-scan.ts'
import type { Policy, PolicyKind } from './types.ts'

/** Bytes of UTF-8 that one document may have, as written and as normalised. */
const maxPolicyBytes = 20 * 1024
/** Document, statements, statement, Condition, operator, list of values. */
const maxDepth = 6

/**
 * Text -> a validated, compiled, frozen policy. Do it once, keep the result.
 * @throws PolicyError `malformed_policy`, its message naming statement and member; `policy_too_large` over 20 KiB
 */
export function parsePolicy(text: string, kind: PolicyKind): Policy {
  refuseLarge(text)
  const policy = new CompiledPolicy(readDocument(scanJson(text, maxDepth), kind))
  // a normalised text over the limit would be stored and then be too large to be read again
  refuseLarge(policy.text)
  return policy
}

function refuseLarge(text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxPolicyBytes) throw tooLarge(bytes, maxPolicyBytes)
}
