import { decimalText, parseDecimal } from '../decimal.ts'
import { malformed, shown } from '../errors.ts'
import { parseInstant } from '../instant.ts'
import { parseOperatorName } from '../conditions.ts'
import { literalGlob, plainText, type Glob } from './glob.ts'
import type { Rule, Term } from './narrow-types.ts'

/** Every S3 action that MinIO's parser knows; a name that it does not know makes it refuse the whole document. */
export const minioS3Actions: readonly string[] = [
  'AbortMultipartUpload',
  'BypassGovernanceRetention',
  'CreateBucket',
  'DeleteBucket',
  'DeleteBucketPolicy',
  'DeleteObject',
  'DeleteObjectTagging',
  'DeleteObjectVersion',
  'DeleteObjectVersionTagging',
  'ForceDeleteBucket',
  'GetBucketLocation',
  'GetBucketNotification',
  'GetBucketObjectLockConfiguration',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketTagging',
  'GetBucketVersioning',
  'GetEncryptionConfiguration',
  'GetLifecycleConfiguration',
  'GetObject',
  'GetObjectAttributes',
  'GetObjectLegalHold',
  'GetObjectRetention',
  'GetObjectTagging',
  'GetObjectVersion',
  'GetObjectVersionAttributes',
  'GetObjectVersionForReplication',
  'GetObjectVersionTagging',
  'GetReplicationConfiguration',
  'HeadBucket',
  'ListAllMyBuckets',
  'ListBucket',
  'ListBucketMultipartUploads',
  'ListBucketVersions',
  'ListMultipartUploadParts',
  'ListenBucketNotification',
  'ListenNotification',
  'PutBucketNotification',
  'PutBucketObjectLockConfiguration',
  'PutBucketPolicy',
  'PutBucketTagging',
  'PutBucketVersioning',
  'PutEncryptionConfiguration',
  'PutLifecycleConfiguration',
  'PutObject',
  'PutObjectFanOut',
  'PutObjectLegalHold',
  'PutObjectRetention',
  'PutObjectTagging',
  'PutObjectVersionTagging',
  'PutReplicationConfiguration',
  'ReplicateDelete',
  'ReplicateObject',
  'ReplicateTags',
  'ResetBucketReplicationState',
  'RestoreObject',
].map((name) => `s3:${name}`)

/** Keys that every S3 statement may ask about, and administration about those that start with `aws:`. */
const commonKeys: ReadonlySet<string> = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:referer',
  'aws:securetransport',
  'aws:sourceip',
  'aws:useragent',
  's3:authtype',
  's3:locationconstraint',
  's3:signatureage',
  's3:signatureversion',
  's3:x-amz-content-sha256',
])

const listings = 'ListBucket ListBucketVersions'
const encrypted = 'GetObject PutObject GetObjectRetention PutObjectRetention PutObjectLegalHold'
const tagged =
  'GetObject GetObjectVersion GetObjectAttributes GetObjectVersionAttributes GetObjectTagging ' +
  'GetObjectVersionTagging PutObjectTagging PutObjectVersionTagging DeleteObjectTagging ' +
  'DeleteObjectVersionTagging ReplicateObject ReplicateDelete ReplicateTags GetObjectVersionForReplication'
const tagging =
  'PutObject BypassGovernanceRetention PutBucketTagging PutObjectTagging PutObjectVersionTagging'
const locking = 'PutObject PutObjectRetention BypassGovernanceRetention'

/** Keys that MinIO takes for some S3 actions only; a statement is refused when one of its actions is not among them. */
const actionsOfKeys: ReadonlyMap<string, readonly Glob[]> = new Map(
  [
    ['s3:prefix', listings],
    ['s3:delimiter', listings],
    ['s3:max-keys', listings],
    [
      's3:versionid',
      `${tagged} DeleteObject DeleteObjectVersion ${encrypted} BypassGovernanceRetention`,
    ],
    ['s3:existingobjecttag/', tagged],
    ['s3:requestobjecttag/', tagging],
    ['s3:requestobjecttagkeys', tagging],
    ['s3:x-amz-server-side-encryption', encrypted],
    ['s3:x-amz-server-side-encryption-customer-algorithm', encrypted],
    ['s3:x-amz-server-side-encryption-aws-kms-key-id', encrypted],
    ['s3:x-amz-copy-source', 'PutObject'],
    ['s3:x-amz-metadata-directive', 'PutObject'],
    ['s3:x-amz-storage-class', 'PutObject'],
    ['s3:object-lock-mode', locking],
    ['s3:object-lock-retain-until-date', locking],
    ['s3:object-lock-legal-hold', 'PutObject PutObjectLegalHold BypassGovernanceRetention'],
    ['s3:object-lock-remaining-retention-days', 'PutObjectRetention BypassGovernanceRetention'],
  ].map(([key = '', names = '']) => [
    key,
    names.split(' ').map((name) => literalGlob(`s3:${name.toLowerCase()}`)),
  ]),
)

/** Actions that MinIO takes one for the other: who may do the second may do the first. */
const impliedActions: readonly (readonly [action: string, by: string])[] = [
  ['s3:GetObject', 's3:GetObjectVersion'],
  ['s3:GetObjectVersion', 's3:GetObject'],
  ['s3:ListBucketVersions', 's3:ListBucket'],
  ['s3:DeleteObjectVersion', 's3:DeleteObject'],
]

