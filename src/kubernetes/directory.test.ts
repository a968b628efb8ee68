import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClusterDirectory, type DirectoryOptions, type ResourceChange } from './directory.ts'
import type { ResourceKind } from './kept.ts'
import type { KubeObject } from './resources/object.ts'
import { binding, policyBinding, tenant } from './testing/cluster-lab.ts'

const document = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
}
const denial = { Version: '2012-10-17', Statement: [{ ...document.Statement[0], Effect: 'Deny' }] }

function minioTenant(namespace: string, name: string, spec: object = {}): KubeObject {
  return { metadata: { namespace, name }, spec: { configuration: { name: 'env' }, ...spec } }
}

function open(options: Partial<DirectoryOptions> = {}) {
  const changes: ResourceChange[] = []
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: (change) => changes.push(change),
    ...options,
  })
  let fresh = true
  const labels = directory.labelTargets(() => fresh)
  const put = (kind: ResourceKind, object: KubeObject) => directory.targetFor(kind).put(object)
  const remove = (kind: ResourceKind, namespace: string, name: string) =>
    directory.targetFor(kind).delete(namespace, name)
  const tenants = (namespace: string, name?: string) =>
    directory.findTenants({ namespace, name }).map((found) => `${found.name} ${found.target}`)
  const bound = (namespace = 'store') =>
    directory
      .bindingsFor(
        { namespace, name: 'main', target: 'gateway', maxSessionSeconds: 900 },
        { cluster: 'local', namespace: 'shop', serviceAccount: 'web', claims: new Map() },
      )
      .map(({ id }) => id)
  return {
    directory,
    changes,
    labels,
    put,
    remove,
    tenants,
    bound,
    setFresh: (now: boolean) => (fresh = now),
  }
}

const deleting = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
})
const gateway = { target: { gateway: { sessionKeysSecretRef: { name: 'keys' } } } }

describe('the version of what gives credentials', () => {
  const made = (object: KubeObject, generation: number, uid = 'u1'): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, generation, uid },
  })
  const id = 'daypass.dev/Binding/store/a'
  const named = { subjects: [{ namespace: 'shop', serviceAccount: 'web' }], policies: ['own'] }
  const own: KubeObject = { metadata: { namespace: 'store', name: 'own' }, spec: { document } }

  it('is another one when tenant, binding or policy is another one or gone, and else the same', () => {
    const { directory, put, remove } = open()
    const version = () => directory.versionOf('store/main', [id])
    put('Tenant', made(tenant('store', 'main', gateway), 1))
    put('Binding', made(binding('store', 'a', named), 1))
    put('Policy', made(own, 1))
    const changes: readonly (() => void)[] = [
      () => put('Tenant', made(tenant('store', 'main', gateway), 2)),
      () => put('Binding', made(binding('store', 'a', named), 2)),
      () => put('Binding', made(binding('store', 'a', named), 2, 'made anew')),
      () => put('Policy', made(own, 2)),
      () => put('Binding', deleting(made(binding('store', 'a', named), 2))),
      () => remove('Policy', 'store', 'own'),
      () => remove('Binding', 'store', 'a'),
      () => remove('Tenant', 'store', 'main'),
    ]
    for (const [at, change] of changes.entries()) {
      const before = version()
      assert.equal(version(), before)
      change()
      assert.notEqual(version(), before, `change ${at}`)
    }
  })

  it('does not know of other bindings, nor of what is written into a status', () => {
    const { directory, put } = open()
    put('Binding', made(binding('store', 'a', named), 1))
    const before = directory.versionOf('store/main', [id])
    put('Binding', made(binding('store', 'b', named), 1))
    put('Binding', { ...made(binding('store', 'a', named), 1), status: { lastUsedTime: 'now' } })
    assert.equal(directory.versionOf('store/main', [id]), before)
  })
})

describe('tenants of a namespace', () => {
  it('are ours and those of the MinIO Operator; of the same name, ours', () => {
    const { put, remove, tenants } = open()
    put('MinioTenant', minioTenant('store', 'main'))
    put('MinioTenant', minioTenant('store', 'second'))
    assert.deepEqual(tenants('store'), ['main assume-role', 'second assume-role'])
    put('Tenant', tenant('store', 'main', gateway))
    assert.deepEqual(tenants('store', 'main'), ['main gateway'])
    assert.deepEqual(tenants('store', 'third'), [])
    assert.deepEqual(tenants('bank'), [])
    assert.deepEqual(tenants(''), [])
    remove('Tenant', 'store', 'main')
    assert.deepEqual(tenants('store', 'main'), ['main assume-role'])
  })

  it('are hidden by one of ours that makes no sense, or is going: its ceiling may have been meant for them', () => {
    const { put, tenants, directory } = open()
    put('MinioTenant', minioTenant('store', 'main'))
    put('Tenant', tenant('store', 'main', { ceiling: 'x' }))
    assert.deepEqual(tenants('store'), [])
    assert.equal(directory.findTenant('store/main'), undefined)
    put('Tenant', deleting(tenant('store', 'main')))
    assert.deepEqual(tenants('store'), [])
  })

  it('are none while they are being deleted, or in namespaces that are not watched', () => {
    const { put, tenants, directory } = open({ watchedNamespaces: ['store'] })
    put('Tenant', tenant('store', 'main'))
    put('Tenant', tenant('bank', 'main'))
    put('MinioTenant', deleting(minioTenant('store', 'old')))
    assert.deepEqual(tenants('store'), ['main assume-role'])
    assert.deepEqual(tenants('bank'), [])
    assert.equal(directory.findTenant('bank/main'), undefined)
  })

  it('take no name apart that is none', () => {
    const { put, directory } = open()
    put('Tenant', tenant('store', 'main'))
    for (const id of ['', '/', 'store', 'store/', '/main', 'store/main2']) {
      assert.equal(directory.findTenant(id), undefined, id)
    }
  })
})

