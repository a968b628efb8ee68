import { IdentityError } from '../identity-error.ts'
import { ldapPrincipal } from '../principal.ts'
import type { Evidence, Principal, Verifier } from '../types.ts'
import type { Attendance } from './attendance.ts'
import { checkLogin, type Hit, type Outcome } from './check-login.ts'
import { Directory, type DirectoryStatus, type LdapEvent, type Person } from './directory.ts'
import { parseDn } from './dn.ts'
import { faultOf, faultOfName } from './login-fault.ts'
import { defaultThrottle, LoginThrottle, type ThrottleSettings } from './login-throttle.ts'
import { RefusalPace, type Delay } from './refusal-pace.ts'
import { createResolveSrv, type ResolveSrv } from './servers.ts'
import { parseDirectory, type LdapDirectory } from './settings.ts'

export type LdapOptions = Readonly<{
  /** All are asked; a login name has to be known to one of them only. */
  directories: readonly LdapDirectory[]
  clock: () => Date
  /** How many failed logins are let through. */
  throttle?: Partial<ThrottleSettings> | undefined
  /** Default: a timer. */
  delay?: Delay | undefined
  /** Default: the domain name system. */
  resolveSrv?: ResolveSrv | undefined
  log?: ((event: LdapEvent) => void) | undefined
  /** Is told of everybody who is let in, and of nobody who is not. Without it nobody looks whether they are still there. */
  attendance?: Pick<Attendance, 'seen'> | undefined
}>

/** Names as principals have them: normalised. */
export type LdapName = Readonly<{ dn: string; username?: string }>

/** What has become of somebody who logged in once. */
export type LdapPresence =
  | Readonly<{
      kind: 'present'
      groups: readonly string[]
      /** Tells it from somebody else who has the name later. Absent where the directory does not show it. */
      entryId?: string
    }>
  /** Removed, moved, disabled where Active Directory says so, or no longer one whom the filter finds. */
  | Readonly<{ kind: 'gone' }>

/** Methods that name a directory throw an IdentityError: `no_provider`, `provider_unavailable`. */
export interface LdapVerifier extends Verifier {
  status(): readonly DirectoryStatus[]
  /** Looks in the background whether the directories are there, until they are. Needs none of them. */
  start(): void
  /** Is the subject of a principal still there, and in which groups now? `username`: needed where the group filter has `%s`. */
  confirm(
    who: Readonly<{ directory: string; subject: string; username?: string }>,
  ): Promise<LdapPresence>
  /** For administration: the name under which a login name, or a DN in any spelling, is known here. */
  findUser(directory: string, nameOrDn: string): Promise<LdapName | undefined>
  findGroup(directory: string, dn: string): Promise<LdapName | undefined>
  close(): void
}

type Login = Extract<Evidence, { kind: 'ldap' }>

const probeMs = 15_000

/**
 * Verifies login names and passwords by the configured directories (LDAP, RFC 4511; Active Directory). Whoever is refused
 * learns nothing else: unknown, ambiguous and wrong look alike, cost the directory alike and take alike long.
 * @throws {TypeError} when a directory's settings make no sense or two share a name
 */
