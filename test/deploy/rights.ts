/** What the operator of the chart may do, and what it may not, with the values of `cluster.test.ts`. */

export const operatorAccount = { namespace: 'daypass-operator', name: 'daypass-operator' } as const

type Attributes = Readonly<Record<string, Readonly<Record<string, string>>>>
export type Right = Readonly<{ may: boolean; why: string; attributes: Attributes }>

type Where = Readonly<{ namespace?: string; name?: string; subresource?: string }>

const right =
  (may: boolean, why: string) =>
  (verb: string, group: string, resource: string, where: Where = {}): Right => ({
    may,
    why,
    attributes: { resourceAttributes: { verb, group, resource, ...where } },
  })
const may = (why: string) => right(true, why)
const mayNot = (why: string) => right(false, why)
const url = (allowed: boolean, path: string): Right => ({
  may: allowed,
  why: 'keys of tokens',
  attributes: { nonResourceAttributes: { verb: 'get', path } },
})

const own = operatorAccount.namespace
const requests = 'certificatesigningrequests'

export const asked: readonly Right[] = [
  may('who calls')('create', 'authentication.k8s.io', 'tokenreviews'),
  url(true, '/openid/v1/jwks'),
  url(true, '/.well-known/openid-configuration'),
  url(false, '/metrics'),
  ...['list', 'watch'].flatMap((verb) => [
    may('what is bound')(verb, 'sts.min.io', 'policybindings'),
    may('what is bound')(verb, 'daypass.dev', 'bindings'),
    may('what is bound')(verb, 'daypass.dev', 'policies'),
    may('what is bound')(verb, 'daypass.dev', 'tenants'),
    may('features.minioTenants')(verb, 'minio.min.io', 'tenants'),
    may('features.labelSelectors')(verb, '', 'namespaces'),
    may('features.labelSelectors')(verb, '', 'serviceaccounts'),
  ]),
  ...['bindings', 'policies', 'tenants'].map((resource) =>
    may('features.status')('patch', 'daypass.dev', resource, { subresource: 'status' }),
  ),
  may('features.status')('patch', 'sts.min.io', 'policybindings', { subresource: 'status' }),
  may('one writes')('create', 'coordination.k8s.io', 'leases', { namespace: own }),
  ...['get', 'update'].map((verb) =>
    may('one writes')(verb, 'coordination.k8s.io', 'leases', { namespace: own, name: own }),
  ),
  ...['get', 'update'].flatMap((verb) => [
    may('certificate')(verb, '', 'secrets', { namespace: own, name: 'sts-tls' }),
    may('certificate')(verb, '', 'secrets', { namespace: own, name: 'sts-ca' }),
    may('certificate')(verb, '', 'configmaps', { namespace: own, name: 'daypass-sts-ca' }),
  ]),
  ...['get', 'update'].map((verb) =>
    may('what was served')(verb, '', 'configmaps', {
      namespace: own,
      name: 'daypass-operator-served',
    }),
  ),
  ...['list', 'delete'].map((verb) =>
    mayNot('ConfigMaps of others')(verb, '', 'configmaps', { namespace: own }),
  ),
  may('certificate')('create', '', 'secrets', { namespace: own }),
  may('certificate')('create', '', 'configmaps', { namespace: own }),
  may('certificate')('create', 'certificates.k8s.io', requests),
  may('certificate')('get', 'certificates.k8s.io', requests),
  may('certificate')('update', 'certificates.k8s.io', requests, { subresource: 'approval' }),
  may('certificate')('approve', 'certificates.k8s.io', 'signers', {
    name: 'kubernetes.io/kubelet-serving',
  }),
  may('operator-ca-tls*')('list', '', 'secrets', { namespace: own }),
  may('tenantNamespaces')('get', '', 'secrets', { namespace: 'tenant-a', name: 'anything' }),
  may('tenantNamespaces')('get', '', 'configmaps', { namespace: 'tenant-a', name: 'ca' }),
  may('tenantNamespaces')('get', '', 'secrets', { namespace: 'tenant-b', name: 'keys' }),

  ...['get', 'list', 'watch'].map((verb) => mayNot('Secrets of all')(verb, '', 'secrets')),
  mayNot('Secrets elsewhere')('get', '', 'secrets', { namespace: 'shop', name: 'password' }),
  mayNot('Secrets that are not named')('get', '', 'secrets', {
    namespace: 'tenant-b',
    name: 'root',
  }),
  ...['list', 'watch', 'create', 'update', 'patch', 'delete'].map((verb) =>
    mayNot('Secrets of tenants are for reading one by one')(verb, '', 'secrets', {
      namespace: 'tenant-a',
    }),
  ),
  mayNot('Secrets of its own that it does not keep')('update', '', 'secrets', {
    namespace: own,
    name: 'other',
  }),
  ...['delete', 'patch'].map((verb) =>
    mayNot('nothing is deleted')(verb, '', 'secrets', { namespace: own, name: 'sts-tls' }),
  ),
  ...['create', 'update', 'patch', 'delete'].flatMap((verb) => [
    mayNot('who gets what is for others to say')(verb, 'daypass.dev', 'bindings'),
    mayNot('who gets what is for others to say')(verb, 'daypass.dev', 'policies'),
    mayNot('who gets what is for others to say')(verb, 'daypass.dev', 'tenants'),
    mayNot('who gets what is for others to say')(verb, 'sts.min.io', 'policybindings'),
    mayNot('tenants of others')(verb, 'minio.min.io', 'tenants'),
  ]),
  mayNot('other signers')('approve', 'certificates.k8s.io', 'signers', {
    name: 'kubernetes.io/kube-apiserver-client',
  }),
  mayNot('signing')('sign', 'certificates.k8s.io', 'signers', {
    name: 'kubernetes.io/kubelet-serving',
  }),
  mayNot('requests of others')('list', 'certificates.k8s.io', requests),
  mayNot('other leases')('update', 'coordination.k8s.io', 'leases', { namespace: own, name: 'x' }),
  mayNot('leases elsewhere')('create', 'coordination.k8s.io', 'leases', { namespace: 'shop' }),
  mayNot('tokens of others')('create', '', 'serviceaccounts', { subresource: 'token' }),
  mayNot('being another one')('impersonate', '', 'users'),
  mayNot('pods')('list', '', 'pods'),
  mayNot('pods')('create', '', 'pods', { subresource: 'exec' }),
  mayNot('nodes')('list', '', 'nodes'),
  mayNot('more rights')('create', 'rbac.authorization.k8s.io', 'clusterrolebindings'),
  mayNot('more rights')('bind', 'rbac.authorization.k8s.io', 'clusterroles'),
  mayNot('definitions')('update', 'apiextensions.k8s.io', 'customresourcedefinitions'),
  mayNot('features.webhook')(
    'update',
    'admissionregistration.k8s.io',
    'validatingwebhookconfigurations',
    {
      name: own,
    },
  ),
]
