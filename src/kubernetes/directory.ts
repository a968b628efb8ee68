import { isDeepStrictEqual } from 'node:util'
import {
  BindingIndex,
  type BoundSubject,
  type ServiceAccountBinding,
  type Tenant,
  type TenantDirectory,
  type TenantName,
} from '../grants/index.ts'
import { Accounts } from './accounts.ts'
import { compareBindings, type BindingChange } from './binding-change.ts'
import { parseBinding } from './resources/binding.ts'
import {
  bare,
  ByNamespace,
  counted,
  idOf,
  isSame,
  type Kept,
  type Known,
  type ResourceKind,
} from './kept.ts'
import { parseMinioTenant } from './resources/minio-tenant.ts'
import type { KubeObject } from './resources/object.ts'
import { parsePolicyBinding } from './resources/policy-binding.ts'
import { parsePolicyResource, type PolicyResource } from './resources/policy.ts'
import { parseTenant, type TenantResource } from './resources/tenant.ts'
import type { MirrorTarget } from './mirror.ts'

export type DirectoryOptions = Readonly<{
  /** The cluster that all this lives in. */
  homeCluster: string
  clusterDomain: string
  /** Tenants of MinIO without TLS are served, too. */
  insecureHttpTenants: boolean
  /** Namespaces whose tenants are served. Empty: all. */
  watchedNamespaces: readonly string[]
  /** Told of each change, after it counts. */
  onChange(change: ResourceChange): void
}>

export type { Kept, ResourceKind } from './kept.ts'

/** Which resource is another one now. What is written into its status makes it no other. */
export type ResourceChange = Readonly<{
  kind: ResourceKind
  /** Absent when it is gone. */
  object: KubeObject | undefined
  namespace: string
  name: string
  /** Of a binding that counts, or did: what it means for those who have got something through it. */
  binding?: BindingChange | undefined
}>

/**
 * What the cluster says of tenants, bindings and policies now, kept in memory by mirrors and asked without waiting. What
 * does not parse does not count. Bindings count in their own namespace alone.
 */
export class ClusterDirectory implements TenantDirectory {
  readonly #options: DirectoryOptions
  readonly #index: BindingIndex
  readonly #bindings = new Map<string, Kept<ServiceAccountBinding>>()
  readonly #policies = new Map<string, Kept<PolicyResource>>()
  readonly #tenants = new ByNamespace<Kept<TenantResource>>()
  readonly #minioTenants = new ByNamespace<Kept<TenantResource>>()
  readonly #accounts = new Accounts()

  constructor(options: DirectoryOptions) {
    this.#options = options
    this.#index = new BindingIndex(options.homeCluster)
  }

  findTenants({ namespace, name }: TenantName): readonly Tenant[] {
    return this.#tenantsOf(namespace)
      .filter((tenant) => name === undefined || tenant.name === name)
      .map(({ reach, ceiling, maxSessionSeconds, name: own }) => ({
        namespace,
        name: own,
        target: reach.kind,
        ceiling,
        maxSessionSeconds,
      }))
  }

  bindingsFor(tenant: Tenant, subject: BoundSubject): readonly ServiceAccountBinding[] {
    return this.#index.find(tenant, subject)
  }

