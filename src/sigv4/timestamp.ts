const basicIso = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
const extendedIso = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?Z$/
const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** `yyyymmddThhmmssZ`; `undefined` when it is anything else or no real instant. */
export function parseTimestamp(text: string): Date | undefined {
  return realInstant(basicIso.exec(text)?.slice(1))
}

/** The `Date` header: RFC 9110 IMF-fixdate, or ISO 8601 in basic or extended form. To the second. */
export function parseDateHeader(text: string): Date | undefined {
  const [, day, month, year, ...time] = imfFixdate.exec(text) ?? []
  if (year === undefined)
    return realInstant(extendedIso.exec(text)?.slice(1)) ?? parseTimestamp(text)
  return realInstant([year, String(months.indexOf(month ?? '') / 3 + 1), day ?? '', ...time])
}

/** `yyyymmddThhmmssZ` */
export function formatTimestamp(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

// `Date.UTC` would roll 30 February over into March: then the parts are not those that were given.
function realInstant(parts: readonly string[] | undefined): Date | undefined {
  if (parts === undefined) return undefined
  const [year = Number.NaN, month = Number.NaN, ...rest] = parts.map(Number)
  const [day = Number.NaN, hour = Number.NaN, minute = Number.NaN, second = Number.NaN] = rest
  const instant = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  const isReal =
    instant.getUTCFullYear() === year &&
    instant.getUTCMonth() === month - 1 &&
    instant.getUTCDate() === day &&
    instant.getUTCHours() === hour &&
    instant.getUTCMinutes() === minute &&
    instant.getUTCSeconds() === second
  return isReal ? instant : undefined
}
