import type { ResourceKind } from './kept.ts'
import { isObject, objectOf, type JsonObject, type KubeObject } from './resources/object.ts'
import type { Verdict } from './verdict.ts'

/** What is said beside the verdict. */
export type Extra = Readonly<{ matchedServiceAccounts?: number }>

/** The status that says so. PolicyBinding has one text for all of it. */
export function statusOf(
  kind: ResourceKind,
  object: KubeObject,
  verdict: Verdict,
  extra: Extra,
  now: Date,
): JsonObject {
  // The CRD of the MinIO Operator wants both members; what is in `usage` belongs to who counts.
  if (kind === 'PolicyBinding') return { currentState: stateOf(verdict), usage: {} }
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

/** Whether the object says so already. */
export function isWritten(
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

/** What stands there for people. */
export function messageOf(kind: ResourceKind, object: KubeObject): unknown {
  if (kind === 'PolicyBinding') return objectOf(object['status'])['currentState']
  return readyOf(object)['message']
}

/**
 * The status after so many further uses, the last of them then; `undefined`: it says so, or something later. A count
 * stands on the one that was read, so it is written only where nobody else has written since.
 */
export function useOf(
  kind: ResourceKind,
  { metadata, status: before }: KubeObject,
  count: number,
  usedAt: Date,
): JsonObject | undefined {
  const { lastUsedTime, usage, currentState } = objectOf(before)
  const last = seconds(usedAt)
  if (kind !== 'PolicyBinding') {
    const isLater = typeof lastUsedTime === 'string' && lastUsedTime >= last
    return isLater ? undefined : { status: { lastUsedTime: last } }
  }
  // The real name of the field, in the CRD of the MinIO Operator.
  const { authotizations } = objectOf(usage)
  const total = (typeof authotizations === 'number' ? authotizations : 0) + count
  return {
    metadata: { resourceVersion: metadata.resourceVersion },
    status: {
      ...(typeof currentState !== 'string' && { currentState: '' }),
      usage: { authotizations: total },
    },
  }
}

function stateOf({ ready, reason, message }: Verdict): string {
  return ready ? 'Ready' : `${reason}: ${message}`.slice(0, 1000)
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

function seconds(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}
