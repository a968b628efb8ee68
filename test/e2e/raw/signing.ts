import { createHash, createHmac } from 'node:crypto'
import { region } from '../keys.ts'
import type { Keys } from '../keys.ts'
import type { Headers } from './connection.ts'

/** A request to be signed (AWS Signature Version 4), kept apart from the product's own code on purpose. */
export type ToSign = Readonly<{
  method: string
  /** As it goes on the wire: path in the one spelling that S3 signs, sorted query. */
  target: string
  /** `host` must be among them; each is signed. */
  headers: Headers
  /** What stands in `x-amz-content-sha256`. */
  payload: string
  keys: Keys
  service?: 's3' | 'sts'
  at?: Date
}>

export type Signed = Readonly<{
  headers: Headers
  /** The chain of chunk signatures begins with the request's own. */
  chain: Chain
}>

export function signRaw(request: ToSign): Signed {
  const { keys, service = 's3', at = new Date() } = request
  const timestamp = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': request.payload,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  }
  const key = scope.split('/').reduce(hmac, Buffer.from(`AWS4${keys.secretAccessKey}`))
  const [path = '', query = ''] = request.target.split(/\?(.*)/s)
  const names = Object.keys(headers).toSorted()
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    request.payload,
  ]
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical.join('\n'))].join('\n')
  const signature = hmac(key, toSign).toString('hex')
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`
  return {
    headers: { ...headers, authorization },
    chain: new Chain(key, timestamp, scope, signature),
  }
}

/** The signatures of the chunks of one body, each of which covers the one before. */
export class Chain {
  readonly #key: Buffer
  readonly #about: string
  #previous: string

  constructor(key: Buffer, timestamp: string, scope: string, seed: string) {
    this.#key = key
    this.#about = `${timestamp}\n${scope}`
    this.#previous = seed
  }

  chunk(data: Buffer | string): string {
    return this.#sign('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(data)}`)
  }

  trailer(line: string): string {
    return this.#sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${line}\n`))
  }

  #sign(algorithm: string, hashes: string): string {
    const text = `${algorithm}\n${this.#about}\n${this.#previous}\n${hashes}`
    this.#previous = hmac(this.#key, text).toString('hex')
    return this.#previous
  }
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

export const sha256 = (data: Buffer | string): string =>
  createHash('sha256').update(data).digest('hex')
