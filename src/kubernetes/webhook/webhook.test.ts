import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import {
  startKube,
  type KubeAnswer,
  type KubeLab,
  type KubeObject,
} from '../../../test/labs/kube-lab.ts'
import { withoutOpenssl, Workshop } from '../../identity/certificate/testing/authority.ts'
import { listen, type Listener } from '../../listener/index.ts'
import { openClusterApi, type ClusterApi } from '../api.ts'
import { openCluster, type Cluster } from '../cluster.ts'
import { ClusterDirectory } from '../directory.ts'
import { createWebhookFace } from './webhook-face.ts'

const crds = resolve(import.meta.dirname, '../../../deploy/crds')

describe('admission by a real API server', { skip: withoutOpenssl() }, () => {
  const shop = new Workshop()
  let lab: KubeLab | string = 'not started'
  let listener: Listener
  let api: ClusterApi
  let cluster: Cluster
  let asked = 0

  before(async () => {
    lab = await startKube()
    if (typeof lab === 'string') return
    for (const file of readdirSync(crds)) {
      const crd = parse(readFileSync(join(crds, file), 'utf8')) as KubeObject
      await lab.apply('customresourcedefinitions', crd)
    }
    await lab.createNamespace('shop')
    const directory = new ClusterDirectory({
      homeCluster: 'local',
      clusterDomain: 'cluster.local',
      insecureHttpTenants: false,
      watchedNamespaces: [],
      onChange: () => undefined,
    })
    api = await openClusterApi({ kubeconfig: lab.kubeconfig })
    cluster = openCluster({
      api,
      directory,
      features: { minioTenants: false, labelSelectors: true },
      staleAfterSeconds: 600,
      clock: () => new Date(),
      random: Math.random,
      onError: () => undefined,
      onAbsent: () => undefined,
    })
    shop.make('authority', { extensions: 'ca' })
    shop.make('webhook', {
      by: 'authority',
      extensions: ['extendedKeyUsage=serverAuth', 'subjectAltName=IP:127.0.0.1'],
    })
    const face = createWebhookFace({
      directory,
      isFresh: () => cluster.isFresh(new Date()),
      homeCluster: 'local',
      clusters: ['local'],
      labelSelectors: true,
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
    })
    listener = await listen({
      address: '127.0.0.1:0',
      tls: { certFile: shop.file('webhook.pem'), keyFile: shop.file('webhook.key') },
      trustedProxies: [],
      handle: (request) => {
        asked += 1
        return face(request)
      },
      broken: () => ({ status: 500, headers: {} }),
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
      clock: () => new Date(),
      requestId: () => '0123456789ABCDEF',
    })
    await register(lab)
    await until(() => cluster.isSynced())
  })
  after(async () => {
    await listener?.close(100)
    await cluster?.close()
    await api?.close()
    shop.close()
    if (typeof lab !== 'string') await lab.down()
  })

  async function register({ ask }: KubeLab): Promise<void> {
    const rule = (group: string, apiVersions: string[], resources: string[]) => ({
      apiGroups: [group],
      apiVersions,
      resources,
      operations: ['CREATE', 'UPDATE', 'DELETE'],
    })
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
    const { status } = await ask(path, {
      method: 'POST',
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'daypass' },
        webhooks: [
          {
            name: 'validate.daypass.dev',
            clientConfig: {
              url: `${listener.url}/validate`,
              caBundle: Buffer.from(shop.pem('authority')).toString('base64'),
            },
            rules: [
              rule('daypass.dev', ['v1'], ['bindings', 'policies', 'tenants']),
              rule('sts.min.io', ['v1beta1', 'v1alpha1'], ['policybindings']),
            ],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            failurePolicy: 'Fail',
            timeoutSeconds: 5,
          },
        ],
      },
    })
    assert.equal(status, 201)
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resume) => setTimeout(resume, 50))
  }

  /** Server-side apply, as `kubectl apply --server-side` sends it. Any status is an answer. */
  function apply(
    found: KubeLab,
    plural: string,
    object: KubeObject,
    query = '',
  ): Promise<KubeAnswer> {
    const path = `/apis/${object.apiVersion}/namespaces/shop/${plural}/${object.metadata.name}`
    return found.ask(`${path}?fieldManager=kubectl&force=true${query}`, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: object,
    })
  }

  const binding = (name: string, spec: unknown): KubeObject => ({
    apiVersion: 'daypass.dev/v1',
    kind: 'Binding',
    metadata: { name, namespace: 'shop' },
    spec,
  })
  const subjects = [{ namespace: 'apps', serviceAccount: 'web' }]
  const sound = binding('sound', { subjects, policies: ['readonly'] })
  const unsound = binding('unsound', {
    subjects,
    inline: [{ Version: '2012-10-17', Statement: [{ Effect: 'Perhaps' }] }],
  })

  function onLab(title: string, test: (found: KubeLab) => Promise<void>): void {
    it(title, async (context) => (typeof lab === 'string' ? context.skip(lab) : test(lab)))
  }

  onLab('refuses a Binding whose policy is none, and says so to who applies it', async (found) => {
    // Until it is in force, the API server takes everything.
    await until(async () => {
      await apply(found, 'bindings', sound, '&dryRun=All')
      return asked > 0
    })
    for (const query of ['', '&dryRun=All']) {
      const { status, body } = await apply(found, 'bindings', unsound, query)
      assert.equal(status, 422, JSON.stringify(body))
      assert.match(
        String(body['message']),
        /denied the request: Binding is not valid: spec\.inline\.0/,
      )
    }
    const { status } = await found.ask('/apis/daypass.dev/v1/namespaces/shop/bindings/unsound')
    assert.equal(status, 404)
  })

  onLab('admits what is sound, of every kind and version', async (found) => {
    const before = asked
    const target = { gateway: { sessionKeysSecretRef: { name: 'keys' } } }
    const application = { namespace: 'apps', serviceaccount: 'web' }
    const document = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
    }
    const all: readonly (readonly [string, KubeObject])[] = [
      ['bindings', sound],
      ['tenants', { ...sound, kind: 'Tenant', spec: { target } }],
      ['policies', { ...sound, kind: 'Policy', spec: { document } }],
      ...['v1beta1', 'v1alpha1'].map((version): readonly [string, KubeObject] => [
        'policybindings',
        {
          apiVersion: `sts.min.io/${version}`,
          kind: 'PolicyBinding',
          metadata: { name: version, namespace: 'shop' },
          spec: { application, policies: ['readonly'] },
        },
      ]),
    ]
    for (const [plural, object] of all) {
      const { status, body } = await apply(found, plural, object)
      assert.ok(status < 300, JSON.stringify(body))
    }
    assert.equal(asked - before, all.length)
  })

  onLab('lets things go, and their names be used again', async (found) => {
    const path = '/apis/daypass.dev/v1/namespaces/shop/bindings/sound'
    assert.equal((await found.ask(path, { method: 'DELETE' })).status, 200)
    assert.ok((await apply(found, 'bindings', sound)).status < 300)
  })

  onLab('keeps the door shut while it is away, as failurePolicy says', async (found) => {
    await listener.close(100)
    const { status } = await apply(found, 'bindings', sound, '&dryRun=All')
    assert.equal(status, 500)
  })
})
