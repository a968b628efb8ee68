import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bodyOf, plain } from './bodies.ts'
import type { NewSession } from './conformance.ts'
import { refused, Session } from './session.ts'

export function bucketClaims(newSession: NewSession): void {
  describe('buckets', () => {
    test('are listed in order of their names, with versioning Off and no policy', async () => {
      const [one, two] = [await newSession(), await newSession()]
      const { buckets } = await one.do('ListBuckets', {})
      const names = buckets.map(({ name }) => name)
      assert.deepEqual(names, names.toSorted())
      assert.ok(names.includes(one.bucket) && names.includes(two.bucket))
      const head = await one.do('HeadBucket', {})
      assert.deepEqual([head.name, head.versioning, head.policy], [one.bucket, 'Off', undefined])
    })

    test('are made once', async () => {
      const session = await newSession()
      await refused(session.do('CreateBucket', {}), 'bucket_exists')
    })

    test('many at once: exactly one wins', async () => {
      const session = await newSession()
      await session.do('DeleteBucket', {})
      const made = await Promise.allSettled([1, 2, 3, 4].map(() => session.do('CreateBucket', {})))
      assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    test('refuse every operation when they are not there', async () => {
      const origin = (await newSession()).origin
      const none = new Session(origin, 'bucket-that-is-not-there')
      const source = { bucket: none.bucket, key: 'k', etag: 'e' }
      const place = { key: 'k', uploadId: 'u' }
      const body = bodyOf(Buffer.from('x'))
      const asked = [
        none.do('HeadBucket', {}),
        none.do('DeleteBucket', {}),
        none.do('PutBucketPolicy', { policy: '{}' }),
        none.do('PutBucketVersioning', { status: 'Enabled' }),
        none.list(),
        none.versions(),
        none.put('k'),
        none.do('HeadObject', { key: 'k' }),
        none.get('k'),
        none.delete('k'),
        none.do('CopyObject', { source, key: 'k', conditions: {} }),
        none.do('PutObjectTagging', { key: 'k', tags: new Map() }),
        none.do('CreateMultipartUpload', { key: 'k', attributes: plain }),
        none.do('UploadPart', { ...place, partNumber: 1, body }),
        none.do('UploadPartCopy', { ...place, partNumber: 1, source }),
        none.complete('k', 'u', [{ partNumber: 1, etag: 'e' }]),
        none.do('AbortMultipartUpload', place),
        none.do('ListParts', { ...place, partNumberMarker: 0, maxParts: 10 }),
        none.do('ListMultipartUploads', {
          prefix: '',
          delimiter: '',
          keyMarker: '',
          maxUploads: 10,
        }),
      ]
      await Promise.all(asked.map((operation) => refused(operation, 'no_such_bucket')))
    })

    test('stay while they hold an object, an old version or a delete marker', async () => {
      const session = await newSession()
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      const { versionId } = await session.put('k')
      await refused(session.do('DeleteBucket', {}), 'bucket_not_empty')
      const marker = await session.delete('k')
      await refused(session.do('DeleteBucket', {}), 'bucket_not_empty')
      await session.delete('k', versionId)
      await refused(session.do('DeleteBucket', {}), 'bucket_not_empty')
      await session.delete('k', marker.versionId)
      await session.do('DeleteBucket', {})
      await refused(session.do('HeadBucket', {}), 'no_such_bucket')
    })

    test('take their policy, versioning and uploads along when they go', async () => {
      const session = await newSession()
      await session.do('PutBucketPolicy', { policy: '{"a":1}' })
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      const uploadId = await session.upload('k')
      await session.part('k', uploadId, 1, Buffer.from('part'))
      await session.do('DeleteBucket', {})
      await session.do('CreateBucket', {})
      const head = await session.do('HeadBucket', {})
      assert.deepEqual([head.versioning, head.policy], ['Off', undefined])
      await refused(session.part('k', uploadId, 2, Buffer.from('part')), 'no_such_upload')
    })

    test('keep a policy text as it is until it is taken away', async () => {
      const session = await newSession()
      const policy = '{ "Version": "2012-10-17", "x": "ü 😀" }'
      await session.do('PutBucketPolicy', { policy })
      assert.equal((await session.do('HeadBucket', {})).policy, policy)
      await session.do('PutBucketPolicy', { policy: undefined })
      assert.equal((await session.do('HeadBucket', {})).policy, undefined)
    })
  })
}
