import type { Credentials } from '../credentials/index.ts'
import { ExchangeError } from '../exchange.ts'
import type { Grant } from '../grants/index.ts'
import { parsePolicy, PolicyError } from '../policy/index.ts'
import type { SourcedPolicy } from '../policy/index.ts'
import { parseAssumed, type Assumed } from './answers.ts'
import { wayOf } from './connection.ts'
import { bindingsOf, inlinePolicy } from './inline-policy.ts'
import type { TargetEvent, TargetStep } from './target-event.ts'
import { TargetFailure, unreachable } from './target-failure.ts'
import { defaultRegion, type Ground, type TenantClient } from './tenant-client.ts'
import type { TenantClients } from './tenant-clients.ts'
import type { AssumeRoleTarget, BrokerCredentials } from './types.ts'

export type Room = Ground & Readonly<{ clients: TenantClients; log: (event: TargetEvent) => void }>

/** For everything: settings, policies, attempts and pauses. */
const overallMs = 9500
/** AWS and MinIO give nothing shorter. */
const shortestSeconds = 900

type BindingSource = Extract<Grant['source'], { kind: 'binding' }>

/** One exchange with a tenant, step by step. */
type Visit = Readonly<{
  grant: Grant
  source: BindingSource
  target: AssumeRoleTarget
  room: Room
  signal: AbortSignal
}>

/**
 * Credentials by the tenant's own STS, as its broker, narrowed by one inline policy (operator-sts.md sections 4 and 5.4). @throws ExchangeError
 */
export async function issueByAssumeRole(
  grant: Grant,
  target: AssumeRoleTarget,
  room: Room,
): Promise<Credentials> {
  const { source } = grant
  if (source.kind !== 'binding') throw new TypeError('only what bindings give is brokered')
  const signal = AbortSignal.timeout(overallMs)
  const visit: Visit = { grant, source, target, room, signal }
  const roleArn = roleOf(visit)
  const [broker, ca] = await step(visit, 'settings', () =>
    within(settingsOf(target), signal, 'its settings cannot be read'),
  )
  const client = await step(visit, 'settings', async () =>
    room.clients.get(target.tenant, wayOf(target, ca)),
  )
  return step(visit, 'connection', () =>
    client.enter(async () => {
      const region = await regionOf(visit, client, broker)
      const named = await readPolicies(visit, client, region, broker)
      const policy = inlinePolicy(grant, source, named, target)
      return assume(visit, client, { policy, roleArn, region, broker })
    }),
  )
}

