import type { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../json-object.ts'
import type { FetchedText } from '../fetch-text.ts'

/** What the plugin says of a token that it takes. */
export type Verdict = Readonly<{
  user: string
  validitySeconds: number
  claims: ReadonlyMap<string, unknown>
}>

const leastSeconds = 900
const mostSeconds = 31_536_000
const longestUser = 1024
const longestReason = 200

/**
 * Names that say something of a session itself at MinIO, in any case of letters: the plugin cannot set them. `sub` is
 * the plugin's `user`.
 */
const reserved = new Set(
  'exp sub iss aud iat nbf jti parent rolearn tokenrevoketype accesskey sessionpolicy sessionpolicy-extracted sa-policy ldapuser ldapusername'.split(
    ' ',
  ),
)

/** An answer that is none: the plugin is broken or misconfigured, and the same token may do later. */
export class BadAnswer extends Error {}

/**
 * @param sent the secrets that were sent to the plugin, none of them empty
 * @throws {IdentityError} `custom_token_refused` when the plugin says no, or vouches for nobody
 * @throws {BadAnswer}
 */
export function readVerdict({ status, body }: FetchedText, sent: readonly Secret[]): Verdict {
  if (status === 403) throw refusedToken(printable(hide(readReason(body), sent)))
  if (status !== 200) throw new BadAnswer(`status ${status}`)
  const answer = parseAnswer(body)
  const { user = '', maxValiditySeconds: validitySeconds, claims } = answer
  if (typeof user !== 'string') throw new BadAnswer('user is no text')
  if (typeof validitySeconds !== 'number' || !Number.isSafeInteger(validitySeconds)) {
    throw new BadAnswer('maxValiditySeconds is no whole number')
  }
  if (validitySeconds < leastSeconds || validitySeconds > mostSeconds) {
    throw refusedToken(`its validity is not within ${leastSeconds} and ${mostSeconds} seconds`)
  }
  return { user: checkUser(user), validitySeconds, claims: readClaims(claims) }
}

function parseAnswer(body: string): JsonObject {
  try {
    return parseJsonObject(body)
  } catch (cause) {
    throw new BadAnswer('the answer is no sound JSON object', { cause })
  }
}

function checkUser(user: string): string {
  if (user === '') throw refusedToken('it is nobody’s')
  // oxlint-disable-next-line no-control-regex -- they are what is looked for: XML and logs cannot carry them
  if (user.length > longestUser || /[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(user)) {
    throw new BadAnswer('user is too long, or holds control characters')
  }
  return user
}

function readClaims(claims: unknown): ReadonlyMap<string, unknown> {
  if (claims === undefined || claims === null) return new Map()
  if (!isJsonObject(claims)) throw new BadAnswer('claims is no object')
  return new Map(Object.entries(claims).filter(([name]) => !reserved.has(name.toLowerCase())))
}

/** Nothing when there is none: a 403 means no, whatever comes with it. */
function readReason(body: string): string {
  try {
    const { reason } = parseJsonObject(body)
    return typeof reason === 'string' ? reason : ''
  } catch {
    return ''
  }
}

/** A plugin that repeats in its reason what it was sent would carry it into answers and logs. */
function hide(text: string, sent: readonly Secret[]): string {
  return sent
    .flatMap(spellingsOf)
    .reduce((hidden, spelling) => hidden.replaceAll(spelling, '[secret]'), text)
}

/** As it is, and as it stands in URLs and forms, which browsers' rules and JavaScript's own spell differently. */
function spellingsOf(sent: Secret): readonly string[] {
  const text = sent.reveal()
  return [text, encodeURIComponent(text), new URLSearchParams({ '': text }).toString().slice(1)]
}

/** For people, on one line. */
function printable(text: string): string {
  const line = text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim()
  return line.length > longestReason ? `${line.slice(0, longestReason).toWellFormed()}…` : line
}

function refusedToken(reason: string): IdentityError {
  const message = 'The identity plugin does not take the token'
  return new IdentityError(
    'custom_token_refused',
    reason === '' ? message : `${message}: ${reason}`,
  )
}
