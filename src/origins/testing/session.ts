import assert from 'node:assert/strict'
import { OriginError } from '../../s3/index.ts'
import type {
  ObjectAttributes,
  Operation,
  Origin,
  OriginErrorCode,
  OriginRequest,
  OriginResponse,
  WriteConditions,
} from '../../s3/index.ts'
import { bodyOf, bytesOf, plain } from './bodies.ts'

/** Short words for the tests: one bucket of one origin. */
export class Session {
  readonly origin: Origin
  readonly bucket: string

  constructor(origin: Origin, bucket: string) {
    this.origin = origin
    this.bucket = bucket
  }

  /** Any operation on this bucket. */
  do<Name extends Operation>(
    operation: Name,
    request: Omit<OriginRequest<Name>, 'bucket'>,
  ): Promise<OriginResponse<Name>> {
    const whole = { bucket: this.bucket, ...request } as unknown as OriginRequest<Name> // oxlint-disable-line typescript/no-unsafe-type-assertion -- Omit undone
    return this.origin.handle(operation, whole)
  }

  put(
    key: string,
    bytes: Buffer | string = key,
    options: { attributes?: ObjectAttributes; conditions?: WriteConditions } = {},
  ): Promise<OriginResponse<'PutObject'>> {
    const body = bodyOf(Buffer.from(bytes))
    const { attributes = plain, conditions = {} } = options
    return this.do('PutObject', { key, body, attributes, conditions })
  }

  async get(key: string, options: Partial<OriginRequest<'GetObject'>> = {}): Promise<Buffer> {
    const { body } = await this.do('GetObject', { key, ...options })
    return bytesOf(body)
  }

  delete(
    key: string,
    versionId?: string,
    conditions: WriteConditions = {},
  ): Promise<OriginResponse<'DeleteObject'>> {
    const version = versionId === undefined ? {} : { versionId }
    return this.do('DeleteObject', { key, conditions, ...version })
  }

  list(
    options: Partial<OriginRequest<'ListObjects'>> = {},
  ): Promise<OriginResponse<'ListObjects'>> {
    return this.do('ListObjects', {
      prefix: '',
      delimiter: '',
      after: '',
      maxKeys: 1000,
      ...options,
    })
  }

  async keys(options: Partial<OriginRequest<'ListObjects'>> = {}): Promise<string[]> {
    return (await this.list(options)).objects.map(({ key }) => key)
  }

  versions(
    options: Partial<OriginRequest<'ListObjectVersions'>> = {},
  ): Promise<OriginResponse<'ListObjectVersions'>> {
    const all = { prefix: '', delimiter: '', keyMarker: '', maxKeys: 1000 }
    return this.do('ListObjectVersions', { ...all, ...options })
  }

  async upload(
    key: string,
    options: Partial<OriginRequest<'CreateMultipartUpload'>> = {},
  ): Promise<string> {
    const created = await this.do('CreateMultipartUpload', { key, attributes: plain, ...options })
    return created.uploadId
  }

  async part(
    key: string,
    uploadId: string,
    partNumber: number,
    bytes: Buffer,
  ): Promise<{ partNumber: number; etag: string }> {
    const body = bodyOf(bytes)
    const { etag } = await this.do('UploadPart', { key, uploadId, partNumber, body })
    return { partNumber, etag }
  }

  complete(
    key: string,
    uploadId: string,
    parts: OriginRequest<'CompleteMultipartUpload'>['parts'],
    options: Partial<OriginRequest<'CompleteMultipartUpload'>> = {},
  ): Promise<OriginResponse<'CompleteMultipartUpload'>> {
    const request = { key, uploadId, parts, conditions: {}, ...options }
    return this.do('CompleteMultipartUpload', request)
  }
}

/** Asserts the port's own refusal with this code, and gives its detail. */
export async function refused(
  operation: Promise<unknown>,
  code: OriginErrorCode,
): Promise<Readonly<Record<string, unknown>>> {
  const error = await operation.then(
    () => assert.fail(`not refused with ${code}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof OriginError, String(error))
  assert.equal(error.code, code)
  return error.detail
}
