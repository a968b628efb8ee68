import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { compilePattern, type BindingSubject } from '../../grants/index.ts'
import type { ClusterApi } from '../api.ts'
import type { ClusterDirectory } from '../directory.ts'
import type { Kept } from '../kept.ts'
import type { TenantAdmin, TenantResource } from '../resources/tenant.ts'
import type { Departure, Departures } from './departures.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { loadRecord, saveRecord } from './served-record.ts'
import { standingOf, type Standing } from './standing.ts'
import { TenantCare, type TenantFacts } from './tenant-care.ts'

export type SessionEnderOptions = SenderOptions &
  Readonly<{
    api: ClusterApi
    /** The operator's own, where it keeps its record. */
    namespace: string
    homeCluster: string
    directory: ClusterDirectory
    departures: Departures
    isLeader(): boolean
    /** Whether what is known of the cluster is whole and not too old: else everything would seem to have gone. */
    isFresh(): boolean
    /** How long a replica that is cut off goes on by what it last saw. */
    staleAfterSeconds: number
    /** How long the answer about a token counts. */
    tokenCacheSeconds: number
  }>

export type SessionEndsStatus = Readonly<{
  /** What tenants have not confirmed yet, and what is done once more for safety. */
  pending: number
  /** Since this process began. */
  ended: number
  failed: number
}>

export interface SessionEnder {
  /** A resource is another one now. */
  touched(): void
  status(): SessionEndsStatus
  close(): Promise<void>
}

const roundMs = 1000
/** Several changes of one moment are one. */
const gatherMs = 20
/** Until the record is tried again that could not be read or written. */
const recordPauseMs = 15_000
/** For so long, departures are known to those who do not lead: longer than a lease is vacant. */
const departuresMs = 60_000
/** The API server itself remembers a token for ten seconds; two for the way. */
const apiServerCacheMs = 12_000

/**
 * Ends sessions at gateway tenants when what they came from is gone or gives less (the holder of the lease does; doing it
 * twice does no harm). Changes are found by comparison with a record, a ConfigMap beside the operator, so those that
 * happened while no operator ran are found, too: bindings and policies that were changed or deleted, tenants that were
 * deleted or allow less. Not found is a service account that was deleted while none ran: its tokens are refused from then
 * on, and its sessions live to their end.
 *
 * An entry of the record changes only after the tenant has confirmed; while it is away it is asked again and again, and
 * the next leader goes on. A tenant without an entry is new to us: nothing of it ends then.
 */
export function openSessionEnder(options: SessionEnderOptions): SessionEnder {
  return new Ender(options)
}

class Ender implements SessionEnder {
  readonly #options: SessionEnderOptions
  readonly #abort = new AbortController()
  readonly #sender: Sender
  readonly #running: Promise<void>
  /** By `NAMESPACE/NAME`. */
  readonly #cares = new Map<string, TenantCare>()
  #isLeading = false
  #isDirty = true
  #isUnsaved = false
  /** Of the record. Absent: it does not exist. */
  #revision: string | undefined
  #isLoaded = false
  #recordNotBefore = -Infinity
  #recordFailures = 0
  #wake: () => void = () => undefined

