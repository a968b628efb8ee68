import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { startKube, type KubeLab } from '../../test/labs/kube-lab.ts'
import { openClusterApi } from './api.ts'
import { fullName } from './cluster.ts'
import { createMinioAuthorities } from './minio-authorities.ts'
import {
  binding,
  install,
  kubeconfigOf,
  minioTenantCrd,
  openReplica,
  policyBinding,
  readCrd,
  tenant,
  until,
  type Replica,
} from './testing/cluster-lab.ts'
import { createIssuerFetch, createTokenReviewer } from './token-review.ts'
import { Secret } from '../secret.ts'

const web = { cluster: 'local', namespace: 'shop', serviceAccount: 'web', claims: new Map() }

describe('a cluster, mirrored from a real API server', () => {
  let lab: KubeLab | string
  let replica: Replica
  const many = 1200

  before(async () => {
    lab = await startKube()
    if (typeof lab === 'string') return
    await Promise.all(
      ['bindings', 'tenants', 'policies'].map((plural) => install(server(), readCrd(plural))),
    )
    await lab.createNamespace('store')
    await lab.createNamespace('shop', { team: 'blue' })
    await lab.createServiceAccount('shop', 'web', { tier: 'front' })
    replica = await openReplica(lab, { staleAfterSeconds: 8 })
  })
  after(async () => {
    if (typeof lab === 'string') return
    await replica.close()
    await lab.down()
  })

  const server = (): KubeLab => {
    if (typeof lab === 'string') throw new Error(lab)
    return lab
  }
  const test = (title: string, run: () => Promise<void>): void => {
    it(title, (t) => (typeof lab === 'string' ? t.skip(lab) : run()))
  }
  const remove = (path: string) => server().ask(path, { method: 'DELETE' })
  const names = (of = { namespace: 'store', name: 'main' }) =>
    replica.directory
      .bindingsFor({ ...of, target: 'assume-role', maxSessionSeconds: 3600 }, { ...web })
      .map(({ id }) => id)
  const statusOf = (plural: string, group: string) => {
    const found = replica.cluster
      .status()
      .find(({ kind }) => kind.plural === plural && kind.group === group)
    assert.ok(found)
    return found
  }

  test('is whole without the kinds that are not installed, once a ready server has said so', async () => {
    assert.equal(replica.cluster.isSynced(), false)
    assert.equal(replica.isFresh(), false)
    await until('it is synced', () => replica.cluster.isSynced())
    assert.equal(replica.isFresh(), true)
    assert.equal(statusOf('tenants', 'minio.min.io').absent, true)
    assert.equal(statusOf('policybindings', 'sts.min.io').absent, true)
    assert.equal(statusOf('tenants', 'daypass.dev').absent, false)
    // Metrics tell the kinds apart by these: two of them are called tenants.
    const kinds = replica.cluster.status().map(({ kind }) => fullName(kind))
    assert.equal(new Set(kinds).size, kinds.length)
    // Of what was never there nobody complains.
    assert.deepEqual(replica.errors, [])
  })

  test('knows tokens by TokenReview, and fetches keys from the server itself', async () => {
    const reviewer = createTokenReviewer(replica.api)
    const token = await server().createToken('shop', 'web')
    const good = await reviewer.review(new Secret(token), ['sts.min.io'])
    assert.equal(good.authenticated, true)
    assert.deepEqual(good.audiences, ['sts.min.io'])
    assert.equal(good.username, 'system:serviceaccount:shop:web')
    for (const [bad, audience] of [
      [token, 'somebody-else'],
      [`${token}x`, 'sts.min.io'],
      ['garbage', 'sts.min.io'],
    ] as const) {
      const { authenticated, username } = await reviewer.review(new Secret(bad), [audience])
      assert.deepEqual([authenticated, username], [false, ''])
    }
    const fetch = createIssuerFetch(replica.api)
    const wishes = { method: 'GET', headers: {}, timeoutMs: 2000, maxBytes: 65_536 } as const
    const document = await fetch(`${server().url}/.well-known/openid-configuration`, wishes)
    assert.equal(JSON.parse(document.body).issuer, server().url)
    // Wherever the document says that they are.
    const keys = await fetch('https://10.255.255.1/openid/v1/jwks', wishes)
    assert.equal(JSON.parse(keys.body).keys.length, 1)
  })

  test('rejects when the API server does not answer a review, rather than saying no', async () => {
    const far = await openClusterApi({ kubeconfig: server().kubeconfig })
    const reviewer = createTokenReviewer({
      ...methods(far),
      send: (path, request) => far.send(`/nowhere${path}`, request),
    })
    await assert.rejects(reviewer.review(new Secret('x'), ['sts.min.io']), { name: 'ApiError' })
    await far.close()
  })

  test('follows bindings, tenants and labels as they come, change and go', async () => {
    const selecting = {
      namespace: 'shop',
      serviceAccount: '*',
      serviceAccountSelector: { matchLabels: { tier: 'front' } },
    }
    await server().apply('tenants', tenant('store', 'main'))
    await server().apply('bindings', binding('store', 'exact'))
    await server().apply('bindings', binding('store', 'labels', { subjects: [selecting] }))
    const subject = { ...web, ...replica.directory.labelsOf('local', 'shop', 'web') }
    const found = () =>
      replica.directory.bindingsFor(
        { namespace: 'store', name: 'main', target: 'assume-role', maxSessionSeconds: 3600 },
        { ...subject, ...replica.directory.labelsOf('local', 'shop', 'web') },
      ).length
    await until('both fit', () => found() === 2)
    assert.equal(replica.directory.findTenants({ namespace: 'store' }).length, 1)
    assert.deepEqual(replica.directory.labelsOf('edge', 'shop', 'web'), {})
    await server().ask('/api/v1/namespaces/shop/serviceaccounts/web', {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { tier: 'back' } } },
    })
    await until('the label fits no more', () => found() === 1)
    await server().apply(
      'bindings',
      binding('store', 'exact', { subjects: [{ namespace: 'shop', serviceAccount: 'job' }] }),
    )
    await until('the binding is for another', () => found() === 0)
    const last = replica.changes.findLast(({ name }) => name === 'exact')
    assert.deepEqual(last?.binding, { id: 'daypass.dev/Binding/store/exact', became: 'narrower' })
    await remove('/apis/daypass.dev/v1/namespaces/store/bindings/exact')
    await until('it is gone', () => replica.changes.at(-1)?.binding?.became === 'gone')
    await remove('/apis/daypass.dev/v1/namespaces/store/bindings/labels')
  })

  test('takes a kind up when it is installed, in the version that is served', async () => {
    const crd = readCrd('policybindings')
    const spec = crd['spec'] as { versions: { name: string }[] }
    const versions = spec.versions
      .filter(({ name }) => name === 'v1alpha1')
      .map((version) => ({ ...version, storage: true }))
    await install(server(), { ...crd, spec: { ...spec, versions } })
    await server().apply('policybindings', policyBinding('store', 'old', ['readonly'], 'v1alpha1'))
    await install(server(), minioTenantCrd)
    await until('it is known', () => names().length === 1)
    assert.deepEqual(names(), ['sts.min.io/PolicyBinding/store/old'])
    assert.equal(statusOf('policybindings', 'sts.min.io').absent, false)
  })

  test('lists thousands in pages, each exactly once', async () => {
    await install(server(), readCrd('policybindings'))
    await server().createNamespace('crowd')
    await createMany(replica, many)
    await until('all are known', () => replica.directory.counts().bindings === many + 1)
    const second = await openReplica(server())
    await until('a second replica is synced', () => second.cluster.isSynced())
    assert.equal(second.directory.counts().bindings, many + 1)
    assert.equal(second.changes.filter(({ kind }) => kind === 'PolicyBinding').length, many + 1)
    await second.close()
  })

  test('is not whole while a kind may not be read, and says which', async () => {
    await server().createServiceAccount('shop', 'reader')
    const rule = (plurals: readonly string[]) => ({
      apiGroups: ['daypass.dev', 'sts.min.io', 'minio.min.io'],
      resources: plurals,
      verbs: ['list', 'watch'],
    })
    const role = (plurals: readonly string[]) =>
      server().apply('clusterroles', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reader' },
        rules: [rule(plurals)],
      })
    await role(['policybindings', 'bindings', 'policies'])
    await server().apply('clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'shop' }],
    })
    const token = await server().createToken('shop', 'reader', { audiences: [server().url] })
    const limited = await openReplica(server(), {
      kubeconfig: kubeconfigOf(server(), 'reader', token),
    })
    const tenants = () => limited.cluster.status().find(({ kind }) => kind.plural === 'tenants')
    await until('the refusal is known', () => tenants()?.error?.includes('forbidden') ?? false)
    await until('bindings are known', () => limited.directory.counts().bindings > many)
    assert.equal(limited.cluster.isSynced(), false)
    assert.ok(limited.errors.some((error) => error.includes('watching tenants.daypass.dev')))
    await role(['policybindings', 'bindings', 'policies', 'tenants'])
    // Labels still may not be read: selectors fit nothing, and that holds nobody up.
    await until('it is whole', () => limited.cluster.isSynced())
    assert.equal(limited.isFresh(), true)
    assert.deepEqual(limited.directory.labelsOf('local', 'shop', 'web'), {})
    await limited.close()
  })

  test('trusts the authorities of Secrets as long as they stand there (operator-sts.md section 5.5)', async () => {
    await server().createNamespace('operator')
    let now = new Date()
    const complaints: string[] = []
    const authorities = createMinioAuthorities({
      api: replica.api,
      namespace: 'operator',
      staleAfterSeconds: 600,
      clock: () => now,
      onError: (what) => complaints.push(what),
    })
    const pass = () => (now = new Date(now.getTime() + 31_000))
    const count = async () => (await authorities())?.match(/BEGIN CERTIFICATE/g)?.length
    assert.equal(await count(), 1)
    const other = readFileSync(`${server().dir}/pki/apiserver.pem`, 'utf8')
    const secret = (name: string, data: Record<string, string>) =>
      server().apply('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: 'operator' },
        stringData: data,
      })
    await secret('operator-ca-tls-store', { 'public.crt': other, 'private.key': 'x' })
    await secret('operator-ca-tls', {
      'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    })
    await secret('another', { 'ca.crt': other })
    assert.equal(await count(), 1, 'remembered')
    pass()
    assert.equal(await count(), 2)
    assert.deepEqual(complaints, ['ca.crt of Secret operator-ca-tls'])
    await remove('/api/v1/namespaces/operator/secrets/operator-ca-tls-store')
    pass()
    assert.equal(await count(), 1)
  })

  test('keeps all through an outage, until it is too old; then goes on from a new list', async () => {
    await server().apply(
      'bindings',
      binding('store', 'doomed', { subjects: [{ ...subjectOf('web') }] }),
    )
    await until('it counts', () => names().length === 2)
    const before = replica.changes.length
    const { lists } = statusOf('bindings', 'daypass.dev')
    await server().stop('apiserver')
    await until('it is too old', () => !replica.isFresh())
    assert.equal(names().length, 2, 'what counts is for the caller to say')
    assert.equal(replica.directory.counts().bindings, many + 2)
    const labels = () => replica.directory.labelsOf('local', 'shop', 'web')
    await until('labels are too old', () => labels().namespaceLabels === undefined)
    // Deleted while nobody looks, and the history forgotten: the watch cannot go on.
    await forget(server(), '/registry/daypass.dev/bindings/store/doomed')
    await server().start('apiserver')
    await until('it is fresh again', () => replica.isFresh())
    await until('the deletion is known', () => names().length === 1)
    assert.ok(statusOf('bindings', 'daypass.dev').lists > lists)
    const since = replica.changes.slice(before)
    assert.deepEqual(
      since.map(({ name, binding: change }) => [name, change?.became]),
      [['doomed', 'gone']],
    )
  })

  test('drops what was there when a kind is taken away', async () => {
    await server().apply('policies', {
      apiVersion: 'daypass.dev/v1',
      kind: 'Policy',
      metadata: { name: 'team', namespace: 'store' },
      spec: { document: { Version: '2012-10-17', Statement: [] } },
    })
    const known = () => replica.directory.findPolicy('store', 'team') !== undefined
    await until('it is known', known)
    await remove('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/policies.daypass.dev')
    await until('none is left', () => !known())
    await until('the kind is absent', () => statusOf('policies', 'daypass.dev').absent)
    assert.equal(replica.isFresh(), true)
  })
})

function subjectOf(serviceAccount: string) {
  return { namespace: 'shop', serviceAccount }
}

function methods(api: Replica['api']): Replica['api'] {
  return {
    server: api.server,
    ca: api.ca,
    send: (path, request) => api.send(path, request),
    watch: (path, options) => api.watch(path, options),
    close: () => api.close(),
  }
}

async function createMany({ api }: Replica, count: number): Promise<void> {
  const path = '/apis/sts.min.io/v1beta1/namespaces/crowd/policybindings'
  const pending = Array.from({ length: count }, (_, index) => policyBinding('crowd', `b-${index}`))
  const work = async (): Promise<void> => {
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { status, text } = await api.send(path, { method: 'POST', body: next })
      assert.equal(status, 201, text)
    }
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

/** Deletes a key in etcd, and all history with it. */
async function forget({ etcdUrl }: KubeLab, key: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header?: { revision?: string } }> => {
    const answer = await fetch(`${etcdUrl}/v3/kv/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    return (await answer.json()) as { header?: { revision?: string } }
  }
  const { header } = await post('deleterange', { key: Buffer.from(key).toString('base64') })
  await post('compaction', { revision: header?.revision, physical: true })
}
