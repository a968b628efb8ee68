import type { Kept } from './kept.ts'
import type { ServiceAccountBinding } from '../grants/index.ts'
import { messageOf } from './status-body.ts'
import { missingIn } from './verdict.ts'

type Finding = { usedAt: number | undefined; missing: Map<string, number> }

/** A tenant that leaves missing policies out says so and gives all the same: both belong to one exchange. */
const sameExchangeMs = 60_000

/**
 * Which policies tenants were found not to have, when credentials were asked for. What has been written into the status
 * of a binding is known to all replicas; here is only what this one has seen since.
 */
export class Findings {
  readonly #all = new Map<string, Finding>()

  missing(id: string, policy: string, now: number): void {
    const known = this.#all.get(id) ?? { usedAt: undefined, missing: new Map() }
    known.missing.set(policy, now)
    this.#all.set(id, known)
  }

  /** The binding has given something: then what was missing is there. Whether anything was. */
  used(id: string, kept: Kept<ServiceAccountBinding> | undefined, now: number): boolean {
    const known = this.#all.get(id)
    if (known) known.usedAt = now
    else if (kept === undefined || missingIn(messageOf(kept.kind, kept.object)).size === 0)
      return false
    else this.#all.set(id, { usedAt: now, missing: new Map() })
    return true
  }

  /** What is missing now. */
  of(id: string, { kind, object }: Kept<ServiceAccountBinding>, skips: boolean): Set<string> {
    const written = missingIn(messageOf(kind, object))
    const seen = this.#all.get(id)
    if (seen === undefined) return new Set(written)
    const { usedAt, missing } = seen
    const since = usedAt === undefined ? -Infinity : usedAt - (skips ? sameExchangeMs : 0)
    const names = new Set([...written, ...missing.keys()])
    const stays = (name: string) => usedAt === undefined || (missing.get(name) ?? -Infinity) > since
    return new Set([...names].filter(stays))
  }

  /** It has been written down. */
  settle(id: string, now: number): void {
    const known = this.#all.get(id)
    if (known === undefined) return
    known.usedAt = undefined
    for (const [name, at] of known.missing) {
      if (now - at > sameExchangeMs) known.missing.delete(name)
    }
    if (known.missing.size === 0) this.#all.delete(id)
  }
}
