import type { Secret } from '../secret.ts'
import { canonicalParts, canonicalRequest, stringToSign } from './canonical-request.ts'
import { scopeText } from './credential.ts'
import { hmac } from './signature.ts'
import { deriveSigningKey } from './signing-keys.ts'
import { formatTimestamp } from './timestamp.ts'
import type { Scope, WireRequest } from './types.ts'

export type ClientKey = Readonly<{
  accessKeyId: string
  secret: Secret
  sessionToken?: Secret
}>

// Hop-by-hop, or rewritten by proxies and client libraries on their way.
const unsignable: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
])
const ours: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
])

/**
 * Signs a request in the header form, as a client. The request has its `host` header and all else it will be sent with,
 * and none of the headers that are given back: those are to be added to it.
 *
 * @param payloadSha256 lower-case hex hash of the body, or the name of a payload mode.
 */
export function signRequest(
  request: WireRequest,
  key: ClientKey,
  target: Pick<Scope, 'region' | 'service'>,
  now: Date,
  payloadSha256: string,
): readonly (readonly [string, string])[] {
  const timestamp = formatTimestamp(now)
  const { region, service } = target
  const scope = { date: timestamp.slice(0, 8), region, service }
  const added: (readonly [string, string])[] = [
    ['x-amz-content-sha256', payloadSha256],
    ['x-amz-date', timestamp],
  ]
  if (key.sessionToken) added.push(['x-amz-security-token', key.sessionToken.reveal()])
  const headers = [...request.headers, ...added]
  const names = namesToSign(request, added)
  const canonical = canonicalRequest(canonicalParts({ ...request, headers }, names, payloadSha256))
  const text = stringToSign(timestamp, scope, canonical)
  const signature = hmac(deriveSigningKey(key.secret, scope), text).toString('hex')
  const credential = `${key.accessKeyId}/${scopeText(scope)}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return [...added, ['authorization', authorization]]
}

function namesToSign(
  request: WireRequest,
  added: readonly (readonly [string, string])[],
): readonly string[] {
  const names = request.headers.map(([name]) => name.toLowerCase())
  if (!names.includes('host')) throw new TypeError('a request is signed with its host header')
  if (names.some((name) => ours.has(name))) throw new TypeError('the request is signed already')
  const signable = names.filter((name) => !unsignable.has(name))
  return [...new Set([...signable, ...added.map(([name]) => name)])].sort()
}
