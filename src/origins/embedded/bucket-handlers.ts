import type { Handlers } from './ground.ts'
import { listObjects, listUploads, listVersions } from './listings.ts'
import { bucketByName } from './lookups.ts'
import { decodeBucket } from './rows.ts'
import type { BucketRow } from './rows.ts'

export const bucketHandlers: Pick<
  Handlers,
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'PutBucketPolicy'
  | 'PutBucketVersioning'
  | 'ListObjects'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
> = {
  async ListBuckets({ index }) {
    const rows = index.rows<BucketRow>('SELECT * FROM bucket ORDER BY name')
    return { buckets: rows.map(decodeBucket) }
  },

  async CreateBucket({ writer, now }, { bucket }) {
    await writer.run('CreateBucket', { name: bucket, at: now() })
    return {}
  },

  async HeadBucket({ index }, { bucket }) {
    return decodeBucket(bucketByName(index, bucket))
  },

  async DeleteBucket({ index, writer }, { bucket }) {
    await writer.run('DeleteBucket', { bucket: bucketByName(index, bucket).id })
    return {}
  },

  async PutBucketPolicy({ index, writer }, { bucket, policy }) {
    await writer.run('PutBucketPolicy', { bucket: bucketByName(index, bucket).id, policy })
    return {}
  },

  async PutBucketVersioning({ index, writer }, { bucket, status }) {
    await writer.run('PutBucketVersioning', { bucket: bucketByName(index, bucket).id, status })
    return {}
  },

  async ListObjects({ index }, request) {
    return index.snapshot(() => listObjects(index, bucketByName(index, request.bucket).id, request))
  },

  async ListObjectVersions({ index }, request) {
    return index.snapshot(() =>
      listVersions(index, bucketByName(index, request.bucket).id, request),
    )
  },

  async ListMultipartUploads({ index }, request) {
    return index.snapshot(() => listUploads(index, bucketByName(index, request.bucket).id, request))
  },
}
