/** Resources that clusters take or refuse, and with them the parsers of `src/kubernetes/resources`. */

export type Kind = 'bindings' | 'policies' | 'tenants' | 'policybindings'

export type Sample = Readonly<{
  title: string
  kind: Kind
  /** By the API server; and by the parser, unless `parser` says otherwise. */
  accepted: boolean
  /** The schema cannot say all that a parser can. Never `true` where the API server says no. */
  parser?: false
  name?: string
  spec?: unknown
}>

const document = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:GetObject'],
      Resource: ['arn:aws:s3:::shop/${aws:username}/*'],
    },
  ],
}
const subject = { namespace: 'shop', serviceAccount: 'web' }
const subjects = [subject]
const policies = ['readonly']
const credentialsSecretRef = { name: 'broker' }
const endpoint = 'https://minio.tenant-a.svc:443'
const assumeRole = { endpoint, credentialsSecretRef }

type Spec = Readonly<Record<string, unknown>>
const takes = (kind: Kind, title: string, spec: unknown): Sample => ({
  kind,
  title,
  spec,
  accepted: true,
})
const refuses = (kind: Kind, title: string, spec: unknown): Sample => ({
  kind,
  title,
  spec,
  accepted: false,
})
const binding = (spec: Spec): Spec => ({ subjects, policies, ...spec })
const withSubject = (more: Spec): Spec => binding({ subjects: [{ ...subject, ...more }] })
const selecting = (namespaceSelector: Spec): Spec => withSubject({ namespaceSelector })
const gateway = (more: Spec): Spec => ({
  target: { gateway: { sessionKeysSecretRef: { name: 'keys' }, ...more } },
})
const admin = { endpoint: 'https://store.tenant-a.svc:9000', credentialsSecretRef }
const tenant = (more: Spec): Spec => ({ target: { assumeRole: { ...assumeRole, ...more } } })

