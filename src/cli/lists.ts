import { CliError } from './cli-error.ts'
import type { Fields } from './client.ts'

/** `listFields('TagKeys', ['a', 'b'])` -> `{ 'TagKeys.member.1': 'a', 'TagKeys.member.2': 'b' }` */
export function listFields(name: string, values: readonly string[]): Fields {
  return Object.fromEntries(
    values.map((value, index) => [`${name}.member.${index + 1}`, value] as const),
  )
}

/** `key=value` texts as `Tags.member.1.Key` and so on. */
export function tagFields(pairs: readonly string[]): Fields {
  return Object.fromEntries(
    pairs.flatMap((pair, index) => {
      const [key, value] = splitPair(pair)
      const at = `Tags.member.${index + 1}`
      return [
        [`${at}.Key`, key],
        [`${at}.Value`, value],
      ] as const
    }),
  )
}

/** `key=value` texts as suppositions of a simulation; a key that comes again gets a further value. */
export function contextFields(pairs: readonly string[]): Fields {
  const values = new Map<string, string[]>()
  for (const pair of pairs) {
    const [key, value] = splitPair(pair)
    const known = values.get(key)
    if (known === undefined) values.set(key, [value])
    else known.push(value)
  }
  return Object.fromEntries(
    [...values].flatMap(([key, all], index) => {
      const at = `ContextEntries.member.${index + 1}`
      const listed = Object.entries(listFields(`${at}.ContextKeyValues`, all))
      return [[`${at}.ContextKeyName`, key] as const, ...listed]
    }),
  )
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=')
  if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)]
  throw new CliError('usage', `"${pair}" is not of the form KEY=VALUE`)
}
