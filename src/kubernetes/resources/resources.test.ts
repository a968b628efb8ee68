import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parseBinding } from './binding.ts'
import { parseConfigEnv, parseMinioTenant } from './minio-tenant.ts'
import type { Parsed } from './parsed.ts'
import { parsePolicyBinding } from './policy-binding.ts'
import { parsePolicyResource } from './policy.ts'
import { parseTenant } from './tenant.ts'

const metadata = { name: 'one', namespace: 'store' }
const settings = { clusterDomain: 'cluster.local', insecureHttp: false }
const document = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
}
const web = { namespace: 'shop', serviceAccount: 'web' }

const bindingOf = (spec: unknown) => parseBinding({ metadata, spec })
const tenantOf = (spec: unknown) => parseTenant({ metadata, spec })
const paths = ({ problems }: Parsed<unknown>) => problems.map(({ path }) => path)
/** As the API server sends it: `__proto__` is a member like any other. */
const json = (text: string): unknown => JSON.parse(text)

describe('PolicyBinding (operator-sts.md section 3)', () => {
  const of = (spec: unknown) => parsePolicyBinding({ metadata, spec })
  const application = { namespace: 'shop', serviceaccount: 'web' }

  it('binds one service account to names of policies, each once', () => {
    assert.deepEqual(of({ application, policies: ['a', 'b', 'a'] }).value, {
      id: 'sts.min.io/PolicyBinding/store/one',
      namespace: 'store',
      subjects: [web],
      policies: ['a', 'b'],
      documents: [],
    })
  })

  it('reports one without `spec`, and never crashes on it (section 11.1-D)', () => {
    assert.deepEqual(parsePolicyBinding({ metadata }).problems, [
      { path: 'spec', message: 'is missing' },
    ])
    for (const spec of [null, 7, 'x', []]) assert.deepEqual(paths(of(spec)), ['spec'])
  })

  it('takes no pattern, no list that is empty and no name that separates names', () => {
    const refused: readonly (readonly [string, unknown])[] = [
      ['spec.policies', { application }],
      ['spec.policies', { application, policies: [] }],
      ['spec.policies', { application, policies: 'readonly' }],
      ['spec.policies.0', { application, policies: ['a,b'] }],
      ['spec.policies.0', { application, policies: [''] }],
      ['spec.application', { policies: ['a'] }],
      [
        'spec.application.namespace',
        { application: { ...application, namespace: '*' }, policies: ['a'] },
      ],
      [
        'spec.application.namespace',
        { application: { ...application, namespace: '' }, policies: ['a'] },
      ],
      [
        'spec.application.serviceaccount',
        { application: { ...application, serviceaccount: 'w*' }, policies: ['a'] },
      ],
      [
        'spec.application.serviceaccount',
        { application: { namespace: 'shop', serviceAccount: 'web' }, policies: ['a'] },
      ],
    ]
    for (const [path, spec] of refused) assert.deepEqual([...new Set(paths(of(spec)))], [path])
  })
})

