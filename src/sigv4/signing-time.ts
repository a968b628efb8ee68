import type { HeaderList } from './headers.ts'
import { valuesOf } from './headers.ts'
import { SigV4Error } from './sigv4-error.ts'
import { formatTimestamp, parseDateHeader, parseTimestamp } from './timestamp.ts'

const maxSkewMilliseconds = 900_000

type SigningTime = Readonly<{ timestamp: string; signedAt: Date }>

/** When a header-signed request says it was signed: `x-amz-date`, else `Date`; within 15 minutes of `now` either way. */
export function readSigningTime(headers: HeaderList, now: Date): SigningTime {
  const time = findSigningTime(headers)
  if (time === undefined) {
    throw new SigV4Error('missing_date', 'The request needs a valid Date or x-amz-date header.')
  }
  const { signedAt } = time
  if (!(Math.abs(now.getTime() - signedAt.getTime()) <= maxSkewMilliseconds)) {
    throw new SigV4Error('skewed', "The request's time and the server's differ too much.", {
      detail: {
        requestTime: signedAt.toISOString(),
        serverTime: now.toISOString(),
        maxAllowedSkewMilliseconds: maxSkewMilliseconds,
      },
    })
  }
  return time
}

function findSigningTime(headers: HeaderList): SigningTime | undefined {
  const amzDates = valuesOf(headers, 'x-amz-date')
  const [date, ...more] = amzDates.length > 0 ? amzDates : valuesOf(headers, 'date')
  if (date === undefined || more.length > 0) return undefined
  const signedAt = amzDates.length > 0 ? parseTimestamp(date) : parseDateHeader(date)
  if (signedAt === undefined) return undefined
  return { signedAt, timestamp: amzDates.length > 0 ? date : formatTimestamp(signedAt) }
}
