import type { Facts, IamFacts, S3Facts } from '../policy/index.ts'
import { IamError } from './iam-error.ts'
import type { Fields } from './fields.ts'
import { list, listOf, optional, required, text } from './parameter.ts'
import type { Parameter } from './parameter.ts'

/** One condition key with its values, as a simulation is told to suppose them. */
export type ContextEntry = Readonly<{ name: string; values: readonly string[] }>

/** `ContextEntries.member.1.ContextKeyName`, `.ContextKeyType`, `.ContextKeyValues.member.1` */
export const contextEntries: Parameter<readonly ContextEntry[]> = list((fields: Fields, name) => {
  const entry = {
    name: required(text).read(fields, `${name}.ContextKeyName`),
    values: listOf(text).read(fields, `${name}.ContextKeyValues`),
  }
  // What a key is, is known here; the type that the caller thinks it has is not needed.
  optional(text).read(fields, `${name}.ContextKeyType`)
  return entry
})

export type Supposed = Readonly<{ facts: Facts; s3: S3Facts; iam: IamFacts }>

/**
 * The facts of a simulation: what is known of the principal, and what the caller supposes on top of it.
 * @throws IamError `invalid_parameter` for a key that this server does not know, or a value that does not fit it
 */
export function suppose(known: Facts, entries: readonly ContextEntry[]): Supposed {
  const bags = new Map<Bag, Map<string, unknown>>()
  const tags = new Map<TagBag, Map<string, string>>()
  for (const { name, values } of entries) {
    const tag = tagKey(name)
    if (tag) into(tags, tag.bag).set(tag.key, single(name, values))
    else {
      const { bag, member, read } = findKey(name)
      into(bags, bag).set(member, read(name, values))
    }
  }
  const bag = (name: Bag): object => Object.fromEntries(bags.get(name) ?? [])
  const headers = stringMap(bags.get('headers'))
  const lock = bags.has('objectLock') ? { objectLock: bag('objectLock') } : {}
  const tagged = (name: TagBag, member: string): object =>
    tags.has(name) ? { [member]: tags.get(name) } : {}
  const facts = {
    ...known,
    aws: { ...known.aws, ...bag('aws') },
    sts: { ...known.sts, ...bag('sts') },
    ldap: { ...known.ldap, ...bag('ldap') },
    jwt: new Map([...(known.jwt ?? []), ...claimMap(bags.get('jwt'))]),
    principalTags: new Map([...(known.principalTags ?? []), ...(tags.get('principalTags') ?? [])]),
    ...tagged('requestTags', 'requestTags'),
  }
  const s3 = {
    ...bag('s3'),
    ...lock,
    ...(headers.size > 0 ? { headers } : {}),
    ...tagged('existingObjectTags', 'existingObjectTags'),
    ...tagged('requestObjectTags', 'requestObjectTags'),
  }
  const iam = { ...bag('iam'), ...tagged('resourceTags', 'resourceTags') }
  return { facts, s3, iam }
}

type Bag = 'aws' | 'sts' | 'ldap' | 'jwt' | 's3' | 'iam' | 'headers' | 'objectLock'
type TagBag =
  | 'principalTags'
  | 'requestTags'
  | 'resourceTags'
  | 'existingObjectTags'
  | 'requestObjectTags'
type Read = (name: string, values: readonly string[]) => unknown
type Key = Readonly<{ bag: Bag; member: string; read: Read }>

const tagPrefixes: readonly (readonly [prefix: string, bag: TagBag])[] = [
  ['aws:principaltag/', 'principalTags'],
  ['aws:requesttag/', 'requestTags'],
  ['aws:resourcetag/', 'resourceTags'],
  ['iam:resourcetag/', 'resourceTags'],
  ['s3:existingobjecttag/', 'existingObjectTags'],
  ['s3:requestobjecttag/', 'requestObjectTags'],
]

function tagKey(name: string): { bag: TagBag; key: string } | undefined {
  const lower = name.toLowerCase()
  const found = tagPrefixes.find(([prefix]) => lower.startsWith(prefix))
  return found && { bag: found[1], key: name.slice(found[0].length) }
}

const single = (name: string, values: readonly string[]): string => {
  const [value, ...more] = values
  if (value !== undefined && more.length === 0) return value
  throw new IamError('invalid_parameter', `The context key ${name.slice(0, 100)} has one value`)
}

