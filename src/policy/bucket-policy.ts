import { CompiledPolicy } from './compiled-policy.ts'
import { serviceOf, type ConditionEntry, type Statement } from './document.ts'
import { malformed, shown, type PolicyError } from './errors.ts'
import { isDeniedByBucket } from './evaluate.ts'
import { parseIpRange } from './ip-range.ts'
import { levelsMeant } from './reach.ts'
import type { Policy, PolicyPrincipal, Facts } from './types.ts'
import { withPlainPartition } from './resource.ts'

/**
 * Whether a parsed policy may be put on this bucket: its resources lie in the bucket, its actions are S3 actions on a
 * bucket or an object.
 * @throws PolicyError `malformed_policy`
 */
export function assertBucketPolicyFits(policy: Policy, bucket: string): void {
  for (const statement of bucketStatements(policy)) {
    for (const value of statement.action.values) assertS3Action(statement, value)
    for (const value of statement.resource?.values ?? []) assertInside(statement, value, bucket)
  }
}

/**
 * Whether the policy would leave its writer neither `s3:PutBucketPolicy` nor `s3:DeleteBucketPolicy`: refuse it then,
 * unless the request carries `x-amz-confirm-remove-self-bucket-access: true`. Root is never locked out.
 * @param writer and `facts` as they are for the request that puts the policy
 */
export function wouldLockOut(
  policy: Policy,
  bucket: string,
  writer: PolicyPrincipal,
  facts: Facts,
): boolean {
  const bucketPolicy = { name: 'bucket policy', policy }
  return ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'].every((action) =>
    isDeniedByBucket({ action, resource: `arn:aws:s3:::${bucket}`, bucketPolicy }, writer, facts),
  )
}

/**
 * `IsPublic` of GetBucketPolicyStatus, and what BlockPublicPolicy refuses: some Allow reaches everybody and is not pinned to
 * fixed principals or to narrow addresses. In doubt a policy is public.
 */
export function isPublic(policy: Policy): boolean {
  return bucketStatements(policy).some(
    ({ effect, principal, conditions }) =>
      effect === 'Allow' &&
      (principal?.everyone === true || principal?.byKind.get('AWS')?.includes('*') === true) &&
      !conditions.some(pins),
  )
}

function bucketStatements(policy: Policy): readonly Statement[] {
  if (policy instanceof CompiledPolicy && policy.kind === 'bucket')
    return policy.document.statements
  throw malformed('', 'is not a bucket policy')
}

function assertS3Action({ action }: Statement, value: string): void {
  if (serviceOf(value) === '*') return
  const levels = levelsMeant(value)
  const accountOnly = levels.size === 1 && levels.has('account')
  if (serviceOf(value) === 's3' && !accountOnly) return
  throw malformed(action.path, `${shown(value)} is no S3 action on a bucket or an object`)
}

/** The bucket must be spelt out: a wildcard or a variable in its place would reach beyond it. */
function assertInside({ resource, path }: Statement, value: string, bucket: string): void {
  const own = `arn:aws:s3:::${bucket}`
  const plain = withPlainPartition(value)
  if (plain === own || plain.startsWith(`${own}/`)) return
  throw outside(resource?.path ?? path, value, bucket)
}

function outside(path: string, value: string, bucket: string): PolicyError {
  return malformed(path, `${shown(value)} is not inside the bucket ${shown(bucket)}`)
}

/** Facts that prove who asks; with one of them fixed, "everybody" is somebody. */
const identityKeys: ReadonlySet<string> = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'aws:userid',
  'aws:username',
])
const fixingOperators: ReadonlySet<string> = new Set([
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'ArnEquals',
  'ArnLike',
])

/** Only operators that are false when the key is absent can pin. */
function pins({ operator, key, values }: ConditionEntry): boolean {
  const base = operator.replace(/^ForAnyValue:/, '')
  if (base === 'IpAddress' && key.toLowerCase() === 'aws:sourceip') return values.every(isNarrow)
  if (!fixingOperators.has(base) || !identityKeys.has(key.toLowerCase())) return false
  return values.every((value) => value !== '' && !/[*?$]/.test(value))
}

/** Wider than /8 (IPv4) or /32 (IPv6) is as good as everywhere, as Amazon S3 counts it. */
function isNarrow(cidr: string): boolean {
  const range = parseIpRange(cidr)
  return range !== undefined && range.prefixLength >= (typeof range.base === 'number' ? 8 : 32)
}
