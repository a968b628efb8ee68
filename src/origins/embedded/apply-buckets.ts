import type { Appliers } from './apply.ts'
import { release } from './contents.ts'
import { bucketById } from './lookups.ts'
import { nextSequence, refuse } from './write-context.ts'
import type { WriteContext } from './write-context.ts'

export const bucketAppliers: Pick<
  Appliers,
  'CreateBucket' | 'DeleteBucket' | 'PutBucketPolicy' | 'PutBucketVersioning'
> = {
  CreateBucket(context, { name, at }) {
    const known = context.index.row('SELECT id FROM bucket WHERE name = ?', name)
    if (known !== undefined) throw refuse('bucket_exists', 'You already own this bucket.')
    context.index.run(
      `INSERT INTO bucket (id, name, created, versioning) VALUES (?, ?, ?, 'Off')`,
      nextSequence(context),
      name,
      at,
    )
    return undefined
  },

  /** Uploads in progress go with the bucket; versions and delete markers keep it. */
  DeleteBucket(context, { bucket }) {
    bucketById(context.index, bucket)
    const left = context.index.row('SELECT 1 FROM version WHERE bucket = ? LIMIT 1', bucket)
    if (left !== undefined) {
      throw refuse(
        'bucket_not_empty',
        'The bucket still holds objects, versions or delete markers.',
      )
    }
    removeUploads(context, bucket)
    context.index.run('DELETE FROM bucket WHERE id = ?', bucket)
    return undefined
  },

  PutBucketPolicy({ index }, { bucket, policy }) {
    bucketById(index, bucket)
    index.run('UPDATE bucket SET policy = ? WHERE id = ?', policy ?? null, bucket)
    return undefined
  },

  PutBucketVersioning({ index }, { bucket, status }) {
    bucketById(index, bucket)
    index.run('UPDATE bucket SET versioning = ? WHERE id = ?', status, bucket)
    return undefined
  },
}

function removeUploads(context: WriteContext, bucket: number): void {
  const { index } = context
  const parts = index.rows<{ content: number | null }>(
    `SELECT content FROM part WHERE upload_id IN (SELECT upload_id FROM upload WHERE bucket = ?)`,
    bucket,
  )
  for (const { content } of parts) release(context, content)
  index.run(
    'DELETE FROM part WHERE upload_id IN (SELECT upload_id FROM upload WHERE bucket = ?)',
    bucket,
  )
  index.run('DELETE FROM upload WHERE bucket = ?', bucket)
}