  constructor(options: SessionEnderOptions) {
    this.#options = options
    this.#sender = new Sender(options)
    options.departures.listen(() => this.#wake())
    this.#running = this.#run()
  }

  touched(): void {
    this.#isDirty = true
    this.#wake()
  }

  status(): SessionEndsStatus {
    const pending = [...this.#cares.values()].reduce((sum, care) => sum + care.pendingCount, 0)
    return { pending, ...this.#sender.counts }
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      await this.#round().catch((error: unknown) =>
        this.#options.onError('looking for sessions that have to end', error),
      )
      const timer = setTimeout(woken.resolve, roundMs)
      await woken.promise
      clearTimeout(timer)
      await sleep(gatherMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #round(): Promise<void> {
    if (!this.#options.isLeader()) return this.#follow()
    if (!this.#isLeading) this.#isDirty = true
    this.#isLeading = true
    await this.#load()
    // Without its record it ends what goes from now on.
    if (this.#options.isFresh()) {
      this.#compare()
      this.#takeDepartures()
    }
    this.#send()
    await this.#save()
  }

  /** What is to be done is in the record, for whoever leads. */
  #follow(): void {
    const { departures, clock } = this.#options
    departures.forgetBefore(new Date(clock().getTime() - departuresMs))
    this.#isLeading = false
    this.#isLoaded = false
    this.#isUnsaved = false
    this.#recordNotBefore = -Infinity
    this.#cares.clear()
  }

  async #load(): Promise<void> {
    if (this.#isLoaded || performance.now() < this.#recordNotBefore) return
    const { api, namespace } = this.#options
    try {
      const { revision, tenants } = await loadRecord(api, namespace)
      for (const [name, served] of tenants) {
        const care = this.#cares.get(name)
        if (care) care.absorb(served)
        else this.#cares.set(name, TenantCare.resume(served, this.#careOptions()))
      }
      this.#revision = revision
      this.#isLoaded = true
      this.#isDirty = true
      this.#recordFailures = 0
    } catch (error) {
      this.#failRecord('reading what was served; what has gone meanwhile is not known', error)
    }
  }

  async #save(): Promise<void> {
    if (!this.#isUnsaved || !this.#isLoaded || performance.now() < this.#recordNotBefore) return
    const { api, namespace } = this.#options
    this.#isUnsaved = false
    const tenants = new Map([...this.#cares].map(([name, care]) => [name, care.record()] as const))
    try {
      this.#revision = await saveRecord(api, namespace, { revision: this.#revision, tenants })
      // Somebody else has written it: then it is read anew.
      this.#isLoaded = this.#revision !== undefined
      this.#isUnsaved = !this.#isLoaded
      this.#recordFailures = 0
    } catch (error) {
      this.#isUnsaved = true
      this.#failRecord('writing what is served', error)
    }
  }

  /** Told once, and then every five minutes: it is tried all the time. */
  #failRecord(what: string, error: unknown): void {
    this.#recordNotBefore = performance.now() + recordPauseMs
    if (this.#recordFailures % 20 === 0) this.#options.onError(what, error)
    this.#recordFailures += 1
  }

  #compare(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    const { directory, clock } = this.#options
    const now = clock()
    const present = new Set<string>()
    const bindings = new BindingsByNamespace(directory)
    for (const kept of directory.ownTenants()) {
      const { name, namespace = '', deletionTimestamp } = kept.object.metadata
      if (!directory.isWatched(namespace) || deletionTimestamp !== undefined) continue
      const id = `${namespace}/${name}`
      const care = this.#cares.get(id)
      const facts = factsOf(kept, care, bindings)
      // Without a way to its server, nobody looks after it.
      if (facts === 'unmanaged') this.#forget(id)
      if (facts === 'elsewhere' || facts === 'unmanaged') continue
      present.add(id)
      this.#careFor(id, facts).update(facts, now)
    }
    for (const [id, care] of this.#cares) {
      const [namespace = ''] = id.split('/')
      if (directory.isWatched(namespace) && !present.has(id)) care.gone(now)
    }
  }

  #careFor(id: string, facts: TenantFacts): TenantCare {
    const known = this.#cares.get(id)
    if (known) return known
    const care = TenantCare.begin(facts, this.#careOptions())
    this.#cares.set(id, care)
    this.#isUnsaved = true
    return care
  }

  #careOptions() {
    const changed = (): void => {
      this.#isUnsaved = true
    }
    return { settleMs: this.#options.staleAfterSeconds * 1000 + 2000, changed }
  }

  #forget(id: string): void {
    if (this.#cares.delete(id)) this.#isUnsaved = true
  }

  #takeDepartures(): void {
    const { departures, homeCluster, tokenCacheSeconds } = this.#options
    const settleMs = tokenCacheSeconds * 1000 + apiServerCacheMs
    const { gone, returned } = departures.drain()
    for (const care of this.#cares.values()) {
      for (const departure of gone) {
        if (!couldHaveBeen(departure, care.standing(), homeCluster)) continue
        const { namespace, serviceAccount, at, isReplaced } = departure
        const account = `${namespace}/${serviceAccount}`
        care.accountGone(homeCluster, account, at, isReplaced ? undefined : settleMs)
      }
      for (const account of returned) care.accountReturned(homeCluster, account, this.#now())
    }
  }

  #send(): void {
    for (const [id, care] of this.#cares) {
      if (care.isOver) this.#forget(id)
      if (care.due(this.#now()).length === 0) continue
      // Nobody waits for a tenant that is away.
      void this.#sender.send(id, care, this.#abort.signal).then((isTried) => {
        if (isTried) this.#wake()
      })
    }
  }

  #now(): Date {
    return this.#options.clock()
  }
}

/** Looked through once for all tenants, and only when there is one to look after. */
class BindingsByNamespace {
  readonly #directory: ClusterDirectory
  #byNamespace: Map<string, Parameters<typeof standingOf>[0][]> | undefined

  constructor(directory: ClusterDirectory) {
    this.#directory = directory
  }

  of(namespace: string, tenant: string, isOfResources: boolean): ReadonlyMap<string, Standing> {
    this.#byNamespace ??= Map.groupBy(
      this.#directory.allBindings(),
      ({ object }) => object.metadata.namespace ?? '',
    )
    const standings = (this.#byNamespace.get(namespace) ?? [])
      .flatMap((kept) => standingOf(kept, this.#directory, isOfResources) ?? [])
      .filter(({ binding }) => binding.tenant === undefined || binding.tenant === tenant)
    return new Map(standings.map((standing) => [standing.binding.id, standing]))
  }
}

/** `elsewhere`: its sessions are none that we seal. `unmanaged`: nobody has said where they are ended. */
function factsOf(
  { object, parsed }: Kept<TenantResource>,
  care: TenantCare | undefined,
  bindings: BindingsByNamespace,
): TenantFacts | 'elsewhere' | 'unmanaged' {
  const { namespace = '', name, uid = '', generation = 0 } = object.metadata
  const { value } = parsed
  if (value === undefined) {
    // It gives nothing while it is not valid, and its sessions are ended as it was.
    if (care === undefined) return 'unmanaged'
    const { admin, bounds, isOfResources } = care
    return {
      uid,
      generation,
      admin,
      bounds,
      isOfResources,
      bindings: bindings.of(namespace, name, isOfResources),
    }
  }
  const { reach, ceiling, maxSessionSeconds, policySource } = value
  const isOfResources = policySource !== 'tenant'
  if (reach.kind !== 'gateway') return 'elsewhere'
  if (reach.admin === undefined) return 'unmanaged'
  return {
    uid,
    generation,
    admin: withoutAbsent(reach.admin),
    bounds: {
      ...(ceiling !== undefined && { ceiling: hash('sha256', ceiling, 'base64url').slice(0, 22) }),
      maxSessionSeconds,
    },
    isOfResources,
    bindings: bindings.of(namespace, name, isOfResources),
  }
}

/** As it comes back from JSON. */
function withoutAbsent({ region, ca, ...rest }: TenantAdmin): TenantAdmin {
  return { ...rest, ...(region !== undefined && { region }), ...(ca && { ca }) }
}

/** By names alone: labels and claims may have been others then. */
function couldHaveBeen(
  { namespace, serviceAccount }: Departure,
  standings: Iterable<Standing>,
  homeCluster: string,
): boolean {
  const isMeant = (subject: BindingSubject): boolean =>
    fits(subject.namespace, namespace) &&
    fits(subject.serviceAccount, serviceAccount) &&
    fits(subject.cluster ?? homeCluster, homeCluster)
  for (const { binding } of standings) if (binding.subjects.some(isMeant)) return true
  return false
}

function fits(pattern: string, name: string): boolean {
  return pattern.includes('*') ? compilePattern(pattern)(name) : pattern === name
}
