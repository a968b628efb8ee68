import type { Checksum } from '../../checksums/index.ts'
import type { Bucket, ObjectAttributes, StoredPart, Upload } from '../../s3/index.ts'

export type BucketRow = {
  id: number
  name: string
  created: number
  versioning: Bucket['versioning']
  policy: string | null
}

/** The part of a version that listings and conditions need. */
export type VersionRow = {
  bucket: number
  key: Uint8Array
  rank: number
  version_id: string
  current: 0 | 1
  marker: 0 | 1
  modified: number
  size: number
  etag: string
  content: number | null
  checksum: string | null
  storage_class: string | null
}

export type AttributeColumns = {
  storage_class: string | null
  attributes: string | null
  tags: string | null
}

export type WholeVersionRow = VersionRow & AttributeColumns

export type UploadRow = AttributeColumns & {
  bucket: number
  key: Uint8Array
  upload_id: string
  initiated: number
  checksum: string | null
}

export type PartRow = {
  number: number
  content: number | null
  size: number
  etag: string
  checksum: string | null
  modified: number
}

export function encodeKey(key: string): Buffer {
  return Buffer.from(key, 'utf8')
}

export function decodeKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

export function encodeAttributes(attributes: ObjectAttributes): AttributeColumns {
  const { headers, metadata, websiteRedirectLocation } = attributes
  return {
    storage_class: attributes.storageClass ?? null,
    attributes: JSON.stringify({ headers, metadata, websiteRedirectLocation }),
    tags: encodeTags(attributes.tags),
  }
}

export function encodeTags(tags: ReadonlyMap<string, string>): string | null {
  return tags.size === 0 ? null : JSON.stringify([...tags])
}

export function decodeAttributes(row: AttributeColumns): ObjectAttributes {
  const empty = { headers: {}, metadata: {} }
  const kept: Omit<ObjectAttributes, 'tags'> = parseOwn(row.attributes) ?? empty
  const tags = new Map<string, string>(parseOwn<[string, string][]>(row.tags) ?? [])
  return { ...kept, tags, ...storageClassOf(row) }
}

export function storageClassOf(row: { storage_class: string | null }): { storageClass?: string } {
  return row.storage_class === null ? {} : { storageClass: row.storage_class }
}

export function encodeChecksum(checksum: Checksum | Upload['checksum']): string | null {
  return checksum === undefined ? null : JSON.stringify(checksum)
}

export function decodeChecksum(text: string | null): { checksum?: Checksum } {
  const checksum = parseOwn<Checksum>(text)
  return checksum === undefined ? {} : { checksum }
}

/** Of listings and uploads: which algorithm, without a value. */
export function decodeChecksumKind(text: string | null): Pick<Upload, 'checksum'> {
  const checksum = parseOwn<Checksum>(text)
  if (checksum === undefined) return {}
  return { checksum: { algorithm: checksum.algorithm, type: checksum.type } }
}

export function decodePart(row: PartRow): StoredPart {
  return {
    partNumber: row.number,
    size: row.size,
    etag: row.etag,
    lastModified: new Date(row.modified),
    ...decodeChecksum(row.checksum),
  }
}

/** The parts of a finished multipart object are kept as the rows they were. */
export function decodeParts(text: string): readonly StoredPart[] {
  return (parseOwn<PartRow[]>(text) ?? []).map(decodePart)
}

export function decodeBucket(row: BucketRow): Bucket {
  return {
    name: row.name,
    createdAt: new Date(row.created),
    versioning: row.versioning,
    ...(row.policy === null ? {} : { policy: row.policy }),
  }
}

/** JSON that only this file writes. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the encoder beside it wrote
function parseOwn<Value>(text: string | null): Value | undefined {
  return text === null ? undefined : (JSON.parse(text) as Value) // oxlint-disable-line typescript/no-unsafe-type-assertion -- written by the encoders above
}