export function createLdapVerifier(options: LdapOptions): LdapVerifier {
  const { clock, log = () => {}, resolveSrv = createResolveSrv() } = options
  const directories = options.directories
    .map(parseDirectory)
    .map((settings) => new Directory(settings, { clock, log, resolveSrv }))
  const byName = new Map(directories.map((directory) => [directory.settings.name, directory]))
  if (byName.size < directories.length) throw new TypeError('two LDAP directories share a name')
  const throttle = new LoginThrottle({ ...defaultThrottle, ...options.throttle })
  const pace = new RefusalPace(options.delay ?? sleep)
  let timer: NodeJS.Timeout | undefined

  const probe = (): void => {
    for (const directory of directories) {
      if (!directory.status().ready) directory.probe().catch(() => {})
    }
  }
  const named = (name: string): Directory => {
    const directory = byName.get(name)
    if (directory !== undefined) return directory
    throw new IdentityError('no_provider', `There is no directory ${JSON.stringify(name)}`)
  }

  async function judge(login: Login, now: Date): Promise<Principal> {
    const fault = faultOf(login.username, login.password.reveal())
    if (fault !== undefined) throw refused(fault)
    const attempt = throttle.begin(login.username, login.source, now)
    if ('retryAfterSeconds' in attempt) throw throttled(attempt.retryAfterSeconds)
    const began = clock().getTime()
    const elapsed = () => clock().getTime() - began
    const { username, password } = login
    const outcome = await checkLogin(username, password, directories).catch((error: unknown) => {
      attempt.undone()
      throw error
    })
    pace.learn(elapsed(), now)
    if (outcome.kind === 'proven') {
      attempt.succeeded()
      const principal = await principalOf(outcome.hit, outcome.username)
      await note(outcome.hit.person, principal)
      return principal
    }
    await pace.wait(elapsed())
    throw refusalOf(outcome)
  }

  /** Whoever cannot be written down could not be found again when it is gone, so it is not let in. */
  async function note(
    { dn, entryId }: Person,
    { provider, displayName, groups }: Principal,
  ): Promise<void> {
    const attendee = {
      directory: provider,
      dn,
      username: displayName,
      groups,
      ...(entryId !== undefined && { entryId }),
    }
    try {
      await options.attendance?.seen(attendee)
    } catch (cause) {
      const message = 'The login cannot be written down, so nothing is issued; try again later'
      throw new IdentityError('provider_unavailable', message, { cause })
    }
  }

  return {
    async verify(evidence, now) {
      if (evidence.kind !== 'ldap' || directories.length === 0) return undefined
      return judge(evidence, now)
    },
    async confirm({ directory, subject, username }) {
      const place = named(directory)
      const person = await place.findByDn(subject, username)
      if (person === undefined || person.isDisabled) return { kind: 'gone' }
      const { entryId } = person
      const groups = await place.groupsOf(person)
      return { kind: 'present', groups, ...(entryId !== undefined && { entryId }) }
    },
    async findUser(directory, nameOrDn) {
      const place = named(directory)
      const found = isDn(nameOrDn)
        ? [await place.findByDn(nameOrDn)].flatMap((person) => person ?? [])
        : await findByName(place, nameOrDn)
      const [person, ...others] = found
      if (person === undefined || others.length > 0) return undefined
      const { subject, username } = person
      return { dn: subject, ...(username !== undefined && { username }) }
    },
    async findGroup(directory, dn) {
      const place = named(directory)
      const found = isDn(dn) ? await place.findGroup(dn) : undefined
      return found === undefined ? undefined : { dn: found }
    },
    status: () => directories.map((directory) => directory.status()),
    start() {
      probe()
      timer ??= setInterval(probe, probeMs).unref()
    },
    close() {
      clearInterval(timer)
      timer = undefined
      for (const directory of directories) directory.close()
    },
  }
}

function refusalOf(outcome: Exclude<Outcome, { kind: 'proven' }>): IdentityError {
  if (outcome.kind === 'undecided') return outcome.error
  return refused(outcome.reason)
}

/** One message for all of them. The reason is for our log. */
function refused(reason: string): IdentityError {
  return new IdentityError('login_refused', 'The user name or the password is wrong', {
    cause: new Error(reason),
  })
}

function throttled(retryAfterSeconds: number): IdentityError {
  return new IdentityError('throttled', 'Too many failed logins; try again later', {
    detail: { retryAfterSeconds },
  })
}

async function principalOf({ directory, person }: Hit, username: string): Promise<Principal> {
  return ldapPrincipal({
    provider: directory.settings.name,
    subject: person.subject,
    displayName: username,
    groups: await directory.groupsOf(person),
    claims: new Map<string, unknown>([
      ...Array.from(person.attributes, ([name, values]) => [`ldapAttrib_${name}`, values] as const),
      ['ldap:username', username],
      ['ldap:user', person.dn],
    ]),
  })
}

/** A login name as it is typed is looked for only when it could be one. */
async function findByName(directory: Directory, name: string): Promise<readonly Person[]> {
  return faultOfName(name) === undefined ? directory.find(name) : []
}

function isDn(text: string): boolean {
  try {
    return parseDn(text).length > 0
  } catch {
    return false
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
