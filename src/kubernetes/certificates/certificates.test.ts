import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync, readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { startKube, type KubeAnswer, type KubeLab } from '../../../test/labs/kube-lab.ts'
import { listen } from '../../listener/index.ts'
import { openClusterApi, type ClusterApi } from '../api.ts'
import { missingNames } from './serving-pair.ts'
import {
  Keeper,
  openServingCertificate,
  servingNames,
  type ServingCertificateOptions,
} from './serving-certificate.ts'

const dayMs = 86_400_000
const signal = new AbortController().signal
const kubelet = 'kubernetes.io/kubelet-serving'

describe('the certificate of the operator (operator-sts.md section 6.3)', () => {
  let lab: KubeLab | string = 'not started'
  let api: ClusterApi
  let count = 0
  let now = new Date()
  const errors: string[] = []

  before(async () => {
    lab = await startKube()
    if (typeof lab !== 'string') api = await openClusterApi({ kubeconfig: lab.kubeconfig })
  })
  after(async () => {
    await api?.close()
    if (typeof lab !== 'string') await lab.down()
  })

  /** A test in a namespace of its own. */
  function onLab(title: string, test: (world: World) => Promise<void>): void {
    it(title, async (context) => {
      if (typeof lab === 'string') return context.skip(lab)
      count += 1
      const namespace = `op-${count}`
      await lab.createNamespace(namespace)
      now = new Date()
      errors.length = 0
      await test(new World(lab, namespace))
    })
  }

  class World {
    readonly lab: KubeLab
    readonly namespace: string

    constructor(found: KubeLab, namespace: string) {
      this.lab = found
      this.namespace = namespace
    }

    options(wishes: Partial<ServingCertificateOptions> = {}): ServingCertificateOptions {
      return {
        api,
        certificate: { mode: 'auto', signerName: kubelet, ownCa: false },
        namespace: this.namespace,
        serviceName: 'sts',
        clusterDomain: 'cluster.local',
        isLeader: () => true,
        clock: () => now,
        onError: (what, error) => errors.push(`${what}: ${String(error)}`),
        signerWaitMs: 20_000,
        ...wishes,
      }
    }

    keeper(wishes: Partial<ServingCertificateOptions> = {}): Keeper {
      return new Keeper(this.options(wishes))
    }

    ownCa(wishes: Partial<ServingCertificateOptions> = {}): Keeper {
      return this.keeper({
        certificate: { mode: 'auto', signerName: kubelet, ownCa: true },
        ...wishes,
      })
    }

    path(kind: string, name = ''): string {
      return `/api/v1/namespaces/${this.namespace}/${kind}/${name}`
    }

    async values(kind: 'secrets' | 'configmaps', name: string): Promise<Map<string, string>> {
      const { body } = await this.lab.ask(this.path(kind, name))
      const encoding = kind === 'secrets' ? 'base64' : 'utf8'
      const data = (body['data'] ?? {}) as Record<string, string>
      const entries = Object.entries(data).map(
        ([key, text]) => [key, Buffer.from(text, encoding).toString('utf8')] as const,
      )
      return new Map(entries)
    }

    async leaf(): Promise<X509Certificate> {
      const values = await this.values('secrets', 'sts-tls')
      return new X509Certificate(values.get('public.crt') ?? values.get('tls.crt') ?? '')
    }

    async texts(): Promise<string[]> {
      const values = await this.values('secrets', 'sts-tls')
      return ['public.crt', 'private.key'].map((key) => values.get(key) ?? '')
    }

    async put(
      name: string,
      data: Record<string, string>,
      more: Record<string, unknown> = {},
    ): Promise<KubeAnswer> {
      await this.lab.ask(this.path('secrets', name), { method: 'DELETE' })
      const answer = await this.lab.ask(this.path('secrets'), {
        method: 'POST',
        body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data, ...more },
      })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return answer
    }

    async requests(): Promise<readonly string[]> {
      const { body } = await this.lab.ask('/apis/certificates.k8s.io/v1/certificatesigningrequests')
      const items = (body['items'] ?? []) as { metadata: { name: string } }[]
      const names = items.map(({ metadata }) => metadata.name)
      return names.filter((name) => name.startsWith(`sts-${this.namespace}-`))
    }
  }

  /** Fails unless a client that trusts `ca` alone, and calls the service by `name`, gets an answer. */
  async function call(keeper: Pick<Keeper, 'read' | 'onChange'>, ca: string, name: string) {
    const listener = await listen({
      address: '127.0.0.1:0',
      tls: { material: keeper },
      trustedProxies: [],
      handle: () => Promise.resolve({ status: 200, headers: {} }),
      broken: () => ({ status: 500, headers: {} }),
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
      clock: () => new Date(),
      requestId: () => '0123456789ABCDEF',
    })
    const { port } = new URL(listener.url)
    try {
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca, servername: name })
      await once(socket, 'secureConnect')
      socket.destroy()
    } finally {
      await listener.close(100)
    }
  }

  describe('by the cluster’s CSR API', () => {
    onLab('has every name, the key of the Secret and the trust of the cluster', async (world) => {
      const keeper = world.keeper()
      await keeper.round(signal)
      assert.deepEqual(keeper.status().message, '')
      assert.equal(keeper.status().ready, true)
      const leaf = await world.leaf()
      assert.equal(leaf.subject, `O=system:nodes\nCN=system:node:sts.${world.namespace}.svc`)
      const names = [
        'sts',
        `sts.${world.namespace}`,
        `sts.${world.namespace}.svc`,
        `sts.${world.namespace}.svc.cluster.local`,
      ]
      assert.deepEqual(
        leaf.subjectAltName?.split(', '),
        names.map((name) => `DNS:${name}`),
      )
      const values = await world.values('secrets', 'sts-tls')
      assert.match(values.get('private.key') ?? '', /^-----BEGIN PRIVATE KEY-----\n/)
      const published = await world.values('configmaps', 'daypass-sts-ca')
      assert.equal(published.get('ca.crt') ?? '', '', 'not before it is found again')
      await keeper.round(signal)
      const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
      for (const name of names) await call(keeper, ca, name)
      await assert.rejects(call(keeper, ca, 'sts.other.svc'))
    })

    onLab('asks once, and not again while all is well', async (world) => {
      const keeper = world.keeper()
      for (let round = 0; round < 4; round += 1) await keeper.round(signal)
      assert.equal((await world.requests()).length, 1)
    })

    onLab('is renewed when two thirds of its life are over, under another key', async (world) => {
      const keeper = world.keeper()
      await keeper.round(signal)
      const first = await world.leaf()
      const life = first.validToDate.getTime() - first.validFromDate.getTime()
      now = new Date(first.validFromDate.getTime() + (life * 2) / 3 - 60_000)
      await keeper.round(signal)
      assert.equal((await world.leaf()).fingerprint256, first.fingerprint256)
      const told: string[] = []
      keeper.onChange(({ cert }) => told.push(new X509Certificate(cert).fingerprint256))
      now = new Date(now.getTime() + 120_000)
      await keeper.round(signal)
      const second = await world.leaf()
      assert.notEqual(second.fingerprint256, first.fingerprint256)
      assert.equal(second.publicKey.equals(first.publicKey), false)
      assert.deepEqual(told, [second.fingerprint256])
      const requests = await world.requests()
      assert.equal(new Set(requests).size, 2, 'a name of its own for each key')
    })

    onLab('is another one when the names of the service change', async (world) => {
      await world.keeper().round(signal)
      const options = { clusterDomain: 'corp.example' }
      const keeper = world.keeper(options)
      await keeper.round(signal)
      const names = servingNames({ ...world.options(), ...options })
      assert.deepEqual(missingNames(await world.leaf(), names), [])
    })

    onLab(
      'is left alone by a replica that does not lead, which takes what comes',
      async (world) => {
        const follower = world.keeper({ isLeader: () => false })
        await follower.round(signal)
        assert.equal(follower.status().ready, false)
        assert.match(follower.status().message, /sts-tls is not there yet; the leader makes it/)
        await world.keeper().round(signal)
        await follower.round(signal)
        assert.equal(follower.status().ready, true)
        assert.equal((await world.requests()).length, 1)
      },
    )

    onLab('comes from the own CA when the signer never answers', async (world) => {
      const certificate = { mode: 'auto', signerName: 'example.com/nobody', ownCa: false } as const
      const keeper = world.keeper({ certificate, signerWaitMs: 300 })
      await keeper.round(signal)
      assert.equal(keeper.status().ready, true)
      assert.match(errors.join(), /example.com\/nobody gave no certificate within .* own CA signs/)
      const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
      assert.equal((await world.leaf()).checkIssued(new X509Certificate(ca)), true)
      for (let round = 0; round < 3; round += 1) await keeper.round(signal)
      assert.equal((await world.requests()).length, 1, 'the signer is not asked for ever')
    })

    onLab('comes from the own CA when the signer refuses, as new clusters do', async (world) => {
      const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
      const keeper = world.keeper({ certificate: { mode: 'auto', signerName, ownCa: false } })
      await keeper.round(signal)
      assert.equal(keeper.status().ready, true)
      assert.match(errors.join(), /kube-apiserver-client-kubelet (refuses|gave no certificate)/)
    })

    onLab(
      'stays as it is while the signer that made it fails to renew it, to the last',
      async (world) => {
        const keeper = world.keeper()
        await keeper.round(signal)
        const first = await world.leaf()
        const life = first.validToDate.getTime() - first.validFromDate.getTime()
        const certificate = {
          mode: 'auto',
          signerName: 'example.com/nobody',
          ownCa: false,
        } as const
        const failing = world.keeper({ certificate, signerWaitMs: 100 })
        now = new Date(first.validFromDate.getTime() + life * 0.7)
        await assert.rejects(
          failing.round(signal),
          /renewing the certificate: .* gave no certificate/,
        )
        assert.equal((await world.leaf()).fingerprint256, first.fingerprint256)
        assert.equal(failing.status().ready, true)
        const requests = (await world.requests()).length
        await failing.round(signal)
        assert.equal((await world.requests()).length, requests, 'not again at once')
        now = new Date(first.validFromDate.getTime() + life * 0.95)
        await failing.round(signal)
        assert.notEqual((await world.leaf()).fingerprint256, first.fingerprint256)
      },
    )

    onLab('is not asked for again and again by a clock that is wrong', async (world) => {
      const keeper = world.keeper()
      now = new Date(now.getTime() + 20 * 365 * dayMs)
      for (let round = 0; round < 5; round += 1) await keeper.round(signal)
      assert.equal((await world.requests()).length, 1)
      assert.equal(keeper.status().ready, false)
    })

    onLab(
      'waits for others to approve where the operator may not, and takes the own CA after that',
      async (world) => {
        const limited = await restricted(world)
        const waiting = new Keeper({ ...world.options(), api: limited, signerWaitMs: 300 })
        await waiting.round(signal)
        assert.match(errors.join(), /nobody approved .* the operator has no right to approve it/)
        assert.equal(waiting.status().ready, true)
        await limited.close()
      },
    )
  })

  describe('by the own CA', () => {
    onLab('is trusted by who takes the ConfigMap, under every name', async (world) => {
      const keeper = world.ownCa()
      await keeper.round(signal)
      assert.equal((await world.requests()).length, 0)
      const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
      for (const name of servingNames(world.options())) await call(keeper, ca, name)
      await assert.rejects(call(keeper, ca, 'kubernetes.default.svc'))
      await assert.rejects(call(keeper, readFileSync(world.lab.caFile, 'utf8'), 'sts'))
    })

    onLab('is the same for replicas that all begin at once', async (world) => {
      const keepers = [1, 2, 3].map(() => world.ownCa())
      await Promise.all(keepers.map((keeper) => keeper.round(signal)))
      await Promise.all(keepers.map((keeper) => keeper.round(signal)))
      const prints = keepers.map((keeper) => keeper.status().fingerprint)
      assert.equal(new Set(prints).size, 1)
      const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
      assert.equal(ca.match(/BEGIN CERTIFICATE/g)?.length, 1)
      assert.equal(ca, (await world.values('secrets', 'sts-ca')).get('tls.crt'))
      for (const keeper of keepers) await call(keeper, ca, 'sts')
    })

    onLab('keeps its CA when the certificate is renewed', async (world) => {
      const keeper = world.ownCa()
      await keeper.round(signal)
      const ca = (await world.values('secrets', 'sts-ca')).get('tls.crt')
      const first = await world.leaf()
      now = new Date(now.getTime() + 61 * dayMs)
      await keeper.round(signal)
      assert.notEqual((await world.leaf()).fingerprint256, first.fingerprint256)
      assert.equal((await world.values('secrets', 'sts-ca')).get('tls.crt'), ca)
    })

    onLab('goes on trusting the CA before this one, when that grows old', async (world) => {
      const keeper = world.ownCa()
      await keeper.round(signal)
      const old = (await world.values('secrets', 'sts-ca')).get('tls.crt') ?? ''
      now = new Date(now.getTime() + 7 * 365 * dayMs)
      await keeper.round(signal)
      const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
      assert.equal(ca.match(/BEGIN CERTIFICATE/g)?.length, 2)
      assert.ok(ca.includes(old))
      const fresh = new X509Certificate(
        (await world.values('secrets', 'sts-ca')).get('tls.crt') ?? '',
      )
      assert.equal((await world.leaf()).checkIssued(fresh), true)
    })

    onLab('stays with those who trust it, until somebody removes the Secret', async (world) => {
      await world.ownCa().round(signal)
      now = new Date(now.getTime() + 61 * dayMs)
      const keeper = world.keeper()
      await keeper.round(signal)
      assert.equal((await world.requests()).length, 0)
      await world.lab.ask(world.path('secrets', 'sts-tls'), { method: 'DELETE' })
      now = new Date()
      await world.keeper().round(signal)
      assert.equal((await world.requests()).length, 1)
    })

    onLab('is published again when somebody spoils the ConfigMap', async (world) => {
      const keeper = world.ownCa()
      await keeper.round(signal)
      const before = await world.values('configmaps', 'daypass-sts-ca')
      const body = { data: { 'ca.crt': 'x' } }
      const contentType = 'application/merge-patch+json'
      const wishes = { method: 'PATCH', body, contentType }
      await world.lab.ask(world.path('configmaps', 'daypass-sts-ca'), wishes)
      await keeper.round(signal)
      assert.deepEqual(await world.values('configmaps', 'daypass-sts-ca'), before)
    })

    onLab('is told to the API server for its webhooks, and told again', async (world) => {
      const name = `hooks-${world.namespace}`
      const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
      const webhooks = ['one.daypass.dev', 'two.daypass.dev'].map((hook) => ({
        name: hook,
        clientConfig: { service: { name: 'sts', namespace: world.namespace, port: 8443 } },
        rules: [],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      }))
      const body = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name }, webhooks }
      const made = await world.lab.ask(path, { method: 'POST', body })
      assert.equal(made.status, 201, JSON.stringify(made.body))
      const bundles = async () => {
        const { body: found } = await world.lab.ask(`${path}/${name}`)
        const hooks = found['webhooks'] as { clientConfig: { caBundle: string } }[]
        return hooks.map(({ clientConfig }) =>
          Buffer.from(clientConfig.caBundle, 'base64').toString(),
        )
      }
      const keeper = world.ownCa({ webhookConfiguration: name })
      await keeper.round(signal)
      const ca = (await world.values('secrets', 'sts-ca')).get('tls.crt')
      assert.deepEqual(await bundles(), [ca, ca])
      await world.put('sts-ca', { 'tls.crt': 'x', 'tls.key': 'y' })
      await keeper.round(signal)
      const fresh = (await world.values('secrets', 'sts-ca')).get('tls.crt')
      assert.deepEqual(await bundles(), [fresh, fresh])
      await world.lab.ask(`${path}/${name}`, { method: 'DELETE' })
      await keeper.round(signal)
      assert.deepEqual(errors, [])
    })
  })

  describe('heals itself from', () => {
    const spoiled: readonly (readonly [string, (world: World) => Promise<unknown>])[] = [
      ['garbage', (world) => world.put('sts-tls', { 'public.crt': 'x', 'private.key': 'y' })],
      ['an empty Secret', (world) => world.put('sts-tls', {})],
      [
        'a key of another certificate, which crashed the original (minio/operator issue 2437)',
        async (world) => {
          const { keyPem } = await (await import('./x509.ts')).createSigningPair()
          const values = await world.values('secrets', 'sts-tls')
          const cert = values.get('public.crt') ?? ''
          await world.put('sts-tls', { 'public.crt': cert, 'private.key': keyPem })
        },
      ],
      [
        'a Secret of type kubernetes.io/tls with nonsense in it',
        (world) =>
          world.put('sts-tls', { 'tls.crt': 'x', 'tls.key': 'y' }, { type: 'kubernetes.io/tls' }),
      ],
      [
        'a Secret that is gone',
        (world) => world.lab.ask(world.path('secrets', 'sts-tls'), { method: 'DELETE' }),
      ],
      [
        'an own CA that is garbage',
        (world) => world.put('sts-ca', { 'tls.crt': 'x', 'tls.key': 'y' }),
      ],
    ]
    for (const [title, spoil] of spoiled) {
      onLab(title, async (world) => {
        const keeper = world.ownCa()
        await keeper.round(signal)
        const before = keeper.status().fingerprint
        await spoil(world)
        const another = world.ownCa({ isLeader: () => false })
        await another.round(signal)
        if (!title.includes('own CA')) assert.equal(another.status().ready, false)
        await keeper.round(signal)
        assert.notEqual(keeper.status().fingerprint, before)
        await another.round(signal)
        assert.equal(another.status().fingerprint, keeper.status().fingerprint)
        const ca = (await world.values('configmaps', 'daypass-sts-ca')).get('ca.crt') ?? ''
        await call(another, ca, 'sts')
      })
    }

    onLab('a certificate that has expired', async (world) => {
      const keeper = world.ownCa()
      await keeper.round(signal)
      now = new Date(now.getTime() + 91 * dayMs)
      assert.equal(keeper.status().ready, false)
      assert.match(keeper.status().message, /valid from .* alone/)
      await keeper.round(signal)
      assert.equal(keeper.status().ready, true)
    })

    onLab('none of these without the lead: what was read before is used on', async (world) => {
      await world.ownCa().round(signal)
      const follower = world.ownCa({ isLeader: () => false })
      await follower.round(signal)
      const before = follower.status().fingerprint
      await world.put('sts-tls', { 'public.crt': 'x', 'private.key': 'y' })
      await follower.round(signal)
      assert.deepEqual([follower.status().ready, follower.status().fingerprint], [true, before])
      assert.match(follower.status().message, /not PEM of X.509/)
    })
  })

  describe('of somebody else', () => {
    const secret = { certificate: { mode: 'secret', secretName: 'mine' } } as const

    onLab(
      'is not ready, and says what to do, while the Secret is missing or broken',
      async (world) => {
        const keeper = world.keeper(secret)
        await keeper.round(signal)
        assert.deepEqual([keeper.status().ready, keeper.read()], [false, undefined])
        assert.match(
          keeper.status().message,
          /Secret mine is not there: .*kubectl create secret tls/,
        )
        await world.put('mine', { 'tls.crt': 'x' })
        await keeper.round(signal)
        assert.match(keeper.status().message, /Secret mine is no use: there is no private key/)
        assert.equal((await world.requests()).length, 0)
      },
    )

    onLab('is read under either pair of names, and again when it changes', async (world) => {
      const made: string[][] = []
      for (const name of ['one', 'two']) {
        const other = world.ownCa({ serviceName: name })
        await world.lab.ask(world.path('secrets', 'sts-tls'), { method: 'DELETE' })
        await other.round(signal)
        made.push(await world.texts())
      }
      const [[cert = '', key = ''] = [], [cert2 = '', key2 = ''] = []] = made
      await world.put('mine', { 'tls.crt': cert, 'tls.key': key }, { type: 'kubernetes.io/tls' })
      const keeper = world.keeper(secret)
      await keeper.round(signal)
      const first = keeper.status()
      assert.equal(first.ready, true)
      assert.match(first.message, /clients cannot call the STS sts, sts\./)
      await world.put('mine', { 'public.crt': cert2, 'private.key': key2 })
      await keeper.round(signal)
      assert.notEqual(keeper.status().fingerprint, first.fingerprint)
    })

    onLab('is not written over where cert-manager keeps it', async (world) => {
      const metadata = {
        name: 'sts-tls',
        annotations: { 'cert-manager.io/certificate-name': 'sts' },
      }
      const { body } = await world.put('sts-tls', { 'tls.crt': 'x', 'tls.key': 'y' }, { metadata })
      await assert.rejects(
        world.ownCa().round(signal),
        /kept by cert-manager: set certificate.mode/,
      )
      const left = await world.lab.ask(world.path('secrets', 'sts-tls'))
      assert.deepEqual(left.body['metadata'], body['metadata'])
    })

    onLab('comes from files, outside a cluster', async (world) => {
      const dir = mkdtempSync(join(tmpdir(), 'daypass-files-'))
      const files = { certFile: join(dir, 'cert'), keyFile: join(dir, 'key') }
      const keeper = world.keeper({ certificate: { mode: 'files', ...files } })
      await assert.rejects(keeper.round(signal), /ENOENT/)
      await world.ownCa().round(signal)
      const [cert = '', key = ''] = await world.texts()
      writeFileSync(files.certFile, cert)
      writeFileSync(files.keyFile, key)
      await keeper.round(signal)
      assert.equal(keeper.status().ready, true)
      rmSync(dir, { recursive: true })
    })
  })

  onLab('opens, becomes ready by itself and closes', async (world) => {
    const opened = openServingCertificate(world.options())
    assert.equal(opened.isReady(), false)
    while (!opened.isReady()) await new Promise((resume) => setTimeout(resume, 50))
    assert.ok(opened.material.read())
    assert.deepEqual(errors, [])
    await opened.close()
  })

  /** As a service account that may do all of it but approve. */
  async function restricted({ lab: found, namespace }: World): Promise<ClusterApi> {
    await found.createServiceAccount(namespace, 'operator')
    const rules = [
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get', 'create', 'update'] },
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['get', 'create'],
      },
    ]
    const rbac = 'rbac.authorization.k8s.io'
    const name = `limited-${namespace}`
    const role = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules }
    await found.apply('clusterroles', role)
    await found.apply('clusterrolebindings', {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace }],
    })
    const token = await found.createToken(namespace, 'operator', { audiences: [found.url] })
    const file = join(found.dir, `${namespace}.kubeconfig`)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'lab',
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'operator' } }],
      clusters: [
        { name: 'lab', cluster: { server: found.url, 'certificate-authority': found.caFile } },
      ],
      users: [{ name: 'operator', user: { token } }],
    }
    writeFileSync(file, JSON.stringify(config))
    return openClusterApi({ kubeconfig: file })
  }
})
