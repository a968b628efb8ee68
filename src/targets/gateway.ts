import { issueShared, type Credentials, type rememberRingKeys } from '../credentials/index.ts'
import { ExchangeError } from '../exchange.ts'
import type { Grant } from '../grants/index.ts'
import { bindingsOf } from './inline-policy.ts'
import { unreachable } from './target-failure.ts'
import type { GatewayTarget } from './types.ts'

type Ground = Readonly<{
  clock: () => Date
  random: (bytes: number) => Buffer
  ringKeyOf: ReturnType<typeof rememberRingKeys>
}>

/**
 * A sealed session, under a key that every Daypass server of the tenant holds (DESIGN section 3). Policies by name are looked up there,
 * in the tenant's own store, at each use; what stands in the bindings themselves, the caller's policy and the ceiling ride along.
 */
export async function issueByGateway(
  grant: Grant,
  target: GatewayTarget,
  ground: Ground,
): Promise<Credentials> {
  const keys = await target.sessionKeys().catch((cause: unknown) => {
    throw unreachable(`the session keys cannot be had: ${reasonOf(cause)}`, cause)
  })
  return issueShared({ ...grant, source: withResources(grant, target) }, keys, ground)
}

/**
 * Policies that are resources of the cluster ride along as they are now; the tenant's servers know nothing of them. One
 * that is nowhere may have been meant to deny something.
 */
function withResources({ source }: Grant, target: GatewayTarget): Grant['source'] {
  if (source.kind !== 'binding')
    throw new TypeError('only what bindings give is sealed for a tenant')
  const found = source.names.flatMap((name) => target.findPolicy(name) ?? [])
  const broken = source.names.find((name) => target.findPolicy(name) === '')
  if (broken !== undefined) {
    const message = `${bindingsOf(source)} names the policy ${JSON.stringify(broken)}, and that Policy in the namespace of tenant ${target.tenant} is not valid`
    throw new ExchangeError('malformed_policy', message, { detail: { policy: broken } })
  }
  const names = source.names.filter((name) => target.findPolicy(name) === undefined)
  const [missing] = names
  if (missing !== undefined && !target.asksTenant) {
    const message = `${bindingsOf(source)} names the policy ${JSON.stringify(missing)}, and there is no such Policy in the namespace of tenant ${target.tenant}`
    throw new ExchangeError('no_policy', message, { detail: { policy: missing } })
  }
  return { ...source, names, documents: [...new Set([...source.documents, ...found])] }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