describe('Binding (daypass.dev/v1)', () => {
  it('gives policies by name, of its own and a role to subjects of several kinds', () => {
    const { value } = bindingOf({
      tenant: 'main',
      subjects: [
        web,
        {
          cluster: 'edge-*',
          namespace: 'team-*',
          serviceAccount: '*',
          namespaceSelector: { matchLabels: { team: 'blue' } },
          serviceAccountSelector: {
            matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }],
          },
          claims: { pod: ['web-*'] },
        },
      ],
      policies: ['a'],
      inline: [document],
      roleArn: 'arn:aws:iam::123456789012:role/reader',
      maxSessionSeconds: 900,
    })
    assert.equal(value?.id, 'daypass.dev/Binding/store/one')
    assert.deepEqual(value.subjects[1]?.namespaceSelector, [
      { key: 'team', operator: 'In', values: ['blue'] },
    ])
    assert.deepEqual(value.subjects[1]?.claims, new Map([['pod', ['web-*']]]))
    assert.equal(value.documents.length, 1)
  })

  it('refuses what would mean more than it seems to, or nothing', () => {
    const subjects = [web]
    const policies = ['a']
    const subject = (more: object) => ({ subjects: [{ ...web, ...more }], policies })
    const refused: readonly (readonly [string, unknown])[] = [
      ['spec', { subjects }],
      ['spec', { subjects, policies, claim: {} }],
      ['spec.subjects', { policies }],
      ['spec.subjects', { subjects: [], policies }],
      ['spec.subjects.0', subject({ claim: {} })],
      ['spec.subjects.0.namespace', subject({ namespace: 'a:b' })],
      ['spec.subjects.0.namespace', subject({ namespace: 'a/*' })],
      ['spec.subjects.0.namespace', subject({ namespace: '' })],
      ['spec.subjects.0.serviceAccount', subject({ serviceAccount: 'Web' })],
      ['spec.subjects.0.serviceAccount', subject({ serviceAccount: 'a?b' })],
      ['spec.subjects.0.cluster', subject({ cluster: '' })],
      ['spec.subjects.0.claims', subject({ claims: {} })],
      ['spec.subjects.0.claims.a', subject({ claims: { a: [] } })],
      ['spec.subjects.0.claims.a', subject({ claims: { a: 'x' } })],
      ['spec.subjects.0.claims.a.0', subject({ claims: { a: [''] } })],
      ['spec.subjects.0.namespaceSelector', subject({ namespaceSelector: {} })],
      ['spec.subjects.0.namespaceSelector', subject({ namespaceSelector: { matchLabels: {} } })],
      ['spec.subjects.0.namespaceSelector', subject({ namespaceSelector: { labels: { a: 'b' } } })],
      [
        'spec.subjects.0.serviceAccountSelector',
        subject({ serviceAccountSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      ],
      [
        'spec.subjects.0.serviceAccountSelector',
        subject({
          serviceAccountSelector: {
            matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }],
          },
        }),
      ],
      [
        'spec.subjects.0.serviceAccountSelector.matchExpressions.0.operator',
        subject({
          serviceAccountSelector: {
            matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }],
          },
        }),
      ],
      ['spec.policies', { subjects, policies: [] }],
      ['spec.inline', { subjects, inline: [] }],
      ['spec.inline.1', { subjects, inline: [document, { Statement: [{ Effect: 'Allow' }] }] }],
      ['spec.roleArn', { subjects, roleArn: 'reader' }],
      ['spec.maxSessionSeconds', { subjects, policies, maxSessionSeconds: 899 }],
      ['spec.maxSessionSeconds', { subjects, policies, maxSessionSeconds: 43_201 }],
      ['spec.maxSessionSeconds', { subjects, policies, maxSessionSeconds: '900' }],
      ['spec.tenant', { subjects, policies, tenant: '' }],
    ]
    for (const [path, spec] of refused) {
      const { value } = bindingOf(spec)
      assert.equal(value, undefined, JSON.stringify(spec))
      assert.ok(
        paths(bindingOf(spec)).includes(path),
        `${path}: ${JSON.stringify(bindingOf(spec))}`,
      )
    }
  })

  it('loses no condition that is called __proto__: such a binding does not count', () => {
    const spec = (subject: string) =>
      json(`{"policies":["a"],"subjects":[{"namespace":"shop","serviceAccount":"web",${subject}}]}`)
    for (const subject of [
      '"claims":{"__proto__":["x"],"pod":["y"]}',
      '"namespaceSelector":{"matchLabels":{"__proto__":"x","team":"blue"}}',
      '"__proto__":{"cluster":"edge"}',
    ]) {
      assert.deepEqual(bindingOf(spec(subject)).problems, [
        { path: 'spec', message: 'has a member __proto__, which nothing may be called' },
      ])
    }
  })

  it('says of a document that is nested out of all measure that it is, and does not fall over it', () => {
    const deep = json(`[{"a":${'['.repeat(9000)}${']'.repeat(9000)}}]`)
    assert.deepEqual(bindingOf({ subjects: [web], inline: deep }).problems, [
      { path: 'spec', message: 'is nested deeper than 32' },
    ])
  })

  it('tells of many problems, and of no more than anybody reads', () => {
    const subjects = Array.from({ length: 99 }, () => ({ namespace: 'A', serviceAccount: 'B' }))
    assert.equal(bindingOf({ subjects, policies: ['a'] }).problems.length, 50)
  })
})

