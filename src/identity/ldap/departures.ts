import { setTimeout as sleep } from 'node:timers/promises'
import type { State } from '../../state.ts'
import { IdentityError } from '../identity-error.ts'
import type { Attendance, Attended } from './attendance.ts'
import type { LdapEvent } from './directory.ts'
import type { LdapPresence, LdapVerifier } from './ldap-verifier.ts'
import { parseDirectory, type LdapDirectory, type Recheck } from './settings.ts'

type DepartureOptions = Readonly<{
  directories: readonly LdapDirectory[]
  attendance: Attendance
  confirm: LdapVerifier['confirm']
  state: Pick<State, 'commit'>
  clock: () => Date
  random: (bytes: number) => Buffer
  log: (event: LdapEvent) => void
  /** A fault of ours, such as a store that does not answer; the next round tries again. */
  onError: (error: unknown) => void
}>

/** Looks from time to time whether people who logged in are still there. */
export interface Departures {
  start(): void
  /** One round through a directory, whoever made the last one. For tests and for those who cannot wait. */
  round(directory: string): Promise<void>
  /** Resolves when nothing runs any more. */
  close(): Promise<void>
}

/** So many in a row without an answer are the directory's fault: the rest waits for the next round. */
const mostFailures = 5

/**
 * Ends the sessions of people whom their directory no longer has, or no longer has in a group that it had them in. Only
 * what a directory says outright counts: one that is away, slow, or answers with an error or a referral ends nothing.
 */
export function createDepartures(options: DepartureOptions): Departures {
  const { attendance, confirm, log, onError } = options
  const rechecks = options.directories.map((directory) => parseDirectory(directory).recheck)
  const stop = new AbortController()
  let running: Promise<unknown> | undefined

  async function check(person: Attended): Promise<void> {
    const { directory, subject } = person
    const presence = await ask(person)
    if (presence.kind === 'gone') {
      await attendance.gone(person)
      log({ kind: 'person_gone', directory, detail: subject })
    } else if (await attendance.present(person, presence)) {
      log({ kind: 'person_changed', directory, detail: subject })
    }
  }

  function ask({ directory, dn, username }: Attended): Promise<LdapPresence> {
    return confirm({ directory, subject: dn, ...(username !== undefined && { username }) })
  }

  async function pass({ directory, perSecond }: Recheck): Promise<void> {
    const share = 1000 / perSecond
    let failures = 0
    // Begins somewhere else each time, so that no few who cannot be judged keep the others from being asked about.
    for await (const person of attendance.of(directory, options.random(1)[0] ?? 0)) {
      if (stop.signal.aborted) return
      const began = options.clock().getTime()
      try {
        await check(person)
        failures = 0
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        failures += 1
        if (failures === 1) log({ kind: 'person_unchecked', directory, detail: error.message })
        if (failures === mostFailures) return
      }
      const elapsed = options.clock().getTime() - began
      await pause(Math.min(Math.max(share - elapsed, 0), share), true)
    }
  }

  /** Rejects never: whoever closes does not hear of it as an error. */
  async function pause(ms: number, ref: boolean): Promise<void> {
    await sleep(ms, undefined, { signal: stop.signal, ref }).catch(() => undefined)
  }

  async function run(recheck: Recheck): Promise<void> {
    // As often as it takes to be punctual when another process was, and is no more.
    const tickMs = Math.min(30_000, (recheck.everySeconds * 1000) / 10)
    while (!stop.signal.aborted) {
      try {
        if (await isOurTurn(recheck, options)) await pass(recheck)
      } catch (error) {
        onError(error)
      }
      await pause(tickMs, false)
    }
  }

  return {
    start() {
      running ??= Promise.all(rechecks.map(run))
    },
    async round(directory) {
      const recheck = rechecks.find((one) => one.directory === directory)
      if (recheck === undefined) throw new TypeError(`no directory ${JSON.stringify(directory)}`)
      await pass(recheck)
    },
    async close() {
      stop.abort()
      await running
    },
  }
}

/**
 * Of many processes one goes round in each interval: whoever writes this entry first. It is about thrift alone. Two that
 * go round at once end the same sessions, twice.
 */
async function isOurTurn(
  { directory, everySeconds }: Recheck,
  { state, clock }: DepartureOptions,
): Promise<boolean> {
  const key = `ldap-round/${directory}`
  const expiresAt = new Date(clock().getTime() + everySeconds * 1000)
  const value = JSON.stringify({ schema: 1 })
  const { committed } = await state.commit(
    [{ key, revision: 0 }],
    [{ kind: 'put', key, value, expiresAt }],
  )
  return committed
}
