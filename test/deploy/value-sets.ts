/** Values that the charts are tested with, and values that they refuse. */

export type Chart = 'daypass-operator' | 'daypass-tenant'
export type ValueSet = Readonly<{ chart: Chart; title: string; values: unknown }>

const plain = { insecurePlainHttp: true }
const document = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::shop/*' }],
}
const subjects = [{ namespace: 'shop', serviceAccount: 'web' }]

const operator = (title: string, values: unknown): ValueSet => ({
  chart: 'daypass-operator',
  title,
  values,
})
const tenant = (title: string, values: unknown): ValueSet => ({
  chart: 'daypass-tenant',
  title,
  values,
})

export const valueSets: readonly ValueSet[] = [
  operator('by default', {}),
  operator('with the least rights', {
    features: { minioTenants: false, labelSelectors: false, status: false },
    certificate: { requestAutoCert: false },
    identity: 'jwks',
  }),
  operator('with everything', {
    replicaCount: 3,
    image: { repository: 'registry.example.org/daypass', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    clusterName: 'home',
    audiences: ['sts.min.io', 'sts.example.org'],
    watchedNamespaces: ['place'],
    clusters: [
      { name: 'edge', kubeconfigSecret: 'edge', context: 'sts', identity: 'tokenReview' },
      { name: 'far', issuer: 'https://far.example.org', caConfigMap: 'far-ca' },
    ],
    config: { logLevel: 'debug', limits: { perSecond: 10 }, trustedProxies: ['10.0.0.0/8'] },
    tenantNamespaces: ['place', { name: 'place-2', secrets: ['keys'], configMaps: ['ca'] }],
    features: { webhook: true, insecureHttpTenants: true },
    serviceAccount: { name: 'daypass', annotations: { 'example.org/a': 'b' } },
    certificate: { ownCa: true },
    service: { type: 'LoadBalancer', annotations: { 'example.org/a': 'b' } },
    webhook: { failurePolicy: 'Fail' },
    podAnnotations: { 'example.org/a': 'b' },
    podLabels: { 'example.org/a': 'b' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule',
      },
    ],
    priorityClassName: 'system-cluster-critical',
    env: [{ name: 'OPERATOR_STS_ENABLED', value: 'on' }],
    podDisruptionBudget: { minAvailable: '50%' },
    networkPolicy: { metricsFrom: [{ namespaceSelector: { matchLabels: { a: 'b' } } }] },
    metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } },
    crds: { policyBindings: true },
  }),
  operator('with cert-manager', {
    certificate: { requestAutoCert: false, certManager: { enabled: true } },
    features: { webhook: true },
  }),
  operator('with an issuer of cert-manager', {
    certificate: {
      requestAutoCert: false,
      certManager: { enabled: true, issuerRef: { name: 'corp', kind: 'ClusterIssuer' } },
    },
  }),
  operator('with all Secrets', { clusterWideSecrets: true }),
  tenant('without TLS', { tls: plain }),
  tenant('with cert-manager', { tls: { certManager: { enabled: true } } }),
  tenant('with everything', {
    image: { repository: 'registry.example.org/daypass', tag: 'x' },
    imagePullSecrets: [{ name: 'registry' }],
    persistence: { size: '1Ti', storageClassName: 'fast', annotations: { 'example.org/a': 'b' } },
    region: 'eu-central-1',
    config: { sts: { maxDurationSeconds: 3600 }, logLevel: 'debug' },
    rootCredentials: { existingSecret: 'root' },
    sessionKeys: { existingSecret: 'keys' },
    endSessions: { existingSecret: 'ends', accessKeyId: 'ENDS', caConfigMap: 'ca' },
    tenant: { ceiling: document, policySource: 'resources', maxSessionSeconds: 3600 },
    policies: { 'shop-read': document },
    bindings: { web: { subjects, policies: ['shop-read'] } },
    policyBindings: {
      old: { application: { namespace: 'shop', serviceaccount: 'web' }, policies: ['readonly'] },
    },
    tls: { secretName: 'minio-tls' },
    service: { type: 'LoadBalancer' },
    networkPolicy: { from: [{ podSelector: {} }], metricsFrom: [{ podSelector: {} }] },
    metrics: { serviceMonitor: { enabled: true } },
    podLabels: { 'example.org/a': 'b' },
  }),
  tenant('without an end of sessions', { tls: plain, endSessions: { enabled: false } }),
  tenant('with a volume that is there', { tls: plain, persistence: { existingClaim: 'data' } }),
]

type Refused = ValueSet & Readonly<{ says: RegExp }>
const refused = (set: ValueSet, says: RegExp): Refused => ({ ...set, says })

export const refusedValues: readonly Refused[] = [
  refused(operator('a misspelt feature', { features: { webhok: true } }), /webhok/),
  refused(operator('a misspelt value', { replicas: 2 }), /replicas/),
  refused(operator('no replica', { replicaCount: 0 }), /replicaCount/),
  refused(operator('no audience', { audiences: [] }), /audiences/),
  refused(operator('an identity that is none', { identity: 'none' }), /identity/),
  refused(operator('a second place for the features', { config: { features: {} } }), /features/),
  refused(operator('a tenant namespace that is none', { tenantNamespaces: ['*'] }), /tenantNames/),
  refused(
    operator('a namespace with nothing to read', { tenantNamespaces: [{ name: 'a' }] }),
    /tenantN/,
  ),
  refused(
    operator('a cluster that nobody can reach', { clusters: [{ name: 'edge' }] }),
    /clusters/,
  ),
  refused(
    operator('a cluster by two ways', {
      clusters: [{ name: 'edge', kubeconfigSecret: 'a', issuer: 'https://a' }],
    }),
    /clusters/,
  ),
  refused(
    operator('two that keep the certificate', { certificate: { certManager: { enabled: true } } }),
    /requestAutoCert: false/,
  ),
  refused(
    operator('a webhook with a certificate of unknown authority', {
      features: { webhook: true },
      certificate: { requestAutoCert: false },
    }),
    /webhook\.caBundle/,
  ),
  refused(
    operator('all Secrets and some Secrets', { clusterWideSecrets: true, tenantNamespaces: ['a'] }),
    /leave one of them out/,
  ),
  refused(
    operator('an account of nobody', { serviceAccount: { create: false } }),
    /serviceAccount\.name/,
  ),
  refused(
    tenant('a server without TLS that nobody asked for', {}),
    /secretName.*insecurePlainHttp/s,
  ),
  refused(
    tenant('two certificates', { tls: { secretName: 'a', certManager: { enabled: true } } }),
    /not both/,
  ),
  refused(
    tenant('a certificate that is not used', { tls: { secretName: 'a', ...plain } }),
    /leave it out/,
  ),
  refused(
    tenant('a password in the values', { tls: plain, rootPassword: 'minio123' }),
    /rootPassw/,
  ),
  refused(tenant('a binding of nobody', { tls: plain, bindings: { a: {} } }), /bindings/),
  refused(tenant('a policy that says nothing', { tls: plain, policies: { a: {} } }), /policies/),
  refused(tenant('a name that is none', { tls: plain, name: 'A b' }), /name/),
  refused(
    tenant('sessions longer than 12 hours', { tls: plain, tenant: { maxSessionSeconds: 43_201 } }),
    /maxSessionSeconds/,
  ),
]
