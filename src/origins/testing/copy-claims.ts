import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { OriginRequest, OriginResponse } from '../../s3/index.ts'
import { checksumValue, md5, patterned, plain } from './bodies.ts'
import type { NewSession } from './conformance.ts'
import { refused } from './session.ts'
import type { Session } from './session.ts'

export function copyClaims(newSession: NewSession): void {
  describe('copies', () => {
    let session: Session
    const bytes = patterned(300_000)
    const attributes = { ...plain, metadata: { a: '1' }, tags: new Map([['t', '1']]) }
    before(async () => {
      session = await newSession()
      await session.put('source', bytes, { attributes })
      await session.put('small', 'small')
    })

    function copy(
      target: string,
      options: Partial<OriginRequest<'CopyObject'>> = {},
    ): Promise<OriginResponse<'CopyObject'>> {
      const source = { bucket: session.bucket, key: 'source', etag: md5(bytes) }
      return session.do('CopyObject', { source, key: target, conditions: {}, ...options })
    }

    test('have the bytes, the attributes and the tags of the source', async () => {
      const { etag } = await copy('copy')
      assert.equal(etag, md5(bytes))
      const head = await session.do('HeadObject', { key: 'copy' })
      assert.deepEqual([head.metadata, head.tags], [attributes.metadata, attributes.tags])
      assert.ok((await session.get('copy')).equals(bytes))
    })

    test('replace attributes and tags each by its own directive', async () => {
      await copy('replaced', { attributes: { headers: {}, metadata: { b: '2' } } })
      const one = await session.do('HeadObject', { key: 'replaced' })
      assert.deepEqual([one.metadata, one.tags], [{ b: '2' }, attributes.tags])
      await copy('replaced', { tags: new Map() })
      const two = await session.do('HeadObject', { key: 'replaced' })
      assert.deepEqual([two.metadata, two.tags.size], [{ a: '1' }, 0])
    })

    test('live on when the source is overwritten or deleted', async () => {
      await session.put('short-lived', bytes)
      await copy('heir', {
        source: { bucket: session.bucket, key: 'short-lived', etag: md5(bytes) },
      })
      await session.put('short-lived', 'else')
      assert.ok((await session.get('heir')).equals(bytes))
      await session.delete('short-lived')
      assert.ok((await session.get('heir')).equals(bytes))
      await session.delete('heir')
    })

    test('onto itself change the attributes and keep the bytes', async () => {
      await session.put('self', bytes)
      const source = { bucket: session.bucket, key: 'self', etag: md5(bytes) }
      await copy('self', { source, attributes: { headers: {}, metadata: { new: '1' } } })
      assert.deepEqual((await session.do('HeadObject', { key: 'self' })).metadata, { new: '1' })
      assert.ok((await session.get('self')).equals(bytes))
    })

    test('carry a checksum of the algorithm asked for', async () => {
      for (const [key, whole] of [
        ['source', bytes],
        ['small', Buffer.from('small')],
      ] as const) {
        const source = { bucket: session.bucket, key, etag: md5(whole) }
        const { checksum } = await copy('summed', { source, checksumAlgorithm: 'SHA256' })
        const value = checksumValue('SHA256', whole)
        assert.deepEqual(checksum, { algorithm: 'SHA256', type: 'FULL_OBJECT', value })
      }
    })

    test('are refused when the source is not the one that was judged', async () => {
      const etag = md5(Buffer.from('other'))
      const source = { bucket: session.bucket, key: 'source', etag }
      await refused(copy('refused', { source }), 'conditional_conflict')
      await refused(session.get('refused'), 'no_such_key')
    })

    test('are refused without source, without bucket, and by conditions on the target', async () => {
      const bucket = session.bucket
      const etag = md5(bytes)
      await refused(copy('x', { source: { bucket, key: 'none', etag } }), 'no_such_key')
      await refused(copy('x', { source: { bucket, key: 'so\ud800', etag } }), 'invalid_request')
      const version = { bucket, key: 'source', versionId: 'nope', etag }
      await refused(copy('x', { source: version }), 'no_such_version')
      const elsewhere = { bucket: 'bucket-that-is-not-there', key: 'source', etag }
      await refused(copy('x', { source: elsewhere }), 'no_such_bucket')
      const conditions = { ifNoneMatch: '*' }
      await refused(copy('small', { conditions }), 'precondition_failed')
      assert.equal((await session.get('small')).toString(), 'small')
    })

    test('take an old version as their source, and never a delete marker', async () => {
      const versioned = await newSession()
      await versioned.do('PutBucketVersioning', { status: 'Enabled' })
      const old = await versioned.put('k', 'old')
      await versioned.put('k', 'new')
      const { versionId: marker = '' } = await versioned.delete('k')
      const { bucket } = versioned
      const source = { bucket, key: 'k', versionId: old.versionId, etag: old.etag }
      const copied = await versioned.do('CopyObject', { source, key: 'k', conditions: {} })
      assert.notEqual(copied.versionId, old.versionId)
      assert.equal((await versioned.get('k')).toString(), 'old')
      const dead = { bucket, key: 'k', versionId: marker, etag: old.etag }
      const refusal = versioned.do('CopyObject', { source: dead, key: 'l', conditions: {} })
      await refused(refusal, 'delete_marker')
    })
  })
}
