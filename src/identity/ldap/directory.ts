import { randomBytes } from 'node:crypto'
import { PresenceFilter, type Entry, type Filter } from 'ldapts'
import { IdentityError } from '../identity-error.ts'
import { resultCodeOf, TooManyEntries, type LdapConnection } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import { formatDn, isWithin, normaliseDn, parseDn } from './dn.ts'
import { readAttributes } from './entry-attributes.ts'
import { Servers, type ResolveSrv, type ServerStatus } from './servers.ts'
import type { DirectorySettings } from './settings.ts'

/** Somebody in a directory. */
export type Person = Readonly<{
  /** The name as the directory spells it, for asking it again. */
  spelledDn: string
  /** Its canonical spelling, values as they are. */
  dn: string
  /** The canonical spelling in lower case: what is compared. */
  subject: string
  /** The login name: of the configured attribute, else as typed; `undefined` where neither is known. */
  username: string | undefined
  /** The entry itself, whoever has its name later (RFC 4530); `undefined` where the directory does not show it. */
  entryId: string | undefined
  /** Active Directory says that the account is disabled ([MS-ADTS] 2.2.16, ADS_UF_ACCOUNTDISABLE). */
  isDisabled: boolean
  /** Of the configured attributes, those that the entry has. */
  attributes: ReadonlyMap<string, readonly string[]>
}>

export type DirectoryStatus = Readonly<{
  directory: string
  /** The last question was answered. */
  ready: boolean
  /** Why the last one was not. */
  error?: string
  servers: readonly ServerStatus[]
  connections: Readonly<{ lookup: number; login: number }>
}>

/** For logs. Never holds a password. */
export type LdapEvent = Readonly<{
  kind:
    | 'directory_unavailable'
    | 'directory_available'
    /** Its sessions were ended; `detail` is its name. */
    | 'person_gone'
    /** Left a group, or is somebody else of that name. */
    | 'person_changed'
    /** The directory could not say. */
    | 'person_unchecked'
  directory: string
  detail: string
}>

type Ports = Readonly<{
  clock: () => Date
  resolveSrv: ResolveSrv
  log: (event: LdapEvent) => void
}>

const code = { sizeLimitExceeded: 4, noSuchObject: 32 } as const
const mostGroups = 5000
const idleMs = 60_000
const mostWaiting = 256
/** Servers other than Active Directory do not know it and leave it out. */
const accountControl = 'userAccountControl'
const disabledBit = 0x2
/** RFC 4530; Active Directory; 389 Directory Server. */
const entryIds = ['entryUUID', 'objectGUID', 'nsUniqueId']
const exists = new PresenceFilter({ attribute: 'objectClass' })

/** Answers to a bind that are about the server, the connection or us; every other one is about who binds. RFC 4511, A.2 */
const serverTroubles: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 11, 12, 13, 51, 52, 54, 80])

/** One directory and what is asked of it. Every method throws an IdentityError `provider_unavailable` for lack of an answer. */
export class Directory {
  readonly settings: DirectorySettings
  readonly #log: Ports['log']
  readonly #servers: Servers
  readonly #lookups: ConnectionPool
  readonly #logins: ConnectionPool
  #error: string | undefined
  #isReady = false

  constructor(settings: DirectorySettings, ports: Ports) {
    this.settings = settings
    this.#log = ports.log
    this.#servers = new Servers({ ...settings, ...ports })
    const pool = {
      most: settings.connections,
      idleMs,
      waitMs: settings.connection.timeoutMs,
      mostWaiting,
    }
    this.#lookups = new ConnectionPool({ ...pool, open: () => this.#openForLookup() })
    // Passwords are checked on connections of their own, on which nothing is ever asked: whoever a bind leaves behind, no
    // question is answered with that one's rights.
    this.#logins = new ConnectionPool({ ...pool, open: () => this.#servers.connect() })
  }

