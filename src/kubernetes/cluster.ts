import type { ClusterApi } from './api.ts'
import type { ClusterDirectory, ResourceKind } from './directory.ts'
import { Mirror, type Kind, type MirrorStatus, type MirrorTarget } from './mirror.ts'

export type ClusterOptions = Readonly<{
  api: ClusterApi
  directory: ClusterDirectory
  features: Readonly<{ minioTenants: boolean; labelSelectors: boolean }>
  /** Told of service accounts beside the directory. */
  accounts?: MirrorTarget | undefined
  /** How long what was last seen counts while the API server is away. */
  staleAfterSeconds: number
  clock: () => Date
  random: () => number
  onError(what: string, error: unknown): void
  /** The cluster knows no such kind; it is asked again and again. */
  onAbsent(fullName: string): void
}>

export interface Cluster {
  /** Everything that decides has been seen once; labels too, unless they cannot be had. */
  isSynced(): boolean
  /** And what was seen is not too old. */
  isFresh(now: Date): boolean
  status(): readonly MirrorStatus[]
  close(): Promise<void>
}

const kinds: Readonly<Record<ResourceKind, Kind>> = {
  PolicyBinding: {
    group: 'sts.min.io',
    versions: ['v1beta1', 'v1alpha1'],
    plural: 'policybindings',
  },
  Binding: { group: 'daypass.dev', versions: ['v1'], plural: 'bindings' },
  Policy: { group: 'daypass.dev', versions: ['v1'], plural: 'policies' },
  Tenant: { group: 'daypass.dev', versions: ['v1'], plural: 'tenants' },
  MinioTenant: { group: 'minio.min.io', versions: ['v2'], plural: 'tenants' },
}

/** As `kubectl` has it: `tenants.daypass.dev`, and `namespaces` of the core. */
export function fullName({ plural, group }: Kind): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** The path of one resource, for writing its status. */
export function kindOf(kind: ResourceKind): Kind {
  return kinds[kind]
}

/** Begins to mirror what the directory needs, until `close`. Needs no API server to be there. */
export function openCluster(options: ClusterOptions): Cluster {
  const { directory, features, staleAfterSeconds } = options
  const mirror = (kind: Kind, target: MirrorTarget) =>
    new Mirror({
      ...options,
      kind,
      target,
      // A quiet watch gives a sign of life when it ends: several times before it counts as too old.
      watchSeconds: Math.max(2, Math.min(50, Math.floor(staleAfterSeconds / 4))),
      onError: (error) => options.onError(`watching ${fullName(kind)}`, error),
      onAbsent: () => options.onAbsent(fullName(kind)),
    })
  const deciding = (['PolicyBinding', 'Binding', 'Policy', 'Tenant'] as const).map((kind) =>
    mirror(kinds[kind], directory.targetFor(kind)),
  )
  if (features.minioTenants) {
    deciding.push(mirror(kinds.MinioTenant, directory.targetFor('MinioTenant')))
  }
  const core = (plural: string): Kind => ({ group: '', versions: ['v1'], plural })
  // Where they cannot be had, selectors fit nothing, and everything else goes on.
  const helping: Mirror[] = []
  const areLabelsFresh = (): boolean => areFresh(helping, options.clock())
  if (features.labelSelectors) {
    const { namespaces, accounts } = directory.labelTargets(areLabelsFresh)
    helping.push(
      mirror(core('namespaces'), namespaces),
      mirror(core('serviceaccounts'), both(accounts, options.accounts)),
    )
  }
  const all = [...deciding, ...helping]
  const running = all.map((each) => each.run())
  function areFresh(mirrors: readonly Mirror[], now: Date): boolean {
    const oldest = now.getTime() - staleAfterSeconds * 1000
    return mirrors.every(
      ({ status: { synced, contactAt } }) => synced && (contactAt?.getTime() ?? 0) >= oldest,
    )
  }
  return {
    isSynced: () =>
      deciding.every(({ status }) => status.synced) &&
      helping.every(({ status }) => status.synced || status.error !== undefined),
    isFresh: (now) => areFresh(deciding, now),
    status: () => all.map(({ status }) => status),
    async close() {
      for (const each of all) each.stop()
      await Promise.all(running)
    },
  }
}

function both(first: MirrorTarget, second: MirrorTarget | undefined): MirrorTarget {
  if (second === undefined) return first
  return {
    put(object) {
      first.put(object)
      second.put(object)
    },
    delete(namespace, name) {
      first.delete(namespace, name)
      second.delete(namespace, name)
    },
  }
}
