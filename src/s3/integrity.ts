import { isValidChecksum } from '../checksums/index.ts'
import type { Checksum, ChecksumAlgorithm, ChecksumType } from '../checksums/index.ts'
import { S3Error } from './s3-error.ts'

type Headers = ReadonlyMap<string, string>

/** What the client says that its body hashes to. */
export type Integrity = Readonly<{
  /** Base64 of 16 bytes. */
  contentMd5?: string
  checksum?: ClaimedChecksum
}>

/** `value` stands in a header; without it, the trailer of the body brings it. */
export type ClaimedChecksum = Readonly<{ algorithm: ChecksumAlgorithm; value?: string }>

const prefix = 'x-amz-checksum-'

export const checksumAlgorithms: ReadonlyMap<string, ChecksumAlgorithm> = new Map([
  ['CRC32', 'CRC32'],
  ['CRC32C', 'CRC32C'],
  ['CRC64NVME', 'CRC64NVME'],
  ['SHA1', 'SHA1'],
  ['SHA256', 'SHA256'],
])

/** Names under the prefix that are no checksums. */
const settings: ReadonlySet<string> = new Set([
  `${prefix}algorithm`,
  `${prefix}type`,
  `${prefix}mode`,
])

/** `x-amz-checksum-crc32` and the like. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return prefix + algorithm.toLowerCase()
}

/** A checksum as response headers. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return {
    [checksumHeader(checksum.algorithm)]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  }
}

/**
 * @param trailing whether the body's framing has a trailer, so that `x-amz-trailer` may name a checksum.
 * @throws S3Error `invalid_digest`, `invalid_request` for unknown algorithms, two checksums at once, values of a wrong form.
 */
export function parseIntegrity(headers: Headers, trailing: boolean): Integrity {
  const contentMd5 = headers.get('content-md5')
  if (contentMd5 !== undefined && !isMd5(contentMd5)) {
    throw new S3Error('invalid_digest', 'The Content-MD5 you specified is not valid.', {
      detail: { contentMd5 },
    })
  }
  const checksum = parseChecksum(headers, trailing)
  return {
    ...(contentMd5 === undefined ? {} : { contentMd5 }),
    ...(checksum === undefined ? {} : { checksum }),
  }
}

/** The checksum of the whole object that a completion claims; only its header counts there. */
export function parseClaimedValue(
  headers: Headers,
): Readonly<{ algorithm: ChecksumAlgorithm; value: string }> | undefined {
  const [found, ...more] = claimedInHeaders(headers)
  if (found === undefined) return undefined
  if (more.length > 0) throw refuse('Expecting a single x-amz-checksum- header.')
  return { algorithm: knownAlgorithm(found.name.slice(prefix.length)), value: found.value }
}

function parseChecksum(headers: Headers, trailing: boolean): ClaimedChecksum | undefined {
  const claimed = [...claimedInHeaders(headers), ...claimedInTrailer(headers, trailing)]
  const [found, ...more] = claimed
  if (more.length > 0) throw refuse('Expecting a single x-amz-checksum- header or trailer.')
  const announced = headers.get('x-amz-sdk-checksum-algorithm')
  if (found === undefined) {
    if (announced === undefined) return undefined
    throw refuse('x-amz-sdk-checksum-algorithm specified, but no corresponding checksum was found.')
  }
  const algorithm = knownAlgorithm(found.name.slice(prefix.length))
  if (announced !== undefined && announced.toUpperCase() !== algorithm) {
    throw refuse('Value for x-amz-sdk-checksum-algorithm header is invalid.')
  }
  if (found.value === undefined) return { algorithm }
  if (!isValidChecksum(algorithm, found.value)) {
    throw refuse(`Value for ${checksumHeader(algorithm)} header is invalid.`)
  }
  return { algorithm, value: found.value }
}

function claimedInHeaders(headers: Headers): readonly { name: string; value: string }[] {
  return [...headers]
    .filter(([name]) => name.startsWith(prefix) && !settings.has(name))
    .map(([name, value]) => ({ name, value }))
}

function claimedInTrailer(
  headers: Headers,
  trailing: boolean,
): readonly { name: string; value?: undefined }[] {
  const trailer = headers.get('x-amz-trailer')
  if (trailer === undefined) return []
  const name = trailer.trim().toLowerCase()
  if (!trailing || !name.startsWith(prefix) || settings.has(name)) {
    throw refuse('The value specified in the x-amz-trailer header is not supported.')
  }
  return [{ name }]
}

/** @throws S3Error `invalid_request` for algorithms that are not served; none is skipped silently. */
export function knownAlgorithm(name: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithms.get(name.toUpperCase())
  if (algorithm === undefined) {
    throw refuse('Checksum algorithm provided is unsupported.')
  }
  return algorithm
}

/** The choice of a multipart upload: CRC64NVME covers the whole object, the SHA family goes part by part. */
export function parseChecksumChoice(
  headers: Headers,
): Readonly<{ algorithm: ChecksumAlgorithm; type: ChecksumType }> | undefined {
  const name = headers.get('x-amz-checksum-algorithm')
  const type = parseChecksumType(headers)
  if (name === undefined) {
    if (type === undefined) return undefined
    throw refuse('The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm.')
  }
  const algorithm = knownAlgorithm(name)
  const possible = possibleTypes(algorithm)
  const chosen = type ?? possible[0]
  if (chosen === undefined || !possible.includes(chosen)) {
    throw refuse(`The ${type} checksum type cannot be used with the ${algorithm} algorithm.`)
  }
  return { algorithm, type: chosen }
}

/** The first is the default. */
function possibleTypes(algorithm: ChecksumAlgorithm): readonly ChecksumType[] {
  const types: Readonly<Record<ChecksumAlgorithm, readonly ChecksumType[]>> = {
    CRC64NVME: ['FULL_OBJECT'],
    CRC32: ['COMPOSITE', 'FULL_OBJECT'],
    CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
    SHA1: ['COMPOSITE'],
    SHA256: ['COMPOSITE'],
  }
  return types[algorithm]
}

/** @throws S3Error `invalid_request` for other words. */
export function parseChecksumType(headers: Headers): ChecksumType | undefined {
  const type = headers.get('x-amz-checksum-type')
  if (type === undefined || type === 'FULL_OBJECT' || type === 'COMPOSITE') return type
  throw refuse('Value for x-amz-checksum-type header is invalid.')
}

function isMd5(text: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(text) && Buffer.from(text, 'base64').length === 16
}

function refuse(message: string): S3Error {
  return new S3Error('invalid_request', message)
}
