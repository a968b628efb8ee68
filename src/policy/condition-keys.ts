import type { Ask } from './ask.ts'
import type { Fact, FactReader } from './fact.ts'
import { readFederatedClaim } from './federated-claim.ts'

/**
 * Every condition key and the one typed fact that it reads. There is no look-up by name in a common bag, so no header,
 * query parameter or claim can pose as a key of another namespace.
 */
export type ConditionKey = Readonly<{
  /** Equal for two spellings of one key: lower case, but for what follows the `/` of tag keys. */
  canonical: string
  read: FactReader
  /** False: no such key exists here; it is always absent. `claim`: of a provider, if there is one of that name. */
  known: boolean | 'claim'
}>

export const objectTagPrefix = 's3:existingobjecttag/'

/** `undefined`: this cannot be a condition key at all. */
export function findConditionKey(name: string): ConditionKey | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*:[^\p{Cc}]+$/u.test(name)) return undefined
  const lower = name.toLowerCase()
  const single = singleKeys.get(lower)
  if (single !== undefined) return { canonical: lower, read: single, known: true }
  for (const [prefix, readTag] of tagKeys) {
    if (!lower.startsWith(prefix) || name.length === prefix.length) continue
    const tag = name.slice(prefix.length)
    return { canonical: prefix + tag, read: (ask) => readTag(ask, tag), known: true }
  }
  if (isReserved(lower)) return { canonical: lower, read: () => undefined, known: false }
  // claims are told apart by the case of their letters, so `dex:Groups` is another key than `dex:groups`
  return {
    canonical: name,
    read: ({ facts }) => readFederatedClaim(facts.federated, name),
    known: 'claim',
  }
}

/** Namespaces in which no provider has a say, whatever it is called. */
const reserved: ReadonlySet<string> = new Set(
  'aws sts s3 iam kms admin svc jwt ldap cert saml ec2 lambda organizations'.split(' '),
)

function isReserved(name: string): boolean {
  return reserved.has(name.slice(0, name.indexOf(':')))
}

type TagReader = (ask: Ask, tag: string) => Fact

const tagKeys: readonly (readonly [prefix: string, read: TagReader])[] = [
  ['aws:principaltag/', (ask, tag) => ask.facts.principalTags?.get(tag)],
  ['aws:requesttag/', (ask, tag) => requestTags(ask)?.get(tag)],
  ['aws:resourcetag/', (ask, tag) => ask.access.iam?.resourceTags?.get(tag)],
  ['iam:resourcetag/', (ask, tag) => ask.access.iam?.resourceTags?.get(tag)],
  [objectTagPrefix, (ask, tag) => ask.access.s3?.existingObjectTags?.get(tag)],
  ['s3:requestobjecttag/', (ask, tag) => ask.access.s3?.requestObjectTags?.get(tag)],
]

const claimNames = [
  'sub',
  'iss',
  'aud',
  'jti',
  'upn',
  'name',
  'groups',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'email',
  'gender',
  'birthdate',
  'phone_number',
  'address',
  'scope',
  'client_id',
]

/** Request headers that are condition keys, as `s3:` + name. */
const headerNames = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-metadata-directive',
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'if-match',
  'if-none-match',
]

