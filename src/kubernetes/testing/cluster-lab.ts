import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import type { KubeLab, KubeObject } from '../../../test/labs/kube-lab.ts'
import { openClusterApi, type ClusterApi } from '../api.ts'
import { openCluster, type Cluster } from '../cluster.ts'
import { ClusterDirectory, type DirectoryOptions, type ResourceChange } from '../directory.ts'

const crds = resolve(import.meta.dirname, '../../../deploy/crds')

/** The definitions that Daypass ships, by the plural name of their kind. */
export function readCrd(plural: string): KubeObject {
  const file = readdirSync(crds).find((name) => name.endsWith(`_${plural}.yaml`))
  if (file === undefined) throw new Error(`there is no definition of ${plural}`)
  return parse(readFileSync(join(crds, file), 'utf8')) as KubeObject
}

/** `minio.min.io/v2 Tenant`, as far as it matters here. */
export const minioTenantCrd: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'tenants.minio.min.io' },
  spec: {
    group: 'minio.min.io',
    scope: 'Namespaced',
    names: { kind: 'Tenant', plural: 'tenants', singular: 'tenant', listKind: 'TenantList' },
    versions: [
      {
        name: 'v2',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
}

/** Makes a kind and waits until it is served. */
export async function install(lab: KubeLab, crd: KubeObject): Promise<void> {
  await lab.apply('customresourcedefinitions', crd)
  const spec = crd['spec'] as {
    group: string
    names: { plural: string }
    versions: { name: string; served: boolean }[]
  }
  const served = spec.versions.filter((version) => version.served)
  for (const { name } of served) {
    await until(`${spec.names.plural} ${name} is served`, async () => {
      const { status } = await lab.ask(`/apis/${spec.group}/${name}/${spec.names.plural}`)
      return status === 200
    })
  }
}

/** A kubeconfig for whoever has that token. */
export function kubeconfigOf(lab: KubeLab, name: string, token: string): string {
  const file = join(lab.dir, `${name}.kubeconfig`)
  const cluster = { server: lab.url, 'certificate-authority': lab.caFile }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'lab',
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: name } }],
    clusters: [{ name: 'lab', cluster }],
    users: [{ name, user: { token } }],
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

/** What one replica holds, and what became known to it. */
export type Replica = Readonly<{
  api: ClusterApi
  directory: ClusterDirectory
  cluster: Cluster
  changes: ResourceChange[]
  errors: string[]
  /** How many requests that change something were sent. */
  writes(): number
  isFresh(): boolean
  close(): Promise<void>
}>

type Wishes = Partial<DirectoryOptions> &
  Readonly<{ kubeconfig?: string; staleAfterSeconds?: number; clock?: () => Date }>

export async function openReplica(lab: KubeLab, wishes: Wishes = {}): Promise<Replica> {
  const real = await openClusterApi({ kubeconfig: wishes.kubeconfig ?? lab.kubeconfig })
  let writes = 0
  const api: ClusterApi = {
    server: real.server,
    get ca() {
      return real.ca
    },
    send(path, request) {
      if ((request?.method ?? 'GET') !== 'GET') writes += 1
      return real.send(path, request)
    },
    watch: (path, options) => real.watch(path, options),
    close: () => real.close(),
  }
  const changes: ResourceChange[] = []
  const errors: string[] = []
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: (change) => changes.push(change),
    ...wishes,
  })
  const clock = wishes.clock ?? (() => new Date())
  const cluster = openCluster({
    api,
    directory,
    features: { minioTenants: true, labelSelectors: true },
    staleAfterSeconds: wishes.staleAfterSeconds ?? 12,
    clock,
    random: Math.random,
    onError: (what, error) => errors.push(`${what}: ${String(error)}`),
    onAbsent: () => undefined,
  })
  return {
    api,
    directory,
    cluster,
    changes,
    errors,
    writes: () => writes,
    isFresh: () => cluster.isFresh(clock()),
    async close() {
      await cluster.close()
      await api.close()
    },
  }
}

/** Waits for what happens in another process; fails when it does not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await sleep(20)
  }
}

export function binding(namespace: string, name: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'daypass.dev/v1',
    kind: 'Binding',
    metadata: { name, namespace },
    spec: {
      subjects: [{ namespace: 'shop', serviceAccount: 'web' }],
      policies: ['readonly'],
      ...spec,
    },
  }
}

export function policyBinding(
  namespace: string,
  name: string,
  policies: readonly string[] = ['readonly'],
  version = 'v1beta1',
): KubeObject {
  const application = { namespace: 'shop', serviceaccount: 'web' }
  return {
    apiVersion: `sts.min.io/${version}`,
    kind: 'PolicyBinding',
    metadata: { name, namespace },
    spec: { application, policies },
  }
}

export function tenant(namespace: string, name: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'daypass.dev/v1',
    kind: 'Tenant',
    metadata: { name, namespace },
    spec: {
      target: {
        assumeRole: {
          endpoint: 'https://s3.example.com',
          credentialsSecretRef: { name: 'broker' },
        },
      },
      ...spec,
    },
  }
}