const bindings: readonly Sample[] = [
  takes('bindings', 'a plain binding', binding({})),
  takes('bindings', 'a binding with everything', {
    tenant: 'store',
    subjects: [
      {
        cluster: 'edge-*',
        namespace: 'shop-*',
        serviceAccount: '*',
        namespaceSelector: { matchLabels: { team: 'shop' } },
        serviceAccountSelector: {
          matchExpressions: [
            { key: 'tier', operator: 'In', values: ['front', 'back'] },
            { key: 'example.org/old', operator: 'DoesNotExist' },
          ],
        },
        claims: { 'kubernetes.io/pod/name': ['web-*'] },
      },
    ],
    policies: ['readonly', 'shop.read_1+a=b@c'],
    inline: [document],
    roleArn: 'arn:aws:iam::123456789012:role/team/reader',
    maxSessionSeconds: 900,
  }),
  takes('bindings', 'a binding by a document alone', { subjects, inline: [document] }),
  takes('bindings', 'a binding by a role alone', {
    subjects,
    roleArn: 'arn:minio:iam:::role/reader',
  }),
  refuses('bindings', 'a binding without spec', undefined),
  refuses('bindings', 'an empty spec', {}),
  refuses('bindings', 'a binding of nobody', { subjects: [], policies }),
  refuses('bindings', 'a binding to nothing', { subjects }),
  refuses('bindings', 'an empty list of policies', { subjects, policies: [] }),
  refuses('bindings', 'an empty list of documents', { subjects, inline: [] }),
  refuses(
    'bindings',
    'more subjects than a hundred',
    binding({ subjects: Array.from({ length: 101 }, () => subject) }),
  ),
  refuses(
    'bindings',
    'a subject without a namespace',
    binding({ subjects: [{ serviceAccount: 'a' }] }),
  ),
  refuses('bindings', 'a subject without an account', binding({ subjects: [{ namespace: 'a' }] })),
  refuses('bindings', 'an empty namespace', withSubject({ namespace: '' })),
  refuses('bindings', 'a pattern that crosses a colon', withSubject({ serviceAccount: 'a:*' })),
  refuses('bindings', 'a pattern that crosses a slash', withSubject({ namespace: 'a/*' })),
  refuses('bindings', 'a newline after a name', withSubject({ namespace: 'shop\n' })),
  refuses('bindings', 'an empty cluster', withSubject({ cluster: '' })),
  refuses('bindings', 'an empty selector', selecting({})),
  refuses('bindings', 'a selector of no labels', selecting({ matchLabels: {} })),
  refuses('bindings', 'a selector of no conditions', selecting({ matchExpressions: [] })),
  refuses(
    'bindings',
    'a condition In without values',
    selecting({ matchExpressions: [{ key: 'a', operator: 'In' }] }),
  ),
  refuses(
    'bindings',
    'a condition Exists with values',
    selecting({ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] }),
  ),
  refuses(
    'bindings',
    'a condition of another operator',
    selecting({ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }),
  ),
  refuses('bindings', 'empty claims', withSubject({ claims: {} })),
  refuses('bindings', 'a claim that no text fits', withSubject({ claims: { a: [] } })),
  refuses('bindings', 'a claim with an empty text', withSubject({ claims: { a: [''] } })),
  refuses('bindings', 'a comma in the name of a policy', binding({ policies: ['a,b'] })),
  refuses('bindings', 'a tenant whose name is none', binding({ tenant: 'Store' })),
  refuses(
    'bindings',
    'a role that is none',
    binding({ roleArn: 'arn:aws:iam::123456789012:user/a' }),
  ),
  refuses('bindings', 'sessions shorter than 900 s', binding({ maxSessionSeconds: 899 })),
  refuses('bindings', 'sessions longer than 12 h', binding({ maxSessionSeconds: 43_201 })),
  refuses('bindings', 'sessions of a part of a second', binding({ maxSessionSeconds: 900.5 })),
  {
    ...takes(
      'bindings',
      'a misspelt field, which only the operator refuses',
      binding({ ceilling: {} }),
    ),
    parser: false,
  },
  {
    ...takes('bindings', 'a document that is none, which only the operator sees', {
      subjects,
      inline: [{ Statement: 'none' }],
    }),
    parser: false,
  },
]

const policySamples: readonly Sample[] = [
  takes('policies', 'a policy', { document }),
  refuses('policies', 'a policy without spec', undefined),
  refuses('policies', 'a policy without a document', {}),
  refuses('policies', 'a document that is text', { document: JSON.stringify(document) }),
  { ...refuses('policies', 'a name that no binding can say', { document }), name: 'a'.repeat(129) },
]

