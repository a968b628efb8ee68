/**
 * The origin port (DESIGN section 7): what serves an S3 request after it has been authenticated and authorised.
 * One method; a request value in, a response value out; bodies are streamed. Nothing here is wire format: names are
 * decoded, lists are lists. `origins/` implements it (`embedded` now, `upstream` later).
 *
 * Keys are the decoded object keys, byte for byte, as strings that are valid UTF-8 (1 to 1024 bytes).
 * ETags are without quotes. Instants are `Date`s with whole milliseconds.
 */
import type { Checksum, ChecksumAlgorithm, ChecksumType } from '../checksums/index.ts'

/** A request body that verifies itself. */
export type ObjectBody = Readonly<{
  /**
   * Decoded payload. It throws (a Refusal of the face's) when hash, chunk chain, trailer, MD5 or checksum do not fit,
   * and in that case never ends cleanly; its last bytes are held back until all checks have passed. So: what was read
   * to the end is proven, anything else must leave no trace.
   */
  stream: AsyncIterable<Uint8Array>
  /**
   * Exact decoded length in bytes, known beforehand. `undefined` for browser form uploads, where only the end of the
   * form tells: then whatever the stream gives up to its clean end is the object.
   */
  size: number | undefined
  /** The checksum that the client sent (or our CRC64NVME when it sent none); valid after the stream ended. */
  checksum(): Checksum
}>

/** What travels with an object besides its bytes. */
export type ObjectAttributes = Readonly<{
  /** `content-type`, `content-encoding`, `content-disposition`, `content-language`, `cache-control`, `expires`: as sent. */
  headers: Readonly<Record<string, string>>
  /** `x-amz-meta-*` without the prefix, names in lower case. */
  metadata: Readonly<Record<string, string>>
  tags: ReadonlyMap<string, string>
  storageClass?: string
  websiteRedirectLocation?: string
}>

export type StoredObject = ObjectAttributes &
  Readonly<{
    key: string
    versionId: string // `null` on buckets without versioning
    etag: string
    size: number
    lastModified: Date
    checksum?: Checksum
    /** Sizes and checksums of the parts, when it came by multipart. */
    parts?: readonly StoredPart[]
  }>

export type StoredPart = Readonly<{
  partNumber: number
  size: number
  etag: string
  lastModified: Date
  checksum?: Checksum
}>

/** Conditions on what is there now, tested in the same atomic step as the write. ETags without quotes; `*` = any. */
export type WriteConditions = Readonly<{
  ifMatch?: string
  ifNoneMatch?: string
  ifMatchSize?: number
  ifMatchLastModified?: Date
}>

/** One range as asked for; the origin resolves it against the size. */
export type ByteRange =
  | Readonly<{ kind: 'from-to'; first: number; last?: number }>
  | Readonly<{ kind: 'suffix'; length: number }>

export type ListedObject = Readonly<{
  key: string
  versionId: string
  isLatest: boolean
  deleteMarker: boolean
  etag: string
  size: number
  lastModified: Date
  storageClass?: string
  checksum?: Readonly<{ algorithm: ChecksumAlgorithm; type: ChecksumType }>
}>

export type Upload = Readonly<{
  key: string
  uploadId: string
  initiated: Date
  storageClass?: string
  checksum?: Readonly<{ algorithm: ChecksumAlgorithm; type: ChecksumType }>
}>

