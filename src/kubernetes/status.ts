import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceAccountBinding } from '../grants/index.ts'
import { apiError, ApiError, type ClusterApi } from './api.ts'
import { kindOf } from './cluster.ts'
import type { ClusterDirectory } from './directory.ts'
import { Findings } from './findings.ts'
import type { Kept } from './kept.ts'
import { pathOf } from './mirror.ts'
import type { JsonObject, KubeObject } from './resources/object.ts'
import { isWritten, messageOf, statusOf, useOf, type Extra } from './status-body.ts'
import { Uses } from './uses.ts'
import { invalid, judge, missingIn, served, type Verdict } from './verdict.ts'

export type StatusOptions = Readonly<{
  api: ClusterApi
  directory: ClusterDirectory
  /** Whether it is for this replica to write conditions. */
  isLeader(): boolean
  /** Whether what is known of the cluster is whole and not too old to be written down. */
  isFresh(): boolean
  clock: () => Date
  onError(error: unknown): void
}>

export interface StatusWriter {
  /** Something of a resource, or of what it depends on, has changed. */
  touched(): void
  /** The bindings have given something just now. Every replica says so, once a minute at most. */
  used(bindingIds: readonly string[]): void
  /** The tenant has no such policy. Told at each exchange that meets it; said until the binding gives something again. */
  missing(bindingId: string, policy: string): void
  /** Writes down what has been used since, as far as that is quick. */
  close(): Promise<void>
}

const roundMs = 1000
/** In one round: a thousand changed resources, or bindings in use, are no storm. */
const [mostWrites, mostUses] = [50, 20]
/** Looked through without being asked to: what others have written into a status is put right. */
const passEveryMs = 5 * 60_000
/** Service accounts come and go all the time. */
const recountEveryMs = 30_000
/** What passes take of the time. */
const share = 0.05
const [leastPauseMs, mostPauseMs] = [1000, 60_000]
const fieldManager = 'daypass-operator'

/**
 * Writes what became of resources into their status: whether a binding counts, and if not, why; when it last gave
 * something. A condition is written when it is another one, so a quiet cluster is a quiet API server.
 */
