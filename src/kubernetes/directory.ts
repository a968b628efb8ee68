import {
  BindingIndex,
  type BoundSubject,
  type ServiceAccountBinding,
  type Tenant,
  type TenantDirectory,
  type TenantName,
} from '../grants/index.ts'
import { bindingId, parseBinding } from './resources/binding.ts'
import { parseMinioTenant } from './resources/minio-tenant.ts'
import type { KubeObject } from './resources/object.ts'
import type { Parsed } from './resources/parsed.ts'
import { parsePolicyBinding, policyBindingId } from './resources/policy-binding.ts'
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

/** Which resource is another one now; `object` is absent when it is gone. */
export type ResourceChange = Readonly<{
  kind: ResourceKind
  object: KubeObject | undefined
  namespace: string
  name: string
}>

export type ResourceKind = 'PolicyBinding' | 'Binding' | 'Policy' | 'Tenant' | 'MinioTenant'

/** A resource as it stands, and what is wrong with it. */
export type Kept<T> = Readonly<{ kind: ResourceKind; object: KubeObject; parsed: Parsed<T> }>

type Labels = ReadonlyMap<string, string>

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
  readonly #namespaces = new Map<string, Labels>()
  readonly #accounts = new Map<string, Labels>()

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
    return {
      namespaceLabels: this.#namespaces.get(namespace),
      serviceAccountLabels: this.#accounts.get(`${namespace}/${serviceAccount}`),
    }
  }

  /** By `NAMESPACE/NAME`. */
  findTenant(id: string): TenantResource | undefined {
    const [namespace = '', name = ''] = id.split('/')
    return this.#tenantsOf(namespace).find((tenant) => tenant.name === name)
  }

  /** The text of a policy resource in that namespace. */
  findPolicy(namespace: string, name: string): string | undefined {
    return this.#policies.get(`${namespace}/${name}`)?.parsed.value?.text
  }

  findBinding(id: string): Kept<ServiceAccountBinding> | undefined {
    return this.#bindings.get(id)
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

  /** How many service accounts of this cluster the binding fits now. `undefined`: which there are is not known. */
  countMatches(binding: ServiceAccountBinding): number | undefined {
    if (this.#accounts.size === 0) return undefined
    return matchingAccounts(binding, this.#options.homeCluster, this.#accounts, this.#namespaces)
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
    const put = (object: KubeObject): void => {
      this.#put(kind, object)
      this.#tell(kind, object, object.metadata.namespace ?? '', object.metadata.name)
    }
    return {
      put,
      delete: (namespace, name) => {
        this.#delete(kind, namespace, name)
        this.#tell(kind, undefined, namespace, name)
      },
    }
  }

  namespaceTarget(): MirrorTarget {
    return {
      put: ({ metadata }) => this.#namespaces.set(metadata.name, labelsOf(metadata)),
      delete: (_, name) => this.#namespaces.delete(name),
    }
  }

  accountTarget(): MirrorTarget {
    return {
      put: ({ metadata }) =>
        this.#accounts.set(`${metadata.namespace}/${metadata.name}`, labelsOf(metadata)),
      delete: (namespace, name) => this.#accounts.delete(`${namespace}/${name}`),
    }
  }

  #tell(kind: ResourceKind, object: KubeObject | undefined, namespace: string, name: string): void {
    this.#options.onChange({ kind, object, namespace, name })
  }

  /** One of ours stands before one of MinIO's of the same name; a tenant that is being deleted is none. */
  #tenantsOf(namespace: string): readonly TenantResource[] {
    const { watchedNamespaces } = this.#options
    if (watchedNamespaces.length > 0 && !watchedNamespaces.includes(namespace)) return []
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

  #put(kind: ResourceKind, object: KubeObject): void {
    const { namespace = '', name } = object.metadata
    const key = `${namespace}/${name}`
    switch (kind) {
      case 'PolicyBinding':
        return this.#putBinding(policyBindingId(namespace, name), {
          kind,
          object,
          parsed: parsePolicyBinding(object),
        })
      case 'Binding':
        return this.#putBinding(bindingId(namespace, name), {
          kind,
          object,
          parsed: parseBinding(object),
        })
      case 'Policy':
        this.#policies.set(key, { kind, object, parsed: parsePolicyResource(object) })
        return undefined
      case 'Tenant':
        this.#tenants.set(namespace, name, { kind, object, parsed: parseTenant(object) })
        return undefined
      case 'MinioTenant': {
        const { clusterDomain, insecureHttpTenants: insecureHttp } = this.#options
        const parsed = parseMinioTenant(object, { clusterDomain, insecureHttp })
        this.#minioTenants.set(namespace, name, { kind, object, parsed })
        return undefined
      }
    }
    return kind satisfies never
  }

  #putBinding(id: string, kept: Kept<ServiceAccountBinding>): void {
    this.#bindings.set(id, kept)
    const { object, parsed } = kept
    if (parsed.value && object.metadata.deletionTimestamp === undefined)
      this.#index.put(parsed.value)
    else this.#index.delete(id)
  }

  #delete(kind: ResourceKind, namespace: string, name: string): void {
    const key = `${namespace}/${name}`
    switch (kind) {
      case 'PolicyBinding':
        return this.#deleteBinding(policyBindingId(namespace, name))
      case 'Binding':
        return this.#deleteBinding(bindingId(namespace, name))
      case 'Policy':
        this.#policies.delete(key)
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

  #deleteBinding(id: string): void {
    this.#bindings.delete(id)
    this.#index.delete(id)
  }
}

/** By the same index that decides. */
function matchingAccounts(
  binding: ServiceAccountBinding,
  cluster: string,
  accounts: ReadonlyMap<string, Labels>,
  namespaces: ReadonlyMap<string, Labels>,
): number {
  const index = new BindingIndex(cluster)
  // What a token says is not known here: such a binding counts as one that may fit.
  const subjects = binding.subjects.map((subject) => ({ ...subject, claims: undefined }))
  index.put({ ...binding, subjects })
  const tenant = { namespace: binding.namespace, name: binding.tenant ?? '' }
  let matched = 0
  for (const account of candidates(binding, accounts)) {
    const serviceAccountLabels = accounts.get(account)
    const [namespace = '', serviceAccount = ''] = account.split('/')
    const namespaceLabels = namespaces.get(namespace)
    const labels = { namespaceLabels, serviceAccountLabels }
    const asking = { cluster, namespace, serviceAccount, ...labels, claims: new Map() }
    if (serviceAccountLabels && index.find(tenant, asking).length > 0) matched += 1
  }
  return matched
}

/** Most bindings spell their service accounts out: then there is no need to look through all. */
function candidates(
  { subjects }: ServiceAccountBinding,
  accounts: ReadonlyMap<string, Labels>,
): Iterable<string> {
  const names = subjects.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`)
  return names.some((name) => name.includes('*')) ? accounts.keys() : new Set(names)
}

class ByNamespace<T> {
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

function labelsOf({ labels }: KubeObject['metadata']): Labels {
  return new Map(Object.entries(labels ?? {}))
}
