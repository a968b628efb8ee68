import type { Checksum } from '../../checksums/index.ts'
import type {
  OriginErrorCode,
  OriginRequest,
  OriginResponse,
  WriteConditions,
} from '../../s3/index.ts'
import type { AttributeColumns } from './rows.ts'

/**
 * What the writer does, one entry per kind of change; plain data, since it crosses to the writer's thread. Buckets are
 * named by id, so that a bucket that was deleted and made anew meanwhile is not mistaken for the old one.
 */
export type Commands = {
  CreateBucket: { request: { name: string; at: number }; response: undefined }
  DeleteBucket: { request: { bucket: number }; response: undefined }
  PutBucketPolicy: {
    request: { bucket: number; policy: string | undefined }
    response: undefined
  }
  PutBucketVersioning: {
    request: { bucket: number; status: 'Enabled' | 'Suspended' }
    response: undefined
  }
  PutObject: {
    request: Place & Measured & { content: NewContent; attributes: AttributeColumns }
    response: OriginResponse<'PutObject'>
  }
  CopyObject: {
    request: Place & {
      source: SourceVersion
      attributes: Pick<AttributeColumns, 'attributes' | 'storage_class'> | undefined
      tags: { text: string | null } | undefined
      checksum: Checksum | undefined
    }
    response: OriginResponse<'CopyObject'>
  }
  DeleteObject: {
    request: Place & { versionId: string | undefined }
    response: OriginResponse<'DeleteObject'>
  }
  PutObjectTagging: {
    request: { bucket: number; key: string; versionId: string | undefined; tags: string | null }
    response: OriginResponse<'PutObjectTagging'>
  }
  CreateMultipartUpload: {
    request: {
      bucket: number
      key: string
      at: number
      nonce: string
      attributes: AttributeColumns
      checksum: string | null
    }
    response: { uploadId: string }
  }
  UploadPart: {
    request: UploadPlace & { partNumber: number; at: number } & Measured & { content: NewContent }
    response: undefined
  }
  /** A part that is made of what is already there. */
  SharePart: {
    request: UploadPlace & { partNumber: number; at: number } & Measured & {
        slices: readonly Slice[]
      }
    response: undefined
  }
  CompleteMultipartUpload: {
    request: Omit<OriginRequest<'CompleteMultipartUpload'>, 'bucket'> & Place
    response: OriginResponse<'CompleteMultipartUpload'>
  }
  AbortMultipartUpload: { request: UploadPlace; response: undefined }
}

export type Command = {
  [Name in keyof Commands]: { name: Name; request: Commands[Name]['request'] }
}[keyof Commands]

/** Where a new version goes. `nonce`: the random end of its id. */
export type Place = {
  bucket: number
  key: string
  at: number
  nonce: string
  conditions: WriteConditions
}

export type UploadPlace = { bucket: number; key: string; uploadId: string }

export type Measured = { size: number; etag: string; checksum: Checksum | undefined }

/** `undefined`: no bytes at all. A file has been synced under its final name. */
export type NewContent = { bytes: Uint8Array } | { file: string } | undefined

/** A stretch of one content that lies in one file. */
export type Slice = { source: number; offset: number; length: number }

/** The source as it was judged. If it is another one by now, the copy does not take place. */
export type SourceVersion = {
  bucket: number
  key: string
  versionId: string | undefined
  etag: string
  content: number | null
}

export type Outcome =
  | { kind: 'done'; value: unknown }
  | {
      kind: 'refused'
      code: OriginErrorCode
      message: string
      detail: Readonly<Record<string, unknown>>
    }
  /** Not committed, for certain. */
  | { kind: 'failed'; message: string }
  /** The commit itself broke: it may show after the next start. */
  | { kind: 'unknown'; message: string }

export type Batch = {
  commands: readonly Command[]
  /** Data files that are gone from the disk now. */
  collected: readonly string[]
}

export type BatchResult = {
  outcomes: readonly Outcome[]
  /** Data files that nothing refers to any more. */
  garbage: readonly string[]
}
