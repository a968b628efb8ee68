import type { SessionKeys } from '../keys.ts'

/** What a client is given to work with: keys that end by themselves, and a directory of its own. */
export type Place = Readonly<{ endpoint: string; keys: SessionKeys; dir: string }>

/**
 * What the conformance table asks of a client. Each operation is done as people do it with that client, so that some
 * take several requests. A refusal rejects, with the client's words for it in the error's text or code.
 */
export interface StoreClient {
  makeBucket(bucket: string): Promise<void>
  removeBucket(bucket: string): Promise<void>
  put(bucket: string, key: string, body: Buffer): Promise<void>
  get(bucket: string, key: string): Promise<Buffer>
  /** All keys that begin with the prefix, in the client's own order. */
  list(bucket: string, prefix: string): Promise<readonly string[]>
  copy(bucket: string, from: string, to: string): Promise<void>
  remove(bucket: string, key: string): Promise<void>
  /** A directory and all below it, each file as `prefix` + its path; and back. Absent: this client goes file by file. */
  upload?(dir: string, bucket: string, prefix: string): Promise<void>
  download?(bucket: string, prefix: string, dir: string): Promise<void>
  /** A link that lets anybody read the object for a minute. Absent: this client cannot make one. */
  linkTo?(bucket: string, key: string): Promise<string>
  close?(): Promise<void>
}

export type ClientKind = Readonly<{
  name: string
  /** Why it cannot be tested here. */
  absent: string | false
  /** What its error says when there is no such object, and when the server denies it. */
  missing: RegExp
  denied: RegExp
  /** `any`: it can name every key. `plain`: it reads `//`, `..` or a trailing slash in a way of its own. */
  keys: 'any' | 'plain'
  open(place: Place): Promise<StoreClient>
}>
