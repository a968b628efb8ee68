import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceAccountBinding, Tenant } from '../grants/index.ts'
import { cannedPolicies } from '../policy/index.ts'
import { apiError, type ClusterApi } from './api.ts'
import { kindOf } from './cluster.ts'
import type { ClusterDirectory, ResourceKind } from './directory.ts'
import { pathOf } from './mirror.ts'
import { isObject, objectOf, type JsonObject, type KubeObject } from './resources/object.ts'

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
  /** Something of the resource, or of what it depends on, may have changed. */
  touched(kind: ResourceKind, namespace: string): void
  /** The binding has given something just now. Every replica says so, once a minute at most. */
  used(bindingIds: readonly string[]): void
  close(): Promise<void>
}

type Reason = 'Bound' | 'Invalid' | 'UnknownTenant' | 'UnknownPolicy' | 'Served'
type Verdict = Readonly<{ ready: boolean; reason: Reason; message: string }>

const roundMs = 1000
const usedEveryMs = 60_000
/** At one time: a thousand changed resources are no storm. */
const mostWrites = 50
const fieldManager = 'daypass-operator'

/**
 * Writes what became of resources into their status: whether a binding counts, and if not, why; when it last gave
 * something. A condition is written when it is another one, so a quiet cluster is a quiet API server.
 */
export function openStatusWriter(options: StatusOptions): StatusWriter {
  const { api, directory, clock, onError } = options
  const abort = new AbortController()
  const used = new Map<string, { count: number; writtenAt: number }>()
  let dirty = true

  async function round(): Promise<void> {
    await writeUse()
    if (!options.isLeader()) {
      // The next leader looks at everything once.
      dirty = true
      return
    }
    if (!dirty || !options.isFresh()) return
    dirty = false
    let left = mostWrites
    let seen = 0
    for (const [kind, object, verdict, extra] of verdicts(directory)) {
      if (abort.signal.aborted) return
      // Ten thousand bindings are looked through without making anybody wait for credentials.
      if ((seen += 1) % 100 === 0) await new Promise(setImmediate)
      if (isWritten(kind, object, verdict, extra)) continue
      if (left === 0) {
        dirty = true
        return
      }
      left -= 1
      await write(kind, object, statusOf(kind, object, verdict, extra, clock()), 'conditions')
    }
  }

  async function writeUse(): Promise<void> {
    const now = clock().getTime()
    for (const [id, use] of used) {
      if (use.count === 0 || now - use.writtenAt < usedEveryMs) continue
      const kept = directory.findBinding(id)
      if (kept === undefined) {
        used.delete(id)
        continue
      }
      const { count } = use
      use.writtenAt = now
      use.count = 0
      await write(kept.kind, kept.object, useOf(kept.kind, kept.object, count, clock()), 'use')
    }
  }

  /** Each writer owns its own fields, so that leader and replicas do not undo each other. */
  async function write(
    kind: ResourceKind,
    object: KubeObject,
    status: JsonObject,
    part: string,
  ): Promise<void> {
    const { namespace, name } = object.metadata
    const { apiVersion, kind: kindName } = object
    const query = `fieldManager=${fieldManager}-${part}&force=true`
    const path = `${pathOf({ ...kindOf(kind), namespace })}/${name}/status?${query}`
    const body = { apiVersion, kind: kindName, metadata: { name, namespace }, status }
    try {
      const request = {
        method: 'PATCH',
        contentType: 'application/apply-patch+yaml',
        body,
      } as const
      const answer = await api.send(path, request)
      // Gone in the meantime: then there is nothing to say of it.
      if (answer.status >= 300 && answer.status !== 404) throw apiError(answer)
    } catch (error) {
      dirty = true
      onError(error)
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
      for (const id of bindingIds) {
        const known = used.get(id)
        if (known) known.count += 1
        else used.set(id, { count: 1, writtenAt: -Infinity })
      }
    },
    async close() {
      abort.abort()
      await running
    },
  }
}

type Extra = Readonly<{ matchedServiceAccounts?: number }>
type Found = readonly [ResourceKind, KubeObject, Verdict, Extra]

function* verdicts(directory: ClusterDirectory): Generator<Found> {
  for (const { kind, object, parsed } of directory.allBindings()) {
    const matched = parsed.value && directory.countMatches(parsed.value)
    const extra = matched === undefined ? {} : { matchedServiceAccounts: matched }
    yield [kind, object, parsed.value ? judge(parsed.value, directory) : invalid(parsed), extra]
  }
  for (const { kind, object, parsed } of directory.ownResources()) {
    const served = { ready: true, reason: 'Served', message: 'Is in use' } as const
    yield [kind, object, parsed.value === undefined ? invalid(parsed) : served, {}]
  }
}