describe('Tenant (daypass.dev/v1)', () => {
  const assumeRole = {
    endpoint: 'https://s3.example.com:9000',
    credentialsSecretRef: { name: 'broker' },
  }
  const gateway = { sessionKeysSecretRef: { name: 'keys' } }

  it('is a gateway or an STS of its own, with bounds where none are given', () => {
    assert.deepEqual(tenantOf({ target: { gateway } }).value, {
      namespace: 'store',
      name: 'one',
      reach: { kind: 'gateway', sessionKeysSecret: 'keys' },
      policySource: 'both',
      missingPolicy: 'fail',
      ceiling: undefined,
      maxSessionSeconds: 43_200,
    })
    const { value } = tenantOf({
      target: { assumeRole: { ...assumeRole, caConfigMapRef: { name: 'ca' } } },
      ceiling: { document },
    })
    assert.ok(value?.reach.kind === 'assume-role' && value.ceiling)
    assert.deepEqual(value.reach.ca, { kind: 'configmaps', name: 'ca', key: 'ca.crt' })
    assert.deepEqual(
      [value.reach.dialect, value.reach.maxPolicyBytes, value.reach.insecureHttp],
      ['minio', 2048, false],
    )
  })

  it('refuses two targets, none, and an address that is more or less than one', () => {
    const target = (more: object) => ({ target: { assumeRole: { ...assumeRole, ...more } } })
    const refused: readonly unknown[] = [
      {},
      { target: {} },
      { target: { gateway, assumeRole } },
      { target: { gateway: {} } },
      target({ endpoint: 'http://s3.example.com' }),
      target({ endpoint: 'ftp://s3.example.com' }),
      target({ endpoint: 's3.example.com' }),
      target({ endpoint: 'https://s3.example.com/path' }),
      target({ endpoint: 'https://s3.example.com/?a=b' }),
      target({ endpoint: 'https://user:secret@s3.example.com' }),
      target({ endpoint: '' }),
      target({ credentialsSecretRef: {} }),
      target({ credentialsSecretRef: { name: '../x' } }),
      target({ caSecretRef: { name: 'a' }, caConfigMapRef: { name: 'b' } }),
      target({ dialect: 'ceph' }),
      target({ maxPolicyBytes: 0 }),
      target({ insecureHttp: 'true' }),
      target({ insecureTls: true }),
      { target: { gateway }, policySource: 'none' },
      { target: { gateway }, missingPolicy: 'ignore' },
      { target: { gateway }, ceiling: {} },
      { target: { gateway }, ceiling: { document: { Statement: 'x' } } },
      { target: { gateway }, maxSessionSeconds: 0 },
    ]
    for (const spec of refused) {
      const { value, problems } = tenantOf(spec)
      assert.equal(value, undefined, JSON.stringify(spec))
      assert.ok(problems.length > 0)
    }
    assert.ok(tenantOf(target({ endpoint: 'http://s3.example.com', insecureHttp: true })).value)
  })
})

