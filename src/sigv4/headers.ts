/** Name and value pairs in order of arrival; values are latin1 strings. */
export type HeaderList = readonly (readonly [string, string])[]

/** The same list with names in lower case. */
export function lowerNames(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [name.toLowerCase(), value] as const)
}

/** All values of a header, in order of arrival, from a list with lower-case names. */
export function valuesOf(headers: HeaderList, name: string): readonly string[] {
  const values: string[] = []
  for (const [key, value] of headers) if (key === name) values.push(value)
  return values
}

/** The header lines of a canonical request: one per name, each ended by a line feed. A header that is not there is empty. */
export function canonicalHeaders(headers: HeaderList, names: readonly string[]): string {
  const values = new Map<string, string | undefined>(names.map((name) => [name, undefined]))
  for (const [name, value] of headers) {
    if (!values.has(name)) continue
    const before = values.get(name)
    values.set(name, before === undefined ? squeeze(value) : `${before},${squeeze(value)}`)
  }
  let lines = ''
  for (const name of names) lines += `${name}:${values.get(name) ?? ''}\n`
  return lines
}

const loose = /^ | $| {2}|[\t\n\v\f\r]/
const whiteSpace = /[ \t\n\v\f\r]+/g

/**
 * Trims, and makes one space of each run of white space. ASCII only: `\s` and `trim()` would also eat the byte A0,
 * which ends many a UTF-8 letter ("à" is C3 A0) and which signers keep.
 */
export function squeeze(value: string): string {
  if (!loose.test(value)) return value
  const single = value.replace(whiteSpace, ' ')
  return single.slice(single.startsWith(' ') ? 1 : 0, single.endsWith(' ') ? -1 : undefined)
}
