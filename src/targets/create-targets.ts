import { rememberRingKeys, type Credentials } from '../credentials/index.ts'
import { ExchangeError } from '../exchange.ts'
import type { Grant } from '../grants/index.ts'
import { issueByAssumeRole } from './assume-role.ts'
import { issueByGateway } from './gateway.ts'
import type { TargetEvent } from './target-event.ts'
import { TargetFailure } from './target-failure.ts'
import { TenantClients } from './tenant-clients.ts'
import type { Target } from './types.ts'

export type TargetsOptions = Readonly<{
  /** By `NAMESPACE/NAME`; `undefined`: there is no such tenant, or not any more. */
  targetOf(tenant: string): Target | undefined
  clock: () => Date
  random: (bytes: number) => Buffer
  /** Told why a tenant gave nothing. Must neither block nor throw. */
  log: (event: TargetEvent) => void
}>

export interface Targets {
  /** Credentials that keep to the grant, of its tenant. Throws a refusal, in some ten seconds at the latest. */
  issue(grant: Grant): Promise<Credentials>
  close(): Promise<void>
}

const sweepMs = 30_000

/** Makes credentials for tenants of any kind, each by its own way. */
export function createTargets(options: TargetsOptions): Targets {
  const { targetOf, clock, random, log } = options
  const clients = new TenantClients({ clock, random })
  const ringKeyOf = rememberRingKeys()
  const sweep = setInterval(() => {
    const gone = clients.tenants().filter((tenant) => targetOf(tenant)?.kind !== 'assume-role')
    for (const tenant of gone) clients.forget(tenant)
  }, sweepMs).unref()

  return {
    async issue(grant) {
      const { tenant } = grant
      const target = targetOf(tenant)
      if (target?.kind !== 'assume-role') clients.forget(tenant)
      switch (target?.kind) {
        case undefined:
          throw new ExchangeError('unknown_tenant', `There is no tenant ${tenant} any more`)
        case 'gateway':
          return issueByGateway(grant, target, { clock, random, ringKeyOf }).catch(
            (error: unknown) => {
              if (!(error instanceof TargetFailure)) throw error
              log(error.event(tenant, 'settings'))
              throw error.refusal(tenant)
            },
          )
        case 'assume-role':
          return issueByAssumeRole(grant, target, { clock, random, log, clients })
      }
      return target satisfies never
    },
    async close() {
      clearInterval(sweep)
      await clients.close()
    },
  }
}