describe('Tenant of the MinIO Operator (operator-sts.md section 5)', () => {
  const of = (spec: unknown, more: Partial<typeof settings> = {}) =>
    parseMinioTenant({ metadata, spec }, { ...settings, ...more })
  const configuration = { name: 'one-env' }

  it('has the address of its Service, with TLS unless it says otherwise', () => {
    const endpoint = (spec: object, more = {}) => {
      const { value } = of({ configuration, pools: [{ servers: 4 }], ...spec }, more)
      return value?.reach.kind === 'assume-role' ? value.reach.endpoint : undefined
    }
    const secure = 'https://minio.store.svc.cluster.local:443'
    assert.equal(endpoint({}), secure)
    assert.equal(endpoint({ requestAutoCert: null }), secure)
    assert.equal(endpoint({ requestAutoCert: false, externalCertSecret: [{ name: 'x' }] }), secure)
    assert.equal(endpoint({ requestAutoCert: false }), undefined)
    assert.equal(endpoint({ requestAutoCert: false, externalCertSecret: [] }), undefined)
    assert.equal(
      endpoint({ requestAutoCert: false }, { insecureHttp: true, clusterDomain: 'corp' }),
      'http://minio.store.svc.corp:80',
    )
  })

  it('is nothing without its configuration, or with one that is none', () => {
    for (const spec of [
      undefined,
      null,
      {},
      { configuration: {} },
      { configuration: { name: 'A/b' } },
      { configuration, requestAutoCert: 'no' },
    ]) {
      assert.equal(of(spec).value, undefined)
    }
  })

  it('has its root credentials in lines as people write them (section 5.3)', () => {
    const read = (text: string) => {
      const found = parseConfigEnv(text)
      return found && [found.accessKeyId, found.secretAccessKey.reveal()]
    }
    const both = 'export MINIO_ROOT_USER="root"\nexport MINIO_ROOT_PASSWORD="pass word"\n'
    assert.deepEqual(read(both), ['root', 'pass word'])
    assert.deepEqual(read(both.replaceAll('\n', '\r\n')), ['root', 'pass word'])
    assert.deepEqual(read(`# export MINIO_ROOT_USER=x\n\n  ${both}`), ['root', 'pass word'])
    assert.deepEqual(read("MINIO_ACCESS_KEY='a'\nexportMINIO_SECRET_KEY=b=c#d"), ['a', 'b=c#d'])
    assert.deepEqual(read(`${both}export MINIO_ROOT_USER=later`), ['later', 'pass word'])
    assert.deepEqual(read(`${both}rubbish\n=\nexport\n`), ['root', 'pass word'])
    assert.deepEqual(read('MINIO_ROOT_USER="a\nMINIO_ROOT_PASSWORD="'), ['"a', '"'])
    assert.deepEqual(read('MINIO_ROOT_USER="$USER"\nMINIO_ROOT_PASSWORD=a\\n'), ['$USER', 'a\\n'])
    for (const text of [
      '',
      'MINIO_ROOT_USER=a',
      'MINIO_ROOT_USER=\nMINIO_ROOT_PASSWORD=b',
      'MINIO_ROOT_USER=""\nMINIO_ROOT_PASSWORD=b',
      '#MINIO_ROOT_USER=a\nMINIO_ROOT_PASSWORD=b',
      'minio_root_user=a\nminio_root_password=b',
    ]) {
      assert.equal(read(text), undefined, text)
    }
  })

  it('prints no secret', () => {
    const found = parseConfigEnv('MINIO_ROOT_USER=a\nMINIO_ROOT_PASSWORD=hidden')
    assert.doesNotMatch(JSON.stringify(found), /hidden/)
  })
})

describe('whatever the API server may hold', () => {
  const parsers: Readonly<Record<string, (object: unknown) => Parsed<unknown>>> = {
    parseBinding,
    parsePolicyBinding,
    parsePolicyResource,
    parseTenant,
    parseMinioTenant: (object) => parseMinioTenant(object, settings),
  }
  const key = fc.constantFrom(
    'subjects',
    'policies',
    'inline',
    'application',
    'target',
    'document',
    'claims',
    '__proto__',
    'constructor',
    'namespace',
    'serviceaccount',
    'Statement',
    'x',
  )
  const { value } = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant('shop'),
      fc.double(),
    ),
    // As JSON has it: `__proto__` is a member, not the prototype.
    object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => {
      const texts = entries.map(
        ([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member) ?? 'null'}`,
      )
      return json(`{${texts.join(',')}}`)
    }),
    value: fc.oneof(
      { maxDepth: 6 },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
  }))

  for (const [name, parse] of Object.entries(parsers)) {
    it(`is a value or a list of problems to ${name}, never a crash`, () => {
      fc.assert(
        fc.property(
          fc.oneof(
            value,
            value.map((spec) => ({ metadata, spec })),
          ),
          (object) => {
            const parsed = parse(object)
            assert.equal(parsed.value === undefined, parsed.problems.length > 0)
          },
        ),
        { numRuns: 500 },
      )
    })
  }
})
