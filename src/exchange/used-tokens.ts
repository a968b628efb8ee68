import { createHash } from 'node:crypto'
import type { Condition, State, Write } from '../state.ts'

/** A token that is good for one exchange. */
export type OneTimeToken = Readonly<{ issuer: string; jti: string; expiresAt: Date }>

export interface UsedTokens {
  /**
   * Uses a token up. `false`: that has been done before, by whichever process. Durable on return; when it rejects, the
   * token may or may not be used up, and nothing may be issued on it.
   */
  use(token: OneTimeToken): Promise<boolean>
}

/** An entry outlives its token by this much: the processes of one store may differ in what time they think it is. */
const marginMs = 300_000

/**
 * Keeps, for each token that was used, one entry until the token is over. A `jti` is told from others of its issuer alone
 * (RFC 7519 section 4.1.7), so two providers of one issuer do not take a token once each.
 */
export function createUsedTokens(
  state: Pick<State, 'commit'>,
  onFailure: (error: unknown) => void,
): UsedTokens {
  return {
    async use(token) {
      const key = keyOf(token)
      const unused: Condition = { key, revision: 0 }
      const used: Write = {
        kind: 'put',
        key,
        value: '{"schema":1}',
        expiresAt: new Date(token.expiresAt.getTime() + marginMs),
      }
      try {
        return (await state.commit([unused], [used])).committed
      } catch (error) {
        onFailure(error)
        throw error
      }
    },
  }
}

/** The digest has one length and no character that keys do not have. The store need not know who signs in where. */
function keyOf({ issuer, jti }: OneTimeToken): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([issuer, jti]))
    .digest('hex')
  return `used-token/${digest}`
}
