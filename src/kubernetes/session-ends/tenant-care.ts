import { isDeepStrictEqual } from 'node:util'
import type { SessionsEnd } from '../../targets/index.ts'
import type { TenantAdmin } from '../resources/tenant.ts'
import type { Bounds, Served } from './served-record.ts'
import { isNoNarrower, type Standing } from './standing.ts'

type Whose = SessionsEnd['whose']

/** A gateway tenant as it stands now. */
export type TenantFacts = Readonly<{
  uid: string
  generation: number
  admin: TenantAdmin
  bounds: Bounds
  /** Whether policies that are resources ride along. */
  isOfResources: boolean
  /** By id. */
  bindings: ReadonlyMap<string, Standing>
}>

/** What live sessions of a tenant may go by. */
type Owed = Pick<Served, 'uid' | 'generation' | 'bounds'>

/** Sessions that have to end, from when it was seen until the tenant has said yes. */
export type Pending = Readonly<{
  whose: Whose
  reason: string
  seenAt: number
  /** Absent: the instant at which it is sent. */
  issuedBefore?: Date
  /** Not before this instant, in milliseconds since 1970. */
  dueAt: number
  /** What live sessions of the binding, or of the tenant, come from once these have ended. */
  becomes?: string | undefined
  owes?: Owed | undefined
  /** Milliseconds after which it is done once more: until then, somebody may still be giving. */
  settleMs?: number
}>

/** How far apart the clocks of replicas may be. Whoever comes within that time of a change comes again. */
const leewayMs = 1000
/** No session of a binding lives longer. */
const longestMs = 43_200_000 + 60_000
/** More than this is too much to ask one by one of a tenant that has been away: then all of its sessions end. */
const mostPending = 1000

export type CareOptions = Readonly<{
  /** How long a replica may go on giving by a binding that has gone. */
  settleMs: number
  /** The record has to be written. */
  changed(): void
}>

/**
 * What has to end at one tenant: the difference between what was served when its sessions were last in order, and what is
 * served now. Remembers what was served until the sessions have really ended.
 */
export class TenantCare {
  readonly #options: CareOptions
  #admin: TenantAdmin
  #owed: Owed
  /** Stamps by id: what live sessions may have come from. */
  readonly #served: Map<string, string>
  /** As last seen by this process. */
  #standing: ReadonlyMap<string, Standing> = new Map()
  readonly #pending = new Map<string, Pending>()
  #isOfResources = true
  #isGone = false

  private constructor({ uid, generation, bounds, admin, bindings }: Served, options: CareOptions) {
    this.#options = options
    this.#owed = { uid, generation, bounds }
    this.#admin = admin
    this.#served = new Map(Object.entries(bindings))
  }

  /** Nothing is owed to a tenant that was not looked after before. */
  static begin(facts: TenantFacts, options: CareOptions): TenantCare {
    const { uid, generation, admin, bounds } = facts
    return new TenantCare({ schema: 1, uid, generation, admin, bounds, bindings: {} }, options)
  }

  static resume(served: Served, options: CareOptions): TenantCare {
    return new TenantCare(served, options)
  }

  get admin(): TenantAdmin {
    return this.#admin
  }

  get isOfResources(): boolean {
    return this.#isOfResources
  }

  get bounds(): Bounds {
    return this.#owed.bounds
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** Nothing is left to be done for a tenant that has gone. */
  get isOver(): boolean {
    return this.#isGone && this.#pending.size === 0
  }

  /** Bindings of the tenant, as last seen. */
  standing(): Iterable<Standing> {
    return this.#standing.values()
  }

  record(): Served {
    return {
      schema: 1,
      ...this.#owed,
      admin: this.#admin,
      bindings: Object.fromEntries(this.#served),
    }
  }

  /** What a record says that could not be read before. */
  absorb({ bindings }: Served): void {
    for (const [id, stamp] of Object.entries(bindings)) this.#served.set(id, stamp)
  }

  /** The tenant is there. */
  update(facts: TenantFacts, now: Date): void {
    this.#updateTenant(facts, now)
    this.#isOfResources = facts.isOfResources
    const before = this.#standing
    this.#standing = facts.bindings
    for (const [id, stamp] of this.#served) {
      const after = facts.bindings.get(id)
      if (after?.stamp !== stamp) this.#updateBinding(id, before.get(id), after, now)
    }
    for (const [id, { stamp }] of facts.bindings) {
      if (this.#served.has(id)) continue
      this.#returned(keyOf({ kind: 'binding', id }), now, stamp)
      this.#serve(id, stamp)
    }
  }

  /** The tenant itself is there no more, or its sessions are made elsewhere. */
  gone(now: Date): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#pending.clear()
    this.#add({ kind: 'everybody' }, 'the tenant was deleted', now)
  }

  /** @param settleMs absent: there is another one of that name already */
  accountGone(provider: string, account: string, at: Date, settleMs: number | undefined): void {
    const subject = `system:serviceaccount:${account.replace('/', ':')}`
    const reason = `service account ${account} was deleted`
    this.#add({ kind: 'account', provider, subject }, reason, at, {
      ...(settleMs !== undefined && { settleMs }),
    })
  }

