import type { AuditEvent, AuditLog } from '../audit.ts'
import { BoundedCache } from '../bounded-cache.ts'

const windowMs = 60_000
const recordsPerWindow = 120
/** Whoever has been proven holds a place here; all strangers share one, which is never given up. */
const places = 10_000

/**
 * The same log, with room for so many refusals a minute: those of strangers together, and those of each principal for
 * itself. Enough to see an attack or a slip, too few to fill the disk with one key that is refused in a loop; nothing is
 * issued when the audit cannot grow. How many were passed over stands in the next one that is kept, and metrics count all of them.
 */
export function boundRefusals(log: AuditLog): AuditLog {
  const strangers = new Budget()
  const proven = new BoundedCache<Budget>(places)

  function budgetOf(refused: string): Budget {
    if (refused === '') return strangers
    const known = proven.get(refused)
    if (known) return known
    const budget = new Budget()
    proven.set(refused, budget)
    return budget
  }

  return {
    async record(event) {
      if (!isRefusal(event)) return log.record(event)
      const unrecorded = budgetOf(whoIsRefused(event)).take(event.at)
      if (unrecorded === undefined) return
      await log.record(unrecorded === 0 ? event : { ...event, unrecorded })
    },
    close: () => log.close(),
  }
}

/** Whatever is not one was given or done, and is always kept. */
type AuditRefusal = Extract<AuditEvent, { unrecorded?: unknown }>

function isRefusal(event: AuditEvent): event is AuditRefusal {
  switch (event.kind) {
    case 'exchange':
    case 'admin':
      return event.outcome === 'refused'
    case 'denial':
      return true
    case 'departure':
      return false
  }
  return event satisfies never
}

/** Empty: a stranger. */
function whoIsRefused(event: AuditRefusal): string {
  switch (event.kind) {
    case 'exchange': {
      const { principal } = event
      return principal
        ? `exchange ${principal.kind} ${principal.provider} ${principal.subject}`
        : ''
    }
    case 'denial': {
      const { kind, subject, arn = '' } = event.principal
      return kind === 'anonymous' ? '' : `denial ${kind} ${subject ?? arn}`
    }
    case 'admin':
      return `admin ${event.caller.name}`
  }
  return event satisfies never
}

class Budget {
  #windowStart = -Infinity
  #left = 0
  #skipped = 0

  /** How many were passed over since the last one that was recorded; `undefined`: pass this one over too. */
  take(now: Date): number | undefined {
    const elapsed = now.getTime() - this.#windowStart
    if (elapsed >= windowMs || elapsed < 0) {
      this.#windowStart = now.getTime()
      this.#left = recordsPerWindow
    }
    if (this.#left === 0) {
      this.#skipped += 1
      return undefined
    }
    this.#left -= 1
    const skipped = this.#skipped
    this.#skipped = 0
    return skipped
  }
}
