import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClusterDirectory } from './directory.ts'
import type { KubeObject } from './resources/object.ts'
import { binding, tenant } from './testing/cluster-lab.ts'
import { judge } from './verdict.ts'

const target = { gateway: { sessionKeysSecretRef: { name: 'keys' } } }

/** What is said of a binding to the policies `team` and `readonly`, with a Policy `team` that is this document. */
function verdict(spec: object, document?: object) {
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: () => undefined,
  })
  const policy: KubeObject = { metadata: { namespace: 'store', name: 'team' }, spec: { document } }
  if (document) directory.targetFor('Policy').put(policy)
  directory.targetFor('Tenant').put(tenant('store', 'main', { target, ...spec }))
  const policies = ['team', 'readonly']
  directory.targetFor('Binding').put(binding('store', 'reads', { policies }))
  const [kept] = directory.allBindings()
  assert.ok(kept?.parsed.value)
  const { reason, message } = judge(kept.parsed.value, directory, new Set())
  return `${reason}: ${message}`
}

describe('a binding of a gateway tenant', () => {
  const sound = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  }

  it('gives nothing by a Policy resource that is not valid', () => {
    assert.match(verdict({}, sound), /^Bound/)
    assert.match(
      verdict({}, { Statement: 'all' }),
      /^UnknownPolicy: Policy resource team is not valid/,
    )
    // There, policies are the tenant's own, and nobody looks at resources.
    assert.match(verdict({ policySource: 'tenant' }, { Statement: 'all' }), /^Bound/)
  })

  it('gives nothing by a name that can only be that of a resource and is none, skip or not', () => {
    for (const missingPolicy of ['fail', 'skip']) {
      const said = verdict({ policySource: 'resources', missingPolicy }, sound)
      assert.match(said, /^UnknownPolicy: There is no Policy resource readonly; nothing is given/)
    }
  })
})
