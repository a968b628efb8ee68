import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Principal } from '../identity/index.ts'
import { BindingIndex } from './binding-index.ts'
import { GrantError } from './grant-error.ts'
import { createTenantGrants } from './tenant-grants.ts'
import type { ServiceAccountBinding, Tenant } from './tenants.ts'
import { now, secondsFromNow } from './testing/desk.ts'
import type { GrantRequest } from './types.ts'

const allowAll =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'

type Scene = Partial<
  Readonly<{
    tenants: readonly Partial<Tenant>[]
    bindings: readonly Partial<ServiceAccountBinding>[]
    request: Partial<GrantRequest>
    expiresAt: Date
    principal: Record<string, unknown>
  }>
>

function decide(scene: Scene = {}) {
  const tenants = (scene.tenants ?? [{}]).map((tenant): Tenant => ({
    namespace: 'store',
    name: 'main',
    target: 'gateway',
    maxSessionSeconds: 43_200,
    ...tenant,
  }))
  const index = new BindingIndex('local')
  for (const [at, binding] of (scene.bindings ?? [{}]).entries()) {
    index.put({
      id: `daypass.dev/Binding/store/b${at}`,
      namespace: 'store',
      subjects: [{ namespace: 'shop', serviceAccount: 'web' }],
      policies: ['readonly'],
      documents: [],
      ...binding,
    })
  }
  const grants = createTenantGrants({
    tenants: {
      findTenants: ({ namespace, name }) =>
        tenants.filter(
          (tenant) => tenant.namespace === namespace && (name ?? tenant.name) === tenant.name,
        ),
      bindingsFor: (tenant, subject) => index.find(tenant, subject),
      labelsOf: () => ({}),
    },
    limits: { minSeconds: 900, maxSessionPolicyBytes: 2048 },
    clock: () => now,
  })
  const principal = {
    kind: 'service-account',
    provider: 'local',
    issuer: 'https://kubernetes.default.svc',
    subject: 'system:serviceaccount:shop:web',
    displayName: 'shop/web',
    groups: [],
    claims: new Map<string, unknown>([
      ['namespace', 'shop'],
      ['serviceaccount', 'web'],
      ['pod', 'web-1'],
      ['sub', 'system:serviceaccount:shop:web'],
    ]),
    expiresAt: scene.expiresAt ?? secondsFromNow(3600),
    ...scene.principal,
  }
  const request: GrantRequest = {
    action: 'sts:AssumeRoleWithWebIdentity',
    tenant: { namespace: 'store' },
    client: { source: '10.0.0.7', secure: true },
    ...scene.request,
  }
  return grants.authorize(principal as unknown as Principal, request)
}

const refused = (scene: Scene, code: string, words: RegExp = /./) =>
  assert.throws(
    () => decide(scene),
    (error: unknown) => {
      assert.ok(error instanceof GrantError, String(error))
      assert.equal(error.code, code)
      assert.match(error.message, words)
      return true
    },
  )

