import type { TenantName } from './types.ts'

/** Where a tenant's credentials work (DESIGN section 1). What is needed to reach it, the room of targets knows. */
export type TenantTarget = 'gateway' | 'assume-role'

/** A tenant of a cluster, as grants need it. */
export type Tenant = Readonly<{
  namespace: string
  name: string
  target: TenantTarget
  /** A policy document beyond which nobody in the tenant may go. Absent: no such bound. */
  ceiling?: string | undefined
  /** Seconds, 900 to 43 200. */
  maxSessionSeconds: number
}>

/** What one binding gives to the service accounts that it matches. */
export type ServiceAccountBinding = Readonly<{
  /** `sts.min.io/PolicyBinding/NAMESPACE/NAME` */
  id: string
  /** The tenant's namespace: where the binding itself lives. */
  namespace: string
  /** The one tenant of the namespace that it is for. Absent: all of them. */
  tenant?: string | undefined
  /** Any of them. Never empty. */
  subjects: readonly BindingSubject[]
  /** Names of policies. */
  policies: readonly string[]
  /** Policy documents that stand in the binding: normalised JSON. */
  documents: readonly string[]
  roleArn?: string | undefined
  /** Seconds, 900 to 43 200. Absent: the tenant's. */
  maxSessionSeconds?: number | undefined
}>

/** Who is meant. All members that are present must fit; a pattern's `*` stands for any characters of that one name. */
export type BindingSubject = Readonly<{
  /** Name or pattern. Absent: the cluster in which the binding lives. */
  cluster?: string | undefined
  /** Name or pattern. */
  namespace: string
  /** Name or pattern. */
  serviceAccount: string
  namespaceSelector?: LabelSelector | undefined
  serviceAccountSelector?: LabelSelector | undefined
  /** By name of a claim: texts or patterns, one of which must fit. */
  claims?: ReadonlyMap<string, readonly string[]> | undefined
}>

/** Kubernetes API reference, LabelSelector v1 meta. Never empty: an empty one would match everything. */
export type LabelSelector = readonly Readonly<{
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values: readonly string[]
}>[]

type Labels = ReadonlyMap<string, string>

/** A service account that was proven, and what its cluster says of it now. */
export type BoundSubject = Readonly<{
  cluster: string
  namespace: string
  serviceAccount: string
  /** `undefined`: not known, and then no selector fits. */
  namespaceLabels?: Labels | undefined
  serviceAccountLabels?: Labels | undefined
  claims: ReadonlyMap<string, unknown>
}>

/** Tenants and bindings as they are now; no look-up waits for anything. */
export interface TenantDirectory {
  /** Those that the name fits: one, none, or several of a namespace when it does not name one. */
  findTenants(name: TenantName): readonly Tenant[]
  /** The bindings of the tenant that fit the subject, each exactly once. */
  bindingsFor(tenant: Tenant, subject: BoundSubject): readonly ServiceAccountBinding[]
  /** Labels are looked up here, so that the principal needs none. */
  labelsOf(
    cluster: string,
    namespace: string,
    serviceAccount: string,
  ): Pick<BoundSubject, 'namespaceLabels' | 'serviceAccountLabels'>
}
