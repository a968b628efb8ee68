import type { SignatureParts } from './authorization-header.ts'
import { parseAuthorization } from './authorization-header.ts'
import type { Place } from './credential.ts'
import { malformed, parseCredential } from './credential.ts'
import type { HeaderList } from './headers.ts'
import { lowerNames, valuesOf } from './headers.ts'
import { findMechanism } from './mechanism.ts'
import { isStreaming, parsePayloadMode } from './payload-mode.ts'
import { judgePresignedTime, parsePresigned } from './presigned-query.ts'
import { findSessionToken } from './session-token.ts'
import { SigV4Error } from './sigv4-error.ts'
import { readSigningTime } from './signing-time.ts'
import type { Authentication, PayloadMode, Scope, WireRequest } from './types.ts'
import { parseQuery } from './uri.ts'

/** What a face accepts: scope services (`s3`, `sts`, …), the instant, and a region when only one will do. */
export type Expectation = Readonly<{
  services: readonly string[]
  now: Date
  region?: string
  /** Takes a scope without a region, too. */
  emptyRegion?: boolean
}>

type Pairs = readonly (readonly [string, string])[]
type Signed = Exclude<Authentication, { kind: 'anonymous' }>

/**
 * Who a request claims to be from, with everything that can be judged without a secret: one mechanism only, its form,
 * the time, the scope, the payload mode, and that `host` and every `x-amz-*` header present are covered by the
 * signature. Nothing is proven before `verifySignature`. Throws SigV4Error only.
 */
export function readAuthentication(request: WireRequest, expect: Expectation): Authentication {
  const headers = lowerNames(request.headers)
  const query = parseQuery(request.query)
  const mechanism = findMechanism(request.method, headers, query)
  const sessionToken = findSessionToken(mechanism.kind, headers, query)
  if (mechanism.kind === 'anonymous') {
    return { kind: 'anonymous', payload: anonymousPayload(headers) }
  }
  const signed =
    mechanism.kind === 'header'
      ? readHeaderForm(headers, mechanism.authorization, expect)
      : readQueryForm(headers, query, expect)
  requireSignedHeaders(headers, signed.signedHeaders)
  return sessionToken === undefined ? signed : { ...signed, sessionToken }
}

function readHeaderForm(headers: HeaderList, authorization: string, expect: Expectation): Signed {
  const parts = parseAuthorization(authorization)
  const time = readSigningTime(headers, expect.now)
  const claim = readClaim('header', parts, time.timestamp, expect)
  const payload = readPayload(valuesOf(headers, 'x-amz-content-sha256'), claim.scope, undefined)
  return { kind: 'header', ...claim, ...time, payload }
}

function readQueryForm(headers: HeaderList, query: Pairs, expect: Expectation): Signed {
  const parts = parsePresigned(query)
  const { timestamp, expiresSeconds } = parts
  const signedAt = judgePresignedTime(parts, expect.now)
  const claim = readClaim('query', parts, timestamp, expect)
  const payload = presignedPayload(headers, query, claim.scope)
  return { kind: 'query', ...claim, timestamp, signedAt, expiresSeconds, payload }
}

type Claim = Pick<Signed, 'accessKeyId' | 'scope' | 'signedHeaders' | 'signature'>

function readClaim(
  place: Place,
  parts: SignatureParts,
  timestamp: string,
  expect: Expectation,
): Claim {
  const { accessKeyId, scope } = parseCredential(parts.credential, place, expect.emptyRegion)
  judgeScope(place, scope, timestamp, expect)
  const signedHeaders = parseSignedHeaders(place, parts.signedHeaders)
  return { accessKeyId, scope, signedHeaders, signature: parts.signature }
}

function judgeScope(place: Place, scope: Scope, timestamp: string, expect: Expectation): void {
  if (scope.service === 's3express') {
    throw new SigV4Error('express_session', 'S3 Express sessions are not implemented.')
  }
  if (!expect.services.includes(scope.service)) {
    throw malformed(
      place,
      `The credential scope must name the service ${expect.services.join(' or ')}.`,
    )
  }
  if (scope.date !== timestamp.slice(0, 8)) {
    throw malformed(place, 'The date of the credential scope is not the date of the request.')
  }
  if (expect.region !== undefined && scope.region !== expect.region) {
    throw new SigV4Error(
      'wrong_region',
      `The credential scope must name the region ${expect.region}.`,
      {
        detail: { region: expect.region },
      },
    )
  }
}

const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

function parseSignedHeaders(place: Place, text: string): readonly string[] {
  const names = text.split(';').sort()
  if (!names.every((name, i) => headerName.test(name) && name !== names[i - 1])) {
    throw malformed(
      place,
      'SignedHeaders must be lower-case header names, once each, joined by semicolons.',
    )
  }
  return names
}

// "x-amzn-trace-id" does not start with "x-amz-": load balancers add it, and it needs no signature.
function requireSignedHeaders(headers: HeaderList, signed: readonly string[]): void {
  const covered = new Set(signed)
  const present = headers.map(([name]) => name).filter((name) => name.startsWith('x-amz-'))
  const missing = new Set(['host', ...present].filter((name) => !covered.has(name)))
  if (missing.size === 0) return
  const headersNotSigned = [...missing]
  throw new SigV4Error(
    'unsigned_headers',
    `These headers must be signed: ${headersNotSigned.join(', ')}.`,
    { detail: { headersNotSigned } },
  )
}

function anonymousPayload(headers: HeaderList): PayloadMode {
  const payload = readPayload(valuesOf(headers, 'x-amz-content-sha256'), undefined, unsigned)
  if (payload.kind !== 'signed-chunks') return payload
  throw new SigV4Error('streaming_not_allowed', 'Signed chunks need a signed request.')
}

function presignedPayload(headers: HeaderList, query: Pairs, scope: Scope): PayloadMode {
  const inQuery = query
    .filter(([name]) => name.toLowerCase() === 'x-amz-content-sha256')
    .map(([, value]) => value)
  return readPayload([...inQuery, ...valuesOf(headers, 'x-amz-content-sha256')], scope, unsigned)
}

const unsigned: PayloadMode = { kind: 'unsigned' }

// Only S3 streams bodies and demands the header. Elsewhere the hash of the body as received takes the line's place.
function readPayload(
  values: readonly string[],
  scope: Scope | undefined,
  otherwise: PayloadMode | undefined,
): PayloadMode {
  const [value, ...more] = new Set(values)
  if (more.length > 0) {
    throw new SigV4Error('bad_content_sha256', 'x-amz-content-sha256 was sent with two values.', {
      detail: { argumentName: 'x-amz-content-sha256' },
    })
  }
  const isS3 = scope === undefined || scope.service === 's3'
  const mode = value === undefined ? (isS3 ? otherwise : unsigned) : parsePayloadMode(value)
  if (mode === undefined) {
    throw new SigV4Error('missing_content_sha256', 'The x-amz-content-sha256 header is required.')
  }
  if (!isS3 && isStreaming(mode)) {
    throw new SigV4Error('streaming_not_allowed', 'Only S3 uploads may be sent in chunks.')
  }
  return mode
}
