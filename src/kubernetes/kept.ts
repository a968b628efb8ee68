import { isDeepStrictEqual } from 'node:util'
import type { ServiceAccountBinding } from '../grants/index.ts'
import { bindingId } from './resources/binding.ts'
import type { KubeObject } from './resources/object.ts'
import type { Parsed } from './resources/parsed.ts'
import { policyBindingId } from './resources/policy-binding.ts'
import type { PolicyResource } from './resources/policy.ts'
import type { TenantResource } from './resources/tenant.ts'

export type ResourceKind = 'PolicyBinding' | 'Binding' | 'Policy' | 'Tenant' | 'MinioTenant'

/** A resource as it stands, and what is wrong with it. */
export type Kept<T> = Readonly<{ kind: ResourceKind; object: KubeObject; parsed: Parsed<T> }>

/** Of any kind. */
export type Known = Kept<ServiceAccountBinding> | Kept<PolicyResource> | Kept<TenantResource>

export function idOf(kind: ResourceKind, namespace: string, name: string): string {
  return kind === 'PolicyBinding' ? policyBindingId(namespace, name) : bindingId(namespace, name)
}

/** What a binding gives now. What is being deleted gives nothing. */
export function counted({ object, parsed }: Known): ServiceAccountBinding | undefined {
  const { value } = parsed
  if (value === undefined || !('subjects' in value)) return undefined
  return object.metadata.deletionTimestamp === undefined ? value : undefined
}

/** Only the status differs, or what nobody looks at. */
export function isSame(before: Known, after: Known): boolean {
  const [a, b] = [before.object.metadata, after.object.metadata]
  return (
    a.uid === b.uid &&
    a.generation === b.generation &&
    a.deletionTimestamp === b.deletionTimestamp &&
    isDeepStrictEqual(before.parsed, after.parsed)
  )
}

/** What is kept of an object: its specification is in its parsed form, and half of the rest is about who wrote which field. */
export function bare({ apiVersion, kind, metadata, status }: KubeObject): KubeObject {
  const { name, namespace, uid, generation, resourceVersion, deletionTimestamp } = metadata
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(generation !== undefined && { generation }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    },
    status,
  }
}

/** By namespace, then by name. */
export class ByNamespace<T> {
  readonly #all = new Map<string, Map<string, T>>()

  of(namespace: string): ReadonlyMap<string, T> {
    return this.#all.get(namespace) ?? new Map()
  }

  *values(): Generator<T> {
    for (const named of this.#all.values()) yield* named.values()
  }

  set(namespace: string, name: string, value: T): void {
    const named = this.#all.get(namespace)
    if (named) named.set(name, value)
    else this.#all.set(namespace, new Map([[name, value]]))
  }

  delete(namespace: string, name: string): void {
    const named = this.#all.get(namespace)
    named?.delete(name)
    if (named?.size === 0) this.#all.delete(namespace)
  }
}