/** Each operation's request (without `operation` itself) and response. */
export type Operations = {
  ListBuckets: { request: {}; response: { buckets: readonly Bucket[] } }
  CreateBucket: { request: { bucket: string; locationConstraint?: string }; response: {} }
  /** The bucket with its configuration. Cheap: it is asked for on each request. */
  HeadBucket: { request: { bucket: string }; response: Bucket }
  DeleteBucket: { request: { bucket: string }; response: {} }
  /** `undefined` removes. Gone with the bucket. The text is validated by the face. */
  PutBucketPolicy: { request: { bucket: string; policy: string | undefined }; response: {} }
  PutBucketVersioning: {
    request: { bucket: string; status: 'Enabled' | 'Suspended' }
    response: {}
  }
  /**
   * Keys (latest versions, no delete markers) in bytewise UTF-8 order, strictly after `after`, collapsed by `delimiter`.
   * `after` may be a common prefix: then everything under it is skipped without being scanned.
   */
  ListObjects: {
    request: {
      bucket: string
      prefix: string
      delimiter: string
      after: string
      maxKeys: number
    }
    response: {
      objects: readonly ListedObject[]
      commonPrefixes: readonly string[]
      /** The last key or common prefix of this page, when there is more. */
      nextAfter?: string
    }
  }
  /** Every version and delete marker, newest first inside a key. */
  ListObjectVersions: {
    request: {
      bucket: string
      prefix: string
      delimiter: string
      keyMarker: string
      versionIdMarker?: string
      maxKeys: number
    }
    response: {
      versions: readonly ListedObject[]
      commonPrefixes: readonly string[]
      next?: { keyMarker: string; versionIdMarker?: string }
    }
  }
  PutObject: {
    request: {
      bucket: string
      key: string
      body: ObjectBody
      attributes: ObjectAttributes
      conditions: WriteConditions
    }
    response: { etag: string; versionId: string; checksum?: Checksum; versioned: boolean }
  }
  HeadObject: {
    request: { bucket: string; key: string; versionId?: string }
    response: StoredObject
  }
  /** The whole object, one range of it, or one part of it. */
  GetObject: {
    request: {
      bucket: string
      key: string
      versionId?: string
      range?: ByteRange
      partNumber?: number
    }
    response: {
      object: StoredObject
      /** Absent when the whole object is sent. Inclusive offsets. */
      range?: { first: number; last: number }
      /** Must be read to the end or destroyed (`return()`); it holds a file open. */
      body: AsyncIterable<Uint8Array>
    }
  }
  CopyObject: {
    request: {
      source: { bucket: string; key: string; versionId?: string; etag: string }
      bucket: string
      key: string
      /** Present: replace; absent: take the source's. Each of the two by its own directive. */
      attributes?: Omit<ObjectAttributes, 'tags'>
      tags?: ReadonlyMap<string, string>
      checksumAlgorithm?: ChecksumAlgorithm
      conditions: WriteConditions
    }
    response: {
      etag: string
      lastModified: Date
      versionId: string
      versioned: boolean
      checksum?: Checksum
    }
  }
  DeleteObject: {
    request: { bucket: string; key: string; versionId?: string; conditions: WriteConditions }
    /** Deleting what is not there succeeds. */
    response: { versionId?: string; deleteMarker: boolean }
  }
  /** All tags at once; empty removes. */
  PutObjectTagging: {
    request: {
      bucket: string
      key: string
      versionId?: string
      tags: ReadonlyMap<string, string>
    }
    response: { versionId: string }
  }
  CreateMultipartUpload: {
    request: {
      bucket: string
      key: string
      attributes: ObjectAttributes
      checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType }
    }
    response: { uploadId: string }
  }
  UploadPart: {
    request: {
      bucket: string
      key: string
      uploadId: string
      partNumber: number
      body: ObjectBody
    }
    response: { etag: string; checksum?: Checksum }
  }
  UploadPartCopy: {
    request: {
      bucket: string
      key: string
      uploadId: string
      partNumber: number
      source: { bucket: string; key: string; versionId?: string; etag: string }
      range?: { first: number; last: number }
    }
    response: { etag: string; lastModified: Date; checksum?: Checksum }
  }
  /** Repeating a completed request with the same parts gives the same answer for some minutes. */
  CompleteMultipartUpload: {
    request: {
      bucket: string
      key: string
      uploadId: string
      parts: readonly { partNumber: number; etag: string; checksum?: string }[]
      /** Checksum of the whole object, if the client claims one. */
      checksum?: { algorithm: ChecksumAlgorithm; value: string }
      checksumType?: ChecksumType
      objectSize?: number
      conditions: WriteConditions
    }
    response: { etag: string; versionId: string; versioned: boolean; checksum?: Checksum }
  }
  AbortMultipartUpload: {
    request: { bucket: string; key: string; uploadId: string }
    response: {}
  }
  ListParts: {
    request: {
      bucket: string
      key: string
      uploadId: string
      partNumberMarker: number
      maxParts: number
    }
    response: {
      upload: Upload
      parts: readonly StoredPart[]
      nextPartNumberMarker?: number
    }
  }
  ListMultipartUploads: {
    request: {
      bucket: string
      prefix: string
      delimiter: string
      keyMarker: string
      uploadIdMarker?: string
      maxUploads: number
    }
    response: {
      uploads: readonly Upload[]
      commonPrefixes: readonly string[]
      next?: { keyMarker: string; uploadIdMarker?: string }
    }
  }
}

export type Bucket = Readonly<{
  name: string
  createdAt: Date
  versioning: 'Off' | 'Enabled' | 'Suspended'
  /** The bucket policy's normalised text. */
  policy?: string
}>

export type Operation = keyof Operations
export type OriginRequest<K extends Operation> = Operations[K]['request']
export type OriginResponse<K extends Operation> = Operations[K]['response']

export interface Origin {
  /** Throws an OriginError for a refusal that the client should see; anything else is a fault of ours. */
  handle<K extends Operation>(operation: K, request: OriginRequest<K>): Promise<OriginResponse<K>>
  close(): Promise<void>
}

export type OriginErrorCode =
  | 'no_such_bucket'
  | 'bucket_exists' // BucketAlreadyOwnedByYou 409
  | 'bucket_not_empty'
  | 'no_such_key'
  | 'no_such_version'
  | 'delete_marker' // detail.versionId: 404 + x-amz-delete-marker for latest, 405 by version id
  | 'precondition_failed' // 412, detail.condition
  | 'conditional_conflict' // 409
  | 'no_such_upload'
  | 'invalid_part'
  | 'invalid_part_order'
  | 'part_too_small' // EntityTooSmall, detail.partNumber, detail.size
  | 'invalid_part_number' // 416
  | 'invalid_range' // 416, detail.size
  | 'bad_checksum' // BadDigest
  | 'invalid_request' // InvalidRequest 400
  | 'not_implemented'
  | 'unavailable' // ServiceUnavailable 503
