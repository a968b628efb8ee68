import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { freshFiles, overlays, render, stalePaths } from '../../scripts/manifests.ts'
import { readSchema, readValues, type ValueSchema } from '../../scripts/values-table.ts'
import { loadConfig, loadOperatorConfig } from '../../src/config/index.ts'
import type { KubeObject } from '../labs/kube-lab.ts'
import { refusedValues, valueSets, type Chart } from './value-sets.ts'
import { deploy, getTools, must, readManifests } from './tools.ts'

const tools = getTools()
const options = typeof tools === 'string' ? { skip: tools } : {}
const folder = mkdtempSync(join(tmpdir(), 'daypass-charts-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const chartOf = (chart: Chart): string => join(deploy, 'helm', chart)

function theTools() {
  if (typeof tools === 'string') throw new Error(tools)
  return tools
}

function fileOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const path = join(folder, `${hash('sha256', text)}.yaml`)
  writeFileSync(path, text)
  return path
}

function template(chart: Chart, values: unknown) {
  const words = ['template', 'release', chartOf(chart), '--namespace', 'place']
  return theTools().helm(...words, '--values', fileOf(values))
}

/** What of an object the tests look at. */
type Seen = KubeObject &
  Readonly<{
    spec?: Record<string, unknown>
    data?: Record<string, string>
    rules?: readonly Rule[]
  }>
type Rule = Readonly<{
  apiGroups?: readonly string[]
  resources?: readonly string[]
  resourceNames?: readonly string[]
  verbs: readonly string[]
}>
type PodTemplate = Readonly<{
  metadata: Readonly<{ labels: Readonly<Record<string, string>> }>
  spec: Readonly<Record<string, unknown>> & Readonly<{ containers: readonly Container[] }>
}>
type Container = Readonly<Record<string, unknown>> & Readonly<{ args: readonly string[] }>

async function objectsOf(chart: Chart, values: unknown): Promise<readonly Seen[]> {
  return readManifests(must(await template(chart, values)))
}

function only(objects: readonly Seen[], kind: string): Seen {
  const [first, ...more] = objects.filter((object) => object.kind === kind)
  assert.ok(first, `there is a ${kind}`)
  assert.deepEqual(more, [], `there is one ${kind}`)
  return first
}

const podsOf = ({ spec = {} }: Seen): PodTemplate => spec['template'] as PodTemplate

const selectorOf = (object: Seen): unknown => {
  const { selector, podSelector } = object.spec ?? {}
  const chosen = (selector ?? podSelector) as Record<string, unknown>
  return chosen['matchLabels'] ?? chosen
}

describe('the charts', options, () => {
  for (const { chart, title, values } of valueSets) {
    it(`${chart} is without fault, ${title}`, async () => {
      const path = fileOf(values)
      const said = must(await theTools().helm('lint', '--strict', chartOf(chart), '--values', path))
      assert.doesNotMatch(said, /\[(?:WARNING|ERROR)\]/)
      assert.ok((await objectsOf(chart, values)).length > 5)
    })
  }

  for (const { chart, title, values, says } of refusedValues) {
    it(`${chart} refuses ${title}, and says what to do`, async () => {
      const { status, stderr } = await template(chart, values)
      assert.notEqual(status, 0)
      assert.match(stderr, says)
    })
  }

  for (const chart of ['daypass-operator', 'daypass-tenant'] as const) {
    it(`${chart} has a description, a type and a default for each value`, () => {
      const wrong: string[] = []
      const walk = (schema: ValueSchema, values: unknown, path: string): void => {
        if (!schema.description) wrong.push(`${path}: no description`)
        const present = (values ?? {}) as Record<string, unknown>
        const known = Object.keys(schema.properties ?? {}).filter((name) => name !== 'global')
        if (known.length === 0) return
        for (const name of Object.keys(present)) {
          if (!known.includes(name)) wrong.push(`${path} ${name}: not in the schema`)
        }
        // What is empty by default, such as the reference to an issuer, has no defaults within.
        if (Object.keys(present).length === 0) return
        for (const name of known) {
          if (!(name in present)) wrong.push(`${path} ${name}: no default`)
          walk(schema.properties?.[name] ?? {}, present[name], `${path} ${name}`)
        }
      }
      walk(readSchema(chartOf(chart)), readValues(chartOf(chart)), '')
      assert.deepEqual(wrong, [])
    })
  }

  for (const { chart, title, values } of valueSets) {
    it(`${chart} asks for no more than a restricted namespace lets it have, ${title}`, async () => {
      const objects = await objectsOf(chart, values)
      const workload = only(objects, chart === 'daypass-operator' ? 'Deployment' : 'StatefulSet')
      const { metadata, spec } = podsOf(workload)
      const security = spec['securityContext'] as Record<string, unknown>
      assert.equal(security['runAsNonRoot'], true)
      assert.equal(security['runAsUser'], 65_532)
      assert.deepEqual(security['seccompProfile'], { type: 'RuntimeDefault' })
      // Variables such as MINIO_PORT would be taken for settings.
      assert.equal(spec['enableServiceLinks'], false)
      for (const container of spec.containers) {
        assert.deepEqual(container['securityContext'], {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
      }
      const labels = Object.entries(metadata.labels)
      const selecting = objects.filter(({ kind }) =>
        ['Deployment', 'StatefulSet', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'].includes(
          kind,
        ),
      )
      assert.ok(selecting.length >= 3)
      for (const object of selecting) {
        for (const pair of Object.entries(selectorOf(object) as Record<string, string>))
          assert.ok(
            labels.some((label) => label.join() === pair.join()),
            `${object.kind} ${object.metadata.name} selects the pods`,
          )
      }
    })
  }

  it('the replicas of the operator keep apart by labels that they have', async () => {
    const objects = await objectsOf('daypass-operator', {})
    const { metadata, spec } = podsOf(only(objects, 'Deployment'))
    const text = JSON.stringify(spec['affinity'])
    const { matchLabels } = JSON.parse(/"labelSelector":(\{.*?\}\})/.exec(text)?.[1] ?? '{}')
    assert.ok(Object.keys(matchLabels).length > 0)
    for (const [name, value] of Object.entries(matchLabels))
      assert.equal(metadata.labels[name], value)
  })

  for (const { chart, title, values } of valueSets) {
    it(`${chart} writes a configuration that Daypass takes, ${title}`, async () => {
      const objects = await objectsOf(chart, values)
      const [text = ''] = Object.values(only(objects, 'ConfigMap').data ?? {})
      // Secrets that are mounted there are read at the start.
      mkdirSync(join(folder, 'operator'), { recursive: true })
      writeFileSync(join(folder, 'operator/secretAccessKey'), 'of-the-operator-and-long-enough')
      const file = fileOf(text.replaceAll('/etc/daypass/', `${folder}/`))
      if (chart === 'daypass-operator') {
        const config = loadOperatorConfig({ env: { POD_NAMESPACE: 'place' }, file })
        assert.equal(config.operationsAddress, '0.0.0.0:9002')
        assert.equal(config.namespace, 'place')
      } else {
        const config = loadConfig({ env: {}, file })
        assert.equal(config.address, '0.0.0.0:9000')
        assert.equal(config.sharedSessionKeys?.tenantName, 'place/release')
        const ends =
          (values as { endSessions?: { enabled?: boolean } }).endSessions?.enabled ?? true
        const users = config.overlay.users.map(({ name }) => name)
        assert.deepEqual(users, ends ? ['daypass-operator'] : [])
      }
    })
  }
})

describe('the rights of the chart', options, () => {
  const clusterWide = async (values: unknown): Promise<readonly Rule[]> => {
    const objects = await objectsOf('daypass-operator', values)
    return objects.filter(({ kind }) => kind === 'ClusterRole').flatMap(({ rules = [] }) => rules)
  }
  const names = async (values: unknown): Promise<readonly string[]> => {
    const objects = await objectsOf('daypass-operator', values)
    const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    return roles.map(({ kind, metadata: { name } }) => `${kind} ${name.replace(/^.*operator/, '')}`)
  }

  it('hold no Secret of the cluster, whatever is switched on, but by clusterWideSecrets', async () => {
    for (const { chart, values } of valueSets) {
      if (chart !== 'daypass-operator') continue
      const wide = (values as Record<string, unknown>)['clusterWideSecrets'] === true
      const rules = await clusterWide(values)
      const found = rules.some(({ resources = [] }) =>
        resources.some((one) => /secret|\*/.test(one)),
      )
      assert.equal(found, wide, JSON.stringify(values))
    }
  })

  it('name every verb, resource and group: no star', async () => {
    for (const rule of await clusterWide({ features: { webhook: true }, clusterWideSecrets: true }))
      assert.doesNotMatch(JSON.stringify(rule), /\*/)
  })

  it('go with the features that need them', async () => {
    const least = { minioTenants: false, labelSelectors: false, status: false }
    const byHand = { requestAutoCert: false }
    assert.deepEqual(await names({ features: least, certificate: byHand }), [
      'ClusterRole ',
      'Role -lease',
      'Role -served',
      'Role -certificate',
    ])
    const added = async (values: Record<string, unknown>): Promise<readonly string[]> => {
      const base = { features: least, certificate: byHand }
      const before = await names(base)
      return (await names({ ...base, ...values })).filter((name) => !before.includes(name))
    }
    const feature = (more: Record<string, unknown>) => added({ features: { ...least, ...more } })
    assert.deepEqual(await feature({ minioTenants: true }), [
      'ClusterRole -minio-tenants',
      'Role -minio-tenants',
    ])
    assert.deepEqual(await feature({ labelSelectors: true }), ['ClusterRole -label-selectors'])
    assert.deepEqual(await feature({ status: true }), ['ClusterRole -status'])
    assert.deepEqual(await added({ certificate: { requestAutoCert: true } }), [
      'ClusterRole -auto-cert',
    ])
    assert.deepEqual(await added({ certificate: { requestAutoCert: true, ownCa: true } }), [])
    assert.deepEqual(await added({ clusterWideSecrets: true }), ['ClusterRole -tenant-secrets'])
    assert.deepEqual(await added({ tenantNamespaces: ['a'] }), ['Role -tenant-secrets'])
    assert.deepEqual(await names({ rbac: { create: false } }), [])
  })

  it('approve requests to the one signer alone', async () => {
    const approve = (await clusterWide({})).filter(({ verbs }) => verbs.includes('approve'))
    assert.deepEqual(
      approve.map(({ resources, resourceNames }) => [resources, resourceNames]),
      [[['signers'], ['kubernetes.io/kubelet-serving']]],
    )
  })
})

describe('what is made from the charts', options, () => {
  const bin = typeof tools === 'string' ? '' : tools.bin

  it('is fresh; else: npm run manifests', () => {
    assert.deepEqual(stalePaths(freshFiles(bin)), [])
  })

  const places = [
    ['base', 'daypass-operator', {}],
    ['overlays/minio-operator', 'minio-operator', {}],
    ...Object.entries(overlays).map(
      ([name, values]) => [`overlays/${name}`, 'daypass-operator', values] as const,
    ),
  ] as const
  for (const [path, namespace, values] of places) {
    it(`kustomize gives the objects of the chart: ${path}`, async () => {
      const text = must(await theTools().kubectl('kustomize', join(deploy, 'kustomize', path)))
      const byName = (objects: readonly Readonly<Record<string, unknown>>[]) =>
        Object.fromEntries(
          (objects as readonly KubeObject[])
            .filter(({ kind }) => kind !== 'Namespace')
            .map((object) => [
              `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`,
              object,
            ]),
        )
      const objects = readManifests(text)
      assert.deepEqual(byName(objects), byName(render(bin, values, namespace)))
      const space = objects.find(({ kind }) => kind === 'Namespace')
      assert.equal(space?.metadata.name, namespace)
    })
  }

  it('is the same definitions in all places', () => {
    const text = readFileSync(join(deploy, 'kustomize/base/crds.yaml'), 'utf8')
    assert.equal(readManifests(text).length, 4)
  })
})