describe('what bindings give to a service account', () => {
  it('is what they name together, with the tags of EKS Pod Identity and the binding told', () => {
    const grant = decide({
      bindings: [{}, { policies: ['writeonly', 'readonly'], documents: [allowAll] }],
    })
    assert.deepEqual(grant.source, {
      kind: 'binding',
      bindings: ['daypass.dev/Binding/store/b0', 'daypass.dev/Binding/store/b1'],
      names: ['readonly', 'writeonly'],
      documents: [allowAll],
    })
    assert.equal(grant.tenant, 'store/main')
    assert.equal(grant.sessionName, 'shop-web')
    assert.deepEqual(
      [...grant.tags],
      [
        ['kubernetes-cluster-name', 'local'],
        ['kubernetes-namespace', 'shop'],
        ['kubernetes-service-account', 'web'],
        ['kubernetes-pod-name', 'web-1'],
      ],
    )
    assert.ok(grant.trace.some(({ step }) => step === 'binding daypass.dev/Binding/store/b0'))
  })

  it('has the name that the caller gives to it, where that can be one', () => {
    const nameOf = (roleSessionName: string) => decide({ request: { roleSessionName } }).sessionName
    assert.equal(nameOf('pod-7'), 'pod-7')
    for (const any of ['x', 'with space', 'Ünïcode', 'a'.repeat(65), '']) {
      assert.equal(nameOf(any), 'shop-web', any)
    }
  })

  it('is nothing where nothing is bound', () => {
    refused({ bindings: [] }, 'no_policy', /No binding in namespace store/)
    const other = [{ subjects: [{ namespace: 'shop', serviceAccount: 'job' }] }]
    refused({ bindings: other }, 'no_policy')
    refused({ bindings: [{ namespace: 'elsewhere' }] }, 'no_policy')
  })

  it('is for service accounts alone, whose token ends', () => {
    refused({ principal: { kind: 'web-identity' } }, 'caller_not_allowed')
    refused({ principal: { expiresAt: undefined } }, 'caller_not_allowed')
  })

  it('is narrowed by the policy that the caller sends, never widened', () => {
    const grant = decide({ request: { sessionPolicy: allowAll } })
    assert.deepEqual(grant.sessionPolicies, [[allowAll]])
    assert.deepEqual(grant.source.kind === 'binding' && grant.source.documents, [])
    refused({ request: { sessionPolicy: '{"Version":' } }, 'malformed_policy')
    const large = JSON.stringify({
      Version: '2012-10-17',
      Statement: Array.from({ length: 60 }, (_, at) => ({
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::bucket-${at}/*`,
      })),
    })
    refused({ request: { sessionPolicy: large } }, 'session_policy_too_large')
    const policyArns = ['arn:aws:iam::aws:policy/readonly']
    refused({ request: { policyArns } }, 'invalid_parameter', /PolicyArns/)
  })

  it('stays below the ceiling of the tenant, as a layer of its own', () => {
    const tenants = [{ ceiling: allowAll }]
    assert.deepEqual(decide({ tenants }).sessionPolicies, [[allowAll]])
    const both = decide({ tenants, request: { sessionPolicy: allowAll } })
    assert.deepEqual(both.sessionPolicies, [[allowAll], [allowAll]])
  })
})

describe('the tenant that is asked for', () => {
  it('must be there, and be the only one unless it is named', () => {
    refused({ tenants: [] }, 'unknown_tenant', /no tenant store/)
    refused({ request: { tenant: undefined } }, 'unknown_tenant')
    refused({ request: { tenant: { namespace: 'store', name: 'x' } } }, 'unknown_tenant')
    const tenants = [{}, { name: 'second' }]
    refused({ tenants }, 'unknown_tenant', /store\/main, store\/second/)
    const named = decide({ tenants, request: { tenant: { namespace: 'store', name: 'second' } } })
    assert.equal(named.tenant, 'store/second')
  })
})

describe('the role of a binding', () => {
  const [reader, writer] = ['reader', 'writer'].map((name) => `arn:aws:iam::1:role/${name}`)

  it('is taken whatever RoleArn the SDK sends, and chosen by it where there are several', () => {
    const one = [{ roleArn: reader }]
    const roleOf = (scene: Scene) => {
      const { source } = decide(scene)
      return source.kind === 'binding' ? source.roleArn : undefined
    }
    assert.equal(roleOf({ bindings: one }), reader)
    assert.equal(
      roleOf({ bindings: one, request: { roleArn: 'arn:aws:iam::1:role/dummy' } }),
      reader,
    )
    const two = [{ roleArn: reader }, { roleArn: writer }, { policies: ['extra'] }]
    refused({ bindings: two }, 'unknown_role', /set RoleArn/)
    refused({ bindings: two, request: { roleArn: 'arn:aws:iam::1:role/dummy' } }, 'unknown_role')
    assert.equal(roleOf({ bindings: two, request: { roleArn: writer } }), writer)
    const chosen = decide({ bindings: two, request: { roleArn: writer } }).source
    assert.deepEqual(chosen.kind === 'binding' && chosen.names, ['readonly', 'extra'])
  })
})

describe('how long it lasts', () => {
  const seconds = (scene: Scene) => {
    const { issuedAt, expiresAt } = decide(scene)
    return (expiresAt.getTime() - issuedAt.getTime()) / 1000
  }

  it('is never longer than the token, the tenant, or any of the bindings', () => {
    assert.equal(seconds({}), 3600)
    assert.equal(seconds({ expiresAt: secondsFromNow(600) }), 600)
    const day = { expiresAt: secondsFromNow(90_000) }
    assert.equal(seconds({ ...day, request: { durationSeconds: 86_400 } }), 43_200)
    assert.equal(seconds(day), 3600)
    assert.equal(seconds({ tenants: [{ maxSessionSeconds: 1800 }] }), 1800)
    const bindings = [{ maxSessionSeconds: 2400 }, { maxSessionSeconds: 1200 }]
    assert.equal(seconds({ bindings }), 1200)
  })

  it('is what the caller asks for within that; who asks for more gets what there is', () => {
    assert.equal(seconds({ request: { durationSeconds: 900 } }), 900)
    assert.equal(seconds({ request: { durationSeconds: 25_536 } }), 3600)
    assert.equal(seconds({ request: { durationSeconds: 31_536_000 } }), 3600)
    refused({ request: { durationSeconds: 899 } }, 'invalid_parameter', /DurationSeconds/)
    refused({ request: { durationSeconds: 0 } }, 'invalid_parameter')
    refused({ request: { durationSeconds: 31_536_001 } }, 'invalid_parameter', /DurationSeconds/)
    refused({ expiresAt: secondsFromNow(0) }, 'expired')
  })
})