const many: Read = (_, values) => values

const truth: Read = (name, values) => {
  const value = single(name, values).toLowerCase()
  if (value === 'true' || value === 'false') return value === 'true'
  throw unfit(name, 'true or false')
}

const instant: Read = (name, values) => {
  const value = new Date(single(name, values))
  if (Number.isNaN(value.getTime())) throw unfit(name, 'an ISO 8601 date')
  return value
}

const number: Read = (name, values) => {
  const value = single(name, values)
  if (/^-?\d{1,15}(?:\.\d{1,9})?$/.test(value)) return Number(value)
  throw unfit(name, 'a number')
}

/** The spelling of members is that of the facts (policy room); requests are compared without regard to case. */
const members: readonly (readonly [bag: Bag, prefix: string, read: Read, names: string])[] = [
  ['aws', 'aws:', instant, 'CurrentTime TokenIssueTime'],
  ['aws', 'aws:', truth, 'SecureTransport'],
  ['aws', 'aws:', many, 'groups'],
  [
    'aws',
    'aws:',
    single,
    'SourceIp UserAgent Referer username userid principaltype PrincipalArn PrincipalAccount FederatedProvider RequestedRegion',
  ],
  ['sts', 'sts:', single, 'RoleSessionName SourceIdentity ExternalId'],
  ['sts', 'sts:', number, 'DurationSeconds'],
  ['sts', 'sts:', many, 'TransitiveTagKeys'],
  ['ldap', 'ldap:', single, 'user username'],
  ['ldap', 'ldap:', many, 'groups'],
  ['jwt', 'jwt:', single, 'sub iss jti upn name given_name family_name middle_name nickname'],
  ['jwt', 'jwt:', single, 'preferred_username profile picture website email gender birthdate'],
  ['jwt', 'jwt:', single, 'phone_number address scope client_id'],
  ['jwt', 'jwt:', many, 'aud groups'],
  ['iam', 'iam:', single, 'PolicyARN PermissionsBoundary'],
  ['s3', 's3:', single, 'authType signatureversion prefix delimiter versionid LocationConstraint'],
  ['s3', 's3:', single, 'ResourceAccount'],
  ['s3', 's3:', number, 'signatureAge max-keys TlsVersion'],
  ['s3', 's3:', truth, 'ObjectCreationOperation'],
  [
    'headers',
    's3:',
    single,
    'x-amz-acl x-amz-content-sha256 x-amz-copy-source x-amz-metadata-directive x-amz-storage-class x-amz-server-side-encryption if-match if-none-match',
  ],
]

const keys: ReadonlyMap<string, Key> = new Map([
  ...members.flatMap(([bag, prefix, read, names]) =>
    names
      .split(' ')
      .map((member) => [prefix + member.toLowerCase(), { bag, member, read }] as const),
  ),
  ['s3:object-lock-mode', { bag: 'objectLock', member: 'mode', read: single }],
  ['s3:object-lock-legal-hold', { bag: 'objectLock', member: 'legalHold', read: single }],
  ['s3:object-lock-retain-until-date', { bag: 'objectLock', member: 'retainUntil', read: instant }],
])

function findKey(name: string): Key {
  const key = keys.get(name.toLowerCase())
  if (key) return key
  throw new IamError(
    'invalid_parameter',
    `This server cannot suppose anything about the context key ${name.slice(0, 100)}`,
  )
}

function into<K, T>(bags: Map<K, Map<string, T>>, name: K): Map<string, T> {
  const bag = bags.get(name) ?? new Map<string, T>()
  bags.set(name, bag)
  return bag
}

function stringMap(bag: ReadonlyMap<string, unknown> | undefined): ReadonlyMap<string, string> {
  return new Map([...(bag ?? [])].map(([name, value]) => [name, String(value)]))
}

function claimMap(
  bag: ReadonlyMap<string, unknown> | undefined,
): ReadonlyMap<string, string | readonly string[]> {
  return new Map(
    [...(bag ?? [])].map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(String) : String(value),
    ]),
  )
}

function unfit(name: string, what: string): IamError {
  return new IamError('invalid_parameter', `The context key ${name.slice(0, 100)} must be ${what}`)
}
