import type { Trace } from './trace.ts'
import type { GrantError } from './grant-error.ts'

/** What becomes `aws:PrincipalTag/K` of a session, and which of it goes along to the next role. */
export type SessionTags = Readonly<{
  tags: ReadonlyMap<string, string>
  transitiveKeys: readonly string[]
}>

export const noTags: SessionTags = { tags: new Map(), transitiveKeys: [] }

const maxTags = 50
/** AWS STS API reference, Tag. */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

type Pairs = readonly (readonly [key: string, value: string])[]

/** @throws GrantError `invalid_parameter` for tags that break a rule of AWS, or that stand twice */
export function readTags(
  pairs: Pairs,
  transitiveKeys: readonly string[],
  trace: Trace,
): SessionTags {
  if (pairs.length > maxTags || transitiveKeys.length > maxTags) {
    throw refusal(`A session has at most ${maxTags} tags`, trace)
  }
  const tags = new Map<string, string>()
  const seen = new Set<string>()
  for (const [key, value] of pairs) {
    checkTag(key, value, trace)
    // Two spellings of one key would be two tags for one policy and one tag for another.
    if (seen.has(key.toLowerCase()))
      throw refusal(`The tag key ${quoted(key)} is there twice`, trace)
    seen.add(key.toLowerCase())
    tags.set(key, value)
  }
  const stray = transitiveKeys.find((key) => !tags.has(key))
  if (stray !== undefined)
    throw refusal(`The transitive tag ${quoted(stray)} is not among the tags`, trace)
  return { tags, transitiveKeys: [...new Set(transitiveKeys)] }
}

const claimName = 'https://aws.amazon.com/tags'

/**
 * The tags that a token brings (AWS IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity"): as one
 * object, or with a claim for each of its members. A key has one value, as a text or as a list of one.
 * @returns `undefined`: it has none. @throws GrantError `invalid_parameter` when it is not to be understood
 */
export function readTokenTags(
  claims: ReadonlyMap<string, unknown>,
  trace: Trace,
): SessionTags | undefined {
  const nested = asObject(claims.get(claimName))
  const flatPrefix = `${claimName}/principal_tags/`
  const pairs = [
    ...Object.entries(asObject(nested['principal_tags'])),
    ...[...claims]
      .filter(([name]) => name.startsWith(flatPrefix))
      .map(([name, value]) => [name.slice(flatPrefix.length), value] as const),
  ]
  const keys = nested['transitive_tag_keys'] ?? claims.get(`${claimName}/transitive_tag_keys`) ?? []
  if (pairs.length === 0) return undefined
  const strange = () =>
    refusal(`The claim ${claimName} of the token is not to be understood`, trace)
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) throw strange()
  const texts = pairs.map(([key, value]): readonly [string, string] => {
    const [only, ...more] = [value].flat()
    if (typeof only !== 'string' || more.length > 0) throw strange()
    return [key, only]
  })
  return readTags(texts, keys, trace)
}

/**
 * What is asked for on top of what an earlier role handed on.
 * @throws GrantError `invalid_parameter` when a tag that was handed on is to be changed
 */
export function addTags(inherited: SessionTags, asked: SessionTags, trace: Trace): SessionTags {
  if (inherited.tags.size === 0) return asked
  const held = new Set([...inherited.tags.keys()].map((key) => key.toLowerCase()))
  const changed = [...asked.tags.keys()].find((key) => held.has(key.toLowerCase()))
  if (changed !== undefined) {
    throw refusal(`The tag ${quoted(changed)} comes from an earlier role and stays as it is`, trace)
  }
  const all = readTags([...inherited.tags, ...asked.tags], [], trace)
  return {
    tags: all.tags,
    transitiveKeys: [...inherited.transitiveKeys, ...asked.transitiveKeys],
  }
}

/** The part of a session's tags that goes along to the next role. */
export function transitivePart(
  tags: ReadonlyMap<string, string>,
  transitiveKeys: readonly string[],
): SessionTags {
  const kept = [...tags].filter(([key]) => transitiveKeys.includes(key))
  return { tags: new Map(kept), transitiveKeys: kept.map(([key]) => key) }
}

/**
 * Tags of a session over those of the user or role that it stands on. One of the session hides whatever has the same key
 * in another spelling, as at AWS: else `team=admin` of the role would speak beside the `Team=guest` that was handed on.
 */
export function tagsOver(
  lower: ReadonlyMap<string, string>,
  upper: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  if (upper.size === 0) return lower
  const hidden = new Set([...upper.keys()].map((key) => key.toLowerCase()))
  return new Map([...[...lower].filter(([key]) => !hidden.has(key.toLowerCase())), ...upper])
}

function checkTag(key: string, value: string, trace: Trace): void {
  if (key === '' || key.length > 128 || !isTagText(key) || /^aws:/i.test(key)) {
    throw refusal(
      'A tag key has 1 to 128 letters, digits, spaces or characters of _.:/=+-@ and does not begin with aws:',
      trace,
    )
  }
  if (value.length > 256 || !isTagText(value)) {
    throw refusal(
      'A tag value has at most 256 letters, digits, spaces or characters of _.:/=+-@',
      trace,
    )
  }
}

function isTagText(text: string): boolean {
  return text.isWellFormed() && tagText.test(text)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}

function quoted(key: string): string {
  return JSON.stringify(key.slice(0, 64))
}

function refusal(message: string, trace: Trace): GrantError {
  return trace.refusal('tags', 'invalid_parameter', message, { detail: { parameter: 'Tags' } })
}
