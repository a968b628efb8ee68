import { z } from 'zod'
import { labelName, roleArn, sessionSeconds, subdomainName } from './names.ts'
import { parseBy, parsedOf, readDocument, refused, type Parsed } from './parsed.ts'

/** A key of a Secret or ConfigMap in the tenant's namespace. */
export type KeyReference = Readonly<{ kind: 'secrets' | 'configmaps'; name: string; key: string }>

/** How a tenant is reached, with its Secrets by name. */
export type TenantReach =
  | Readonly<{ kind: 'gateway'; sessionKeysSecret: string }>
  | Readonly<{
      kind: 'assume-role'
      endpoint: string
      region?: string | undefined
      dialect: 'minio' | 'aws'
      ca?: KeyReference | undefined
      /** The Secret with `accessKeyId` and `secretAccessKey`; or MinIO's, with `config.env`. */
      credentials: Readonly<{ secret: string; format: 'keys' | 'config.env' }>
      roleArn?: string | undefined
      maxPolicyBytes: number
      insecureHttp: boolean
    }>

export type TenantResource = Readonly<{
  namespace: string
  name: string
  reach: TenantReach
  policySource: 'both' | 'resources' | 'tenant'
  missingPolicy: 'fail' | 'skip'
  ceiling?: string | undefined
  maxSessionSeconds: number
}>

export const defaultSessionSeconds = 43_200
export const defaultPolicyBytes = 2048

const keyOf = (key: string) =>
  z.strictObject({ name: subdomainName, key: z.string().min(1).max(253).default(key) })

const assumeRole = z
  .strictObject({
    endpoint: z.url({ protocol: /^https?$/ }).max(1024),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .optional(),
    dialect: z.enum(['minio', 'aws']).default('minio'),
    caSecretRef: keyOf('ca.crt').optional(),
    caConfigMapRef: keyOf('ca.crt').optional(),
    credentialsSecretRef: z.strictObject({ name: subdomainName }),
    roleArn: roleArn.optional(),
    maxPolicyBytes: z.int().min(256).max(131_072).default(defaultPolicyBytes),
    insecureHttp: z.boolean().default(false),
  })
  .refine(({ caSecretRef, caConfigMapRef }) => !(caSecretRef && caConfigMapRef), {
    message: 'is one of caSecretRef and caConfigMapRef, not both',
    path: ['caConfigMapRef'],
  })
  .refine(({ endpoint, insecureHttp }) => insecureHttp || endpoint.startsWith('https:'), {
    message:
      'is plain HTTP: use https, or set insecureHttp: true and let credentials be read on the way',
    path: ['endpoint'],
  })
  .refine(({ endpoint }) => new URL(endpoint).pathname === '/' && !/[?#@]/.test(endpoint), {
    message: 'is scheme, host and port alone',
    path: ['endpoint'],
  })

/** `daypass.dev/v1 Tenant`. */
const schema = z.object({
  metadata: z.object({ name: labelName, namespace: labelName }),
  spec: z.strictObject({
    target: z.union(
      [
        z.strictObject({
          gateway: z.strictObject({
            sessionKeysSecretRef: z.strictObject({ name: subdomainName }),
          }),
        }),
        z.strictObject({ assumeRole }),
      ],
      'is either gateway: {sessionKeysSecretRef: {name}} or assumeRole: {endpoint, credentialsSecretRef: {name}}',
    ),
    policySource: z.enum(['both', 'resources', 'tenant']).default('both'),
    missingPolicy: z.enum(['fail', 'skip']).default('fail'),
    ceiling: z.strictObject({ document: z.record(z.string(), z.unknown()) }).optional(),
    maxSessionSeconds: sessionSeconds.default(defaultSessionSeconds),
  }),
})

export function parseTenant(object: unknown): Parsed<TenantResource> {
  return parseBy(schema, object, ({ metadata: { name, namespace }, spec }) => {
    const { target, ceiling, policySource, missingPolicy, maxSessionSeconds } = spec
    const read = ceiling && readDocument(ceiling.document, 'spec.ceiling.document')
    if (read && 'message' in read) return refused(read)
    return parsedOf({
      namespace,
      name,
      reach: reachOf(target),
      policySource,
      missingPolicy,
      ceiling: read?.text,
      maxSessionSeconds,
    })
  })
}

function reachOf(target: z.infer<typeof schema>['spec']['target']): TenantReach {
  if ('gateway' in target) {
    return { kind: 'gateway', sessionKeysSecret: target.gateway.sessionKeysSecretRef.name }
  }
  const { caSecretRef, caConfigMapRef, credentialsSecretRef, ...rest } = target.assumeRole
  return {
    kind: 'assume-role',
    ...rest,
    ca: caSecretRef
      ? { kind: 'secrets', ...caSecretRef }
      : caConfigMapRef && { kind: 'configmaps', ...caConfigMapRef },
    credentials: { secret: credentialsSecretRef.name, format: 'keys' },
  }
}
