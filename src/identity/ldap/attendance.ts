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
  /** Tells it from whoever has the name later, where the directory shows that. */
  entryId?: string
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
  entryId?: string
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
   * Call it before credentials leave: what is not known to be there is never missed. Sessions from before end here, when
   * they have a group that the person is no longer in or were somebody else's of that name; the one that is about to be
   * issued does not. Resolves when all is durable.
   */
  async seen(attendee: Attendee): Promise<void> {
    const { state, clock, longestSessionSeconds } = this.#options
    const { directory, dn, username, entryId } = attendee
    const subject = normaliseDn(dn)
    const key = keyOf(directory, subject)
    const groupMarks = marksOf(attendee.groups)
    const found = { groupMarks, ...(entryId !== undefined && { entryId }) }
    const value = print({ directory, dn, ...(username !== undefined && { username }), ...found })
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const entry = await state.get(key)
      const now = clock().getTime()
      const needed = now + longestSessionSeconds * 1000
      const isLasting = (entry?.expiresAt?.getTime() ?? 0) >= needed
      if (entry !== undefined && isLasting && entry.value === value) return
      const before = entry && parse(entry)
      const why = before && whyOver(before, found)
      if (why !== undefined) await this.#end({ directory, subject }, why, new Date(now - 1))
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

  /** Somebody of this name is there. True: it has left a group, or is somebody else, and the sessions ended. */
  async present(
    attended: Attended,
    { groups, entryId }: Pick<Attendee, 'groups' | 'entryId'>,
  ): Promise<boolean> {
    const found = { groupMarks: marksOf(groups), ...(entryId !== undefined && { entryId }) }
    const why = whyOver(attended, found)
    if (why === undefined) return false
    const { state, clock } = this.#options
    const { entry, directory, subject } = attended
    await this.#end({ directory, subject }, why, clock())
    const { key, revision, expiresAt } = entry
    const value = print({ ...attended, ...found })
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

type Whose = Pick<Attended, 'groupMarks' | 'entryId'>

/** Why sessions from before cannot go on. `undefined`: they can. Only what both sides say counts. */
function whyOver(before: Whose, now: Whose): string | undefined {
  const isOther = [before.entryId, now.entryId].every((id) => id !== undefined)
  if (isOther && before.entryId !== now.entryId) return 'somebody else has the name now'
  const still = new Set(now.groupMarks)
  const hasLeft = before.groupMarks.some((mark) => !still.has(mark))
  return hasLeft ? 'the person has left a group' : undefined
}

function keyOf(directory: string, subject: string): string {
  return `${prefix}${directory}/${createHash('sha256').update(subject).digest('hex')}`
}

/** Somebody may be in thousands of groups, and all that is asked is whether one of them is missing now. */
function marksOf(groups: readonly string[]): readonly string[] {
  const mark = (group: string): string =>
    createHash('sha256').update(group).digest('base64url').slice(0, 12)
  return [...new Set(groups.map(mark))].toSorted()
}

type Document = Pick<Attended, 'directory' | 'dn' | 'username' | 'groupMarks' | 'entryId'>

const schema = 1

function print({ directory, dn, username, groupMarks, entryId }: Document): string {
  return JSON.stringify({ schema, directory, dn, username, groups: groupMarks, entryId })
}

/** `undefined`: another version of Daypass wrote it, and looks after it. */
function parse(entry: Entry): Attended | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the schema number; only this file writes here
  const stored = JSON.parse(entry.value) as Omit<Document, 'groupMarks'> & {
    schema: number
    groups: readonly string[]
  }
  if (stored.schema !== schema) return undefined
  const { directory, dn, username, groups, entryId } = stored
  return {
    directory,
    dn,
    subject: normaliseDn(dn),
    ...(username !== undefined && { username }),
    groupMarks: groups,
    ...(entryId !== undefined && { entryId }),
    entry,
  }
}