  /** Labels of other clusters are not known here. */
  labelsOf(
    cluster: string,
    namespace: string,
    serviceAccount: string,
  ): Pick<BoundSubject, 'namespaceLabels' | 'serviceAccountLabels'> {
    if (cluster !== this.#options.homeCluster) return {}
    return this.#accounts.labelsOf(namespace, serviceAccount)
  }

  /** By `NAMESPACE/NAME`. */
  findTenant(id: string): TenantResource | undefined {
    const [namespace = '', name = ''] = id.split('/')
    return this.#tenantsOf(namespace).find((tenant) => tenant.name === name)
  }

  /** Whether tenants of that namespace are served. */
  isWatched(namespace: string): boolean {
    const { watchedNamespaces } = this.#options
    return watchedNamespaces.length === 0 || watchedNamespaces.includes(namespace)
  }

  /**
   * The text of a policy resource in that namespace. Empty, and so no policy, when the resource is not valid: what the
   * tenant itself may have under that name is not what was meant.
   */
  findPolicy(namespace: string, name: string): string | undefined {
    const kept = this.#policies.get(`${namespace}/${name}`)
    return kept && (kept.parsed.value?.text ?? '')
  }

  /** With one that is not valid. */
  findPolicyResource(namespace: string, name: string): Kept<PolicyResource> | undefined {
    return this.#policies.get(`${namespace}/${name}`)
  }

  findBinding(id: string): Kept<ServiceAccountBinding> | undefined {
    return this.#bindings.get(id)
  }

  /**
   * Another text when the tenant, one of the bindings or a policy that they name has changed or gone in the meantime.
   * @param tenant `NAMESPACE/NAME`
   */
  versionOf(tenant: string, bindingIds: readonly string[]): string {
    const [namespace = '', name = ''] = tenant.split('/')
    const bindings = bindingIds.map((id) => this.#bindings.get(id))
    const policies = bindings.flatMap((kept) => kept?.parsed.value?.policies ?? [])
    const versions = [
      this.#tenants.of(namespace).get(name),
      this.#minioTenants.of(namespace).get(name),
      ...bindings,
      ...policies.map((policy) => this.#policies.get(`${namespace}/${policy}`)),
    ].map((kept) => {
      const { uid, generation, deletionTimestamp } = kept?.object.metadata ?? {}
      return [uid, generation, deletionTimestamp]
    })
    return JSON.stringify(versions)
  }

  /** With those that do not count. */
  allBindings(): IterableIterator<Kept<ServiceAccountBinding>> {
    return this.#bindings.values()
  }

  /** Tenants and policies of our kinds, with those that do not count. */
  *ownResources(): Generator<Kept<unknown>> {
    yield* this.#tenants.values()
    yield* this.#policies.values()
  }

  /** Tenants of our kind, with those that do not count. */
  ownTenants(): Generator<Kept<TenantResource>> {
    return this.#tenants.values()
  }

  /** Tenants of both kinds in that namespace that do not count, since they are not valid. */
  unsoundTenants({ namespace, name }: TenantName): readonly Kept<TenantResource>[] {
    return [this.#tenants, this.#minioTenants]
      .flatMap((all) => [...all.of(namespace).values()])
      .filter(({ parsed }) => parsed.value === undefined)
      .filter(({ object }) => name === undefined || object.metadata.name === name)
  }

  /** How many service accounts of this cluster the binding fits now. `undefined`: which there are is not known. */
  countMatches(binding: ServiceAccountBinding): number | undefined {
    return this.#accounts.count(binding, this.#options.homeCluster)
  }

  /** Another number when matches may be others. */
  get accountsVersion(): number {
    return this.#accounts.version
  }

  tenants(): readonly TenantResource[] {
    const all = [...this.#tenants.values(), ...this.#minioTenants.values()]
    return all.flatMap(({ parsed }) => parsed.value ?? [])
  }

  counts(): Readonly<{ bindings: number; tenants: number; policies: number; problems: number }> {
    const kept = [this.#bindings, this.#tenants, this.#minioTenants, this.#policies]
    const all = kept.flatMap((some): readonly Kept<unknown>[] => [...some.values()])
    return {
      bindings: this.#index.size,
      tenants: this.tenants().length,
      policies: this.#policies.size,
      problems: all.filter(({ parsed }) => parsed.value === undefined).length,
    }
  }

  /** Where a mirror of that kind leaves what it sees. */
  targetFor(kind: ResourceKind): MirrorTarget {
    return {
      put: (object) => {
        const { namespace = '', name } = object.metadata
        const before = this.#find(kind, namespace, name)
        const kept = this.#put(kind, object)
        if (before && isSame(before, kept)) return
        this.#tell({ kind, object: kept.object, namespace, name }, before, kept)
      },
      delete: (namespace, name) => {
        const before = this.#find(kind, namespace, name)
        this.#delete(kind, namespace, name)
        this.#tell({ kind, object: undefined, namespace, name }, before, undefined)
      },
    }
  }

  /** Where mirrors of namespaces and service accounts leave what they see; `areFresh`: whether it still counts. */
  labelTargets(areFresh: () => boolean) {
    return this.#accounts.targets(areFresh)
  }

  #tell(change: ResourceChange, before: Known | undefined, after: Known | undefined): void {
    const { kind, namespace, name } = change
    const isBinding = kind === 'Binding' || kind === 'PolicyBinding'
    const [old, now] = [before, after].map((kept) =>
      kept && isBinding ? counted(kept) : undefined,
    )
    const id = idOf(kind, namespace, name)
    this.#options.onChange({ ...change, binding: compareBindings(id, old, now) })
  }

  /** One of ours stands before one of MinIO's of the same name; a tenant that is being deleted is none. */
  #tenantsOf(namespace: string): readonly TenantResource[] {
    if (!this.isWatched(namespace)) return []
    const named = new Map<string, TenantResource>()
    for (const all of [this.#minioTenants, this.#tenants]) {
      for (const [name, { object, parsed }] of all.of(namespace)) {
        const counts = parsed.value !== undefined && object.metadata.deletionTimestamp === undefined
        // One of ours that says nothing sound hides MinIO's all the same: its ceiling may have been meant for it.
        if (counts) named.set(name, parsed.value)
        else named.delete(name)
      }
    }
    return [...named.values()]
  }

  #put(kind: ResourceKind, object: KubeObject): Known {
    const { namespace = '', name } = object.metadata
    switch (kind) {
      case 'PolicyBinding':
        return this.#putBinding({ kind, object, parsed: parsePolicyBinding(object) })
      case 'Binding':
        return this.#putBinding({ kind, object, parsed: parseBinding(object) })
      case 'Policy': {
        const kept = { kind, object: bare(object), parsed: parsePolicyResource(object) }
        this.#policies.set(`${namespace}/${name}`, kept)
        return kept
      }
      case 'Tenant': {
        const kept = { kind, object: bare(object), parsed: parseTenant(object) }
        this.#tenants.set(namespace, name, kept)
        return kept
      }
      case 'MinioTenant': {
        const { clusterDomain, insecureHttpTenants: insecureHttp } = this.#options
        const parsed = parseMinioTenant(object, { clusterDomain, insecureHttp })
        const kept = { kind, object: bare(object), parsed }
        this.#minioTenants.set(namespace, name, kept)
        return kept
      }
    }
    return kind satisfies never
  }

  #putBinding(whole: Kept<ServiceAccountBinding>): Known {
    const { namespace = '', name } = whole.object.metadata
    const id = idOf(whole.kind, namespace, name)
    const kept = { ...whole, object: bare(whole.object) }
    const before = this.#bindings.get(id)
    this.#bindings.set(id, kept)
    const value = counted(kept)
    if (value === undefined) this.#index.delete(id)
    // Every change of the index makes it forget what it has found out.
    else if (!isDeepStrictEqual(before && counted(before), value)) this.#index.put(value)
    return kept
  }

  #find(kind: ResourceKind, namespace: string, name: string): Known | undefined {
    switch (kind) {
      case 'PolicyBinding':
      case 'Binding':
        return this.#bindings.get(idOf(kind, namespace, name))
      case 'Policy':
        return this.#policies.get(`${namespace}/${name}`)
      case 'Tenant':
        return this.#tenants.of(namespace).get(name)
      case 'MinioTenant':
        return this.#minioTenants.of(namespace).get(name)
    }
    return kind satisfies never
  }

  #delete(kind: ResourceKind, namespace: string, name: string): void {
    switch (kind) {
      case 'PolicyBinding':
      case 'Binding': {
        const id = idOf(kind, namespace, name)
        this.#bindings.delete(id)
        this.#index.delete(id)
        return undefined
      }
      case 'Policy':
        this.#policies.delete(`${namespace}/${name}`)
        return undefined
      case 'Tenant':
        this.#tenants.delete(namespace, name)
        return undefined
      case 'MinioTenant':
        this.#minioTenants.delete(namespace, name)
        return undefined
    }
    return kind satisfies never
  }
}
