import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClusterDirectory, type DirectoryOptions } from '../directory.ts'
import type { KubeObject } from '../resources/object.ts'
import { judgeRemoval, judgeResource, kindNamed, type JudgedKind } from './judge-resource.ts'
import { sentenceOf, type Surroundings } from './judgement.ts'

type Spec = Readonly<Record<string, unknown>>

const object = (
  kind: string,
  name: string,
  spec: Spec,
  apiVersion = 'daypass.dev/v1',
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', uid: name },
  spec,
})
const web = { namespace: 'apps', serviceAccount: 'web' }
const binding = (spec: Spec, name = 'it'): KubeObject =>
  object('Binding', name, { subjects: [web], policies: ['readonly'], ...spec })
const policyBinding = (spec: Spec, name = 'it'): KubeObject =>
  object('PolicyBinding', name, spec, 'sts.min.io/v1beta1')
const allow = (Action: unknown, Resource: unknown) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource }],
})
const policy = (name: string, document: Spec) => object('Policy', name, { document })
const tenant = (spec: Spec = {}, name = 'store') =>
  object('Tenant', name, {
    target: { gateway: { sessionKeysSecretRef: { name: 'keys' } } },
    policySource: 'resources',
    ...spec,
  })

function surroundingsOf(
  others: readonly KubeObject[],
  more: Partial<Surroundings> & Partial<DirectoryOptions> = {},
): Surroundings {
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: () => undefined,
    ...more,
  })
  for (const each of others) {
    const kind = kindNamed(each['apiVersion'], each['kind'])
    if (kind) directory.targetFor(kind).put(each)
  }
  return {
    directory,
    homeCluster: 'local',
    clusters: ['local', 'edge'],
    labelSelectors: true,
    isLate: () => false,
    ...more,
  }
}

function judge(judged: KubeObject, surroundings = surroundingsOf([tenant()])) {
  const kind = kindNamed(judged['apiVersion'], judged['kind'])
  assert.ok(kind !== undefined && kind !== 'MinioTenant')
  const { problems, warnings } = judgeResource(kind, judged, surroundings)
  return { problems: problems.map(sentenceOf), warnings: warnings.map(sentenceOf) }
}

describe('what is wrong with a resource', () => {
  const wrong: readonly (readonly [string, KubeObject, RegExp])[] = [
    [
      'a PolicyBinding without spec',
      object('PolicyBinding', 'it', undefined as never, 'sts.min.io/v1beta1'),
      /^spec: is missing$/,
    ],
    [
      'a pattern across a separator',
      binding({ subjects: [{ namespace: 'a', serviceAccount: 'x:*' }] }),
      /subjects\.0\.serviceAccount/,
    ],
    ['nothing bound', binding({ policies: undefined }), /binds nothing/],
    ['a field that there is not', binding({ polices: ['x'] }), /polices/],
    ['a policy that is none', policy('it', { Version: '2012-10-17' }), /^spec\.document: /],
    ['a tenant without target', tenant({ target: undefined }), /spec\.target/],
    [
      'a ceiling that is no policy',
      tenant({ ceiling: { document: {} } }),
      /spec\.ceiling\.document/,
    ],
  ]
  for (const [title, judged, reason] of wrong) {
    it(`is said: ${title}`, () => {
      const { problems, warnings } = judge(judged)
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? '', reason)
      assert.deepEqual(warnings, [])
    })
  }

  it('is said all at once', () => {
    const judged = binding({
      subjects: [{ namespace: 'A', serviceAccount: '/' }],
      maxSessionSeconds: 1,
    })
    assert.equal(judge(judged).problems.length, 3)
  })

  it('is not said of what is sound, and nothing else is', () => {
    const sound = [
      binding({}),
      policyBinding({
        application: { namespace: 'apps', serviceaccount: 'web' },
        policies: ['readonly'],
      }),
      policy('reports', allow('s3:GetObject', 'arn:aws:s3:::reports/*')),
      tenant(),
    ]
    for (const each of sound) assert.deepEqual(judge(each), { problems: [], warnings: [] })
  })
})

