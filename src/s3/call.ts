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
  /** The account that owns every bucket: `000000000000`. */
  account: string
  /** Answered as `<Owner>`. */
  owner: Readonly<{ id: string; displayName: string }>
  /** Answered as `x-amz-id-2` and `<HostId>`: which of our processes served the request. */
  hostId: string
  /** First path parts that belong to other faces, so that no bucket may be called so. */
  reservedBuckets: ReadonlySet<string>
  /** Largest single PUT, part or form file in bytes. */
  maxObjectBytes: number
  /** Refuse smaller chunks (but the last) of signed streams; absent: take them. */
  minChunkBytes?: number
  /** A fault of ours, for our log. Must not throw. */
  report: (fault: unknown, requestId: string) => void
}>

/** What the face keeps from request to request. */
export type Face = Readonly<{ options: S3FaceOptions; policies: BucketPolicies }>

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