  accountReturned(provider: string, account: string, now: Date): void {
    const subject = `system:serviceaccount:${account.replace('/', ':')}`
    this.#returned(keyOf({ kind: 'account', provider, subject }), now)
  }

  /** What can be sent now. Sessions that were owed longer than they live have ended by themselves. */
  due(now: Date): readonly Pending[] {
    for (const one of this.#pending.values()) {
      if (now.getTime() - one.seenAt > longestMs) this.done(one, now)
    }
    return [...this.#pending.values()].filter(({ dueAt }) => dueAt <= now.getTime())
  }

  /** The tenant has ended them. */
  done(pending: Pending, now: Date): void {
    const key = keyOf(pending.whose)
    // Something newer has taken its place.
    if (this.#pending.get(key) !== pending) return
    this.#pending.delete(key)
    if (pending.whose.kind === 'binding') this.#serve(pending.whose.id, pending.becomes)
    if (pending.owes) this.#owe(pending.owes)
    const { settleMs, issuedBefore: _, ...rest } = pending
    const isOver = settleMs === undefined || now.getTime() - pending.seenAt > longestMs
    if (!isOver) this.#pending.set(key, { ...rest, dueAt: pending.seenAt + settleMs })
  }

  #updateTenant({ uid, generation, admin, bounds }: TenantFacts, now: Date): void {
    if (!isDeepStrictEqual(admin, this.#admin)) this.#options.changed()
    this.#admin = admin
    const wasGone = this.#isGone
    this.#isGone = false
    const owes = { uid, generation, bounds }
    const isNarrower = generation !== this.#owed.generation && allowsLess(this.#owed.bounds, bounds)
    if (!wasGone && !isNarrower && uid === this.#owed.uid) return this.#owe(owes)
    const known = this.#pending.get(keyOf({ kind: 'everybody' }))
    if (!wasGone && known && isDeepStrictEqual(known.owes, owes)) return undefined
    const reason = isNarrower ? 'the tenant allows less' : 'the tenant was made anew'
    return this.#add({ kind: 'everybody' }, reason, now, { owes })
  }

  #owe(owes: Owed): void {
    if (isDeepStrictEqual(owes, this.#owed)) return
    this.#owed = owes
    this.#options.changed()
  }

  #updateBinding(
    id: string,
    before: Standing | undefined,
    after: Standing | undefined,
    now: Date,
  ): void {
    const known = this.#pending.get(keyOf({ kind: 'binding', id }))
    if (known && known.becomes === after?.stamp && known.issuedBefore) return
    if (!known && before && after && before.stamp === this.#served.get(id)) {
      // The same object under another stamp, or one that gives more: nobody has what they should not.
      const isSameObject = uidOf(before) === uidOf(after)
      if (isSameObject && isNoNarrower(before, after)) return this.#serve(id, after.stamp)
    }
    const { settleMs } = this.#options
    const became = after ? 'gives less or was made anew' : 'was deleted or counts no more'
    this.#add({ kind: 'binding', id }, `binding ${id} ${became}`, now, {
      becomes: after?.stamp,
      ...(after === undefined && { settleMs }),
    })
  }

  #serve(id: string, stamp: string | undefined): void {
    if (this.#served.get(id) === stamp) return
    if (stamp === undefined) this.#served.delete(id)
    else this.#served.set(id, stamp)
    this.#options.changed()
  }

  /** What was to be done once more is done at once: whoever comes from now on comes by the new one. */
  #returned(key: string, now: Date, becomes?: string): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    const { settleMs: _, ...rest } = pending
    const issuedBefore = rest.issuedBefore ?? now
    this.#pending.set(key, { ...rest, issuedBefore, dueAt: now.getTime(), becomes })
  }

  #add(
    whose: Whose,
    reason: string,
    at: Date,
    more: Pick<Pending, 'becomes' | 'settleMs' | 'owes'> = {},
  ): void {
    const seenAt = at.getTime()
    const issuedBefore = new Date(seenAt + leewayMs)
    const isTooMuch = this.#pending.size >= mostPending && !this.#pending.has(keyOf(whose))
    if (isTooMuch && whose.kind === 'account') {
      const { owes } = this.#pending.get(keyOf({ kind: 'everybody' })) ?? {}
      const much = 'more accounts have gone than can be told one by one'
      return this.#add({ kind: 'everybody' }, much, at, { owes })
    }
    this.#pending.set(keyOf(whose), { whose, reason, seenAt, issuedBefore, dueAt: seenAt, ...more })
  }
}

function keyOf(whose: Whose): string {
  switch (whose.kind) {
    case 'binding':
      return `binding ${whose.id}`
    case 'account':
      return `account ${whose.subject}`
    case 'everybody':
      return 'everybody'
  }
  return whose satisfies never
}

function allowsLess(before: Bounds, after: Bounds): boolean {
  const isShorter = after.maxSessionSeconds < before.maxSessionSeconds
  return isShorter || (after.ceiling !== undefined && after.ceiling !== before.ceiling)
}

function uidOf({ stamp }: Standing): string {
  return stamp.slice(0, stamp.indexOf('.'))
}
