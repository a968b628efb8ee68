import { z } from 'zod'
import { Secret } from '../../secret.ts'
import { labelName, subdomainName } from './names.ts'
import { parseBy, parsedOf, refused, type Parsed } from './parsed.ts'
import { defaultPolicyBytes, defaultSessionSeconds, type TenantResource } from './tenant.ts'

/** What counts of `minio.min.io/v2 Tenant`; of the rest there is much. */
const schema = z.object({
  metadata: z.object({ name: labelName, namespace: labelName }),
  spec: z.object({
    configuration: z.object({ name: subdomainName }).optional(),
    requestAutoCert: z.boolean().nullish(),
    externalCertSecret: z.array(z.unknown()).nullish(),
  }),
})

type Settings = Readonly<{ clusterDomain: string; insecureHttp: boolean }>

/**
 * A tenant of the MinIO Operator: its root credentials are in its configuration Secret, its address is that of the
 * Service `minio` of its namespace. Without TLS it is served only where that has been allowed.
 */
export function parseMinioTenant(object: unknown, settings: Settings): Parsed<TenantResource> {
  return parseBy(schema, object, ({ metadata: { name, namespace }, spec }) => {
    const { configuration, requestAutoCert, externalCertSecret } = spec
    if (configuration === undefined) {
      return refused({
        path: 'spec.configuration',
        message: 'is missing, and with it the root credentials',
      })
    }
    const secure = (requestAutoCert ?? true) || (externalCertSecret ?? []).length > 0
    if (!secure && !settings.insecureHttp) {
      return refused({
        path: 'spec.requestAutoCert',
        message:
          'the tenant has no TLS, and credentials do not travel in plain text (features.insecureHttpTenants)',
      })
    }
    const host = `minio.${namespace}.svc.${settings.clusterDomain}`
    return parsedOf({
      namespace,
      name,
      reach: {
        kind: 'assume-role',
        endpoint: secure ? `https://${host}:443` : `http://${host}:80`,
        dialect: 'minio',
        credentials: { secret: configuration.name, format: 'config.env' },
        maxPolicyBytes: defaultPolicyBytes,
        insecureHttp: !secure,
      },
      policySource: 'both',
      missingPolicy: 'fail',
      maxSessionSeconds: defaultSessionSeconds,
    })
  })
}

type RootCredentials = Readonly<{ accessKeyId: string; secretAccessKey: Secret }>

/**
 * The root credentials in a `config.env`, read as the MinIO Operator reads it: lines of `export NAME="value"`, with or
 * without `export` and quotes, later ones over earlier ones. `undefined`: they are not there.
 */
export function parseConfigEnv(text: string): RootCredentials | undefined {
  const values = new Map(text.split('\n').flatMap(readLine))
  const accessKeyId = values.get('MINIO_ROOT_USER') ?? values.get('MINIO_ACCESS_KEY')
  const secret = values.get('MINIO_ROOT_PASSWORD') ?? values.get('MINIO_SECRET_KEY')
  if (!accessKeyId || !secret) return undefined
  return { accessKeyId, secretAccessKey: new Secret(secret) }
}

function readLine(raw: string): readonly (readonly [string, string])[] {
  const line = raw.trim()
  if (line === '' || line.startsWith('#')) return []
  const assignment = line.replace(/^export/, '').trim()
  const equals = assignment.indexOf('=')
  if (equals < 0) return []
  const value = assignment.slice(equals + 1)
  const quote = value.at(0)
  const quoted = value.length > 1 && (quote === '"' || quote === "'") && value.at(-1) === quote
  return [[assignment.slice(0, equals), quoted ? value.slice(1, -1) : value]]
}
