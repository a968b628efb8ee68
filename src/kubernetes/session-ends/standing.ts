import type { ServiceAccountBinding } from '../../grants/index.ts'
import { compareBindings } from '../binding-change.ts'
import type { ClusterDirectory } from '../directory.ts'
import { counted, type Kept } from '../kept.ts'
import type { KubeObject } from '../resources/object.ts'

/** A binding as it gives something now, with the policy resources that ride along in its sessions. */
export type Standing = Readonly<{
  binding: ServiceAccountBinding
  /** By name; only those that are resources. */
  policies: ReadonlyMap<string, string>
  /**
   * Another one when the binding or one of its policies is: by identity and generation, which only a change of the
   * specification raises. By nothing that we make of it: another version of ours must not see changes where there are none.
   */
  stamp: string
}>

/** `undefined`: it gives nothing. */
export function standingOf(
  kept: Kept<ServiceAccountBinding>,
  directory: ClusterDirectory,
  isOfResources: boolean,
): Standing | undefined {
  const binding = counted(kept)
  if (binding === undefined) return undefined
  const stamps = [stampOf(kept.object)]
  const policies = new Map<string, string>()
  for (const name of isOfResources ? binding.policies : []) {
    const policy = directory.findPolicyResource(binding.namespace, name)
    if (policy === undefined) continue
    policies.set(name, policy.parsed.value?.text ?? '')
    stamps.push(`${name}=${stampOf(policy.object)}`)
  }
  return { binding, policies, stamp: stamps.join(' ') }
}

/** The first part of a uid is random enough to tell an object from the one before it. */
function stampOf({ metadata: { uid = '', generation = 0 } }: KubeObject): string {
  return `${uid.slice(0, 8)}.${generation}`
}

/** Whether sessions of the one may live on under the other. Where that is not plain, they may not. */
export function isNoNarrower(before: Standing, after: Standing): boolean {
  const became = compareBindings(after.binding.id, before.binding, after.binding)?.became
  if (became !== undefined && became !== 'wider') return false
  const stays = before.binding.policies.every(
    (name) => before.policies.get(name) === after.policies.get(name),
  )
  const added = after.binding.policies.filter((name) => !before.binding.policies.includes(name))
  // What was added may deny; sessions from before would go without it.
  return stays && added.every((name) => !(after.policies.get(name) ?? '').includes('"Deny"'))
}
