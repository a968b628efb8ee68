import type { SignatureParts } from './authorization-header.ts'
import { signatureV4a } from './authorization-header.ts'
import { malformed } from './credential.ts'
import type { Place } from './credential.ts'
import { SigV4Error } from './sigv4-error.ts'
import { parseTimestamp } from './timestamp.ts'

type Pairs = readonly (readonly [string, string])[]

export type PresignedParts = SignatureParts &
  Readonly<{ timestamp: string; expiresSeconds: number }>

const longestExpirySeconds = 604_800
const maxSkewMilliseconds = 900_000
const place: Place = 'query'

/** The six query parameters that make a presigned request, each exactly once. */
export function parsePresigned(query: Pairs): PresignedParts {
  const algorithm = only(query, 'X-Amz-Algorithm')
  if (algorithm.startsWith('AWS4-ECDSA-P256-SHA256')) throw signatureV4a()
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    throw malformed(place, 'X-Amz-Algorithm must be AWS4-HMAC-SHA256.')
  }
  return {
    credential: only(query, 'X-Amz-Credential'),
    timestamp: only(query, 'X-Amz-Date'),
    expiresSeconds: parseExpires(only(query, 'X-Amz-Expires')),
    signedHeaders: only(query, 'X-Amz-SignedHeaders'),
    signature: only(query, 'X-Amz-Signature'),
  }
}

/** The instant of signing; refuses before it (less 15 minutes) and after it plus the lifetime. */
export function judgePresignedTime(parts: PresignedParts, now: Date): Date {
  const signedAt = parseTimestamp(parts.timestamp)
  if (signedAt === undefined) throw malformed(place, 'X-Amz-Date must be yyyymmddThhmmssZ.')
  // Turned round, so that a clock without a time refuses.
  if (!(now.getTime() >= signedAt.getTime() - maxSkewMilliseconds)) {
    throw new SigV4Error('not_yet_valid', 'The presigned request is not valid yet.', {
      detail: { requestTime: signedAt.toISOString(), serverTime: now.toISOString() },
    })
  }
  const expires = new Date(signedAt.getTime() + parts.expiresSeconds * 1000)
  if (!(now.getTime() <= expires.getTime())) {
    throw new SigV4Error('presigned_expired', 'The presigned request has expired.', {
      detail: {
        expiresSeconds: parts.expiresSeconds,
        expires: expires.toISOString(),
        serverTime: now.toISOString(),
      },
    })
  }
  return signedAt
}

function parseExpires(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= longestExpirySeconds)) {
    throw malformed(place, 'X-Amz-Expires must be a whole number of seconds from 0 to 604800.')
  }
  return seconds
}

function only(query: Pairs, name: string): string {
  const values = query.filter(([key]) => key === name)
  const value = values[0]?.[1]
  if (values.length !== 1 || !value) {
    throw malformed(
      place,
      'X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature ' +
        'are all required, once each.',
    )
  }
  return value
}