async function settingsOf(
  target: AssumeRoleTarget,
): Promise<readonly [BrokerCredentials, string | undefined]> {
  try {
    return await Promise.all([target.credentials(), target.ca()])
  } catch (cause) {
    throw unreachable(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/** MinIO has no roles to take, so what a role was meant to give or to deny is not known there. */
function roleOf({ source, target }: Visit): string | undefined {
  const roleArn = source.roleArn ?? target.roleArn
  if (target.dialect === 'minio' && source.roleArn !== undefined) {
    const message = `${bindingsOf(source)} names the role ${source.roleArn}, and tenant ${target.tenant} has no roles`
    throw new ExchangeError('no_policy', message)
  }
  if (target.dialect === 'aws' && roleArn === undefined) {
    const message = `Neither ${bindingsOf(source)} nor tenant ${target.tenant} says which role to take there`
    throw new ExchangeError('no_policy', message)
  }
  return roleArn
}

async function regionOf(
  visit: Visit,
  client: TenantClient,
  broker: BrokerCredentials,
): Promise<string> {
  const { region, dialect } = visit.target
  if (region !== undefined) return region
  if (dialect === 'aws') return defaultRegion
  return step(visit, 'info', () => within(client.region(broker), visit.signal, 'no answer in time'))
}

async function readPolicies(
  visit: Visit,
  client: TenantClient,
  region: string,
  broker: BrokerCredentials,
): Promise<readonly SourcedPolicy[]> {
  const found = await Promise.all(
    visit.source.names.map(async (name) => {
      const text = await policyText(visit, client, name, region, broker)
      return text === undefined ? [] : [parseNamed(visit, name, text)]
    }),
  )
  return found.flat()
}

/** First the resources of the cluster, then the tenant. What is nowhere may have been meant to deny something. */
async function policyText(
  visit: Visit,
  client: TenantClient,
  name: string,
  region: string,
  broker: BrokerCredentials,
): Promise<string | undefined> {
  const { target, source, signal } = visit
  const { tenant } = target
  const own = target.findPolicy(name)
  if (own !== undefined) return own
  // Only MinIO and those who speak like it can be asked.
  const asksTenant = target.asksTenant && target.dialect === 'minio'
  const theirs = asksTenant
    ? await step(visit, 'info-canned-policy', () =>
        within(client.policy(name, region, broker), signal, 'no answer in time'),
      )
    : undefined
  if (theirs !== undefined) return theirs
  if (target.missingPolicy === 'skip') {
    const reason = `policy "${name}" does not exist`
    visit.room.log({ kind: 'policy_skipped', tenant, step: 'info-canned-policy', reason })
    return undefined
  }
  const message = `Policy "${name}" of ${bindingsOf(source)} does not exist in tenant ${tenant}`
  throw new ExchangeError('no_policy', message, { detail: { policy: name } })
}

function parseNamed({ source }: Visit, name: string, text: string): SourcedPolicy {
  try {
    return { name, source: bindingsOf(source), policy: parsePolicy(text, 'identity') }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const message = `Policy "${name}" of ${bindingsOf(source)} cannot be understood: ${error.message}`
    throw new ExchangeError('malformed_policy', message, { detail: error.detail, cause: error })
  }
}

type Asked = Readonly<{
  policy: string | undefined
  roleArn: string | undefined
  region: string
  broker: BrokerCredentials
}>

async function assume(visit: Visit, client: TenantClient, asked: Asked): Promise<Credentials> {
  const { grant, target, room, signal } = visit
  const now = room.clock()
  const left = Math.floor((grant.expiresAt.getTime() - now.getTime()) / 1000)
  const seconds = Math.max(shortestSeconds, left)
  const call = {
    method: 'POST',
    path: '/',
    body: formOf(grant, asked, seconds),
    service: 'sts',
    region: asked.region,
    maxAnswerBytes: 64 * 1024,
  } as const
  const assumed = await step(visit, 'AssumeRole', async () => {
    try {
      return usable(parseAssumed(await client.call(call, asked.broker, signal)), room.clock())
    } catch (error) {
      if (error instanceof TargetFailure && error.kind === 'target_refused') client.forgetRegion()
      throw error
    }
  })
  // Where the tenant gives longer than asked (MinIO's MINIO_STS_DURATION), clients still come back when we say.
  const latest = now.getTime() + seconds * 1000
  const expiresAt = new Date(Math.min(assumed.expiresAt.getTime(), latest))
  const share = (Buffer.byteLength(asked.policy ?? '') * 100) / target.maxPolicyBytes
  return { ...assumed, expiresAt, packedPolicySize: Math.max(1, Math.ceil(share)) }
}

function formOf(grant: Grant, { policy, roleArn }: Asked, seconds: number): string {
  const fields = {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    DurationSeconds: String(seconds),
    ...(policy !== undefined && { Policy: policy }),
    ...(roleArn !== undefined && { RoleArn: roleArn, RoleSessionName: grant.sessionName }),
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}

function usable(assumed: Assumed | undefined, now: Date): Assumed {
  if (assumed === undefined) throw unreachable('its answer holds no credentials')
  if (assumed.expiresAt > now) return assumed
  throw unreachable('its credentials are over already: compare the clocks')
}

/** Tells the log at which step it failed, once, and makes a refusal of it. */
async function step<T>(
  { target: { tenant }, room }: Visit,
  name: TargetStep,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof TargetFailure)) throw error
    room.log(error.event(tenant, name))
    throw error.refusal(tenant)
  }
}

/** The same, unless time is up first. */
async function within<T>(promise: Promise<T>, signal: AbortSignal, reason: string): Promise<T> {
  if (signal.aborted) throw unreachable(reason)
  const { promise: over, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(unreachable(reason))
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([promise, over])
  } finally {
    signal.removeEventListener('abort', end)
  }
}
