import type { Entry } from 'ldapts'

const mostBytes = 32 * 1024

/**
 * The values of these attributes, under the names that were asked for; what is not there has none. Values that are no
 * UTF-8 come in base64. @throws {TypeError} when they are more than we keep: a part of them would not be the truth
 */
export function readAttributes(
  entry: Entry,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  let size = 0
  for (const name of names) {
    const values = valuesOf(entry, name)
    size += values.reduce((sum, value) => sum + value.length, 0)
    if (values.length > 0) found.set(name, values)
  }
  if (size > mostBytes) throw new TypeError('the attributes of the person are too large')
  return found
}

/** Servers spell names of attributes as their schema does. */
function valuesOf(entry: Entry, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  const key = Object.keys(entry).find((key) => key.toLowerCase() === wanted)
  if (key === undefined) return []
  const values: readonly (string | Buffer)[] = [entry[key] ?? []].flat()
  return values.map((value) => (typeof value === 'string' ? value : value.toString('base64')))
}
