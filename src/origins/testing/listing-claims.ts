import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { NewSession } from './conformance.ts'
import { refused } from './session.ts'
import type { Session } from './session.ts'

export function listingClaims(newSession: NewSession): void {
  describe('listing objects', () => {
    let session: Session
    const keys = ['a', 'a/', 'a//b', 'a/b', 'a/b/c', 'a0', 'b', 'b/c', '😀', '\uffff', 'é', 'z/%2F']
    const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    before(async () => {
      session = await newSession()
      for (const key of keys) await session.put(key)
    })

    test('is in bytewise order of UTF-8: an emoji comes after U+FFFF', async () => {
      assert.deepEqual(await session.keys(), sorted)
      assert.equal(sorted.at(-1), '😀')
    })

    test('pages by any size without losing or repeating a key', async () => {
      for (const maxKeys of [1, 2, 3, 5, 12, 13]) {
        assert.deepEqual(await allPages(session, { maxKeys }), sorted)
      }
    })

    test('collapses by delimiter, one entry for each common prefix', async () => {
      const { objects, commonPrefixes } = await session.list({ delimiter: '/' })
      assert.deepEqual(
        objects.map(({ key }) => key),
        ['a', 'a0', 'b', 'é', '\uffff', '😀'],
      )
      assert.deepEqual(commonPrefixes, ['a/', 'b/', 'z/'])
    })

    test('goes into a prefix, which need not end at a delimiter', async () => {
      const inside = await session.list({ prefix: 'a/', delimiter: '/' })
      assert.deepEqual(
        inside.objects.map(({ key }) => key),
        ['a/', 'a/b'],
      )
      assert.deepEqual(inside.commonPrefixes, ['a//', 'a/b/'])
      assert.deepEqual(
        await session.keys({ prefix: 'a' }),
        sorted.filter((k) => k.startsWith('a')),
      )
    })

    test('takes delimiters of several characters and outside of ASCII', async () => {
      const other = await newSession()
      for (const key of ['x--y', 'x-y', 'x--', 'ü€ü']) await other.put(key)
      assert.deepEqual((await other.list({ delimiter: '--' })).commonPrefixes, ['x--'])
      assert.deepEqual((await other.list({ delimiter: '€' })).commonPrefixes, ['ü€'])
      assert.deepEqual((await other.list({ delimiter: 'none' })).commonPrefixes, [])
    })

    test('continues after a common prefix by passing over all of it', async () => {
      const page = await session.list({ delimiter: '/', maxKeys: 2 })
      assert.equal(page.nextAfter, 'a/')
      const next = await session.list({ delimiter: '/', maxKeys: 2, after: 'a/' })
      assert.deepEqual([next.objects.map(({ key }) => key), next.commonPrefixes], [['a0', 'b'], []])
    })

    test('compares a marker that names no key, before, between and behind the prefix', async () => {
      const inA = sorted.filter((key) => key.startsWith('a/'))
      assert.deepEqual(await session.keys({ prefix: 'a/', after: 'A' }), inA)
      assert.deepEqual(await session.keys({ prefix: 'a/', after: 'a/a' }), ['a/b', 'a/b/c'])
      assert.deepEqual(await session.keys({ prefix: 'a/', after: 'b' }), [])
    })

    test('says there is more only when there is more', async () => {
      assert.equal((await session.list({ maxKeys: keys.length })).nextAfter, undefined)
      assert.equal((await session.list({ maxKeys: keys.length - 1 })).nextAfter, '\uffff')
      const prefix = await session.list({ prefix: 'z/', delimiter: '/', maxKeys: 1 })
      assert.equal(prefix.nextAfter, undefined)
      const collapsed = await session.list({ prefix: 'b', delimiter: '/', maxKeys: 2 })
      assert.deepEqual([collapsed.commonPrefixes, collapsed.nextAfter], [['b/'], undefined])
    })

    test('of no keys is empty and complete', async () => {
      const none = { objects: [], commonPrefixes: [] }
      assert.deepEqual(await session.list({ maxKeys: 0 }), none)
      assert.deepEqual(await session.list({ prefix: 'nothing' }), none)
      assert.deepEqual(await (await newSession()).list(), none)
    })

    test('takes percent signs and underscores as themselves', async () => {
      assert.deepEqual(await session.keys({ prefix: 'z/%' }), ['z/%2F'])
      assert.deepEqual(await session.keys({ prefix: '%' }), [])
      assert.deepEqual(await session.keys({ prefix: '_' }), [])
    })

    test('refuses names that are not UTF-8', async () => {
      for (const option of [{ prefix: '\ud800' }, { after: '\ud800' }, { delimiter: '\udc00' }]) {
        await refused(session.list(option), 'invalid_request')
      }
    })
  })

  versionListingClaims(newSession)
}

