import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Refusal } from '../../errors.ts'
import type { HttpRequest, HttpResponse } from '../../http.ts'
import { openEmbeddedOrigin } from '../../origins/index.ts'
import type { Access } from '../../policy/index.ts'
import { Secret } from '../../secret.ts'
import {
  readAuthentication,
  parseCredential,
  SigningKeys,
  signRequest,
  verifyPostPolicySignature,
  verifySignature,
} from '../../sigv4/index.ts'
import type { AccessControl, Caller } from '../access-port.ts'
import type { S3FaceOptions, Sealer } from '../call.ts'
import type { Origin } from '../origin.ts'
import { createS3Face } from '../s3-face.ts'
import type { S3Face } from '../s3-face.ts'

export const now = new Date('2026-11-21T12:00:00.000Z')
export const accessKeyId = 'AKIDALICE'
export const secretAccessKey = new Secret('alice-secret')

/** Refuses like the gateway's own access control. */
export class Denied extends Refusal<'access_denied'> {
  constructor() {
    super('access_denied', 'Access Denied.', {
      detail: { decisionId: 'decision-1', encodedMessage: 'sealed-trace' },
    })
  }
}

/** Access control that really checks signatures, remembers what it was asked, and answers by a rule that tests set. */
export class FakeAccess implements AccessControl {
  readonly #keys = new SigningKeys(16)
  /** Every access of every judgement, in order. */
  readonly asked: Access[] = []
  allows: (access: Access, caller: Caller) => boolean = (_, caller) => caller.kind !== 'anonymous'
  tags = false

  async authenticate(request: HttpRequest): Promise<Caller> {
    const authentication = readAuthentication(request, { services: ['s3'], now })
    if (authentication.kind === 'anonymous') return { kind: 'anonymous', authentication }
    const signingKey = this.#keys.get(accessKeyId, secretAccessKey, authentication.scope)
    const verified = verifySignature(request, authentication, signingKey)
    return { kind: 'user', authentication, verified }
  }

  async authenticateForm(fields: ReadonlyMap<string, string>): Promise<Caller> {
    const field = (name: string) => fields.get(name) ?? ''
    const { scope } = parseCredential(field('x-amz-credential'), 'form')
    verifyPostPolicySignature({
      policy: field('policy'),
      credential: field('x-amz-credential'),
      date: field('x-amz-date'),
      signature: field('x-amz-signature'),
      signingKey: this.#keys.get(accessKeyId, secretAccessKey, scope),
    })
    return {
      kind: 'user',
      authentication: { kind: 'anonymous', payload: { kind: 'unsigned' } },
    }
  }

  authorize(caller: Caller, request: HttpRequest, accesses: readonly Access[]): void {
    if (!this.isAllowed(caller, request, accesses)) throw new Denied()
  }

  isAllowed(caller: Caller, _request: HttpRequest, accesses: readonly Access[]): boolean {
    this.asked.push(...accesses)
    return accesses.length > 0 && accesses.every((access) => this.allows(access, caller))
  }

  readsObjectTags(): boolean {
    return this.tags
  }

  /** `s3:GetObject arn:aws:s3:::b/k` of all that was asked since the last call. */
  take(): string[] {
    return this.asked.splice(0).map(({ action, resource }) => `${action} ${resource}`)
  }
}

/** A sealer whose texts are readable, for tests that garble them. */
export const plainSealer: Sealer = {
  seal: (kind, value) => Buffer.from(JSON.stringify([kind, value])).toString('base64url'),
  open(kind, text) {
    const opened: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(opened) || opened[0] !== kind) throw new Error('sealed for something else')
    return opened[1]
  },
}

export type Sent = Readonly<{
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Not signed at all. */
  anonymous?: boolean
  /** What `x-amz-content-sha256` says instead of the body's hash. */
  payload?: string
  /** Sent as it is: signed or not, the test has seen to it. */
  raw?: boolean
  host?: string
}>

