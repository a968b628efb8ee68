import { createHash } from 'node:crypto'

import type { HttpRequest } from '../http.ts'
import type { AccessControl, Caller } from './access-port.ts'
import type { Address } from './address.ts'
import type { BucketPolicies } from './bucket-policies.ts'
import type { Origin } from './origin.ts'
import type { RequestFields } from './request-fields.ts'

/** Seals what travels through a client and comes back unread: continuation tokens. */
export interface Sealer {
  seal(kind: string, value: unknown): string
  /** Throws when the text was not sealed here for this kind. */
  open(kind: string, text: string): unknown
}

export type S3FaceOptions = Readonly<{
  origin: Origin
  access: AccessControl
  sealer: Sealer
  /** Answered as the buckets' region. */
  region: string
  /** Domain names of the endpoint: `bucket.<domain>` is virtual-host style. */
  domains: readonly string[]
  clock: () => Date
  /** A fault of ours, for our log. Must not throw. */
  logFault: (what: string, error: unknown) => void
  /** For metrics: the operation's name from a closed set, its status, and how long the answer took to begin. */
  observe?: (operation: string, status: number, seconds: number) => void
  /** The account that owns every bucket. Default `000000000000`. */
  account?: string
  /** Answered as `<Owner>`. Default: made from the account. */
  owner?: Owner
  /** Answered as `x-amz-id-2` and `<HostId>`: which of our processes served the request. Default `daypass`. */
  hostId?: string
  /** First path parts that belong to other faces, so that no bucket may be called so. Default: none. */
  reservedBuckets?: ReadonlySet<string>
  /** Largest single PUT, part or form file in bytes. Default 5 GiB. */
  maxObjectBytes?: number
  /** What is waited with, while an answer takes long. Default: the process's own timers. */
  timer?: Timer
  /** Refuse smaller chunks (but the last) of signed streams. Default: take them. */
  minChunkBytes?: number
}>

/** Calls back once, after so long; the function it returns takes that back. */
export type Timer = (milliseconds: number, then: () => void) => () => void

export type Owner = Readonly<{ id: string; displayName: string }>

/** The options with every default filled in. */
export type Settings = Readonly<
  Required<Omit<S3FaceOptions, 'observe' | 'minChunkBytes'>> & Pick<S3FaceOptions, 'minChunkBytes'>
>

export function withDefaults(options: S3FaceOptions): Settings {
  const { account = '000000000000' } = options
  const id = createHash('sha256').update(`owner of account ${account}`).digest('hex')
  return {
    account,
    owner: { id, displayName: account },
    hostId: 'daypass',
    reservedBuckets: new Set<string>(),
    maxObjectBytes: 5 * 1024 ** 3,
    timer: (milliseconds, then) => {
      const timeout = setTimeout(then, milliseconds)
      return () => clearTimeout(timeout)
    },
    ...options,
  }
}

/** What the face keeps from request to request. */
export type Face = Readonly<{ options: Settings; policies: BucketPolicies }>

/** One authenticated request, parsed as far as all operations have in common. */
export type Call = Readonly<{
  face: Face
  request: HttpRequest
  caller: Caller
  address: Address
  fields: RequestFields
}>

/** A call on a bucket or an object, as the dispatch table promises its handlers. */
export type BucketCall = Call & Readonly<{ bucket: string }>
export type ObjectCall = BucketCall & Readonly<{ key: string }>
