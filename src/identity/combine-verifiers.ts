import { IdentityError } from './identity-error.ts'
import type { Principal, Verifier } from './types.ts'

/**
 * Asks one after the other; the first that takes the evidence as its own decides.
 * Its `verify` throws `no_provider` where none does.
 */
export function combineVerifiers(
  verifiers: readonly Verifier[],
): Readonly<{ verify: (...evidence: Parameters<Verifier['verify']>) => Promise<Principal> }> {
  return {
    async verify(evidence, now) {
      for (const verifier of verifiers) {
        const principal = await verifier.verify(evidence, now)
        if (principal !== undefined) return principal
      }
      throw new IdentityError('no_provider', 'No identity provider is configured for this')
    },
  }
}
