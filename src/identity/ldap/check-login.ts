import type { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import type { Directory, Person } from './directory.ts'

/** How long a directory that has not answered of late is waited for while there are others. */
const impatienceMs = 250

export type Hit = Readonly<{ directory: Directory; person: Person }>

export type Outcome =
  | Readonly<{ kind: 'proven'; hit: Hit; username: string }>
  | Readonly<{ kind: 'refused'; reason: string }>
  /** A directory is away, so nobody can say that the login is wrong. */
  | Readonly<{ kind: 'undecided'; error: IdentityError }>

type Answers = Readonly<{
  reached: readonly Directory[]
  hits: readonly Hit[]
  troubles: readonly IdentityError[]
}>

/**
 * Asks every directory for the name, and the one that knows it for the password. Whatever the name, each directory gets
 * one search and one of them one bind. @throws {IdentityError} `provider_unavailable` when nobody could judge
 */
export async function checkLogin(
  username: string,
  password: Secret,
  directories: readonly Directory[],
): Promise<Outcome> {
  const { reached, hits, troubles } = await askForName(username, directories)
  const [trouble] = troubles
  const [first] = reached
  if (first === undefined) throw trouble ?? new TypeError('there is no directory')
  const [hit, second] = hits
  if (hit?.person.username === undefined || second !== undefined) {
    await first.checkNobody()
    return notProven(reasonOf(hits), trouble)
  }
  const isRight = await hit.directory.checkPassword(hit.person.spelledDn, password.reveal())
  if (!isRight) return notProven('the password is wrong', trouble)
  return { kind: 'proven', hit, username: hit.person.username }
}

async function askForName(username: string, directories: readonly Directory[]): Promise<Answers> {
  const answers = await Promise.all(
    directories.map(async (directory) => {
      const asked = directory.find(username).catch(onlyTrouble)
      const isAlone = directories.length === 1
      return { directory, answer: await (isAlone ? asked : inTime(asked, directory)) }
    }),
  )
  return {
    reached: answers.flatMap((one) => (one.answer instanceof IdentityError ? [] : [one.directory])),
    troubles: answers.flatMap(({ answer }) => (answer instanceof IdentityError ? [answer] : [])),
    hits: answers.flatMap(({ directory, answer }) =>
      answer instanceof IdentityError ? [] : answer.map((person) => ({ directory, person })),
    ),
  }
}

/**
 * One that has fallen silent would make everybody wait until the time is up, those of the others too. The question stays
 * asked, so that it is waited for again as soon as it answers one.
 */
function inTime<A>(asked: Promise<A>, directory: Directory): Promise<A | IdentityError> {
  const { ready, error } = directory.status()
  if (ready || error === undefined) return asked
  const { promise: late, resolve } = Promise.withResolvers<IdentityError>()
  const message = 'A directory has fallen silent; try again'
  const detail = { provider: directory.settings.name, reason: error }
  const timer = setTimeout(
    () => resolve(new IdentityError('provider_unavailable', message, { detail })),
    impatienceMs,
  )
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

function onlyTrouble(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error
  throw error
}

// The same for all, or it would show which names the directories know that are left.
function notProven(reason: string, trouble: IdentityError | undefined): Outcome {
  if (trouble !== undefined) return { kind: 'undecided', error: trouble }
  return { kind: 'refused', reason }
}

function reasonOf(hits: readonly Hit[]): string {
  if (hits.length === 0) return 'nobody has this name'
  return hits.length > 1 ? 'several have this name' : 'the entry has no single login name'
}
