import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parseBinding } from '../../src/kubernetes/resources/binding.ts'
import type { Parsed } from '../../src/kubernetes/resources/parsed.ts'
import { parsePolicyBinding } from '../../src/kubernetes/resources/policy-binding.ts'
import { parsePolicyResource } from '../../src/kubernetes/resources/policy.ts'
import { parseTenant } from '../../src/kubernetes/resources/tenant.ts'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
import { readCrds, type Schema } from './tools.ts'
import { samples, type Kind, type Sample } from './samples.ts'

const parsers: Readonly<Record<Kind, (object: unknown) => Parsed<unknown>>> = {
  bindings: parseBinding,
  policies: parsePolicyResource,
  tenants: parseTenant,
  policybindings: parsePolicyBinding,
}
const groups: Readonly<Record<Kind, readonly [string, string]>> = {
  bindings: ['daypass.dev/v1', 'Binding'],
  policies: ['daypass.dev/v1', 'Policy'],
  tenants: ['daypass.dev/v1', 'Tenant'],
  policybindings: ['sts.min.io/v1beta1', 'PolicyBinding'],
}

function objectOf({ kind, name = 'sample', spec }: Sample, version?: string) {
  const [apiVersion, kindName] = groups[kind]
  return {
    apiVersion: version ?? apiVersion,
    kind: kindName,
    metadata: { name, namespace: 'samples' },
    ...(spec !== undefined && { spec }),
  }
}

describe('the definitions of resources', () => {
  it('describe every field', () => {
    const bare: string[] = []
    const walk = (schema: Schema, path: string): void => {
      // The API server describes the metadata itself, and lets nobody else.
      if (!schema.description && !path.endsWith(' metadata')) bare.push(path)
      for (const [name, field] of Object.entries(schema.properties ?? {}))
        walk(field, `${path} ${name}`)
      if (schema.items) walk(schema.items, `${path} []`)
      if (schema.additionalProperties) walk(schema.additionalProperties, `${path} {}`)
    }
    for (const { metadata, spec } of readCrds())
      for (const { name, schema } of spec.versions)
        walk(schema.openAPIV3Schema, `${metadata.name} ${name}`)
    assert.deepEqual(bare, [])
  })

  it('describe both versions of PolicyBinding alike, so that no conversion is needed', () => {
    const crd = readCrds().find(({ metadata }) => metadata.name === 'policybindings.sts.min.io')
    const [alpha, beta] = crd?.spec.versions ?? []
    assert.deepEqual(alpha, { ...beta, name: 'v1alpha1', served: true, storage: false })
    assert.deepEqual([beta?.name, beta?.served, beta?.storage], ['v1beta1', true, true])
  })

  it('are read by the parsers in the same way: samples', () => {
    for (const sample of samples) {
      const { problems } = parsers[sample.kind](objectOf(sample))
      const expected = sample.parser ?? sample.accepted
      assert.equal(problems.length === 0, expected, `${sample.title}: ${JSON.stringify(problems)}`)
    }
  })
})

describe('the definitions of resources, at a real API server', () => {
  let lab: KubeLab
  let missing: string | undefined

  before(async () => {
    const started = await startKube()
    if (typeof started === 'string') {
      missing = started
      return
    }
    lab = started
    await lab.createNamespace('samples')
    for (const crd of readCrds()) await lab.apply('customresourcedefinitions', crd)
    for (const { metadata, spec } of readCrds()) {
      for (const { name } of spec.versions) await served(spec.group, name, spec.names.plural)
      const { body } = await lab.ask(
        `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`,
      )
      const { conditions } = body['status'] as { conditions: { type: string; status: string }[] }
      const bad = conditions.filter(
        ({ type, status }) => (status === 'True') === type.startsWith('Non'),
      )
      assert.deepEqual(bad, [], `${metadata.name} is established, and its schema is structural`)
    }
  })
  after(() => lab?.down())

  async function served(group: string, version: string, plural: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const { status } = await lab.ask(`/apis/${group}/${version}/namespaces/samples/${plural}`)
      if (status === 200) return
      await new Promise((resume) => setTimeout(resume, 50))
    }
    throw new Error(`${plural}.${group} is not served`)
  }

  for (const sample of samples) {
    it(`${sample.accepted ? 'takes' : 'refuses'} ${sample.title}`, async (t) => {
      if (missing) return t.skip(missing)
      const [group] = groups[sample.kind]
      const versions = sample.kind === 'policybindings' ? [group, 'sts.min.io/v1alpha1'] : [group]
      for (const version of versions) {
        const path = `/apis/${version}/namespaces/samples/${sample.kind}?dryRun=All`
        const answer = await lab.ask(path, { method: 'POST', body: objectOf(sample, version) })
        const text = JSON.stringify(answer.body)
        assert.equal(answer.status, sample.accepted ? 201 : 422, text)
      }
    })
  }

  it('keeps a misspelt field, so that the operator refuses the binding instead of widening it', async (t) => {
    if (missing) return t.skip(missing)
    const spec = {
      subjects: [{ namespace: 'shop', serviceAccount: '*', claim: { 'pod.name': ['web-*'] } }],
      policies: ['readonly'],
    }
    const object = objectOf({ title: '', kind: 'bindings', accepted: true, spec })
    const path = '/apis/daypass.dev/v1/namespaces/samples/bindings?dryRun=All'
    const { status, body } = await lab.ask(path, { method: 'POST', body: object })
    assert.equal(status, 201)
    assert.equal(parseBinding(body).value, undefined)
  })

  it('keeps what an operator writes into the status, and shows it', async (t) => {
    if (missing) return t.skip(missing)
    const object = objectOf(
      samples.find(({ kind, accepted }) => kind === 'bindings' && accepted) ?? assert.fail(),
    )
    const path = '/apis/daypass.dev/v1/namespaces/samples/bindings'
    const made = await lab.ask(path, { method: 'POST', body: object })
    assert.equal(made.status, 201)
    const status = {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'UnknownPolicy',
          message: 'There is no policy shop-read',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-31T09:00:00Z',
        },
      ],
      matchedServiceAccounts: 3,
      lastUsedTime: '2026-01-31T09:00:00Z',
    }
    const written = await lab.ask(`${path}/sample/status?fieldManager=test&force=true`, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: { ...object, spec: undefined, status },
    })
    assert.equal(written.status, 200, JSON.stringify(written.body))
    assert.deepEqual(written.body['status'], status)
    assert.deepEqual(written.body['spec'], object.spec, 'the status writer leaves the rest alone')
  })
})
