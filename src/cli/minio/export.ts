import { Secret } from '../../secret.ts'
import { CliError } from '../cli-error.ts'
import { readArchive } from './read-archive.ts'
import type { Report } from './report.ts'

/** What an archive of `mc admin cluster iam export` says, in the order of names. */
export type MinioExport = Readonly<{
  policies: ReadonlyMap<string, unknown>
  users: readonly MinioUser[]
  groups: readonly MinioGroup[]
  /** Name of a user, a group or somebody of a provider -> names of policies. */
  userMappings: Mappings
  groupMappings: Mappings
  /** People of a directory by distinguished name, and of other providers. */
  stsUserMappings: Mappings
  stsGroupMappings: Mappings
  serviceAccounts: readonly MinioServiceAccount[]
}>

export type Mappings = ReadonlyMap<string, readonly string[]>
export type MinioUser = Readonly<{ name: string; secret: Secret; enabled: boolean }>
export type MinioGroup = Readonly<{ name: string; enabled: boolean; members: readonly string[] }>

export type MinioServiceAccount = Readonly<{
  accessKeyId: string
  secret: Secret
  parent: string
  enabled: boolean
  name: string
  description: string
  expiresAt?: Date
  /** Text of the policy that narrows it. */
  policy?: string
  /** Whether its token names a person of an OpenID provider. */
  isFederated: boolean
}>

const folder = 'iam-assets/'
const files = {
  policies: 'policies.json',
  users: 'users.json',
  groups: 'groups.json',
  serviceAccounts: 'svcaccts.json',
  userMappings: 'user_mappings.json',
  groupMappings: 'group_mappings.json',
  stsUserMappings: 'stsuser_mappings.json',
  stsGroupMappings: 'stsgroup_mappings.json',
} as const

type Records = ReadonlyMap<string, unknown>
type Member = Readonly<Record<string, unknown>>

/** Reads it whole. What is not understood in one record stays behind and is reported; what is no export at all is thrown. */
export async function readExport(file: string, report: Report): Promise<MinioExport> {
  const wanted = new Set(Object.values(files).map((name) => folder + name))
  const archive = await readArchive(file, wanted)
  for (const name of archive.others) report.remark('entry', name, 'left', unknownEntry)
  if (archive.files.size === 0) {
    throw new CliError(
      'invalid',
      `${file} is a zip archive, but holds nothing of ${folder}: is it that of "mc admin cluster iam export"? Nothing was imported`,
    )
  }
  const read = (name: string): Records => readRecords(archive.files.get(folder + name), name)
  return {
    policies: read(files.policies),
    users: each(read(files.users), 'user', report, parseUser),
    groups: each(read(files.groups), 'group', report, parseGroup),
    userMappings: mappings(read(files.userMappings), 'user mapping', report),
    groupMappings: mappings(read(files.groupMappings), 'group mapping', report),
    stsUserMappings: mappings(read(files.stsUserMappings), 'LDAP mapping', report),
    stsGroupMappings: mappings(read(files.stsGroupMappings), 'LDAP mapping', report),
    serviceAccounts: each(
      read(files.serviceAccounts),
      'service account',
      report,
      parseServiceAccount,
    ),
  }
}

const unknownEntry =
  'this version does not know it, so nothing in it was carried over (temporary credentials never are: their owners get new ones)'

/** A map in JSON, as Go writes it: an empty one may be `null`. */
function readRecords(content: Buffer | undefined, name: string): Records {
  if (content === undefined) return new Map()
  const value = parseJson(content, name)
  if (value === null) return new Map()
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new CliError('invalid', `${folder}${name} holds no JSON object. Nothing was imported`)
  }
  return new Map(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What the parser says of it may quote a secret, and so is kept to itself. */
function parseJson(content: Buffer, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content))
  } catch {
    throw new CliError('invalid', `${folder}${name} is not JSON. Nothing was imported`)
  }
}

class Misshapen extends Error {}