/** What decides when credentials are asked for decides here, too. */
function judge(binding: ServiceAccountBinding, directory: ClusterDirectory): Verdict {
  const { namespace, tenant: name } = binding
  const tenants = directory.findTenants({ namespace, name })
  if (tenants.length === 0) {
    const which = name === undefined ? 'any tenant' : `a tenant ${name}`
    return no('UnknownTenant', `There is not ${which} in namespace ${namespace}`)
  }
  const unknown = binding.policies.filter((policy) => !isKnown(policy, tenants, directory))
  if (unknown.length > 0) {
    return no(
      'UnknownPolicy',
      `There is no policy ${unknown.join(', ')}; nothing is given until there is`,
    )
  }
  return { ready: true, reason: 'Bound', message: 'Gives what it says' }
}

/** Those of a tenant itself are asked of it when they are needed; the canned ones are everywhere. */
function isKnown(policy: string, tenants: readonly Tenant[], directory: ClusterDirectory): boolean {
  return tenants.every(({ namespace, name }) => {
    if (directory.findTenant(`${namespace}/${name}`)?.policySource !== 'resources') return true
    return directory.findPolicy(namespace, policy) !== undefined || cannedPolicies.has(policy)
  })
}

function invalid({
  problems,
}: Readonly<{ problems: readonly Readonly<{ path: string; message: string }>[] }>): Verdict {
  const all = problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
  return no('Invalid', all.join('; ').slice(0, 2000))
}

function no(reason: Reason, message: string): Verdict {
  return { ready: false, reason, message }
}

/** PolicyBinding has one text for all of it. */
function statusOf(
  kind: ResourceKind,
  object: KubeObject,
  verdict: Verdict,
  extra: Extra,
  now: Date,
): JsonObject {
  if (kind === 'PolicyBinding') return { currentState: stateOf(verdict), usage: usageOf(object) }
  const { generation } = object.metadata
  return {
    observedGeneration: generation,
    ...extra,
    conditions: [
      {
        type: 'Ready',
        status: verdict.ready ? 'True' : 'False',
        reason: verdict.reason,
        message: verdict.message,
        observedGeneration: generation,
        lastTransitionTime: transitionTime(object, verdict, now),
      },
    ],
  }
}

function stateOf({ ready, reason, message }: Verdict): string {
  return ready ? 'Ready' : `${reason}: ${message}`.slice(0, 1000)
}

function usageOf(object: KubeObject): JsonObject {
  return objectOf(objectOf(object['status'])['usage'])
}

function readyOf(object: KubeObject): JsonObject {
  const { conditions } = objectOf(object['status'])
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : []
  return objectOf(all.find((condition) => isObject(condition) && condition['type'] === 'Ready'))
}

/** Kubernetes API conventions, conditions: the time of the last change of `status`. */
function transitionTime(object: KubeObject, { ready }: Verdict, now: Date): unknown {
  const { status, lastTransitionTime } = readyOf(object)
  const stays = status === (ready ? 'True' : 'False') && lastTransitionTime !== undefined
  return stays ? lastTransitionTime : seconds(now)
}

function isWritten(
  kind: ResourceKind,
  object: KubeObject,
  verdict: Verdict,
  extra: Extra,
): boolean {
  const status = objectOf(object['status'])
  if (kind === 'PolicyBinding') return status['currentState'] === stateOf(verdict)
  const { status: ready, reason, message } = readyOf(object)
  return (
    status['observedGeneration'] === object.metadata.generation &&
    status['matchedServiceAccounts'] === extra.matchedServiceAccounts &&
    ready === (verdict.ready ? 'True' : 'False') &&
    reason === verdict.reason &&
    message === verdict.message
  )
}

function useOf(kind: ResourceKind, object: KubeObject, count: number, now: Date): JsonObject {
  if (kind !== 'PolicyBinding') return { lastUsedTime: seconds(now) }
  // The real name of the field, in the CRD of the MinIO Operator.
  const before = usageOf(object)['authotizations']
  const total = (typeof before === 'number' ? before : 0) + count
  const { currentState } = objectOf(object['status'])
  return {
    currentState: typeof currentState === 'string' ? currentState : '',
    usage: { authotizations: total },
  }
}

function seconds(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}