/**
 * Refuses to write out "all but these" where MinIO would let the excepted in by another name.
 * @param names those written out, `without` those excepted, in lower case
 */
export function refuseImplied(
  names: readonly Glob[],
  without: (action: string) => boolean,
  origin: string,
): void {
  const written = new Set(names.map(({ key }) => key))
  for (const [action, by] of impliedActions) {
    if (!without(action.toLowerCase()) || !written.has(by.toLowerCase())) continue
    throw malformed(origin, `MinIO lets ${by} stand for ${action} as well: except both of them`)
  }
}

export const onlyPlainLists = 'MinIO knows neither NotAction nor NotResource'

/** @throws PolicyError for a rule that MinIO's parser would refuse, or would read as something else */
export function assertMinioRule(rule: Rule, matches: (pattern: Glob, name: Glob) => boolean): void {
  if (rule.places.negated) {
    throw malformed(rule.origin, `${onlyPlainLists}: use Resource`)
  }
  for (const pattern of rule.names.patterns) assertAction(rule, pattern)
  for (const term of rule.terms) {
    assertKey(rule, term, matches)
    assertOperator(rule, term)
  }
}

/** Outside S3 its parser takes whole names, or everything. */
function assertAction({ service, origin }: Rule, pattern: Glob): void {
  if (service === 's3' || !pattern.wild || pattern.key === `${service}:*`) return
  throw malformed(
    origin,
    `MinIO takes ${service}: actions by their whole name or as "${service}:*", not as ${shown(pattern.key)}`,
  )
}

function assertKey(
  { service, names, origin }: Rule,
  { condition, spelling }: Term,
  matches: (pattern: Glob, name: Glob) => boolean,
): void {
  const { canonical } = condition
  if (commonKeys.has(canonical) && (service === 's3' || canonical.startsWith('aws:'))) return
  const start = canonical.includes('/') ? canonical.slice(0, canonical.indexOf('/') + 1) : canonical
  const actions = service === 's3' ? actionsOfKeys.get(start) : undefined
  const stray = names.patterns.find(
    (pattern) => actions?.some((action) => matches(pattern, action)) !== true,
  )
  if (stray === undefined) return
  throw malformed(origin, `MinIO has no condition key ${shown(spelling)} for ${shown(stray.key)}`)
}

function assertOperator({ origin }: Rule, { operator, condition, values }: Term): void {
  const { base, quantifier, ifExists } = parseOperatorName(operator)
  const path = `${origin}.Condition.${operator}.${condition.canonical}`
  if (ifExists && operator !== 'NumericGreaterThanIfExists') {
    throw malformed(path, 'MinIO has no such operator with "IfExists"')
  }
  const text = base.startsWith('String')
  if (quantifier !== 'none' && (!text || base.includes('Not'))) {
    throw malformed(path, 'MinIO has this prefix for positive text operators only')
  }
  if (text || base === 'Null') return
  const onlyKey = soleKeys.get(base)
  if (onlyKey !== undefined && onlyKey === condition.canonical) return
  const family = ['Numeric', 'Date'].find((name) => base.startsWith(name))
  if (onlyKey !== undefined || family === undefined) {
    throw malformed(path, 'MinIO does not have this operator for this key')
  }
  assertOrdered(path, base, condition.canonical, values)
}

const soleKeys: ReadonlyMap<string, string> = new Map([
  ['Bool', 'aws:securetransport'],
  ['IpAddress', 'aws:sourceip'],
  ['NotIpAddress', 'aws:sourceip'],
])

/** Numbers and dates: one value, and a negated one is false there when the key is absent. */
function assertOrdered(path: string, base: string, key: string, values: readonly Glob[]): void {
  if (values.length > 1) throw malformed(path, 'MinIO takes one value here')
  if (base.includes('Not') && key !== 'aws:currenttime') {
    throw malformed(path, 'MinIO takes an absent key for equal here: compare with less and greater')
  }
  if (base.startsWith('Date') && key !== 'aws:currenttime' && !key.startsWith('s3:object-lock-')) {
    throw malformed(path, 'MinIO compares only aws:CurrentTime and retention dates as dates')
  }
  if (base.startsWith('Numeric') && key === 'aws:currenttime') {
    throw malformed(path, 'MinIO compares aws:CurrentTime as a date only')
  }
}

/** A number or date as MinIO reads it: whole numbers, RFC 3339. `undefined`: it has no such form. */
export function minioValue(base: string, value: Glob): string | undefined {
  const text = plainText(value)
  if (base.startsWith('Numeric')) {
    const number = parseDecimal(text)
    return number?.scale === 0 ? decimalText(number) : undefined
  }
  if (!base.startsWith('Date')) return text
  const instant = parseInstant(text)
  if (instant === undefined || !Number.isInteger(instant)) return undefined
  const date = new Date(instant)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z')
}

/**
 * Calls on one's own account that servers before the fix of CVE-2025-62506 let through unless a session policy denies them: whoever
 * makes a service account there has all the rights of the broker. A Deny says so where nothing allows them.
 */
export const ownAccountActions: readonly string[] = [
  'admin:CreateServiceAccount',
  'admin:CreateUser',
  'admin:ListServiceAccounts',
  'admin:RemoveServiceAccount',
  'admin:UpdateServiceAccount',
]
