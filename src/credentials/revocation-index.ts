import { policySourceKeys, principalKey } from './session-keys.ts'
import type { Ancestor, PolicySource, RevocationRule, Session } from './types.ts'

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

/**
 * What each member may be for one session to be met, and since when the session is there. A session that was made from
 * others answers for each of them by itself: for the role that it had then, from the instant at which it was issued.
 */
type SessionKeys = Readonly<{ issuedAt: number; of: Readonly<Record<Member, readonly string[]>> }>

/**
 * The rules in memory. A look-up asks for the few texts that a session answers to, however many rules there are.
 */
export class RevocationIndex {
  readonly #rules = new Map<string, RevocationRule>()
  readonly #filed = new Map<string, Set<RevocationRule>>()
  /** Sessions are cached by their owners; what they answer to is found once. */
  readonly #keys = new WeakMap<Session, readonly SessionKeys[]>()

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
    for (const keys of this.#keysOf(session)) {
      const rule = this.#findByKeys(keys)
      if (rule) return rule
    }
    return undefined
  }

  #findByKeys(keys: SessionKeys): RevocationRule | undefined {
    for (const member of members) {
      for (const value of keys.of[member]) {
        const rule = findIn(this.#filed.get(`${member}=${value}`), keys)
        if (rule) return rule
      }
    }
    return undefined
  }

  #keysOf(session: Session): readonly SessionKeys[] {
    const known = this.#keys.get(session)
    if (known) return known
    const keys = lineKeys(session)
    this.#keys.set(session, keys)
    return keys
  }
}

function findIn(
  filed: ReadonlySet<RevocationRule> | undefined,
  keys: SessionKeys,
): RevocationRule | undefined {
  if (!filed) return undefined
  for (const rule of filed) if (meets(rule, keys)) return rule
  return undefined
}

/** Of the session and of those that it was made from: all are of one principal and one tenant. */
function lineKeys(session: Session): readonly SessionKeys[] {
  const { ancestors = [], parentAccessKeyId } = session.lineage
  const parent = parentAccessKeyId === undefined ? [] : [parentAccessKeyId]
  return [
    keysOf(session, session, parent),
    ...ancestors.map((ancestor) => keysOf(session, ancestor, [])),
  ]
}

function keysOf(session: Session, link: Ancestor, parent: readonly string[]): SessionKeys {
  const { source } = link
  return {
    issuedAt: link.issuedAt.getTime(),
    of: {
      session: [link.accessKeyId, ...parent],
      principal: [principalKey(session.principal)],
      sealingKey: [link.sealingKey],
      role: roleOf(source),
      policySource: policySourceKeys(source),
      provider: [session.principal.provider],
      tenant: [session.tenant],
    },
  }
}

function roleOf(source: PolicySource): readonly string[] {
  if (source.kind === 'role') return [source.arn]
  return source.kind === 'binding' && source.roleArn !== undefined ? [source.roleArn] : []
}

/** Every member present must fit. "At or before", so that a session of the very millisecond of the rule dies too. */
function meets(rule: RevocationRule, { issuedAt, of }: SessionKeys): boolean {
  if (issuedAt > rule.issuedBefore.getTime()) return false
  return members.every((member) => {
    const wanted = rule[member]
    return wanted === undefined || of[member].includes(wanted)
  })
}

function drawerOf(rule: RevocationRule): string {
  const member = members.find((name) => rule[name] !== undefined)
  if (member) return `${member}=${rule[member]}`
  throw new TypeError('a revocation names what it revokes')
}