describe('what was probably not meant', () => {
  const readers = { subjects: [web] }
  const cases: readonly (readonly [string, KubeObject, readonly KubeObject[], RegExp])[] = [
    ['no tenant', binding({}), [], /^metadata\.namespace: there is no tenant in namespace shop/],
    [
      'another tenant',
      binding({ tenant: 'other' }),
      [tenant()],
      /^spec\.tenant: there is no tenant other/,
    ],
    [
      'an unknown policy',
      binding({ policies: ['nope'] }),
      [tenant()],
      /^spec\.policies\.0: there is no Policy nope .* nothing at all is given/,
    ],
    [
      'an unknown policy that is left out',
      binding({ policies: ['nope'] }),
      [tenant({ missingPolicy: 'skip' })],
      /it is left out/,
    ],
    [
      'a policy that is not valid',
      binding({ policies: ['bad'] }),
      [tenant(), policy('bad', {})],
      /Policy bad is not valid/,
    ],
    [
      'more than the ceiling, by name',
      binding({ policies: ['readwrite'] }),
      [tenant({ ceiling: { document: allow('s3:GetObject', '*') } })],
      /^spec\.policies\.0: policy readwrite allows s3:\w+ on arn:aws:s3:::\*, which the ceiling of tenant store does not$/,
    ],
    [
      'more than the ceiling, inline',
      binding({ policies: undefined, inline: [allow('s3:PutObject', 'arn:aws:s3:::b/*')] }),
      [tenant({ ceiling: { document: allow('s3:*', 'arn:aws:s3:::a*') } })],
      /^spec\.inline\.0: the document allows s3:PutObject on arn:aws:s3:::b\/\*/,
    ],
    [
      'more than the ceiling, by a resource',
      binding({ policies: ['p'] }),
      [
        tenant({ ceiling: { document: allow('s3:GetObject', '*') } }),
        policy('p', allow('s3:PutObject', '*')),
      ],
      /policy p allows s3:PutObject on \*/,
    ],
    [
      'a longer session than there is',
      binding({ maxSessionSeconds: 7200 }),
      [tenant({ maxSessionSeconds: 3600 })],
      /^spec\.maxSessionSeconds: has no effect/,
    ],
    [
      'an action that is none',
      binding({ policies: undefined, inline: [allow('s3:GetObjekt', 'arn:aws:s3:::b/*')] }),
      [tenant()],
      /^spec\.inline\.0: Statement\[0\].*GetObjekt/,
    ],
    [
      'everybody',
      binding({ subjects: [{ namespace: '*', serviceAccount: '*' }] }),
      [tenant()],
      /^spec\.subjects\.0: is every service account of the cluster/,
    ],
    [
      'everybody everywhere',
      binding({ subjects: [{ cluster: '*', namespace: '*', serviceAccount: '*' }] }),
      [tenant()],
      /of every cluster/,
    ],
    [
      'a name in any namespace',
      binding({ subjects: [{ namespace: '*', serviceAccount: 'web' }] }),
      [tenant()],
      /whoever can make a namespace/,
    ],
    [
      'a namespace that cannot be',
      binding({ subjects: [{ namespace: 'a.b', serviceAccount: 'web' }] }),
      [tenant()],
      /fits nobody: no namespace is named a\.b/,
    ],
    [
      'an account that cannot be',
      binding({ subjects: [{ namespace: 'a', serviceAccount: '-web' }] }),
      [tenant()],
      /fits nobody: no service account is named -web/,
    ],
    [
      'a cluster that there is not',
      binding({ subjects: [{ ...web, cluster: 'moon' }] }),
      [tenant()],
      /fits nobody: there is no cluster moon; there are local, edge/,
    ],
    [
      'labels of another cluster',
      binding({
        subjects: [{ ...web, cluster: 'edge', namespaceSelector: { matchLabels: { a: 'b' } } }],
      }),
      [tenant()],
      /fits nobody: labels are known in cluster local alone/,
    ],
    [
      'labels that contradict',
      binding({
        subjects: [
          {
            ...web,
            namespaceSelector: {
              matchLabels: { a: 'b' },
              matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }],
            },
          },
        ],
      }),
      [tenant()],
      /contradict themselves about label a/,
    ],
    [
      'a subject that another has already',
      binding({ subjects: [{ namespace: 'apps', serviceAccount: 'w*' }, web] }),
      [tenant()],
      /^spec\.subjects\.1: adds nobody: spec\.subjects\.0 has them already$/,
    ],
    [
      'another binding that gives the same',
      binding(readers, 'b'),
      [
        tenant(),
        binding(
          {
            subjects: [{ namespace: 'apps', serviceAccount: '*' }],
            policies: ['readonly', 'writeonly'],
          },
          'a',
        ),
      ],
      /adds nothing: daypass\.dev\/Binding\/shop\/a gives the same/,
    ],
    [
      'a PolicyBinding that gives the same',
      policyBinding({
        application: { namespace: 'apps', serviceaccount: 'web' },
        policies: ['readonly'],
      }),
      [tenant(), binding({}, 'other')],
      /adds nothing: daypass\.dev\/Binding\/shop\/other/,
    ],
    [
      'a policy of a name that is taken',
      policy('readonly', allow('s3:GetObject', '*')),
      [tenant()],
      /^metadata\.name: takes the place of the policy readonly/,
    ],
    [
      'a policy over a ceiling',
      policy('p', allow('s3:*', '*')),
      [tenant({ ceiling: { document: allow('s3:GetObject', '*') } })],
      /^spec\.document: allows s3:\w+ on \*, which the ceiling of tenant store/,
    ],
    [
      'two tenants of a namespace',
      tenant({}, 'second'),
      [tenant()],
      /^metadata\.name: namespace shop has store, too: .*\/sts\/shop\/second/,
    ],
    [
      'plain HTTP',
      tenant({
        target: {
          assumeRole: {
            endpoint: 'http://m:9000',
            insecureHttp: true,
            credentialsSecretRef: { name: 'x' },
          },
        },
      }),
      [],
      /credentials travel in plain text/,
    ],
    ['policies that may be missing', tenant({ missingPolicy: 'skip' }), [], /denies nothing/],
  ]
  for (const [title, judged, others, said] of cases) {
    it(`is said, and no problem: ${title}`, () => {
      const { problems, warnings } = judge(judged, surroundingsOf(others))
      assert.deepEqual(problems, [])
      assert.ok(
        warnings.some((text) => said.test(text)),
        warnings.join('\n'),
      )
    })
  }

  const quiet: readonly (readonly [string, KubeObject, readonly KubeObject[]])[] = [
    [
      'a policy that the tenant may have itself',
      binding({ policies: ['theirs'] }),
      [tenant({ policySource: 'both' })],
    ],
    [
      'a policy within the ceiling',
      binding({}),
      [tenant({ ceiling: { document: allow('s3:Get*', '*') } })],
    ],
    [
      'the same for one tenant and for all',
      binding(readers, 'b'),
      [tenant(), binding({ tenant: 'store' }, 'a')],
    ],
    [
      'the same with a shorter session',
      binding({ maxSessionSeconds: 900 }, 'b'),
      [tenant(), binding({}, 'a')],
    ],
    [
      'the same for others',
      binding({}, 'b'),
      [tenant(), binding({ subjects: [{ ...web, namespace: 'else' }] }, 'a')],
    ],
    [
      'the same under a claim',
      binding({}, 'b'),
      [tenant(), binding({ subjects: [{ ...web, claims: { pod: ['x'] } }] }, 'a')],
    ],
    ['the first of two that say the same', binding({}, 'a'), [tenant(), binding({}, 'b')]],
    [
      'an older state of itself',
      binding({}),
      [tenant(), binding({ policies: ['readonly', 'writeonly'] })],
    ],
    [
      'any namespace under a selector',
      binding({
        subjects: [
          {
            namespace: '*',
            serviceAccount: '*',
            namespaceSelector: { matchLabels: { team: 'a' } },
          },
        ],
      }),
      [tenant()],
    ],
  ]
  for (const [title, judged, others] of quiet) {
    it(`is not said: ${title}`, () => {
      assert.deepEqual(judge(judged, surroundingsOf(others)), { problems: [], warnings: [] })
    })
  }

  it('is said of labels where they are not looked at', () => {
    const subjects = [{ ...web, serviceAccountSelector: { matchLabels: { a: 'b' } } }]
    const { warnings } = judge(
      binding({ subjects }),
      surroundingsOf([tenant()], { labelSelectors: false }),
    )
    assert.match(warnings.join(), /features\.labelSelectors/)
  })

  it('is said of a namespace that is not watched', () => {
    const { warnings } = judge(tenant(), surroundingsOf([], { watchedNamespaces: ['else'] }))
    assert.match(warnings.join(), /is not watched/)
  })

  it('says when there was no time to look', () => {
    const ceiling = { document: allow('s3:*', '*') }
    const { warnings } = judge(
      binding({}),
      surroundingsOf([tenant({ ceiling })], { isLate: () => true }),
    )
    assert.match(warnings.join(), /was not held against the ceiling: no time left/)
  })

  it('is said of who goes while others need it', () => {
    const surroundings = surroundingsOf([tenant(), binding({ policies: ['p'], tenant: 'store' })])
    const removed = (kind: JudgedKind, name: string) =>
      judgeRemoval(kind, object(kind, name, {}), surroundings).map(sentenceOf)
    assert.deepEqual(removed('Policy', 'p'), ['Policy p is used by daypass.dev/Binding/shop/it'])
    assert.deepEqual(removed('Tenant', 'store'), [
      'Tenant store is used by daypass.dev/Binding/shop/it',
    ])
    assert.deepEqual([...removed('Policy', 'q'), ...removed('Binding', 'it')], [])
  })
})
