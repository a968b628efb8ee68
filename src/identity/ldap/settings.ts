import type { Secret } from '../../secret.ts'
import type { ConnectionSettings, Target } from './connection.ts'
import { formatDn, isWithin, normaliseDn, parseDn } from './dn.ts'
import { parseFilterTemplate, type FilterTemplate } from './filter-template.ts'

/** One directory as configured: LDAP (RFC 4511) or Active Directory. Whatever is left out has the stated default. */
export type LdapDirectory = Readonly<{
  /** What principals call it; unique. */
  name: string
  /** `host[:port]`, tried in this order. Port 636 by default, 389 with `startTls` or `insecurePlain`. */
  servers?: readonly string[] | undefined
  /** Instead of `servers`: the name of SRV records, such as `_ldap._tcp.ad.example.org`. */
  srvRecord?: string | undefined
  /** Begin in plain text and turn to TLS before anything is said (RFC 4511, section 4.14). Default: TLS from the start. */
  startTls?: boolean | undefined
  /** No TLS at all: passwords can be read on the way. Counts for nothing beside `startTls`. */
  insecurePlain?: boolean | undefined
  /** Takes every certificate: whoever sits in between can be the directory. */
  insecureSkipVerify?: boolean | undefined
  /** PEM file: the only certificate authorities that are trusted for it. Read again for every connection. */
  caFile?: string | undefined
  /** The name in the servers' certificates. Default: the host; for SRV records, the domain behind `_ldap._tcp.`. */
  tlsServerName?: string | undefined
  /** The account that looks people up: its DN, or what else the directory lets bind (`user@domain`). */
  lookupBindDn: string
  /** Left out: the account is only named, which most directories take for an anonymous reader (RFC 4513, 5.1.2). */
  lookupBindPassword?: Secret | undefined
  /** Where people are; none within another. */
  userBaseDns: readonly string[]
  /** Finds one by login name, `%s`: `(uid=%s)`. */
  userFilter: string
  /** Further attributes of the person, kept as claims `ldapAttrib_<name>`. */
  userAttributes?: readonly string[] | undefined
  /** The attribute that `ldap:username` and the `%s` of groups are taken from. Default: what the person typed. */
  usernameAttribute?: string | undefined
  /** Where groups are; none within another. Default: groups are not looked up. */
  groupBaseDns?: readonly string[] | undefined
  /** Finds the groups of `%d`, the person's DN, or `%s`, the login name: `(member=%d)`. */
  groupFilter?: string | undefined
  /** Active Directory: count groups in groups. */
  nestedGroups?: boolean | undefined
  /** For connecting and for each operation: 1 to 60, default 10. */
  timeoutSeconds?: number | undefined
  /** How often people who have logged in are looked up again: 1 to 86400, default 300. */
  recheckSeconds?: number | undefined
  /** How many of them in one second: 1 to 1000, default 50. */
  recheckPerSecond?: number | undefined
  /** Connections for looking up, and as many again for checking passwords: 1 to 64, default 8. */
  connections?: number | undefined
}>

/** An `LdapDirectory` that has been checked, with its defaults filled in. */
export type DirectorySettings = Readonly<{
  name: string
  source: Readonly<{ kind: 'list'; targets: readonly Target[] } | { kind: 'srv'; name: string }>
  connection: ConnectionSettings
  lookup: Readonly<{ name: string; password: Secret | undefined }>
  userBases: readonly string[]
  userFilter: FilterTemplate
  userAttributes: readonly string[]
  usernameAttribute: string | undefined
  groupBases: readonly string[]
  groupFilter: FilterTemplate | undefined
  connections: number
  recheck: Recheck
}>

/** How one directory is asked after its people. */
export type Recheck = Readonly<{
  directory: string
  /** How long a departure may go unnoticed, when all people can be asked about in that time. */
  everySeconds: number
  /** Questions about people in one second. */
  perSecond: number
}>

const attributeName = /^[a-zA-Z][a-zA-Z0-9-]*$/
/** The library takes these for mechanisms of another kind of bind. */
const mechanisms = ['EXTERNAL', 'PLAIN', 'DIGEST-MD5', 'SCRAM-SHA-1']

/** @throws {TypeError} naming the directory and what is wrong with it */
export function parseDirectory(directory: LdapDirectory): DirectorySettings {
  try {
    return fillIn(directory)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TypeError(`LDAP directory ${JSON.stringify(directory.name)}: ${reason}`, { cause })
  }
}