  /** Everybody of that login name; more than one means that nobody is meant. */
  async find(username: string): Promise<readonly Person[]> {
    const filter = this.settings.userFilter.forUser({ s: username })
    return this.#answer(async () => {
      const entries = await this.#lookups.use((connection) => this.#findPeople(connection, filter))
      return entries.map((entry) => this.#personOf(entry, username))
    })
  }

  /** The person of that name, if it is there and one whom the filter would find. */
  async findByDn(dn: string, username?: string): Promise<Person | undefined> {
    const { userBases, userFilter } = this.settings
    const [entry] = await this.#read(dn, userBases, userFilter.forAnybody(), this.#attributes)
    return entry && this.#personOf(entry, username)
  }

  /** The name of a group as the directory has it, normalised. */
  async findGroup(dn: string): Promise<string | undefined> {
    const [entry] = await this.#read(dn, this.settings.groupBases, exists, ['1.1'])
    return entry && normaliseDn(entry.dn)
  }

  /** Binds as this person. False: the directory says no. */
  async checkPassword(dn: string, password: string): Promise<boolean> {
    // Both would make it an anonymous bind, which succeeds (RFC 4513, sections 5.1.1 and 5.1.2).
    if (password === '' || dn === '') return false
    return this.#answer(() => this.#logins.use((connection) => isBound(connection, dn, password)))
  }

  /** Does what `checkPassword` does, for nobody: who is unknown costs the directory the same questions. */
  async checkNobody(): Promise<void> {
    const name = `cn=${randomBytes(12).toString('hex')},${this.settings.userBases[0]}`
    await this.checkPassword(name, randomBytes(12).toString('hex'))
  }

  /** Normalised names of the groups of this person, each once. */
  async groupsOf({ spelledDn, username }: Person): Promise<readonly string[]> {
    const { groupFilter, groupBases } = this.settings
    if (groupFilter === undefined) return []
    const filter = groupFilter.forUser({
      d: spelledDn,
      ...(username !== undefined && { s: username }),
    })
    const search = { scope: 'sub', filter, attributes: ['1.1'], mostEntries: mostGroups } as const
    return this.#answer(() =>
      this.#lookups.use(async (connection) => {
        const groups = new Set<string>()
        for (const base of groupBases) {
          const entries = await connection.search(base, search)
          for (const { dn } of entries) groups.add(normaliseDn(dn))
        }
        return [...groups]
      }),
    )
  }

  /** Binds the lookup account and looks whether the configured places are there. */
  async probe(): Promise<void> {
    const { userBases, groupBases } = this.settings
    const look = { scope: 'base', filter: exists, attributes: ['1.1'], mostEntries: 1 } as const
    await this.#answer(() =>
      this.#lookups.use(async (connection) => {
        for (const base of [...userBases, ...groupBases]) {
          const found = await connection.search(base, look)
          if (found.length === 0) throw new Error(`the lookup account cannot see ${base}`)
        }
      }),
    )
  }

  status(): DirectoryStatus {
    return {
      directory: this.settings.name,
      ready: this.#isReady,
      ...(this.#error !== undefined && { error: this.#error }),
      servers: this.#servers.status(),
      connections: { lookup: this.#lookups.size, login: this.#logins.size },
    }
  }

  close(): void {
    this.#lookups.close()
    this.#logins.close()
  }

  get #attributes(): readonly string[] {
    const { userAttributes, usernameAttribute } = this.settings
    const ofName = usernameAttribute === undefined ? [] : [usernameAttribute]
    return [...new Set([...userAttributes, ...ofName, accountControl, ...entryIds])]
  }

  async #openForLookup(): Promise<LdapConnection> {
    const connection = await this.#servers.connect()
    const { name, password } = this.settings.lookup
    try {
      await connection.bind(name, password?.reveal() ?? '')
      return connection
    } catch (cause) {
      connection.close()
      throw new Error(`the lookup account could not bind: ${messageOf(cause)}`, { cause })
    }
  }

  async #findPeople(connection: LdapConnection, filter: Filter): Promise<readonly Entry[]> {
    const found: Entry[] = []
    const search = { scope: 'sub', filter, attributes: this.#attributes, mostEntries: 2 } as const
    for (const base of this.settings.userBases) {
      found.push(...(await connection.search(base, search).catch(firstFew)))
    }
    return found
  }

  /** The entry itself, when it lies below one of the bases. */
  async #read(
    dn: string,
    bases: readonly string[],
    filter: Filter,
    attributes: readonly string[],
  ): Promise<readonly Entry[]> {
    const normal = normaliseDn(dn)
    const base = bases.find((base) => isWithin(normal, normaliseDn(base)))
    if (base === undefined) return []
    return this.#answer(() =>
      this.#lookups.use(async (connection) => {
        const read = { scope: 'base', attributes, mostEntries: 1 } as const
        const found = await connection.search(dn, { ...read, filter }).catch(nothing)
        if (found.length > 0) return found
        // To an account that may see nothing everybody looks gone: the place has to be there at least.
        const place = await connection.search(base, { ...read, filter: exists }).catch(nothing)
        if (place.length === 0) throw new Error(`the lookup account cannot see ${base}`)
        return []
      }),
    )
  }

  #personOf(entry: Entry, typed: string | undefined): Person {
    const { userAttributes, usernameAttribute } = this.settings
    const names =
      usernameAttribute === undefined
        ? typed
        : readAttributes(entry, [usernameAttribute]).get(usernameAttribute)
    const [username, second] = [names].flat()
    return {
      spelledDn: entry.dn,
      dn: formatDn(parseDn(entry.dn)),
      subject: normaliseDn(entry.dn),
      username: second === undefined ? username : undefined,
      entryId: [...readAttributes(entry, entryIds).values()][0]?.[0],
      isDisabled: isDisabled(readAttributes(entry, [accountControl]).get(accountControl)),
      attributes: readAttributes(entry, userAttributes),
    }
  }

  async #answer<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask()
      if (!this.#isReady) this.#note('directory_available', 'it answers')
      this.#isReady = true
      this.#error = undefined
      return answer
    } catch (cause) {
      const reason = messageOf(cause)
      if (this.#error !== reason) this.#note('directory_unavailable', reason)
      this.#isReady = false
      this.#error = reason
      throw unavailable(this.settings.name, cause)
    }
  }

  #note(kind: LdapEvent['kind'], detail: string): void {
    this.#log({ kind, directory: this.settings.name, detail })
  }
}