describe('bindings', () => {
  it('of both kinds count in their own namespace, until they go, or make no sense', () => {
    const { put, remove, bound } = open()
    put('Binding', binding('store', 'one'))
    put('PolicyBinding', policyBinding('store', 'one'))
    put('PolicyBinding', policyBinding('bank', 'one'))
    assert.deepEqual(bound(), [
      'daypass.dev/Binding/store/one',
      'sts.min.io/PolicyBinding/store/one',
    ])
    put('Binding', binding('store', 'one', { inline: [{}] }))
    assert.deepEqual(bound(), ['sts.min.io/PolicyBinding/store/one'])
    put('PolicyBinding', deleting(policyBinding('store', 'one')))
    assert.deepEqual(bound(), [])
    put('Binding', binding('store', 'one'))
    remove('Binding', 'store', 'one')
    assert.deepEqual(bound(), [])
    assert.deepEqual(bound('bank'), ['sts.min.io/PolicyBinding/bank/one'])
  })

  it('become gone, narrower or wider, and the change says which', () => {
    const { put, remove, changes } = open()
    const id = 'daypass.dev/Binding/store/one'
    const became = (spec: object) => {
      put('Binding', binding('store', 'one', spec))
      const change = changes.at(-1)?.binding
      assert.equal(change?.id, id)
      return change.became
    }
    const [web, job] = ['web', 'job'].map((serviceAccount) => ({
      namespace: 'shop',
      serviceAccount,
    }))
    const steps: readonly (readonly [object, string])[] = [
      [{}, 'wider'],
      [{ policies: ['readonly', 'other'] }, 'wider'],
      [{ policies: ['other'] }, 'narrower'],
      [{ policies: ['other'], subjects: [web, job] }, 'wider'],
      [{ policies: ['other'], subjects: [web] }, 'narrower'],
      [{ policies: ['other'], subjects: [{ ...web, claims: { pod: ['a'] } }] }, 'narrower'],
      [{ policies: ['other'], subjects: [web] }, 'narrower'],
      [{ policies: ['other'], inline: [document] }, 'wider'],
      [{ policies: ['other'], inline: [document, denial] }, 'narrower'],
      [{ policies: ['other'], inline: [denial] }, 'narrower'],
      [{ policies: ['other'], inline: [denial], tenant: 'main' }, 'narrower'],
      [{ policies: ['other'], inline: [denial], tenant: 'second' }, 'narrower'],
      [{ policies: ['other'], inline: [denial] }, 'wider'],
      [{ policies: ['other'], inline: [denial], maxSessionSeconds: 3600 }, 'narrower'],
      [{ policies: ['other'], inline: [denial], maxSessionSeconds: 900 }, 'narrower'],
      [{ policies: ['other'], inline: [denial], maxSessionSeconds: 7200 }, 'wider'],
      [{ policies: ['other'], roleArn: 'arn:aws:iam::1:role/a' }, 'narrower'],
      [{ policies: [] }, 'gone'],
    ]
    for (const [spec, expected] of steps) assert.equal(became(spec), expected, JSON.stringify(spec))
    put('Binding', binding('store', 'one'))
    put('Binding', deleting(binding('store', 'one')))
    assert.deepEqual(changes.at(-1)?.binding, { id, became: 'gone' })
    remove('Binding', 'store', 'one')
    // It gave nothing any more.
    assert.equal(changes.at(-1)?.binding, undefined)
    assert.equal(changes.at(-1)?.object, undefined)
  })

  it('tell nobody of a new status, and keep it', () => {
    const { put, changes, directory } = open()
    const of = (status: object, generation = 1): KubeObject => {
      const object = binding('store', 'one')
      return {
        ...object,
        metadata: { ...object.metadata, uid: 'u', generation, resourceVersion: 'r' },
        status,
      }
    }
    put('Binding', of({}))
    put('Binding', of({ lastUsedTime: 'now' }))
    assert.equal(changes.length, 1)
    const kept = directory.findBinding('daypass.dev/Binding/store/one')
    assert.deepEqual(kept?.object['status'], { lastUsedTime: 'now' })
    put('Binding', of({}, 2))
    assert.equal(changes.length, 2)
    put('Binding', { ...of({}, 2), metadata: { ...of({}, 2).metadata, uid: 'other' } })
    assert.equal(changes.length, 3)
  })
})

