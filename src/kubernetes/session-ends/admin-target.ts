import type { AdminTarget } from '../../targets/index.ts'
import { demand, keysOf, textOf } from '../reach.ts'
import type { TenantAdmin } from '../resources/tenant.ts'
import type { KeyReader } from '../secrets.ts'

/** How the IAM API of a tenant is reached; its Secrets are read when they are needed. */
export function adminTarget(
  namespace: string,
  name: string,
  admin: TenantAdmin,
  keys: KeyReader,
): AdminTarget {
  const { endpoint, insecureHttp, region = 'us-east-1', ca, credentialsSecret } = admin
  return {
    tenant: `${namespace}/${name}`,
    endpoint,
    insecureHttp,
    region,
    async credentials() {
      return keysOf(await demand(keys, namespace, credentialsSecret), credentialsSecret)
    },
    async ca() {
      if (ca === undefined) return undefined
      const values = await keys.read(ca.kind, namespace, ca.name)
      if (values !== undefined) return textOf(values, ca.key, ca.name)
      throw new Error(`there is no ${ca.name} among the ${ca.kind} of namespace ${namespace}`)
    },
  }
}
