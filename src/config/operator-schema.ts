import { z } from 'zod'
import { address } from './schema.ts'

/** The configuration of `daypass operator`, one schema. Unknown keys are errors, and every default has its reason. */

const clusterName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is 1 to 63 lower-case letters, digits or -')
const namespaceName = clusterName

const identity = z.enum(['tokenReview', 'jwks', 'both'])
const audiences = z.array(z.string().min(1)).min(1, 'is empty, so no token would do')
const path = z.string().min(1)

const furtherCluster = z
  .strictObject({
    name: clusterName.describe('What bindings call it.'),
    kubeconfig: path.optional().describe('File with the way to its API server.'),
    context: z.string().min(1).optional().describe('Of the kubeconfig; default: its current one.'),
    issuer: z
      .url()
      .optional()
      .describe(
        'The `iss` of its tokens. Instead of a kubeconfig, where anybody can fetch the keys; beside one, the only issuer that this cluster may call itself.',
      ),
    caFile: path.optional().describe('PEM file with the CA of the issuer.'),
    identity: identity.optional().describe('Default: both with a kubeconfig, else jwks.'),
    audiences: audiences.optional().describe('Default: those of this cluster.'),
  })
  .refine((cluster) => (cluster.kubeconfig ?? cluster.issuer) !== undefined, {
    message: 'is missing, and so is issuer: say one of them, or both',
    path: ['kubeconfig'],
  })
  .refine(
    (cluster) => cluster.kubeconfig !== undefined || (cluster.identity ?? 'jwks') === 'jwks',
    {
      message: 'can only be jwks where there is no kubeconfig',
      path: ['identity'],
    },
  )

const certificate = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('auto'),
    signerName: z
      .string()
      .min(1)
      .default('kubernetes.io/kubelet-serving')
      .describe("Of the cluster's CSR API. What it does not sign, an own CA does."),
    ownCa: z
      .boolean()
      .default(false)
      .describe('Do not ask the cluster; begin with the own CA at once.'),
  }),
  z.strictObject({
    mode: z.literal('secret'),
    secretName: z.string().min(1).default('sts-tls').describe('Kept by cert-manager or by hand.'),
  }),
  z.strictObject({ mode: z.literal('files'), certFile: path, keyFile: path }),
])

export const operatorSchema = z.strictObject({
  address: address
    .default('0.0.0.0:4223')
    .describe('The STS, by TLS. The port of the MinIO Operator.'),
  operationsAddress: address
    .default('127.0.0.1:9002')
    .describe(
      '`/metrics`, `/live`, `/ready`; plain HTTP, so beyond loopback it needs `insecurePlainHttp`.',
    ),
  insecurePlainHttp: z
    .boolean()
    .default(false)
    .describe(
      'Allow plain HTTP on an operations address that is not loopback: probes of a kubelet need it.',
    ),
  webhookAddress: address.default('0.0.0.0:8443').describe('With `features.webhook`.'),
  webhookConfiguration: z
    .string()
    .min(1)
    .optional()
    .describe(
      'ValidatingWebhookConfiguration whose `caBundle` is kept up to date, with certificate mode `auto`.',
    ),
  kubeconfig: path.optional().describe('Default: the service account of the pod.'),
  context: z.string().min(1).optional(),
  namespace: namespaceName
    .optional()
    .describe("The operator's own. Default: that of the pod, else `daypass-operator`."),
  serviceName: namespaceName.default('sts').describe('Whose names stand in the certificate.'),
  clusterName: clusterName.default('local').describe('What bindings call this cluster.'),
  clusterDomain: z
    .string()
    .regex(/^[a-z0-9.-]+$/)
    .default('cluster.local'),
  audiences: audiences
    .default(['sts.min.io'])
    .describe('One of them must be in `aud` of a token, and in the answer of the API server.'),
  identity: identity
    .default('both')
    .describe(
      '`jwks` alone is the only one for which a deleted pod can go on to the end of its token.',
    ),
  tokenCacheSeconds: z
    .int()
    .min(0)
    .max(60)
    .default(5)
    .describe(
      'How long the answer about a token counts. The API server itself remembers for 10 s.',
    ),
  staleAfterSeconds: z
    .int()
    .min(10)
    .max(86_400)
    .default(600)
    .describe('How long bindings count while the API server is away.'),
  maxSessionPolicyBytes: z.int().min(256).max(20_480).default(2048),
  certificate: certificate.prefault({ mode: 'auto' }),
  features: z
    .strictObject({
      minioTenants: z.boolean().default(true).describe('Serve `minio.min.io/v2` tenants.'),
      labelSelectors: z
        .boolean()
        .default(true)
        .describe('Watch labels of namespaces and accounts.'),
      status: z.boolean().default(true).describe('Write conditions and last use.'),
      webhook: z.boolean().default(false).describe('Judge resources at admission.'),
      insecureHttpTenants: z
        .boolean()
        .default(false)
        .describe('Send credentials to MinIO tenants without TLS.'),
    })
    .prefault({}),
  watchedNamespaces: z.array(namespaceName).default([]).describe('Empty: all.'),
  clusters: z.array(furtherCluster).default([]).describe('Further clusters whose pods may come.'),
  auditDir: path
    .optional()
    .describe('Folder of the audit log. Absent: standard output, one JSON line for each decision.'),
  trustedProxies: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe('Peers whose `X-Forwarded-For` names the client.'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  limits: z
    .strictObject({
      perSecond: z.number().positive().default(50).describe('Calls a second and source address.'),
      burst: z.int().positive().default(200),
      inFlight: z
        .int()
        .positive()
        .default(512)
        .describe('Calls at the same time, from all sources; one source has a quarter.'),
    })
    .prefault({}),
})

export type OperatorFile = z.infer<typeof operatorSchema>
