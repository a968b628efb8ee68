import { setTimeout as sleep } from 'node:timers/promises'
import { apiError, valueOf, type ClusterApi } from './api.ts'
import { objectOf, type JsonObject } from './resources/object.ts'

export type LeaseOptions = Readonly<{
  api: ClusterApi
  namespace: string
  name: string
  /** Who we are: unique among the replicas. */
  holder: string
  clock: () => Date
  onError(error: unknown): void
}>

/** Who of several replicas writes. Only reconcilers ask: whatever is served is served by all. */
export interface Lease {
  isLeader(): boolean
  /** Gives the lease back, so that the next one need not wait for its end. */
  close(): Promise<void>
}

/** What a Lease says that we write. */
function leaseOf(metadata: JsonObject, spec: JsonObject): JsonObject {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
}

const leaseSeconds = 15
const renewMs = 5000
/** We stop before others may begin: clocks run at different speeds, and a request may take its time. */
const heldMs = 10_000

/** `coordination.k8s.io/v1` Lease: taken when it is free or over, renewed while it is ours. */
export function openLease(options: LeaseOptions): Lease {
  const { api, namespace, name, holder, clock, onError } = options
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const abort = new AbortController()
  let renewedAt = -Infinity
  /** When the lease of another holder was last seen to be renewed, by our clock. */
  let seen: Readonly<{ stamp: string; at: number }> | undefined

  const elapsed = (since: number) => performance.now() - since
  const isLeader = () => elapsed(renewedAt) < heldMs

  async function attempt(): Promise<void> {
    const begun = performance.now()
    const lease = valueOf(await api.send(`${path}/${name}`, { signal: abort.signal }))
    if (lease === undefined) return create(begun)
    const { metadata, spec } = objectOf(lease)
    const { holderIdentity, renewTime } = objectOf(spec)
    if (holderIdentity !== holder && !isOver(holderIdentity, renewTime)) return undefined
    return update(objectOf(metadata), objectOf(spec), begun)
  }

  /** By how long we have not seen it change: the clocks of others are not asked. */
  function isOver(holderIdentity: unknown, renewTime: unknown): boolean {
    if (holderIdentity === undefined || holderIdentity === '') return true
    const stamp = JSON.stringify([holderIdentity, renewTime])
    if (seen?.stamp !== stamp) seen = { stamp, at: performance.now() }
    return elapsed(seen.at) > leaseSeconds * 1000
  }

  async function create(begun: number): Promise<void> {
    const body = leaseOf({ name, namespace }, held({}))
    take(await api.send(path, { method: 'POST', body }), begun)
  }

  async function update(metadata: JsonObject, spec: JsonObject, begun: number): Promise<void> {
    const body = leaseOf(metadata, held(spec))
    take(await api.send(`${path}/${name}`, { method: 'PUT', body }), begun)
  }

  /** Somebody else was faster: that is no error, and not our lease. */
  function take(answer: Awaited<ReturnType<ClusterApi['send']>>, begun: number): void {
    if (answer.status === 409) return
    if (answer.status >= 300) throw apiError(answer)
    renewedAt = begun
  }

  function held(spec: JsonObject): JsonObject {
    const now = clock().toISOString().replace('Z', '000Z')
    const isOurs = spec['holderIdentity'] === holder
    const transitions = typeof spec['leaseTransitions'] === 'number' ? spec['leaseTransitions'] : 0
    return {
      ...spec,
      holderIdentity: holder,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: isOurs ? spec['acquireTime'] : now,
      renewTime: now,
      leaseTransitions: isOurs ? transitions : transitions + 1,
    }
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      await attempt().catch((error: unknown) => {
        if (!abort.signal.aborted) onError(error)
      })
      await sleep(renewMs, undefined, { signal: abort.signal }).catch(() => undefined)
    }
  }

  async function giveBack(): Promise<void> {
    if (!isLeader()) return
    renewedAt = -Infinity
    const { metadata, spec } = objectOf(valueOf(await api.send(`${path}/${name}`)))
    // Without anybody's name: newer servers refuse an empty one.
    const { holderIdentity, ...rest } = objectOf(spec)
    if (holderIdentity !== holder) return
    const body = leaseOf(objectOf(metadata), rest)
    const answer = await api.send(`${path}/${name}`, { method: 'PUT', body })
    // 409: somebody has written it in between, who then knows better.
    if (answer.status >= 300 && answer.status !== 409) throw apiError(answer)
  }

  const running = run()
  return {
    isLeader,
    async close() {
      abort.abort()
      await running
      await giveBack().catch(onError)
    },
  }
}
