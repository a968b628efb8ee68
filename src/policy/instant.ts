const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(?:Z|([+-])(\d{2}):?(\d{2})))?$/
const epochPattern = /^-?\d{1,11}(?:\.\d{1,9})?$/

/**
 * Milliseconds since 1970 of an ISO 8601 instant (`2030-01-01`, `2030-01-01T00:00Z`, with seconds, fraction and offset) or of
 * epoch seconds. A time of day without its zone could mean two instants and is none. `undefined`: not an instant.
 */
export function parseInstant(text: string): number | undefined {
  if (epochPattern.test(text)) return Number(text) * 1000
  const match = isoPattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', sign] = match
  const fields = [year, month, day, hour, minute, second].map(Number)
  const local = utc(fields)
  const offset = offsetMinutes(sign, match[9], match[10])
  if (local === undefined || offset === undefined) return undefined
  return local + Number(fraction) * 1000 - offset * 60_000
}

/** `undefined` for a day or time that does not exist: `Date.UTC` would roll 30 February over into March. */
function utc(fields: readonly number[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const back = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ]
  return back.every((value, index) => value === fields[index]) ? date.getTime() : undefined
}

function offsetMinutes(
  sign: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): number | undefined {
  if (sign === undefined) return 0
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}
