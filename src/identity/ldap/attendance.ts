import { createHash } from 'node:crypto'
import type { Entry, State } from '../../state.ts'
import { normaliseDn } from './dn.ts'

/** Somebody who has just logged in. */
export type Attendee = Readonly<{
  directory: string
  /** As the directory spells its values: it is asked by this name again. */
  dn: string
  /** The login name, which group filters may need. */
  username?: string
  /** Normalised names. */
  groups: readonly string[]
}>

/** Somebody whose sessions may be alive, as the store has it. */
export type Attended = Readonly<{
  directory: string
  dn: string
  /** The normalised name: what principals are called. */
  subject: string
  username?: string
  /** Of the groups that sessions may count on. */
  groupMarks: readonly string[]
  entry: Entry
}>

export type Ended = Readonly<{ directory: string; subject: string }>

type AttendanceOptions = Readonly<{
  state: Pick<State, 'get' | 'list' | 'commit'>
  clock: () => Date
  /** No session of a login lives longer, nor do those that are made from it. */
  longestSessionSeconds: number
  /** Ends the sessions of this person that were issued at this instant or earlier; durable on return. */
  endSessions(who: Ended, why: string, issuedBefore: Date): Promise<unknown>
}>

const prefix = 'ldap-person/'
/** How much longer an entry is kept than it has to be: whoever logs in all day is written down once a day. */
const slackMs = 24 * 3_600_000
const attempts = 8
const hexDigits = '0123456789abcdef'.split('')

/**
 * Who of the directories may have live sessions. Sessions themselves are written down nowhere; a person is, once a day at
 * most and when its groups change, for as long as a session of its may live. So no restart forgets anybody, and whoever
 * is looked after is found without a look at sessions.
 */
export class Attendance {
  readonly #options: AttendanceOptions

  constructor(options: AttendanceOptions) {
    this.#options = options
  }

  /**
   * Call it before credentials leave: what is not known to be there is never missed. Sessions from before with a group
   * that the person is no longer in end here; the one that is about to be issued does not. Resolves when all is durable.
   */
  async seen(attendee: Attendee): Promise<void> {
    const { state, clock, longestSessionSeconds } = this.#options
    const { directory, dn, username } = attendee
    const subject = normaliseDn(dn)
    const key = keyOf(directory, subject)
    const groupMarks = marksOf(attendee.groups)
    const value = print({ directory, dn, ...(username !== undefined && { username }), groupMarks })
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const entry = await state.get(key)
      const now = clock().getTime()
      const needed = now + longestSessionSeconds * 1000
      const isLasting = (entry?.expiresAt?.getTime() ?? 0) >= needed
      if (entry !== undefined && isLasting && entry.value === value) return
      if (entry !== undefined && hasLost(parse(entry)?.groupMarks ?? [], groupMarks)) {
        await this.#end({ directory, subject }, leftGroup, new Date(now - 1))
      }
      const expiresAt = new Date(needed + slackMs)
      const condition = { key, revision: entry?.revision ?? 0 }
      const { committed } = await state.commit(
        [condition],
        [{ kind: 'put', key, value, expiresAt }],
      )
      if (committed) return
    }
    throw new Error(`too many log in as ${JSON.stringify(subject)} at once`)
  }

  /** Everybody of one directory, a sixteenth at a time, beginning with the one of this number. */
  async *of(directory: string, first: number): AsyncGenerator<Attended> {
    for (let turn = 0; turn < hexDigits.length; turn += 1) {
      const digit = hexDigits[(first + turn) % hexDigits.length] ?? ''
      const { entries } = await this.#options.state.list(`${prefix}${directory}/${digit}`)
      for (const entry of entries) {
        const attended = parse(entry)
        if (attended !== undefined) yield attended
      }
    }
  }

  /** The person is no longer there: its sessions end, and it is forgotten. */
  async gone({ directory, subject, entry }: Attended): Promise<void> {
    const { state, clock } = this.#options
    await this.#end({ directory, subject }, 'the directory no longer has this person', clock())
    // Unless it has just logged in again, made anew.
    const condition = { key: entry.key, revision: entry.revision }
    await state.commit([condition], [{ kind: 'delete', key: entry.key }])
  }

  /** The person is there, in these groups. True: it has left one, and its sessions ended. */
  async present(attended: Attended, groups: readonly string[]): Promise<boolean> {
    const groupMarks = marksOf(groups)
    if (!hasLost(attended.groupMarks, groupMarks)) return false
    const { state, clock } = this.#options
    const { entry, directory, subject } = attended
    await this.#end({ directory, subject }, leftGroup, clock())
    const { key, revision, expiresAt } = entry
    const value = print({ ...attended, groupMarks })
    await state.commit(
      [{ key, revision }],
      [{ kind: 'put', key, value, ...(expiresAt && { expiresAt }) }],
    )
    return true
  }

  /** Normalised names of those who came in under a login name, in whatever case. */
  async subjectsOf(directory: string, username: string): Promise<readonly string[]> {
    const wanted = username.toLowerCase()
    const found: string[] = []
    for await (const attended of this.of(directory, 0)) {
      if (attended.username?.toLowerCase() === wanted) found.push(attended.subject)
    }
    return found
  }

  async #end(who: Ended, why: string, issuedBefore: Date): Promise<void> {
    await this.#options.endSessions(who, why, issuedBefore)
  }
}

const leftGroup = 'the person has left a group'

function keyOf(directory: string, subject: string): string {
  return `${prefix}${directory}/${createHash('sha256').update(subject).digest('hex')}`
}

/** Somebody may be in thousands of groups, and all that is asked is whether one of them is missing now. */
function marksOf(groups: readonly string[]): readonly string[] {
  const mark = (group: string): string =>
    createHash('sha256').update(group).digest('base64url').slice(0, 12)
  return [...new Set(groups.map(mark))].toSorted()
}

function hasLost(before: readonly string[], now: readonly string[]): boolean {
  const still = new Set(now)
  return before.some((mark) => !still.has(mark))
}

type Document = Pick<Attended, 'directory' | 'dn' | 'username' | 'groupMarks'>

const schema = 1

function print({ directory, dn, username, groupMarks }: Document): string {
  return JSON.stringify({ schema, directory, dn, username, groups: groupMarks })
}

/** `undefined`: another version of Daypass wrote it, and looks after it. */
function parse(entry: Entry): Attended | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the schema number; only this file writes here
  const stored = JSON.parse(entry.value) as Omit<Document, 'groupMarks'> & {
    schema: number
    groups: readonly string[]
  }
  if (stored.schema !== schema) return undefined
  const { directory, dn, username, groups } = stored
  return {
    directory,
    dn,
    subject: normaliseDn(dn),
    ...(username !== undefined && { username }),
    groupMarks: groups,
    entry,
  }
}
