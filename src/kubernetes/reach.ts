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

function gateway({ namespace }: TenantResource, secret: string, { keys }: Options): GatewayTarget {
  return {
    kind: 'gateway',
    async sessionKeys() {
      const values = await demand(keys, namespace, secret)
      const active = textOf(values, 'active', secret)
      const ids = [...values].filter(([id]) => id !== 'active')
      return { active, keys: new Map(ids.map(([id, text]) => [id, keyOf(id, text, secret)])) }
    },
  }
}

/** The Secret holds base64 in its base64: so people can write it, and a mounted file is text. */
function keyOf(id: string, text: Buffer, secret: string): Buffer {
  const key = Buffer.from(text.toString('latin1').trim(), 'base64')
  if (/^[a-z2-7]{16}$/.test(id) && key.length === 32) return key
  throw new Error(
    `Secret ${secret}: ${id} is no session key; it is 16 of a-z2-7, with 32 bytes in base64`,
  )
}

type AssumeRoleReach = Extract<TenantReach, { kind: 'assume-role' }>

function assumeRole(
  { namespace, name, policySource, missingPolicy }: TenantResource,
  reach: AssumeRoleReach,
  { directory, keys, minioAuthorities }: Options,
): AssumeRoleTarget {
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
        throw new Error(`there is no ${ca.name} among the ${ca.kind} of ${namespace}`)
      return textOf(values, ca.key, ca.name)
    },
    findPolicy: (policy) =>
      policySource === 'tenant' ? undefined : directory.findPolicy(namespace, policy),
    asksTenant: policySource !== 'resources',
    missingPolicy,
  }
}

function keysOf(values: KeyValues, secret: string): BrokerCredentials {
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

async function demand(keys: KeyReader, namespace: string, secret: string): Promise<KeyValues> {
  const values = await keys.read('secrets', namespace, secret)
  if (values !== undefined) return values
  throw new Error(`there is no Secret ${secret} in namespace ${namespace}`)
}

function textOf(values: KeyValues, key: string, name: string): string {
  const text = values.get(key)?.toString('utf8').trim()
  if (text) return text
  throw new Error(`${name} has no ${key}`)
}
