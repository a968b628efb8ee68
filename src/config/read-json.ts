/**
 * A configuration that is JSON, which every JSON object is that YAML reads as the same: programs write such files, with
 * thousands of policies in them, and a parser of YAML takes forty times as long. `undefined`: not a JSON object, or one
 * with a name that stands twice in it; then the parser of YAML shall judge it, and say where.
 */
export function readJson(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || countNames(text) !== countMembers(value)) return undefined
    return value
  } catch {
    return undefined
  }
}

/** Of a doubled name `JSON.parse` keeps the last, so then there are fewer members than names. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  return members.reduce<number>(
    (sum, member) => sum + countMembers(member),
    Array.isArray(value) ? 0 : members.length,
  )
}

/** In text that is JSON every quotation mark outside of a string begins one, and one before a colon is a name. */
function countNames(text: string): number {
  const strings = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g
  let names = 0
  for (const [, colon] of text.matchAll(strings)) if (colon !== undefined) names++
  return names
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
