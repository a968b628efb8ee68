import { keyPrincipal } from './principal.ts'
import type { Verifier } from './types.ts'

/**
 * A signature that SigV4 has proven stands for root or for a user of this tenant (`default` if not said otherwise).
 * Whether the user still exists and is enabled is the directory's to say, before the evidence is made.
 */
export function createAccessKeyVerifier(options: Readonly<{ tenant?: string }> = {}): Verifier {
  const { tenant = 'default' } = options
  return {
    async verify(evidence) {
      if (evidence.kind !== 'signature') return undefined
      return keyPrincipal(evidence.signer, tenant)
    },
  }
}