async function isBound(connection: LdapConnection, dn: string, password: string): Promise<boolean> {
  try {
    await connection.bind(dn, password)
    return true
  } catch (error) {
    const result = resultCodeOf(error)
    if (result === undefined || serverTroubles.has(result)) throw error
    return false
  }
}

/** What cannot be read as a number says nothing. */
function isDisabled(values: readonly string[] = []): boolean {
  return values.some((value) => /^-?\d{1,10}$/.test(value) && (Number(value) & disabledBit) !== 0)
}

function firstFew(error: unknown): readonly Entry[] {
  if (error instanceof TooManyEntries) return error.entries
  throw error
}

function nothing(error: unknown): readonly Entry[] {
  if (resultCodeOf(error) === code.noSuchObject) return []
  throw error
}

function unavailable(name: string, cause: unknown): IdentityError {
  return new IdentityError(
    'provider_unavailable',
    `The directory ${JSON.stringify(name)} does not answer; try again`,
    { detail: { provider: name, reason: messageOf(cause) }, cause },
  )
}

function messageOf(error: unknown): string {
  if (resultCodeOf(error) === code.sizeLimitExceeded) {
    return 'the directory gives the lookup account fewer entries than there are (sizeLimitExceeded)'
  }
  return error instanceof Error ? error.message : String(error)
}
