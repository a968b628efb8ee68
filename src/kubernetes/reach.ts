import { parseSharedKeys } from '../credentials/index.ts'
import { Secret } from '../secret.ts'
import type {
  AssumeRoleTarget,
  BrokerCredentials,
  GatewayTarget,
  Target,
} from '../targets/types.ts'
import type { ClusterDirectory } from './directory.ts'
import { parseConfigEnv } from './resources/minio-tenant.ts'
import type { TenantReach, TenantResource } from './resources/tenant.ts'
import type { KeyReader, KeyValues } from './secrets.ts'

type Options = Readonly<{
  directory: ClusterDirectory
  keys: KeyReader
  /** PEM of the authorities that tenants of MinIO may be certified by: the cluster's, and the operator's own Secrets. */
  minioAuthorities(): Promise<string | undefined>
}>

/** How each tenant is reached, by `NAMESPACE/NAME`; its Secrets are read when they are needed. */
export function createReach(options: Options): (tenant: string) => Target | undefined {
  return (id) => {
    const tenant = options.directory.findTenant(id)
    if (tenant === undefined) return undefined
    const { reach } = tenant
    return reach.kind === 'gateway'
      ? gateway(tenant, reach.sessionKeysSecret, options)
      : assumeRole(tenant, reach, options)
  }
}

function gateway(tenant: TenantResource, secret: string, options: Options): GatewayTarget {
  const { namespace, name } = tenant
  const { keys } = options
  return {
    kind: 'gateway',
    tenant: `${namespace}/${name}`,
    ...policiesOf(tenant, options),
    async sessionKeys() {
      const values = await demand(keys, namespace, secret)
      const texts = new Map([...values].map(([key, bytes]) => [key, bytes.toString('utf8')]))
      try {
        // As the tenant's servers read the same Secret, mounted.
        return parseSharedKeys(texts)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`Secret ${secret} in namespace ${namespace}: ${reason}`, { cause })
      }
    },
  }
}

type AssumeRoleReach = Extract<TenantReach, { kind: 'assume-role' }>

/** Resources first, then the tenant itself, as far as the tenant says so. */
function policiesOf(
  { namespace, policySource }: TenantResource,
  { directory }: Options,
): Pick<GatewayTarget, 'findPolicy' | 'asksTenant'> {
  return {
    findPolicy: (policy) =>
      policySource === 'tenant' ? undefined : directory.findPolicy(namespace, policy),
    asksTenant: policySource !== 'resources',
  }
}

function assumeRole(
  tenant: TenantResource,
  reach: AssumeRoleReach,
  options: Options,
): AssumeRoleTarget {
  const { namespace, name, missingPolicy } = tenant
  const { keys, minioAuthorities } = options
  const { credentials, ca, ...rest } = reach
  return {
    ...rest,
    tenant: `${namespace}/${name}`,
    async credentials() {
      const values = await demand(keys, namespace, credentials.secret)
      return credentials.format === 'keys'
        ? keysOf(values, credentials.secret)
        : rootOf(values, credentials.secret)
    },
    async ca() {
      if (ca === undefined) return credentials.format === 'keys' ? undefined : minioAuthorities()
      const values = await keys.read(ca.kind, namespace, ca.name)
      if (values === undefined)
        throw new Error(`there is no ${ca.name} among the ${ca.kind} of namespace ${namespace}`)
      return textOf(values, ca.key, ca.name)
    },
    ...policiesOf(tenant, options),
    missingPolicy,
  }
}

export function keysOf(values: KeyValues, secret: string): BrokerCredentials {
  const sessionToken = values.get('sessionToken')?.toString('utf8').trim()
  return {
    accessKeyId: textOf(values, 'accessKeyId', secret),
    secretAccessKey: new Secret(textOf(values, 'secretAccessKey', secret)),
    ...(sessionToken && { sessionToken: new Secret(sessionToken) }),
  }
}

function rootOf(values: KeyValues, secret: string): BrokerCredentials {
  const root = parseConfigEnv(textOf(values, 'config.env', secret))
  if (root === undefined) {
    throw new Error(`Secret ${secret}: config.env sets no MINIO_ROOT_USER and MINIO_ROOT_PASSWORD`)
  }
  return root
}

export async function demand(
  keys: KeyReader,
  namespace: string,
  secret: string,
): Promise<KeyValues> {
  const values = await keys.read('secrets', namespace, secret)
  if (values !== undefined) return values
  throw new Error(`there is no Secret ${secret} in namespace ${namespace}`)
}

export function textOf(values: KeyValues, key: string, name: string): string {
  const text = values.get(key)?.toString('utf8').trim()
  if (text) return text
  throw new Error(`${name} has no ${key}, or an empty one`)
}