function fillIn(directory: LdapDirectory): DirectorySettings {
  const { name, lookupBindDn, lookupBindPassword } = directory
  if (name === '') throw new TypeError('it has no name')
  // `aws:userid` is `provider:subject`: the subject `alice` of such a directory would pass for our own user.
  if (name === 'internal') throw new TypeError('the name "internal" is that of users and root')
  if (lookupBindDn === '') throw new TypeError('lookupBindDn is empty')
  if (mechanisms.includes(lookupBindDn)) throw new TypeError('lookupBindDn is no name')
  return {
    name,
    source: parseSource(directory),
    connection: parseConnection(directory),
    lookup: { name: lookupBindDn, password: lookupBindPassword },
    userBases: parseBases(directory.userBaseDns, 'userBaseDns'),
    userFilter: parseFilter('userFilter', directory.userFilter, { placeholders: ['s'] }),
    userAttributes: (directory.userAttributes ?? []).map(checkAttribute),
    usernameAttribute: optional(directory.usernameAttribute, checkAttribute),
    ...parseGroups(directory),
    recheck: {
      directory: name,
      everySeconds: within(directory.recheckSeconds ?? 300, 1, 86_400, 'recheckSeconds'),
      perSecond: within(directory.recheckPerSecond ?? 50, 1, 1000, 'recheckPerSecond'),
    },
    connections: within(directory.connections ?? 8, 1, 64, 'connections'),
  }
}

function parseSource(directory: LdapDirectory): DirectorySettings['source'] {
  const { servers = [], srvRecord } = directory
  if (srvRecord === undefined) {
    if (servers.length === 0) throw new TypeError('neither servers nor srvRecord is given')
    const port = isPlainAtFirst(directory) ? 389 : 636
    return { kind: 'list', targets: servers.map((server) => parseServer(server, port)) }
  }
  if (servers.length > 0) throw new TypeError('servers and srvRecord exclude each other')
  if (!/^[\w-]+(\.[\w-]+)+\.?$/.test(srvRecord)) throw new TypeError('srvRecord is no name')
  return { kind: 'srv', name: srvRecord }
}

function isPlainAtFirst({ startTls = false, insecurePlain = false }: LdapDirectory): boolean {
  return startTls || insecurePlain
}

function parseServer(server: string, defaultPort: number): Target {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(server)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3] ?? defaultPort)
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port }
  throw new TypeError(`${JSON.stringify(server)} is not host or host:port`)
}

function parseConnection(directory: LdapDirectory): ConnectionSettings {
  const { startTls = false, insecurePlain = false, srvRecord, tlsServerName } = directory
  const tls = startTls ? 'starttls' : 'ldaps'
  // What DNS answers is not proven, so the name that was asked for is what the certificate has to carry.
  const domain = srvRecord?.replace(/^(?:_[\w-]+\.)+/, '').replace(/\.$/, '')
  if (tlsServerName === '') throw new TypeError('tlsServerName is empty')
  return {
    security: insecurePlain && !startTls ? 'plain' : tls,
    tlsServerName: tlsServerName ?? domain,
    caFile: directory.caFile,
    insecureSkipVerify: directory.insecureSkipVerify ?? false,
    timeoutMs: 1000 * within(directory.timeoutSeconds ?? 10, 1, 60, 'timeoutSeconds'),
  }
}

function parseGroups(
  directory: LdapDirectory,
): Pick<DirectorySettings, 'groupBases' | 'groupFilter'> {
  const { groupBaseDns = [], groupFilter, nestedGroups = false } = directory
  if (groupBaseDns.length === 0 && groupFilter === undefined) {
    if (nestedGroups) throw new TypeError('nestedGroups needs groupBaseDns and groupFilter')
    return { groupBases: [], groupFilter: undefined }
  }
  if (groupFilter === undefined) throw new TypeError('groupBaseDns needs groupFilter')
  return {
    groupBases: parseBases(groupBaseDns, 'groupBaseDns'),
    groupFilter: parseFilter('groupFilter', groupFilter, {
      placeholders: ['s', 'd'],
      nested: nestedGroups,
    }),
  }
}

function parseFilter(
  what: string,
  text: string,
  rules: Parameters<typeof parseFilterTemplate>[1],
): FilterTemplate {
  return explained(what, () => parseFilterTemplate(text, rules))
}

/** In their canonical spelling. One within another would find everybody twice. */
function parseBases(bases: readonly string[], what: string): readonly string[] {
  if (bases.length === 0) throw new TypeError(`${what} is empty`)
  const parsed = explained(what, () => bases.map((base) => formatDn(parseDn(base))))
  const normal = parsed.map(normaliseDn)
  const overlap = normal.some((base, at) =>
    normal.some((other, otherAt) => at !== otherAt && isWithin(base, other)),
  )
  if (overlap) throw new TypeError(`${what}: one lies within another`)
  return parsed
}

function explained<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new TypeError(`${what}: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function checkAttribute(name: string): string {
  // The library keeps the entry's own name under `dn`.
  if (attributeName.test(name) && name.toLowerCase() !== 'dn') return name
  throw new TypeError(`${JSON.stringify(name)} is no attribute`)
}

function optional<A, B>(value: A | undefined, use: (value: A) => B): B | undefined {
  return value === undefined ? undefined : use(value)
}

function within(value: number, least: number, most: number, what: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new TypeError(`${what} is not a whole number between ${least} and ${most}`)
}