export function openStatusWriter(options: StatusOptions): StatusWriter {
  const { api, directory, clock, onError } = options
  const abort = new AbortController()
  const uses = new Uses()
  const findings = new Findings()
  /** Bindings of which a replica that does not lead has something to say, too. */
  const urgent = new Set<string>()
  /** By resource: which verdict on which state of it was sent last. What the watch has not brought back is not sent again. */
  const sent = new Map<string, string>()
  let pass: Iterator<Kept<unknown>> | undefined
  let dirty = true
  let [passAt, nextPassAt, failures, pausedUntil] = [-Infinity, 0, 0, 0]
  let accounts = -1
  let sentSince = 0
  /** Of the pass, without waiting for the API server. */
  let busyMs = 0

  const isPaused = () => performance.now() < pausedUntil

  async function round(): Promise<void> {
    if (isPaused()) return
    await writeUses(false)
    if (!options.isFresh()) return
    await writeUrgent()
    if (options.isLeader()) await continuePass()
    else {
      // The next leader looks at everything once.
      pass = undefined
      dirty = true
    }
  }

  async function writeUrgent(): Promise<void> {
    for (const id of [...urgent].slice(0, mostWrites)) {
      urgent.delete(id)
      const kept = directory.findBinding(id)
      const found = kept && find(kept)
      if (found && speaksOfTenant(found.verdict, kept))
        await write(kept, found.verdict, found.extra)
      if (isPaused()) {
        urgent.add(id)
        return
      }
      findings.settle(id, clock().getTime())
    }
  }

  async function continuePass(): Promise<void> {
    const now = performance.now()
    if (pass === undefined) {
      const isStale = directory.accountsVersion !== accounts && now - passAt > recountEveryMs
      if (now < nextPassAt || !(dirty || isStale || now - passAt > passEveryMs)) return
      dirty = false
      if (now - sentSince > passEveryMs) {
        sent.clear()
        sentSince = now
      }
      accounts = directory.accountsVersion
      passAt = now
      pass = resources(directory)
    }
    const writes = await walk(pass)
    if (writes < mostWrites) pass = undefined
    nextPassAt = performance.now() + Math.min(recountEveryMs, busyMs / share)
    if (pass === undefined) busyMs = 0
  }

  /** Ten thousand bindings are looked through without making anybody wait for credentials. */
  async function walk(some: Iterator<Kept<unknown>>): Promise<number> {
    let writes = 0
    let slice = performance.now()
    for (let next = some.next(); next.done !== true; next = some.next()) {
      if (abort.signal.aborted) return 0
      const begun = performance.now()
      const { verdict, extra } = find(next.value)
      busyMs += performance.now() - begun
      if (await write(next.value, verdict, extra)) writes += 1
      if (writes >= mostWrites || isPaused()) return mostWrites
      if (performance.now() - slice < 5) continue
      await new Promise(setImmediate)
      slice = performance.now()
    }
    return writes
  }

  function find(kept: Kept<unknown>): Readonly<{ verdict: Verdict; extra: Extra }> {
    const { parsed } = kept
    if (parsed.value === undefined) return { verdict: invalid(parsed.problems), extra: {} }
    if (!isBinding(kept)) return { verdict: served, extra: {} }
    const { value } = kept.parsed
    const matched = value && directory.countMatches(value)
    const extra = matched === undefined ? {} : { matchedServiceAccounts: matched }
    return { verdict: value ? judge(value, directory, missingOf(kept, value)) : served, extra }
  }

  function missingOf(kept: Kept<ServiceAccountBinding>, binding: ServiceAccountBinding) {
    const { namespace, tenant: name } = binding
    const tenants = directory.findTenants({ namespace, name })
    const skips = tenants.some(
      (tenant) => directory.findTenant(`${namespace}/${tenant.name}`)?.missingPolicy === 'skip',
    )
    return findings.of(binding.id, kept, skips)
  }

  /** Whether there was something to write. */
  async function write(kept: Kept<unknown>, verdict: Verdict, extra: Extra): Promise<boolean> {
    const { kind, object } = kept
    const { namespace = '', name, resourceVersion } = object.metadata
    const key = `${kind}/${namespace}/${name}`
    if (isWritten(kind, object, verdict, extra)) {
      sent.delete(key)
      return false
    }
    const stamp = JSON.stringify([resourceVersion, verdict, extra])
    if (sent.get(key) === stamp) return false
    sent.set(key, stamp)
    const { apiVersion, kind: kindName } = object
    const status = statusOf(kind, object, verdict, extra, clock())
    const body = { apiVersion, kind: kindName, metadata: { name, namespace }, status }
    const query = `?fieldManager=${fieldManager}-conditions&force=true`
    const written = await patch(kept, query, 'application/apply-patch+yaml', body)
    // Another attempt later; but what is refused for its own sake does not change by being sent again.
    if (!written && isPaused()) {
      dirty = true
      sent.delete(key)
    }
    return true
  }

  /** Each writer owns its own fields, so that leader and replicas do not undo each other. */
  async function writeUses(all: boolean): Promise<void> {
    for (const { id, count, usedAt } of uses.due(mostUses, all)) {
      if (isPaused()) return
      const kept = directory.findBinding(id)
      if (kept === undefined) {
        uses.forget(id)
        continue
      }
      const body = useOf(kept.kind, kept.object, count, usedAt)
      const query = `?fieldManager=${fieldManager}-use`
      const isDone = !body || (await patch(kept, query, 'application/merge-patch+json', body))
      if (isDone) uses.written(id, count)
    }
  }

  async function patch(
    { kind, object }: Kept<unknown>,
    query: string,
    contentType: string,
    body: JsonObject,
  ): Promise<boolean> {
    try {
      const path = `${placeOf(kind, object)}/status${query}`
      const { status, text } = await api.send(path, { method: 'PATCH', contentType, body })
      // Gone in the meantime: then there is nothing to say of it. 409: written by somebody else, and soon seen here.
      if (status === 409) return false
      if (status >= 300 && status !== 404) throw apiError({ status, text })
      failures = 0
      return true
    } catch (error) {
      onError(error)
      if (!isOfObject(error)) {
        failures += 1
        const pauseMs = Math.min(mostPauseMs, leastPauseMs * 2 ** Math.min(failures, 10))
        pausedUntil = performance.now() + pauseMs
      }
      return false
    }
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      await round().catch(onError)
      await sleep(roundMs, undefined, { signal: abort.signal }).catch(() => undefined)
    }
  }

  const running = run()
  return {
    touched() {
      dirty = true
    },
    used(bindingIds) {
      const now = clock()
      for (const id of bindingIds) {
        uses.add(id, now)
        if (findings.used(id, directory.findBinding(id), now.getTime())) urgent.add(id)
      }
    },
    missing(bindingId, policy) {
      const named = directory.findBinding(bindingId)?.parsed.value?.policies
      if (!named?.includes(policy)) return
      findings.missing(bindingId, policy, clock().getTime())
      urgent.add(bindingId)
    },
    async close() {
      abort.abort()
      await running
      await writeUses(true)
    },
  }
}

/** Of namespaces that are not watched, somebody else may speak. */
function* resources(directory: ClusterDirectory): Generator<Kept<unknown>> {
  for (const all of [directory.allBindings(), directory.ownResources()]) {
    for (const kept of all) {
      const { namespace = '', deletionTimestamp } = kept.object.metadata
      if (deletionTimestamp === undefined && directory.isWatched(namespace)) yield kept
    }
  }
}

function isBinding(kept: Kept<unknown>): kept is Kept<ServiceAccountBinding> {
  return kept.kind === 'Binding' || kept.kind === 'PolicyBinding'
}

/** What only the replica knows that has asked the tenant: that a policy is missing, or is there again. */
function speaksOfTenant(verdict: Verdict, { kind, object }: Kept<unknown>): boolean {
  const [now, before] = [verdict.message, messageOf(kind, object)].map(missingIn)
  return (now?.size ?? 0) + (before?.size ?? 0) > 0
}

/** In the version that it was read in: another one would be refused. */
function placeOf(kind: Kept<unknown>['kind'], { apiVersion, metadata }: KubeObject): string {
  const { namespace, name } = metadata
  const { versions, ...rest } = kindOf(kind)
  const version = String(apiVersion).split('/').at(-1) ?? versions[0]
  return `${pathOf({ ...rest, versions: [version], namespace })}/${name}`
}

/** The server objects to this one object, not to us. */
function isOfObject(error: unknown): boolean {
  return error instanceof ApiError && [400, 413, 415, 422].includes(error.status)
}
