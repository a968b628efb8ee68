import { createHash } from 'node:crypto'
import { Secret } from '../../secret.ts'
import { deriveSigningKey } from '../signing-keys.ts'
import { readAuthentication, SigV4Error, verifySignature } from '../index.ts'
import type { Expectation, SigV4ErrorCode, Verified, WireRequest } from '../index.ts'

export type Headers = readonly (readonly [string, string])[]

/** A key of ours and what a face would expect of its requests. */
export type Holder = Readonly<{ accessKeyId: string; secret: Secret }>

/** The key of AWS's published S3 examples. */
export const example: Holder = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secret: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
}

/** @param target as on the request line. */
export function wire(method: string, target: string, headers: Headers): WireRequest {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  return { method, path, query: mark < 0 ? '' : target.slice(mark + 1), headers }
}

/** What Node's parser would hand over for these characters: their UTF-8 bytes as latin1. */
export function onTheWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** From request to proof, as a gateway goes about it. */
export function verify(
  request: WireRequest,
  holder: Holder,
  expect: Expectation,
  body?: string | Uint8Array,
): Verified {
  const authentication = readAuthentication(request, expect)
  if (authentication.kind === 'anonymous') throw new UnknownKey()
  if (authentication.accessKeyId !== holder.accessKeyId) throw new UnknownKey()
  const signingKey = deriveSigningKey(holder.secret, authentication.scope)
  const bodySha256 = body === undefined ? undefined : sha256(body)
  return verifySignature(request, authentication, signingKey, bodySha256)
}

/** Nobody is identified. */
export class UnknownKey extends Error {}

/** For `assert.throws` and `assert.rejects`. */
export function refusal(...codes: readonly SigV4ErrorCode[]): (error: unknown) => boolean {
  return (error) => error instanceof SigV4Error && codes.includes(error.code)
}

/** Each text that differs from this one in a single character, in more than its case. */
export function* mutations(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const other = text.charAt(i).toLowerCase() === 'x' ? 'y' : 'x'
    yield text.slice(0, i) + other + text.slice(i + 1)
  }
}

/** Each header list in which one character of a name or value differs. */
export function* headerMutations(headers: Headers, names: readonly string[]): Generator<Headers> {
  for (const [i, [name, value]] of headers.entries()) {
    if (!names.includes(name.toLowerCase())) continue
    for (const other of mutations(name)) yield headers.with(i, [other, value])
    for (const other of mutations(value)) yield headers.with(i, [name, other])
  }
}
