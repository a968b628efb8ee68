import { deflateRawSync, inflateRawSync } from 'node:zlib'

const plain = 0
const deflated = 1
/** Shorter texts gain a hundred bytes at most, for more time than their encryption takes. */
const worthDeflating = 512

/**
 * What sessions and messages often say; both sides start with it in the window (RFC 1951 with a preset dictionary).
 * It is part of the token version: changing one byte of it asks for a new version.
 */
const dictionary = Buffer.from(
  '"s3:PutObjectTagging","s3:GetObjectTagging","s3:ListBucketMultipartUploads","s3:AbortMultipartUpload",' +
    '"s3:GetBucketLocation","s3:ListAllMyBuckets","s3:DeleteObject","StringLike":{"s3:prefix":["' +
    '"StringEquals":{"aws:PrincipalTag/"Deny","Resource":["arn:aws:s3:::*"],"Condition":{"Sid":"' +
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3:GetObject","s3:PutObject",' +
    '"s3:ListBucket"],"Resource":["arn:aws:s3:::/*"]}]}' +
    '["default",["web-identity","https://.example.com/realms/","preferred_username","email","groups","sub",',
)

/** One byte that says how, then the bytes: compressed when that makes them shorter. */
export function pack(bytes: Buffer): Buffer {
  if (bytes.length >= worthDeflating) {
    const short = deflateRawSync(bytes, { dictionary, windowBits: 15, memLevel: 8 })
    if (short.length < bytes.length) return Buffer.concat([Buffer.of(deflated), short])
  }
  return Buffer.concat([Buffer.of(plain), bytes])
}

/** `undefined`: not packed by `pack`, or longer than `maxBytes` when unpacked; no more than that is ever inflated. */
export function unpack(packed: Buffer, maxBytes: number): Buffer | undefined {
  const body = packed.subarray(1)
  if (packed[0] === plain) return body.length <= maxBytes ? body : undefined
  if (packed[0] !== deflated) return undefined
  try {
    return inflateRawSync(body, { dictionary, maxOutputLength: maxBytes })
  } catch {
    return undefined
  }
}
