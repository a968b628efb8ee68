import { createHash } from 'node:crypto'
import { createSecureContext, getCACertificates } from 'node:tls'
import type { Pool } from 'undici'
import { signRequest } from '../sigv4/index.ts'
import { errorCodeOf } from './answers.ts'
import { TargetFailure, unreachable, wrongSettings } from './target-failure.ts'
import type { AssumeRoleTarget, BrokerCredentials } from './types.ts'

/** How one tenant is reached. Two of the same origin and authorities are the same way. */
export type Way = Readonly<{ origin: URL; ca: string | undefined }>

export type Call = Readonly<{
  method: 'GET' | 'POST'
  path: string
  query?: string
  /** A form. */
  body?: string
  service: 's3' | 'sts' | 'iam'
  region: string
  maxAnswerBytes: number
}>

export type Answer = Readonly<{ status: number; retryAfter: string | undefined; body: string }>

const connectMs = 3000
const connections = 16

/** @throws TargetFailure for an address that no credentials may travel to */
export function wayOf(
  { endpoint, insecureHttp }: Pick<AssumeRoleTarget, 'endpoint' | 'insecureHttp'>,
  ca: string | undefined,
): Way {
  const origin = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (origin?.protocol === 'https:') return { origin, ca }
  const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(origin?.hostname ?? '')
  if (origin?.protocol === 'http:' && (isLocal || insecureHttp === true)) return { origin, ca }
  throw wrongSettings(
    'the endpoint is not https: use https, or set insecureHttp and let credentials be read on the way',
  )
}

export function wayKey({ origin, ca = '' }: Way): string {
  return `${origin.origin} ${createHash('sha256').update(ca).digest('hex')}`
}

/**
 * Connections to one tenant. Certificates are always checked, whatever the environment says; no proxy is asked, and no redirect
 * followed. undici takes 70 ms to load: hence the late import.
 */
export async function openPool({ origin, ca }: Way): Promise<Pool> {
  const { Pool } = await import('undici')
  return new Pool(origin.origin, {
    connections,
    allowH2: false,
    keepAliveTimeout: 30_000,
    connect: {
      timeout: connectMs,
      rejectUnauthorized: true,
      ...(ca !== undefined && { secureContext: contextWith(ca) }),
    },
  })
}

/** Made once for a pool: reading all authorities of the system takes milliseconds. */
function contextWith(ca: string): ReturnType<typeof createSecureContext> {
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw wrongSettings('the certificate authority is no PEM')
  }
  try {
    return createSecureContext({ ca: [...getCACertificates('default'), ca] })
  } catch (cause) {
    throw wrongSettings('the certificate authority cannot be read', cause)
  }
}

/**
 * One signed request, one answer. @throws TargetFailure `target_unavailable` when there is none
 * @param signal ends it
 */
export async function sendSigned(
  pool: Pool,
  origin: URL,
  call: Call,
  broker: BrokerCredentials,
  ground: Readonly<{ now: Date; signal: AbortSignal }>,
): Promise<Answer> {
  const { method, path, query = '', body, maxAnswerBytes } = call
  const headers: (readonly [string, string])[] = [
    ['host', origin.host],
    ['user-agent', 'daypass'],
    ...(body === undefined ? [] : [['content-type', 'application/x-www-form-urlencoded'] as const]),
  ]
  const sha256 = createHash('sha256')
    .update(body ?? '')
    .digest('hex')
  const { accessKeyId, secretAccessKey: secret, sessionToken } = broker
  const key = { accessKeyId, secret, ...(sessionToken && { sessionToken }) }
  const signed = signRequest({ method, path, query, headers }, key, call, ground.now, sha256)
  try {
    const answer = await pool.request({
      method,
      path: query === '' ? path : `${path}?${query}`,
      headers: [...headers, ...signed].flat(),
      body: body ?? null,
      signal: ground.signal,
    })
    const retryAfter = [answer.headers['retry-after']].flat()[0]
    const text = await readText(answer.body, maxAnswerBytes)
    return { status: answer.statusCode, retryAfter, body: text }
  } catch (cause) {
    if (cause instanceof TargetFailure) throw cause
    throw unreachable(reasonOf(cause, ground.signal), cause)
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop destroys the body and its connection.
    if (size > maxBytes) throw unreachable(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** By code only: texts of the other side, such as the names in its certificate, are its own. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time'
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection'
  return /CERT|TLS|SSL|SELF_SIGNED|ISSUER|VERIFY|UNTRUSTED/.test(code)
    ? `its certificate is not to be trusted (${code})`
    : `no connection (${code})`
}

const throttling = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestThrottled'])
const later = new Set([408, 429, 500, 502, 503, 504])

/** What an answer that is no success means. */
export function failureOf({ status, retryAfter, body }: Answer): TargetFailure {
  const code = errorCodeOf(body)
  const isLater = later.has(status) || status >= 505 || throttling.has(code ?? '')
  const seconds = /^\d{1,4}$/.test(retryAfter ?? '') ? Number(retryAfter) : 2
  return new TargetFailure(
    isLater ? 'target_unavailable' : 'target_refused',
    { status, code },
    { retryAfterSeconds: Math.min(60, Math.max(1, seconds)) },
  )
}
