const basicIso = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
const extendedIso = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?Z$/
const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** `yyyymmddThhmmssZ`; `undefined` when it is anything else or no real instant. */
export function parseTimestamp(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = basicIso.exec(text) ?? []
  return second === undefined
    ? undefined
    : realInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)
}

/** The `Date` header: RFC 9110 IMF-fixdate, or ISO 8601 in basic or extended form. To the second. */
export function parseDateHeader(text: string): Date | undefined {
  const [, day, month, year, hour, minute, second] = imfFixdate.exec(text) ?? []
  if (month !== undefined) {
    const number = String(months.indexOf(month) / 3 + 1).padStart(2, '0')
    return realInstant(`${year}-${number}-${day}T${hour}:${minute}:${second}.000Z`)
  }
  const parts = extendedIso.exec(text)?.slice(1)
  return parseTimestamp(
    parts === undefined ? text : `${parts.slice(0, 3).join('')}T${parts.slice(3).join('')}Z`,
  )
}

/** `yyyymmddThhmmssZ` */
export function formatTimestamp(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

// `new Date` would roll 30 February over into March.
function realInstant(iso: string): Date | undefined {
  const instant = new Date(iso)
  return Number.isNaN(instant.getTime()) || instant.toISOString() !== iso ? undefined : instant
}
