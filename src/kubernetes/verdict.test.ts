import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClusterDirectory, type DirectoryOptions } from './directory.ts'
import type { ResourceKind } from './kept.ts'
import type { KubeObject } from './resources/object.ts'
import { binding, tenant } from './testing/cluster-lab.ts'
import { judge } from './verdict.ts'

function open(options: Partial<DirectoryOptions> = {}) {
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: () => undefined,
    ...options,
  })
  const put = (kind: ResourceKind, object: KubeObject) => directory.targetFor(kind).put(object)
  const verdict = (spec: object = {}) => {
    put('Binding', binding('store', 'reads', spec))
    const [kept] = directory.allBindings()
    assert.ok(kept?.parsed.value)
    return judge(kept.parsed.value, directory, new Set())
  }
  return { put, verdict }
}

const gateway = { target: { gateway: { sessionKeysSecretRef: { name: 'keys' } } } }
const plain: KubeObject = {
  metadata: { namespace: 'store', name: 'old' },
  spec: { configuration: { name: 'env' }, requestAutoCert: false },
}

describe('a binding without a tenant', () => {
  it('says so', () => {
    const { message, reason, ready } = open().verdict()
    assert.deepEqual(
      [ready, reason, message],
      [false, 'UnknownTenant', 'There is no tenant in namespace store'],
    )
    assert.match(open().verdict({ tenant: 'x' }).message, /no tenant x in namespace store/)
  })

  it("says what is wrong with MinIO's, in whose status nobody writes", () => {
    const { put, verdict } = open()
    put('MinioTenant', plain)
    assert.match(
      verdict().message,
      /^Tenant of minio\.min\.io old does not count: spec\.requestAutoCert .*insecureHttpTenants/,
    )
    assert.equal(
      verdict({ tenant: 'other' }).message,
      'There is no tenant other in namespace store',
    )
  })

  it('says what is wrong with ours, and that a namespace is not watched', () => {
    const { put, verdict } = open()
    put('Tenant', tenant('store', 'main', { target: {} }))
    assert.match(verdict().message, /^Tenant main does not count: spec\.target/)
    const elsewhere = open({ watchedNamespaces: ['elsewhere'] })
    elsewhere.put('Tenant', tenant('store', 'main', gateway))
    assert.match(elsewhere.verdict().message, /store are not served; watchedNamespaces/)
  })
})

it('a binding counts with its tenant, whatever else is wrong beside it', () => {
  const { put, verdict } = open()
  put('MinioTenant', plain)
  put('Tenant', tenant('store', 'main', gateway))
  assert.equal(verdict().reason, 'Bound')
})
