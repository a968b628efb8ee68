import { z } from 'zod'
import { labelName, roleArn, sessionSeconds, subdomainName } from './names.ts'
import { parseBy, parsedOf, readDocument, refused, type Parsed } from './parsed.ts'

/** A key of a Secret or ConfigMap in the tenant's namespace. */
export type KeyReference = Readonly<{ kind: 'secrets' | 'configmaps'; name: string; key: string }>

/** The IAM API of a gateway's server, where sessions are ended, with its Secrets by name. */
export type TenantAdmin = Readonly<{
  endpoint: string
  region?: string | undefined
  ca?: KeyReference | undefined
  /** The Secret with `accessKeyId` and `secretAccessKey`. */
  credentialsSecret: string
  insecureHttp: boolean
}>

/** How a tenant is reached, with its Secrets by name. */
export type TenantReach =
  | Readonly<{ kind: 'gateway'; sessionKeysSecret: string; admin?: TenantAdmin | undefined }>
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

/** What an address takes to be asked with credentials: shared by both targets. */
const connection = {
  endpoint: z.url({ protocol: /^https?$/ }).max(1024),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional(),
  caSecretRef: keyOf('ca.crt').optional(),
  caConfigMapRef: keyOf('ca.crt').optional(),
  credentialsSecretRef: z.strictObject({ name: subdomainName }),
  insecureHttp: z.boolean().default(false),
}

type Connection = z.infer<z.ZodObject<typeof connection>>

/** All that is wrong with an address, beyond its form. */
function checkConnection(
  { endpoint, caSecretRef, caConfigMapRef, insecureHttp }: Connection,
  context: z.RefinementCtx,
): void {
  const refuse = (field: string, message: string): void => {
    context.addIssue({ code: 'custom', message, path: [field] })
  }
  if (caSecretRef && caConfigMapRef) {
    refuse('caConfigMapRef', 'is one of caSecretRef and caConfigMapRef, not both')
  }
  if (!insecureHttp && !endpoint.startsWith('https:')) {
    refuse(
      'endpoint',
      'is plain HTTP: use https, or set insecureHttp: true and let credentials be read on the way',
    )
  }
  const path = URL.canParse(endpoint) ? new URL(endpoint).pathname : ''
  if (path !== '/' || /[?#@]/.test(endpoint)) {
    refuse('endpoint', 'is scheme, host and port alone')
  }
}

const admin = z.strictObject(connection).superRefine(checkConnection)

const assumeRole = z
  .strictObject({
    ...connection,
    dialect: z.enum(['minio', 'aws']).default('minio'),
    roleArn: roleArn.optional(),
    maxPolicyBytes: z.int().min(256).max(131_072).default(defaultPolicyBytes),
  })
  .superRefine(checkConnection)

/** `daypass.dev/v1 Tenant`. */
const schema = z.object({
  metadata: z.object({ name: labelName, namespace: labelName }),
  spec: z.strictObject({
    target: z.union(
      [
        z.strictObject({
          gateway: z.strictObject({
            sessionKeysSecretRef: z.strictObject({ name: subdomainName }),
            admin: admin.optional(),
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
    const { sessionKeysSecretRef, admin: settings } = target.gateway
    return {
      kind: 'gateway',
      sessionKeysSecret: sessionKeysSecretRef.name,
      ...(settings && { admin: adminOf(settings) }),
    }
  }
  const { caSecretRef, caConfigMapRef, credentialsSecretRef, ...rest } = target.assumeRole
  return {
    kind: 'assume-role',
    ...rest,
    ca: caOf({ caSecretRef, caConfigMapRef }),
    credentials: { secret: credentialsSecretRef.name, format: 'keys' },
  }
}

function adminOf(settings: z.infer<typeof admin>): TenantAdmin {
  const { endpoint, region, insecureHttp, credentialsSecretRef } = settings
  const ca = caOf(settings)
  return { endpoint, region, insecureHttp, ca, credentialsSecret: credentialsSecretRef.name }
}

function caOf({
  caSecretRef,
  caConfigMapRef,
}: Pick<Connection, 'caSecretRef' | 'caConfigMapRef'>): KeyReference | undefined {
  if (caSecretRef) return { kind: 'secrets', ...caSecretRef }
  return caConfigMapRef && { kind: 'configmaps', ...caConfigMapRef }
}