function each<T>(
  records: Records,
  kind: 'user' | 'group' | 'service account',
  report: Report,
  parse: (name: string, record: Member) => T,
): readonly T[] {
  return [...records].flatMap(([name, record]) => {
    try {
      return [parse(name, object(record))]
    } catch (error) {
      if (!(error instanceof Misshapen)) throw error
      report.remark(kind, name, 'left', error.message)
      return []
    }
  })
}

function mappings(
  records: Records,
  kind: 'user mapping' | 'group mapping' | 'LDAP mapping',
  report: Report,
): Mappings {
  const found = new Map<string, readonly string[]>()
  for (const [name, record] of records) {
    const policy = isObject(record) ? record['policy'] : undefined
    if (typeof policy === 'string') found.set(name, commaList(policy))
    else report.remark(kind, name, 'left', 'the member "policy" is missing, or is no text')
  }
  return found
}

function commaList(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== ''))]
}

function parseUser(name: string, user: Member): MinioUser {
  const status = text(user, 'status')
  if (status !== 'enabled' && status !== 'disabled') throw unknownStatus(status)
  return { name, secret: new Secret(text(user, 'secretKey')), enabled: status === 'enabled' }
}

function parseGroup(name: string, group: Member): MinioGroup {
  const status = text(group, 'status')
  if (status !== 'enabled' && status !== 'disabled') throw unknownStatus(status)
  const members = group['members'] ?? []
  if (!Array.isArray(members) || !members.every((member) => typeof member === 'string')) {
    throw new Misshapen('the member "members" is no list of names')
  }
  return { name, enabled: status === 'enabled', members: [...new Set(members)].sort() }
}

function parseServiceAccount(accessKeyId: string, account: Member): MinioServiceAccount {
  const status = text(account, 'status')
  const isOn = status === 'on' || status === 'enabled'
  if (!isOn && status !== 'off' && status !== 'disabled') throw unknownStatus(status)
  if (text(account, 'accessKey') !== accessKeyId) {
    throw new Misshapen('the member "accessKey" is not the name under which the account stands')
  }
  const claims = isObject(account['claims']) ? account['claims'] : {}
  return {
    accessKeyId,
    secret: new Secret(text(account, 'secretKey')),
    parent: text(account, 'parent'),
    enabled: isOn,
    name: optionalText(account, 'name'),
    description: optionalText(account, 'description'),
    ...expiry(account['expiration']),
    ...embeddedPolicy(account['sessionPolicy'], claims),
    isFederated: typeof claims['sub'] === 'string' || typeof claims['iss'] === 'string',
  }
}

/** No end is `null`, the first second of 1970, or the first of the calendar. */
function expiry(value: unknown): { expiresAt?: Date } {
  if (value === undefined || value === null || value === '') return {}
  const end = typeof value === 'string' ? new Date(value) : new Date(Number.NaN)
  if (Number.isNaN(end.getTime())) throw new Misshapen('the member "expiration" is no instant')
  return end.getTime() <= 0 ? {} : { expiresAt: end }
}

/** An account that says it has a policy of its own, and brings none, must not become one without any bounds. */
function embeddedPolicy(value: unknown, claims: Member): { policy?: string } {
  const isThere = value !== undefined && value !== null && value !== ''
  if (isThere) return { policy: JSON.stringify(value) }
  const says = claims['sa-policy']
  if (says === undefined || says === 'inherited-policy') return {}
  throw new Misshapen('it is said to have a policy of its own, but the archive does not hold it')
}

function unknownStatus(status: string): Misshapen {
  return new Misshapen(`the status ${JSON.stringify(status.slice(0, 32))} is not known`)
}

function object(record: unknown): Member {
  if (isObject(record)) return record
  throw new Misshapen('the record is no object')
}

function isObject(value: unknown): value is Member {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(record: Member, member: string): string {
  const value = record[member]
  if (typeof value === 'string') return value
  throw new Misshapen(`the member "${member}" is missing, or is no text`)
}

function optionalText(record: Member, member: string): string {
  return record[member] === undefined || record[member] === null ? '' : text(record, member)
}
