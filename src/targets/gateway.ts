import { issueShared, type Credentials } from '../credentials/index.ts'
import type { Grant } from '../grants/index.ts'
import { unreachable } from './target-failure.ts'
import type { GatewayTarget } from './types.ts'

type Ground = Readonly<{ clock: () => Date; random: (bytes: number) => Buffer }>

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
  return issueShared(grant, keys, ground)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
