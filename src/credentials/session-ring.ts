import type { RingKey } from './ring-key.ts'
import type { RevocationRule, Session } from './types.ts'

/** What sessions need of the keys: the ring of this installation, keys shared with others, or both. */
export interface SessionRing {
  /** The key that seals. Throws when none may seal now. */
  readonly activeKey: RingKey
  find(id: string): RingKey | undefined
  /** Asks whoever may know of a key that is not at hand; rejects when nobody answers. */
  fetch(id: string): Promise<RingKey | undefined>
}

/** What sessions need of revocation. */
export interface SessionRules {
  find(session: Session): RevocationRule | undefined
  isFresh(now: Date): boolean
}
