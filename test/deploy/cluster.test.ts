import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
import { asked, operatorAccount } from './rights.ts'
import { deploy, getTools, must, readCrds, readManifests, type Tools } from './tools.ts'
import { valueSets, type Chart } from './value-sets.ts'

const chartOf = (chart: Chart): string => join(deploy, 'helm', chart)
const place = operatorAccount.namespace

describe('the charts, at a real API server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daypass-install-'))
  let lab: KubeLab | undefined
  let tools: Tools
  let missing: string | undefined

  before(async () => {
    const found = getTools()
    if (typeof found === 'string') {
      missing = found
      return
    }
    const started = await startKube()
    if (typeof started === 'string') {
      missing = started
      return
    }
    lab = started
    const withCluster = getTools(lab.kubeconfig)
    if (typeof withCluster === 'string') throw new Error(withCluster)
    tools = withCluster
    for (const name of [place, 'tenant-a', 'tenant-b', 'shop']) await lab.createNamespace(name)
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await lab?.down()
  })

  const ask = async (path: string, wishes?: Parameters<KubeLab['ask']>[1]) => {
    if (lab === undefined) throw new Error('there is no cluster')
    return lab.ask(path, wishes)
  }
  const statusOf = async (path: string): Promise<number> => (await ask(path)).status
  /** Each step stands on the one before: one that fails ends them. */
  let broken: string | undefined
  const step = (title: string, run: (t: TestContext) => Promise<void>): void => {
    it(title, async (t) => {
      const reason = missing ?? broken
      if (reason) return t.skip(reason)
      broken = `after "${title}"`
      await run(t)
      broken = undefined
    })
  }
  const install = (chart: Chart, namespace: string, release: string, values: unknown) => {
    const file = join(folder, `${release}.json`)
    writeFileSync(file, JSON.stringify(values))
    const words = ['upgrade', '--install', release, chartOf(chart), '--namespace', namespace]
    return tools.helm(...words, '--values', file)
  }
  const manifest = (objects: readonly unknown[]): string => {
    const file = join(folder, 'objects.json')
    writeFileSync(file, objects.map((object) => JSON.stringify(object)).join('\n---\n'))
    return file
  }
  const uninstall = (namespace: string, release: string) =>
    tools.helm('uninstall', release, '--namespace', namespace)
  const binding = {
    apiVersion: 'daypass.dev/v1',
    kind: 'Binding',
    metadata: { name: 'web', namespace: 'tenant-a' },
    spec: { subjects: [{ namespace: 'shop', serviceAccount: 'web' }], policies: ['readonly'] },
  }
  const policyBinding = {
    apiVersion: 'sts.min.io/v1beta1',
    kind: 'PolicyBinding',
    metadata: { name: 'web', namespace: 'tenant-a' },
    spec: { application: { namespace: 'shop', serviceaccount: 'web' }, policies: ['readonly'] },
  }
  const bindingPath = '/apis/daypass.dev/v1/namespaces/tenant-a/bindings/web'
  const policyBindingPath = '/apis/sts.min.io/v1beta1/namespaces/tenant-a/policybindings/web'
  const secretPath = (name: string) => `/api/v1/namespaces/tenant-a/secrets/${name}`

  step('helm install brings the operator, and says what to do next', async () => {
    const said = must(
      await install('daypass-operator', place, 'daypass-operator', {
        tenantNamespaces: ['tenant-a', { name: 'tenant-b', secrets: ['keys'] }],
      }),
    )
    assert.match(said, /https:\/\/sts\.daypass-operator\.svc:4223\/sts\/NAMESPACE/)
    assert.equal(await statusOf(`/api/v1/namespaces/${place}/services/sts`), 200)
    const { body } = await ask(`/apis/apps/v1/namespaces/${place}/deployments/daypass-operator`)
    assert.equal((body['spec'] as { replicas: number }).replicas, 2)
    const bindings = manifest([binding, policyBinding])
    must(await tools.kubectl('apply', '--server-side', '-f', bindings))
  })

  step('the operator may do exactly what it has to', async () => {
    const token = await lab?.createToken(place, operatorAccount.name, { audiences: [lab.url] })
    assert.ok(token)
    for (const { may, attributes, why } of asked) {
      const { status, body } = await ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        method: 'POST',
        token,
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: attributes,
        },
      })
      assert.equal(status, 201, JSON.stringify(body))
      const { allowed } = body['status'] as { allowed: boolean }
      assert.equal(allowed, may, `${why}: ${JSON.stringify(attributes)}`)
    }
    // And once for real: rules that are not in force would pass a table.
    const secrets = await ask('/api/v1/secrets', { token })
    assert.equal(secrets.status, 403)
    const bindings = await ask('/apis/daypass.dev/v1/bindings', { token })
    assert.equal(bindings.status, 200)
  })

  for (const { chart, title, values } of valueSets) {
    step(`the API server takes what ${chart} makes, ${title}`, async () => {
      const file = join(folder, 'values.json')
      writeFileSync(file, JSON.stringify(values))
      const words = ['template', 'trial', chartOf(chart), '--namespace', 'tenant-b']
      const version = ['--kube-version', '1.20', '--api-versions', 'policy/v1beta1']
      const text = must(await tools.helm(...words, ...version, '--values', file))
      // Kinds of cert-manager and Prometheus are not here; PodDisruptionBudget is older than what Helm knows of here.
      const known = readManifests(text).filter(({ apiVersion, kind }) => {
        const foreign = /cert-manager|monitoring\.coreos/.test(apiVersion)
        return !foreign && kind !== 'CustomResourceDefinition' && kind !== 'PodDisruptionBudget'
      })
      const here = known.filter(
        ({ metadata: { namespace = '' } }) => !namespace.startsWith('place'),
      )
      must(await tools.kubectl('apply', '--dry-run=server', '-f', manifest(here)))
      assert.ok(known.length > 5)
    })
  }

  step('the operator lets a tenant in, with keys of its own', async () => {
    must(
      await install('daypass-tenant', 'tenant-a', 'store', {
        tls: { insecurePlainHttp: true },
        bindings: { more: binding.spec },
      }),
    )
    assert.equal(await statusOf('/apis/daypass.dev/v1/namespaces/tenant-a/tenants/store'), 200)
    const { data } = (await ask(secretPath('store-session-keys'))).body
    const keys = new Map(
      Object.entries(data as Record<string, string>).map(([name, text]) => [
        name,
        Buffer.from(text, 'base64').toString(),
      ]),
    )
    const active = keys.get('active') ?? ''
    assert.match(active, /^[a-z2-7]{16}$/)
    assert.equal(Buffer.from(keys.get(active) ?? '', 'base64').length, 32)
    const root = (await ask(secretPath('store-root'))).body['data'] as Record<string, string>
    assert.ok(Buffer.from(root['secretAccessKey'] ?? '', 'base64').length >= 40)
  })

  step('the operator may read the keys that are for it, and not the root key', async () => {
    must(
      await install('daypass-tenant', 'tenant-b', 'other', {
        tls: { secretName: 'other-tls' },
        endSessions: { caConfigMap: 'other-ca' },
      }),
    )
    const token = await lab?.createToken(place, operatorAccount.name, { audiences: [lab.url] })
    const read = async (kind: string, name: string) =>
      (await ask(`/api/v1/namespaces/tenant-b/${kind}/${name}`, { token: token ?? '' })).status
    assert.equal(await read('secrets', 'other-session-keys'), 200)
    assert.equal(await read('secrets', 'other-operator'), 200)
    assert.equal(await read('configmaps', 'other-ca'), 404)
    assert.equal(await read('secrets', 'other-root'), 403)
    assert.equal(await read('secrets', 'other-tls'), 403)
    assert.equal(await read('configmaps', 'other'), 403)
  })

  step('helm upgrade keeps its keys, and a key that was added', async () => {
    const before = [
      await ask(secretPath('store-root')),
      await ask(secretPath('store-session-keys')),
    ]
    const added = { stringData: { aaaabbbbccccdddd: Buffer.alloc(32, 7).toString('base64') } }
    const patched = await ask(secretPath('store-session-keys'), {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: added,
    })
    assert.equal(patched.status, 200)
    const values = { tls: { insecurePlainHttp: true }, region: 'eu-central-1' }
    must(await install('daypass-tenant', 'tenant-a', 'store', values))
    const root = await ask(secretPath('store-root'))
    assert.deepEqual(root.body['data'], before[0]?.body['data'])
    const keys = await ask(secretPath('store-session-keys'))
    assert.deepEqual(keys.body['data'], patched.body['data'])
  })

  step('the root key cannot be changed by whatever renders it anew', async () => {
    const { status, body } = await ask(secretPath('store-root'), {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { stringData: { secretAccessKey: 'another' } },
    })
    assert.equal(status, 422)
    assert.match(JSON.stringify(body), /immutable/)
  })

  step(
    'helm upgrade brings new versions of the definitions, and leaves bindings alone',
    async () => {
      const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/policies.daypass.dev'
      const description = { spec: { names: { shortNames: ['older'] } } }
      const changed = await ask(crd, {
        method: 'PATCH',
        contentType: 'application/merge-patch+json',
        body: description,
      })
      assert.equal(changed.status, 200)
      must(
        await tools.helm(
          'upgrade',
          'daypass-operator',
          chartOf('daypass-operator'),
          `--namespace=${place}`,
          '--reset-then-reuse-values',
          '--set=replicaCount=3',
          '--force-conflicts',
        ),
      )
      const { names } = (await ask(crd)).body['spec'] as { names: { shortNames: string[] } }
      assert.deepEqual(names.shortNames, ['dpp'])
      assert.equal(await statusOf(bindingPath), 200)
      const tenantRole = `/apis/rbac.authorization.k8s.io/v1/namespaces/tenant-a/roles/daypass-operator-tenant-secrets`
      assert.equal(await statusOf(tenantRole), 200)
    },
  )

  step(
    'helm uninstall takes the operator and its rights, and leaves bindings, definitions and keys',
    async () => {
      must(await uninstall('tenant-a', 'store'))
      for (const name of ['store-root', 'store-session-keys'])
        assert.equal(await statusOf(secretPath(name)), 200, name)
      must(await uninstall(place, 'daypass-operator'))
      assert.equal(
        await statusOf(`/apis/apps/v1/namespaces/${place}/deployments/daypass-operator`),
        404,
      )
      const { body } = await ask('/apis/rbac.authorization.k8s.io/v1/clusterroles')
      const left = (body['items'] as { metadata: { name: string } }[]).filter(({ metadata }) =>
        metadata.name.includes('daypass'),
      )
      assert.deepEqual(left, [])
      for (const { metadata } of readCrds()) {
        const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`
        assert.equal(await statusOf(path), 200, metadata.name)
      }
      assert.equal(await statusOf(bindingPath), 200)
      assert.equal(await statusOf(policyBindingPath), 200)
    },
  )

  step('helm install again finds them all', async () => {
    must(await install('daypass-operator', place, 'daypass-operator', {}))
    assert.equal(await statusOf(bindingPath), 200)
    must(await uninstall(place, 'daypass-operator'))
  })

  step('a PolicyBinding kind that somebody else has installed is left to them', async () => {
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/policybindings.sts.min.io'
    const owner = { 'meta.helm.sh/release-name': 'minio-operator' }
    const body = { metadata: { annotations: owner, labels: { owner: 'another' } } }
    await ask(crd, { method: 'PATCH', contentType: 'application/merge-patch+json', body })
    const said = must(await install('daypass-operator', place, 'daypass-operator', {}))
    assert.match(said, /belongs to the Helm release minio-operator/)
    const { metadata } = (await ask(crd)).body as { metadata: typeof body.metadata }
    assert.equal(metadata.annotations['meta.helm.sh/release-name'], 'minio-operator')
    assert.equal(metadata.labels.owner, 'another')
    must(await uninstall(place, 'daypass-operator'))
    assert.equal(await statusOf(policyBindingPath), 200)
  })

  step('kustomize gives what the API server takes', async () => {
    const path = join(deploy, 'kustomize/base')
    const text = must(await tools.kubectl('kustomize', path))
    const known = readManifests(text).filter(({ kind }) => kind !== 'PodDisruptionBudget')
    const words = ['apply', '--server-side', '--force-conflicts', '-f', manifest(known)]
    must(await tools.kubectl(...words))
    assert.equal(
      await statusOf(`/apis/apps/v1/namespaces/${place}/deployments/daypass-operator`),
      200,
    )
  })
})
