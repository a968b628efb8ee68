import { failureOf, openPool, sendSigned, wayOf } from './connection.ts'
import type { AssumeRoleTarget } from './types.ts'

/** The IAM API of a tenant that is a Daypass server, for ending sessions that were sealed for it. */
export type AdminTarget = Readonly<
  { tenant: string; region: string } & Pick<
    AssumeRoleTarget,
    'endpoint' | 'insecureHttp' | 'ca' | 'credentials'
  >
>

/** Which sessions of the tenant end: those that `whose` got, up to an instant, and all that was made from them. */
export type SessionsEnd = Readonly<{
  /** `everybody`: all that were sealed for the tenant; none that its server made itself. */
  whose:
    | Readonly<{ kind: 'binding'; id: string }>
    | Readonly<{ kind: 'account'; provider: string; subject: string }>
    | Readonly<{ kind: 'everybody' }>
  issuedBefore: Date
  /** For people, at most 256 characters. */
  reason: string
}>

const wholeMs = 5000

/**
 * IAM query API 2010-05-08, our action `RevokeTenantSessions`. Doing it again does no harm.
 * @throws TargetFailure or Error that says what was wrong, without a secret; then it may be in force all the same
 */
export async function endSessions(
  target: AdminTarget,
  { whose, issuedBefore, reason }: SessionsEnd,
  { clock }: Readonly<{ clock: () => Date }>,
): Promise<void> {
  const { tenant, region } = target
  const [ca, broker] = await Promise.all([target.ca(), target.credentials()])
  const way = wayOf(target, ca)
  const form = new URLSearchParams({
    Action: 'RevokeTenantSessions',
    Version: '2010-05-08',
    Tenant: tenant,
    ...(whose.kind === 'binding' && { Binding: whose.id }),
    ...(whose.kind === 'account' && { Provider: whose.provider, Subject: whose.subject }),
    IssuedBefore: issuedBefore.toISOString(),
    Reason: reason.slice(0, 256),
  })
  const call = {
    method: 'POST',
    path: '/',
    body: form.toString(),
    service: 'iam',
    region,
    maxAnswerBytes: 64 * 1024,
  } as const
  // It happens seldom: no connection waits for the next time.
  const pool = await openPool(way)
  try {
    const signal = AbortSignal.timeout(wholeMs)
    const answer = await sendSigned(pool, way.origin, call, broker, { now: clock(), signal })
    if (answer.status !== 200) throw failureOf(answer)
  } finally {
    await pool.destroy()
  }
}