const tenants: readonly Sample[] = [
  takes('tenants', 'a gateway', {
    target: { gateway: { sessionKeysSecretRef: { name: 'keys' } } },
  }),
  takes('tenants', 'a gateway whose sessions can be ended', gateway({ admin })),
  takes(
    'tenants',
    'a gateway with everything',
    gateway({
      admin: {
        ...admin,
        endpoint: 'http://store:9000',
        insecureHttp: true,
        region: 'eu-central-1',
        caSecretRef: { name: 'ca', key: 'bundle.pem' },
      },
    }),
  ),
  refuses(
    'tenants',
    'plain HTTP to a gateway',
    gateway({ admin: { ...admin, endpoint: 'http://store:9000' } }),
  ),
  refuses(
    'tenants',
    'a gateway with a path',
    gateway({ admin: { ...admin, endpoint: `${endpoint}/iam` } }),
  ),
  refuses('tenants', 'a gateway without credentials', gateway({ admin: { endpoint } })),
  refuses(
    'tenants',
    'two authorities for a gateway',
    gateway({ admin: { ...admin, caSecretRef: { name: 'a' }, caConfigMapRef: { name: 'a' } } }),
  ),
  {
    ...takes(
      'tenants',
      'a misspelt admin, which only the operator refuses',
      gateway({ admn: admin }),
    ),
    parser: false,
  },
  takes('tenants', 'a server with an STS', { target: { assumeRole } }),
  takes('tenants', 'a tenant with everything', {
    ...tenant({
      region: 'eu-central-1',
      dialect: 'aws',
      caConfigMapRef: { name: 'ca', key: 'bundle.pem' },
      roleArn: 'arn:aws:iam::123456789012:role/broker',
      maxPolicyBytes: 20_480,
      insecureHttp: false,
    }),
    policySource: 'resources',
    missingPolicy: 'skip',
    ceiling: { document },
    maxSessionSeconds: 43_200,
  }),
  takes(
    'tenants',
    'plain HTTP that is allowed',
    tenant({ endpoint: 'http://minio:80', insecureHttp: true }),
  ),
  refuses('tenants', 'plain HTTP', tenant({ endpoint: 'http://minio:80' })),
  refuses(
    'tenants',
    'plain HTTP, said to be none',
    tenant({ endpoint: 'http://minio:80', insecureHttp: false }),
  ),
  refuses('tenants', 'another protocol', tenant({ endpoint: 'ftp://minio', insecureHttp: true })),
  refuses('tenants', 'an endpoint with a path', tenant({ endpoint: `${endpoint}/sts` })),
  refuses('tenants', 'an endpoint with a query', tenant({ endpoint: `${endpoint}?a=b` })),
  refuses(
    'tenants',
    'an endpoint with a name and password',
    tenant({ endpoint: 'https://a:b@minio' }),
  ),
  refuses(
    'tenants',
    'two authorities',
    tenant({ caSecretRef: { name: 'a' }, caConfigMapRef: { name: 'a' } }),
  ),
  refuses('tenants', 'a dialect that nobody speaks', tenant({ dialect: 'ceph' })),
  refuses('tenants', 'a Secret without a name', tenant({ credentialsSecretRef: {} })),
  refuses('tenants', 'an authority without a key', tenant({ caSecretRef: { name: 'a', key: '' } })),
  refuses('tenants', 'a session policy of a byte', tenant({ maxPolicyBytes: 1 })),
  refuses('tenants', 'no endpoint', { target: { assumeRole: { credentialsSecretRef } } }),
  refuses('tenants', 'no target', { policySource: 'both' }),
  refuses('tenants', 'an empty target', { target: {} }),
  refuses('tenants', 'two targets', {
    target: { assumeRole, gateway: { sessionKeysSecretRef: { name: 'keys' } } },
  }),
  refuses('tenants', 'a tenant without spec', undefined),
  refuses('tenants', 'policies from elsewhere', { target: { assumeRole }, policySource: 'git' }),
  refuses('tenants', 'a ceiling without a document', { target: { assumeRole }, ceiling: {} }),
  {
    ...refuses('tenants', 'a name that is no part of a URL', { target: { assumeRole } }),
    name: 'a.b',
  },
  {
    ...takes('tenants', 'a misspelt ceiling, which only the operator refuses', {
      target: { assumeRole },
      ceilling: { document },
    }),
    parser: false,
  },
]

const application = { namespace: 'shop', serviceaccount: 'web' }
const policyBindings: readonly Sample[] = [
  takes('policybindings', 'a PolicyBinding', { application, policies }),
  refuses('policybindings', 'a PolicyBinding without spec', undefined),
  refuses('policybindings', 'a PolicyBinding of nobody', { policies }),
  refuses('policybindings', 'a PolicyBinding to nothing', { application }),
  refuses('policybindings', 'a PolicyBinding to an empty list', { application, policies: [] }),
  refuses('policybindings', 'a PolicyBinding to an empty name', { application, policies: [''] }),
  refuses('policybindings', 'serviceAccount in the spelling of elsewhere', {
    application: { namespace: 'shop', serviceAccount: 'web' },
    policies,
  }),
  refuses('policybindings', 'an empty account', {
    application: { namespace: 'shop', serviceaccount: '' },
    policies,
  }),
]

export const samples: readonly Sample[] = [
  ...bindings,
  ...policySamples,
  ...tenants,
  ...policyBindings,
]
