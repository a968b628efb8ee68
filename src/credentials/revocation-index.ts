import { policySourceKeys, principalKey } from './session-keys.ts'
import type { RevocationRule, Session } from './types.ts'

/** The members by which a rule is filed: the first that it has, the rarest first. */
const members = [
  'session',
  'principal',
  'sealingKey',
  'role',
  'policySource',
  'provider',
  'tenant',
] as const
type Member = (typeof members)[number]

/** What each member may be for one session to be met. */
type SessionKeys = Readonly<Record<Member, readonly string[]>>

/**
 * The rules in memory. A look-up asks for the few texts that a session answers to, however many rules there are.
 */
export class RevocationIndex {
  readonly #rules = new Map<string, RevocationRule>()
  readonly #filed = new Map<string, Set<RevocationRule>>()
  /** Sessions are cached by their owners; what they answer to is found once. */
  readonly #keys = new WeakMap<Session, SessionKeys>()

  put(rule: RevocationRule): void {
    this.delete(rule.id)
    this.#rules.set(rule.id, rule)
    const drawer = drawerOf(rule)
    const filed = this.#filed.get(drawer)
    if (filed) filed.add(rule)
    else this.#filed.set(drawer, new Set([rule]))
  }

  delete(id: string): void {
    const rule = this.#rules.get(id)
    if (!rule) return
    this.#rules.delete(id)
    const drawer = drawerOf(rule)
    const filed = this.#filed.get(drawer)
    filed?.delete(rule)
    if (filed?.size === 0) this.#filed.delete(drawer)
  }

  list(): readonly RevocationRule[] {
    return [...this.#rules.values()]
  }

  find(session: Session): RevocationRule | undefined {
    if (this.#rules.size === 0) return undefined
    const keys = this.#keysOf(session)
    for (const member of members) {
      for (const value of keys[member]) {
        const rule = this.#findIn(this.#filed.get(`${member}=${value}`), session, keys)
        if (rule) return rule
      }
    }
    return undefined
  }

  #findIn(
    filed: ReadonlySet<RevocationRule> | undefined,
    session: Session,
    keys: SessionKeys,
  ): RevocationRule | undefined {
    if (!filed) return undefined
    for (const rule of filed) if (meets(rule, session, keys)) return rule
    return undefined
  }

  #keysOf(session: Session): SessionKeys {
    const known = this.#keys.get(session)
    if (known) return known
    const keys = sessionKeys(session)
    this.#keys.set(session, keys)
    return keys
  }
}

function sessionKeys(session: Session): SessionKeys {
  const parent = session.lineage.parentAccessKeyId
  return {
    session: [session.accessKeyId, ...(parent === undefined ? [] : [parent])],
    principal: [principalKey(session.principal)],
    sealingKey: [session.sealingKey],
    role: session.source.kind === 'role' ? [session.source.arn] : [],
    policySource: policySourceKeys(session.source),
    provider: [session.principal.provider],
    tenant: [session.tenant],
  }
}

/** Every member present must fit. "At or before", so that a session of the very millisecond of the rule dies too. */
function meets(rule: RevocationRule, session: Session, keys: SessionKeys): boolean {
  if (session.issuedAt.getTime() > rule.issuedBefore.getTime()) return false
  return members.every((member) => {
    const wanted = rule[member]
    return wanted === undefined || keys[member].includes(wanted)
  })
}

function drawerOf(rule: RevocationRule): string {
  const member = members.find((name) => rule[name] !== undefined)
  if (member) return `${member}=${rule[member]}`
  throw new TypeError('a revocation names what it revokes')
}