const singleKeys: ReadonlyMap<string, FactReader> = new Map<string, FactReader>([
  ['aws:currenttime', ({ facts }) => facts.aws.CurrentTime],
  ['aws:epochtime', ({ facts }) => Math.floor(facts.aws.CurrentTime.getTime() / 1000)],
  ['aws:securetransport', ({ facts }) => facts.aws.SecureTransport],
  ['aws:sourceip', ({ facts }) => facts.aws.SourceIp],
  ['aws:useragent', ({ facts }) => facts.aws.UserAgent],
  ['aws:referer', ({ facts }) => facts.aws.Referer],
  ['aws:username', ({ facts }) => facts.aws.username],
  ['aws:userid', ({ facts }) => facts.aws.userid],
  ['aws:principaltype', ({ facts }) => facts.aws.principaltype],
  ['aws:principalarn', ({ facts }) => facts.aws.PrincipalArn],
  ['aws:principalaccount', ({ facts }) => facts.aws.PrincipalAccount],
  ['aws:groups', ({ facts }) => facts.aws.groups],
  ['aws:tokenissuetime', ({ facts }) => facts.aws.TokenIssueTime],
  ['aws:federatedprovider', ({ facts }) => facts.aws.FederatedProvider],
  ['aws:requestedregion', ({ facts }) => facts.aws.RequestedRegion],
  ['aws:tagkeys', (ask) => ask.access.iam?.tagKeys ?? names(requestTags(ask))],
  ['iam:policyarn', ({ access }) => access.iam?.PolicyARN],
  ['iam:permissionsboundary', ({ access }) => access.iam?.PermissionsBoundary],
  ['sts:rolesessionname', ({ facts }) => facts.sts?.RoleSessionName],
  ['sts:sourceidentity', ({ facts }) => facts.sts?.SourceIdentity],
  ['sts:durationseconds', ({ facts }) => facts.sts?.DurationSeconds],
  ['sts:externalid', ({ facts }) => facts.sts?.ExternalId],
  ['sts:transitivetagkeys', ({ facts }) => facts.sts?.TransitiveTagKeys],
  ['ldap:user', ({ facts }) => facts.ldap?.user],
  ['ldap:username', ({ facts }) => facts.ldap?.username],
  ['ldap:groups', ({ facts }) => facts.ldap?.groups],
  ['cert:cn', ({ facts }) => facts.cert?.cn],
  ['cert:issuer_cn', ({ facts }) => facts.cert?.issuer_cn],
  ['cert:serial', ({ facts }) => facts.cert?.serial],
  ['cert:organization', ({ facts }) => facts.cert?.organization],
  ['cert:organizational_unit', ({ facts }) => facts.cert?.organizational_unit],
  ['cert:san_dns', ({ facts }) => facts.cert?.san_dns],
  ['cert:san_uri', ({ facts }) => facts.cert?.san_uri],
  ['s3:authtype', ({ access }) => access.s3?.authType],
  ['s3:signatureversion', ({ access }) => access.s3?.signatureversion],
  ['s3:signatureage', ({ access }) => access.s3?.signatureAge],
  ['s3:prefix', ({ access }) => access.s3?.prefix],
  ['s3:delimiter', ({ access }) => access.s3?.delimiter],
  ['s3:max-keys', ({ access }) => access.s3?.['max-keys']],
  ['s3:versionid', ({ access }) => access.s3?.versionid],
  ['s3:locationconstraint', ({ access }) => access.s3?.LocationConstraint],
  ['s3:resourceaccount', ({ access }) => access.s3?.ResourceAccount],
  ['s3:tlsversion', ({ access }) => access.s3?.TlsVersion],
  ['s3:objectcreationoperation', ({ access }) => access.s3?.ObjectCreationOperation],
  ['s3:requestobjecttagkeys', ({ access }) => names(access.s3?.requestObjectTags)],
  ['s3:object-lock-mode', ({ access }) => access.s3?.objectLock?.mode],
  ['s3:object-lock-legal-hold', ({ access }) => access.s3?.objectLock?.legalHold],
  ['s3:object-lock-retain-until-date', ({ access }) => access.s3?.objectLock?.retainUntil],
  ['s3:object-lock-remaining-retention-days', remainingRetentionDays],
  ...headerNames.map((name) => [`s3:${name}`, headerReader(name)] as const),
  ...claimNames.map((name) => [`jwt:${name}`, claimReader(name)] as const),
])

function headerReader(name: string): FactReader {
  return ({ access }) => access.s3?.headers?.get(name)
}

function claimReader(name: string): FactReader {
  return ({ facts }) => facts.jwt?.get(name)
}

/** Of a call to the administration, which is one access, or of a request for credentials. */
function requestTags({ access, facts }: Ask): ReadonlyMap<string, string> | undefined {
  return access.iam?.requestTags ?? facts.requestTags
}

function names(tags: ReadonlyMap<string, string> | undefined): Fact {
  return tags === undefined ? undefined : [...tags.keys()]
}

/** A day that has begun counts whole, so that "at most 10 days" holds for a date 10 days ahead of the client's clock. */
function remainingRetentionDays({ access, facts }: Ask): Fact {
  const until = access.s3?.objectLock?.retainUntil
  if (until === undefined) return undefined
  return Math.ceil((until.getTime() - facts.aws.CurrentTime.getTime()) / 86_400_000)
}