/** An answer with its body read. */
export type Received = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  text: string
  bytes: Buffer
  close: boolean
  /** The `<Code>` of an error document, or the header of a HEAD. */
  code: string | undefined
  proceeded: boolean
}>

export type Kit = Readonly<{
  face: S3Face
  access: FakeAccess
  origin: Origin
  faults: unknown[]
  send(target: string, sent?: Sent): Promise<Received>
  close(): Promise<void>
}>

/** A face over a real embedded origin in a directory of its own. `wrap`: what the face sees of it. */
export async function openKit(
  options: Partial<S3FaceOptions> = {},
  wrap: (origin: Origin) => Origin = (origin) => origin,
): Promise<Kit> {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-s3-'))
  const origin = await openEmbeddedOrigin({ dir, clock: () => new Date(), random: randomBytes })
  const access = new FakeAccess()
  const faults: unknown[] = []
  const face = createS3Face({
    origin: wrap(origin),
    access,
    sealer: plainSealer,
    region: 'us-east-1',
    domains: ['s3.example.test'],
    clock: () => now,
    logFault: (_, error) => void faults.push(error),
    ...options,
  })
  return {
    face,
    access,
    origin,
    faults,
    send: (target, sent = {}) => send(face, target, sent),
    async close() {
      await origin.close()
      rmSync(dir, { recursive: true })
    },
  }
}

/** `target` is path and query as on the wire. */
export async function send(face: S3Face, target: string, sent: Sent): Promise<Received> {
  let proceeded = false
  const request = makeRequest(target, sent, () => {
    proceeded = true
  })
  return await receive(await face.handle(request), () => proceeded)
}

export function makeRequest(
  target: string,
  sent: Sent,
  proceed: () => void = () => {},
): HttpRequest {
  const [path = '/', ...query] = target.split('?')
  const body = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body
  const streamed = body !== undefined && !(body instanceof Uint8Array)
  const headers: [string, string][] = [
    ['Host', sent.host ?? 'localhost:9000'],
    ...(streamed || body === undefined
      ? []
      : [['Content-Length', `${body.length}`] satisfies [string, string]]),
    ...Object.entries(sent.headers ?? {}),
  ]
  const wire = { method: sent.method ?? 'GET', path, query: query.join('?'), headers }
  return {
    ...wire,
    headers: [
      ...headers,
      ...(sent.anonymous || sent.raw ? [] : signature(wire, body, sent.payload)),
    ],
    id: '0123456789ABCDEF',
    body: bodyOf(body),
    source: '203.0.113.5',
    secure: false,
    receivedAt: now,
    proceed,
  }
}

type Wire = Pick<HttpRequest, 'method' | 'path' | 'query' | 'headers'>

function signature(
  wire: Wire,
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  payload: string | undefined,
) {
  const hash =
    body === undefined || body instanceof Uint8Array
      ? createHash('sha256')
          .update(body ?? '')
          .digest('hex')
      : 'UNSIGNED-PAYLOAD'
  return signRequest(
    wire,
    { accessKeyId, secret: secretAccessKey },
    { region: 'us-east-1', service: 's3' },
    now,
    payload ?? hash,
  )
}

async function* bodyOf(body: Uint8Array | AsyncIterable<Uint8Array> | undefined) {
  if (body === undefined) return
  if (body instanceof Uint8Array) yield body
  else yield* body
}

async function receive(response: HttpResponse, proceeded: () => boolean): Promise<Received> {
  const bytes = await readAll(response.body)
  const text = bytes.toString('utf8')
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text,
    close: response.close ?? false,
    code: /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? response.headers['x-amz-error-code'],
    proceeded: proceeded(),
  }
}

async function readAll(body: HttpResponse['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (Buffer.isBuffer(body)) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The text of the first element of that name. */
export function textOf(document: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(document)?.[1]
}

/** The texts of all elements of that name. */
export function textsOf(document: string, name: string): string[] {
  return [...document.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(
    (match) => match[1] ?? '',
  )
}
