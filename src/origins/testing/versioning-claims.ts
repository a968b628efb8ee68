import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { patterned } from './bodies.ts'
import type { NewSession } from './conformance.ts'
import { refused } from './session.ts'
import type { Session } from './session.ts'

export function versioningClaims(newSession: NewSession): void {
  describe('versioning', () => {
    async function enabled(): Promise<Session> {
      const session = await newSession()
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      return session
    }

    test('Off: the one version is null, and a delete leaves nothing', async () => {
      const session = await newSession()
      const put = await session.put('k', '1')
      assert.deepEqual([put.versionId, put.versioned], ['null', false])
      await session.put('k', '2')
      assert.equal((await session.get('k', { versionId: 'null' })).toString(), '2')
      await session.delete('k')
      assert.deepEqual((await session.versions()).versions, [])
    })

    test('Enabled: every write stays readable by its id, newest first', async () => {
      const session = await enabled()
      const [one, two] = [await session.put('k', '1'), await session.put('k', patterned(100_000))]
      assert.equal(two.versioned, true)
      assert.notEqual(one.versionId, two.versionId)
      assert.equal((await session.get('k', { versionId: one.versionId })).toString(), '1')
      assert.equal((await session.get('k')).length, 100_000)
      const { versions } = await session.versions()
      assert.deepEqual(
        versions.map(({ versionId, isLatest }) => [versionId, isLatest]),
        [
          [two.versionId, true],
          [one.versionId, false],
        ],
      )
    })

    test('Enabled: a delete puts a marker on top, and taking the marker away brings the object back', async () => {
      const session = await enabled()
      const { versionId } = await session.put('k', '1')
      const deleted = await session.delete('k')
      assert.equal(deleted.deleteMarker, true)
      assert.equal(
        (await refused(session.get('k'), 'delete_marker'))['versionId'],
        deleted.versionId,
      )
      const asked = session.get('k', { versionId: deleted.versionId ?? '' })
      await refused(asked, 'delete_marker')
      await refused(session.do('HeadObject', { key: 'k' }), 'delete_marker')
      const tags = new Map([['a', '1']])
      await refused(session.do('PutObjectTagging', { key: 'k', tags }), 'delete_marker')
      assert.deepEqual(await session.keys(), [])
      assert.equal((await session.get('k', { versionId })).toString(), '1')

      const undone = await session.delete('k', deleted.versionId)
      assert.deepEqual(undone, { versionId: deleted.versionId, deleteMarker: true })
      assert.equal((await session.get('k')).toString(), '1')
      assert.deepEqual(await session.keys(), ['k'])
    })

    test('a delete of a version makes the next older one the latest', async () => {
      const session = await enabled()
      const ids: string[] = []
      for (const text of ['1', '2', '3']) ids.push((await session.put('k', text)).versionId)
      await session.delete('k', ids[2])
      assert.equal((await session.get('k')).toString(), '2')
      await session.delete('k', ids[0])
      assert.equal((await session.get('k')).toString(), '2')
      await session.delete('k', ids[1])
      await refused(session.get('k'), 'no_such_key')
    })

    test('ids of other keys, of other buckets and made-up ids name nothing', async () => {
      const [session, other] = [await enabled(), await enabled()]
      const { versionId } = await session.put('k', '1')
      await session.put('l', '1')
      await other.put('k', '1')
      for (const id of ['null', 'x', `${versionId}0`, versionId.toUpperCase() + 'Z']) {
        await refused(session.get('k', { versionId: id }), 'no_such_version')
        assert.equal((await session.delete('k', id)).deleteMarker, false)
      }
      await refused(session.get('l', { versionId }), 'no_such_version')
      await refused(other.get('k', { versionId }), 'no_such_version')
      assert.equal((await session.get('k')).toString(), '1')
    })

    test('the null version from before stays beside the new ones', async () => {
      const session = await newSession()
      await session.put('k', 'old')
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      await session.put('k', 'new')
      assert.equal((await session.get('k', { versionId: 'null' })).toString(), 'old')
      assert.equal((await session.versions()).versions.length, 2)
    })

    test('Suspended: writes and deletes replace null only, wherever it lies', async () => {
      const session = await newSession()
      await session.put('k', 'null 1')
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      const kept = await session.put('k', 'kept')
      await session.do('PutBucketVersioning', { status: 'Suspended' })
      const put = await session.put('k', 'null 2')
      assert.deepEqual([put.versionId, put.versioned], ['null', true])
      assert.equal((await session.versions()).versions.length, 2)
      assert.equal((await session.get('k')).toString(), 'null 2')

      assert.deepEqual(await session.delete('k'), { versionId: 'null', deleteMarker: true })
      await refused(session.get('k'), 'delete_marker')
      const { versions } = await session.versions()
      assert.deepEqual(
        versions.map(({ versionId, deleteMarker }) => [versionId, deleteMarker]),
        [
          ['null', true],
          [kept.versionId, false],
        ],
      )
    })

    test('conditions look at the latest version; a marker counts as nothing there', async () => {
      const session = await enabled()
      const { etag } = await session.put('k', '1')
      await session.delete('k')
      await refused(session.put('k', '2', { conditions: { ifMatch: etag } }), 'no_such_key')
      await session.put('k', '2', { conditions: { ifNoneMatch: '*' } })
      const again = session.put('k', '3', { conditions: { ifNoneMatch: '*' } })
      await refused(again, 'precondition_failed')
    })

    test('tags belong to a version', async () => {
      const session = await enabled()
      const { versionId } = await session.put('k', '1')
      await session.put('k', '2')
      const tags = new Map([['a', '1']])
      const tagged = await session.do('PutObjectTagging', { key: 'k', versionId, tags })
      assert.equal(tagged.versionId, versionId)
      assert.equal((await session.do('HeadObject', { key: 'k' })).tags.size, 0)
      assert.equal((await session.do('HeadObject', { key: 'k', versionId })).tags.size, 1)
    })
  })
}