function versionListingClaims(newSession: NewSession): void {
  describe('listing versions', () => {
    let session: Session
    before(async () => {
      session = await newSession()
      await session.put('a', 'null')
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      for (const key of ['a', 'a', 'b/1', 'b/2', 'b/2', 'c']) await session.put(key, key)
      await session.delete('c')
    })

    test('gives every version and marker, newest first inside a key', async () => {
      const { versions } = await session.versions()
      const seen = versions.map(({ key, isLatest, deleteMarker }) => [key, isLatest, deleteMarker])
      assert.deepEqual(seen, [
        ['a', true, false],
        ['a', false, false],
        ['a', false, false],
        ['b/1', true, false],
        ['b/2', true, false],
        ['b/2', false, false],
        ['c', true, true],
        ['c', false, false],
      ])
      assert.equal(versions[2]?.versionId, 'null')
    })

    test('pages by any size, also in the middle of a key', async () => {
      const whole = (await session.versions()).versions.map(({ versionId }) => versionId)
      for (const maxKeys of [1, 2, 3, 7]) {
        const seen: string[] = []
        let next: Parameters<Session['versions']>[0] = {}
        for (;;) {
          const page = await session.versions({ ...next, maxKeys })
          seen.push(...page.versions.map(({ versionId }) => versionId))
          if (page.next === undefined) break
          next = page.next
        }
        assert.deepEqual(seen, whole)
      }
    })

    test('collapses by delimiter and passes over a prefix it has given', async () => {
      const page = await session.versions({ delimiter: '/', maxKeys: 4 })
      assert.deepEqual([page.versions.length, page.commonPrefixes], [3, ['b/']])
      assert.deepEqual(page.next, { keyMarker: 'b/' })
      const next = await session.versions({ delimiter: '/', keyMarker: 'b/' })
      assert.deepEqual(
        next.versions.map(({ key }) => key),
        ['c', 'c'],
      )
    })

    test('passes over a whole key when the marker has no version', async () => {
      const { versions } = await session.versions({ keyMarker: 'a' })
      assert.equal(versions[0]?.key, 'b/1')
    })

    test('continues behind a version that was deleted since: cleaning page by page ends', async () => {
      const other = await newSession()
      await other.put('k', 'null')
      await other.do('PutBucketVersioning', { status: 'Enabled' })
      for (let i = 0; i < 7; i++) await other.put('k', String(i))
      let marker: Parameters<Session['versions']>[0] = {}
      for (let pages = 0; pages < 10; pages++) {
        const page = await other.versions({ maxKeys: 2, ...marker })
        for (const { key, versionId } of page.versions) await other.delete(key, versionId)
        if (page.next === undefined) break
        marker = page.next
      }
      assert.deepEqual((await other.versions()).versions, [])
    })
  })
}

async function allPages(session: Session, options: { maxKeys: number }): Promise<string[]> {
  const seen: string[] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await session.list({ ...options, after })
    seen.push(...page.objects.map(({ key }) => key))
    after = page.nextAfter
  }
  return seen
}
