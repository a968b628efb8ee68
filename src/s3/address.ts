import { isIP } from 'node:net'

import { decodePath } from '../sigv4/index.ts'
import { S3Error } from './s3-error.ts'

/** What a request is about. Names are decoded; the key is kept byte for byte (`//`, `.` and `..` included). */
export type Address =
  | Readonly<{ kind: 'service' }>
  | Readonly<{ kind: 'bucket'; bucket: string }>
  | Readonly<{ kind: 'object'; bucket: string; key: string }>

const longestKeyBytes = 1024

/**
 * Path style `/bucket/key`, or virtual-host style when the host ends in one of `domains`: the longest one wins and
 * what stands before it is the bucket. Hosts that fit none, and IP addresses, are path style.
 *
 * The path is decoded first and cut after that: `/b%2Fk` is signed as `/b/k`, so it has to mean `/b/k` too.
 *
 * @throws S3Error `invalid_bucket_name`, `key_too_long`, `invalid_argument`; SigV4Error `invalid_uri`.
 */
export function parseAddress(
  path: string,
  host: string | undefined,
  domains: readonly string[],
): Address {
  const decoded = decodePath(path)
  const hosted = bucketOfHost(host, domains)
  if (hosted !== undefined) return checked(hosted, decoded.slice(1))
  if (decoded === '/' || decoded === '') return { kind: 'service' }
  const slash = decoded.indexOf('/', 1)
  return slash < 0
    ? checked(decoded.slice(1), '')
    : checked(decoded.slice(1, slash), decoded.slice(slash + 1))
}

function checked(bucket: string, key: string): Address {
  assertBucketName(bucket)
  if (key === '') return { kind: 'bucket', bucket }
  assertObjectKey(key)
  return { kind: 'object', bucket, key }
}

function bucketOfHost(host: string | undefined, domains: readonly string[]): string | undefined {
  if (host === undefined) return undefined
  const name = host.replace(/:\d*$/, '').toLowerCase()
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return undefined
  const known = domains
    .map((domain) => domain.toLowerCase())
    .filter((domain) => name === domain || name.endsWith(`.${domain}`))
    .sort((one, other) => other.length - one.length)[0]
  // The longest domain is the endpoint itself even where a shorter one would read a bucket into it.
  if (known === undefined || known === name) return undefined
  return name.slice(0, -known.length - 1)
}

const bucketName = /^(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/
const forbiddenInBucketName = /\.\.|\.-|-\.|^xn--|^sthree-|-s3alias$|--ol-s3$|--x-s3$/

/** The rules of Amazon S3 for general purpose buckets. */
export function isBucketName(name: string): boolean {
  return bucketName.test(name) && !forbiddenInBucketName.test(name) && isIP(name) === 0
}

/** @throws S3Error `invalid_bucket_name` */
export function assertBucketName(name: string): void {
  if (isBucketName(name)) return
  throw new S3Error('invalid_bucket_name', 'The specified bucket is not valid.', {
    detail: { bucket: name },
  })
}

/** @throws S3Error `key_too_long`, or `invalid_argument` for control characters, which no client needs and logs fear. */
export function assertObjectKey(key: string): void {
  const bytes = Buffer.byteLength(key, 'utf8')
  if (bytes > longestKeyBytes) {
    throw new S3Error('key_too_long', 'Your key is too long.', {
      detail: { size: bytes, maxSizeAllowed: longestKeyBytes },
    })
  }
  if (key === '' || hasControlCharacter(key) || !key.isWellFormed()) {
    throw new S3Error('invalid_argument', 'Object keys must be UTF-8 without control characters.', {
      detail: { argumentName: 'Key', argumentValue: '' },
    })
  }
}

/** C0 controls and DEL. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
