import type { LifetimeRules } from './lifetime.ts'
import type { GrantLimits, GrantRole, IssueAction } from './types.ts'

type Case = Readonly<{
  action: IssueAction
  role: GrantRole | undefined
  isRoot: boolean
  /** When the session ends that asks. */
  parentEnds: Date | undefined
}>

/** What `MINIO_STS_DURATION` fixes (MinIO documentation): the ways by key and by OpenID token, and no others. */
const fixable: ReadonlySet<IssueAction> = new Set<IssueAction>([
  'sts:AssumeRole',
  'sts:AssumeRoleWithWebIdentity',
  'sts:AssumeRoleWithClientGrants',
])

/** Not `limits.defaultSeconds`: people work a day with it (AWS STS API reference, GetSessionToken). */
const tokenSeconds = 43_200
const hour = 3600

/** The limits of the house, as they bound this way in, this role, this caller. */
export function lifetimeRules(
  { action, role, isRoot, parentEnds }: Case,
  limits: GrantLimits,
  now: Date,
): LifetimeRules {
  const byToken = action === 'sts:GetSessionToken' || action === 'sts:GetFederationToken'
  const maxSeconds = Math.min(limits.maxSeconds, role?.maxSessionSeconds ?? Infinity)
  const fixed = fixable.has(action) ? limits.fixedSeconds : undefined
  const anHourOn = new Date(now.getTime() + hour * 1000)
  const latestEnd = parentEnds
    ? new Date(Math.min(parentEnds.getTime(), anHourOn.getTime()))
    : byToken && isRoot
      ? anHourOn
      : undefined
  return {
    minSeconds: limits.minSeconds,
    maxSeconds,
    maxSessionPolicyBytes: limits.maxSessionPolicyBytes,
    defaultSeconds: Math.min(maxSeconds, byToken ? tokenSeconds : limits.defaultSeconds),
    ...(fixed !== undefined && { fixedSeconds: Math.min(fixed, maxSeconds) }),
    ...(action.endsWith('WebIdentity') || action.endsWith('ClientGrants')
      ? { insecureOutliveToken: limits.insecureOutliveToken }
      : {}),
    ...(action === 'sts:AssumeRoleWithCertificate' && { defaultNotProof: true }),
    ...(latestEnd && { latestEnd }),
  }
}