describe('policies of a namespace', () => {
  const policy = (name: string, spec: unknown): KubeObject => ({
    metadata: { namespace: 'store', name },
    spec,
  })

  it('are texts; one that makes no sense is no text, and not absent either', () => {
    const { put, remove, directory } = open()
    put('Policy', policy('good', { document }))
    put('Policy', policy('bad', { document: { Statement: 7 } }))
    put('Policy', policy('empty', undefined))
    assert.match(directory.findPolicy('store', 'good') ?? '', /GetObject/)
    assert.equal(directory.findPolicy('store', 'bad'), '')
    assert.equal(directory.findPolicy('store', 'empty'), '')
    assert.equal(directory.findPolicy('store', 'none'), undefined)
    assert.equal(directory.findPolicy('bank', 'good'), undefined)
    remove('Policy', 'store', 'bad')
    assert.equal(directory.findPolicy('store', 'bad'), undefined)
    assert.deepEqual(directory.counts(), { bindings: 0, tenants: 0, policies: 2, problems: 1 })
  })
})

describe('labels', () => {
  it('are known of this cluster, while they are fresh', () => {
    const { labels, directory, setFresh } = open()
    labels.namespaces.put({ metadata: { name: 'shop', labels: { team: 'blue' } } })
    labels.accounts.put({ metadata: { name: 'web', namespace: 'shop' } })
    const blue = { namespaceLabels: new Map([['team', 'blue']]), serviceAccountLabels: new Map() }
    assert.deepEqual(directory.labelsOf('local', 'shop', 'web'), blue)
    assert.deepEqual(directory.labelsOf('edge', 'shop', 'web'), {})
    const { serviceAccountLabels, namespaceLabels } = directory.labelsOf('local', 'bank', 'web')
    assert.deepEqual([serviceAccountLabels, namespaceLabels], [undefined, undefined])
    setFresh(false)
    assert.deepEqual(directory.labelsOf('local', 'shop', 'web'), {})
    setFresh(true)
    labels.accounts.delete('shop', 'web')
    assert.equal(directory.labelsOf('local', 'shop', 'web').serviceAccountLabels, undefined)
  })

  it('are not known where nobody watches them', () => {
    const directory = new ClusterDirectory({
      homeCluster: 'local',
      clusterDomain: 'x',
      insecureHttpTenants: false,
      watchedNamespaces: [],
      onChange: () => undefined,
    })
    assert.deepEqual(directory.labelsOf('local', 'shop', 'web'), {})
  })

  it('and names decide how many service accounts a binding fits', () => {
    const { labels, put, directory, setFresh } = open()
    const count = (subjects: readonly object[]) => {
      put('Binding', binding('store', 'one', { subjects }))
      const value = directory.findBinding('daypass.dev/Binding/store/one')?.parsed.value
      assert.ok(value)
      return directory.countMatches(value)
    }
    const web = { namespace: 'shop', serviceAccount: 'web' }
    assert.equal(count([web]), undefined)
    labels.namespaces.put({ metadata: { name: 'shop', labels: { team: 'blue' } } })
    for (const [namespace, name] of [
      ['shop', 'web'],
      ['shop', 'job'],
      ['bank', 'web'],
    ] as const) {
      labels.accounts.put({ metadata: { namespace, name, labels: { tier: name } } })
    }
    const version = directory.accountsVersion
    labels.accounts.put({ metadata: { namespace: 'shop', name: 'web', labels: { tier: 'web' } } })
    assert.equal(directory.accountsVersion, version)
    assert.equal(count([web]), 1)
    assert.equal(count([web, { ...web, serviceAccount: 'w*' }]), 1)
    assert.equal(count([{ namespace: '*', serviceAccount: 'web' }]), 2)
    assert.equal(count([{ namespace: 'sh*', serviceAccount: '*' }]), 2)
    assert.equal(count([{ namespace: '*', serviceAccount: '*', claims: { pod: ['x'] } }]), 3)
    assert.equal(
      count([
        {
          namespace: '*',
          serviceAccount: '*',
          namespaceSelector: { matchLabels: { team: 'blue' } },
        },
      ]),
      2,
    )
    assert.equal(count([{ ...web, cluster: 'edge' }]), 0)
    assert.equal(count([{ ...web, serviceAccount: 'gone' }]), 0)
    labels.accounts.delete('shop', 'web')
    assert.notEqual(directory.accountsVersion, version)
    assert.equal(count([web]), 0)
    setFresh(false)
    assert.equal(count([web]), undefined)
  })
})
