import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { bodyOf, bytesOf, ForgedBody, md5, patterned, plain } from './bodies.ts'
import type { NewSession } from './conformance.ts'
import { refused } from './session.ts'
import type { Session } from './session.ts'

const sizes = [0, 1, 4096, 65_536, 65_537, 1_000_000, 3_145_729]

export function objectClaims(newSession: NewSession): void {
  describe('objects', () => {
    let session: Session
    before(async () => {
      session = await newSession()
    })

    for (const size of sizes) {
      test(`come back whole: ${size} bytes, with MD5 as ETag and the checksum that came`, async () => {
        const bytes = patterned(size, size + 1)
        const put = await session.put(`size/${size}`, bytes)
        assert.equal(put.etag, md5(bytes))
        assert.deepEqual(put.checksum, bodyOf(bytes).checksum())
        const { object, body, range } = await session.do('GetObject', { key: `size/${size}` })
        assert.ok((await bytesOf(body)).equals(bytes))
        assert.deepEqual([object.size, object.etag, range], [size, put.etag, undefined])
        assert.deepEqual(object, await session.do('HeadObject', { key: `size/${size}` }))
      })
    }

    test('keep headers, metadata, tags, storage class and redirect as they came', async () => {
      const attributes = {
        headers: { 'content-type': 'text/plain; charset=utf-8', expires: 'never' },
        metadata: { note: 'zwei Wörter', constructor: '1', ['__proto__']: '2' },
        tags: new Map([['team', 'a b+c']]),
        storageClass: 'STANDARD_IA',
        websiteRedirectLocation: '/else',
      }
      await session.put('attributes', 'x', { attributes })
      const { headers, metadata, tags, storageClass, websiteRedirectLocation } = await session.do(
        'HeadObject',
        { key: 'attributes' },
      )
      const got = { headers, metadata, tags, storageClass, websiteRedirectLocation }
      assert.deepEqual(got, attributes)
    })

    test('are replaced as a whole: nothing of the old one is left', async () => {
      const attributes = { ...plain, tags: new Map([['a', '1']]), metadata: { a: '1' } }
      await session.put('replaced', patterned(200_000), { attributes })
      await session.put('replaced', 'new')
      const head = await session.do('HeadObject', { key: 'replaced' })
      assert.deepEqual([head.tags.size, head.metadata, head.size], [0, {}, 3])
      assert.equal((await session.get('replaced')).toString(), 'new')
    })

    test('with keys that a file system would mistake are all different objects', async () => {
      const odd = await newSession()
      const keys = [
        'a',
        'a/',
        'a//',
        '/a',
        '../a',
        'a/../a',
        '.',
        '..',
        '%2F',
        '/',
        'a%2Fb',
        'a\\b',
      ]
      keys.push('\u0001', 'a\nb', 'con', 'A', 'ü', 'u\u0308', '😀', '\uffff', 'x'.repeat(1024))
      for (const key of keys) await odd.put(key)
      for (const key of keys) assert.equal((await odd.get(key)).toString(), key)
      assert.equal((await odd.keys()).length, keys.length)
    })

    test('refuse keys that are empty, too long, or not UTF-8', async () => {
      for (const key of ['', 'x'.repeat(1025), 'ü'.repeat(513), '\ud800', 'a\udfff']) {
        await refused(session.put(key, 'x'), 'invalid_request')
      }
    })

    test('that are not there are refused, not invented', async () => {
      await refused(session.get('none'), 'no_such_key')
      await refused(session.do('HeadObject', { key: 'none' }), 'no_such_key')
      await refused(session.get('none', { versionId: 'null' }), 'no_such_version')
      const tags = new Map([['a', 'b']])
      await refused(session.do('PutObjectTagging', { key: 'none', tags }), 'no_such_key')
    })

    test('stay as they were when the body turns out to be forged, early or at its end', async () => {
      await session.put('forged', 'before')
      for (const [size, breakAt] of [
        [10, 0],
        [10, 10],
        [2_000_000, 1_000_000],
        [2_000_000, 2_000_000],
      ] as const) {
        const body = bodyOf(patterned(size), { breakAt })
        const put = session.do('PutObject', {
          key: 'forged',
          body,
          attributes: plain,
          conditions: {},
        })
        await assert.rejects(put, ForgedBody)
      }
      assert.equal((await session.get('forged')).toString(), 'before')
    })

    test('refuse a body that is shorter or longer than declared', async () => {
      for (const size of [9, 11]) {
        const body = { ...bodyOf(Buffer.alloc(10)), size }
        const put = session.do('PutObject', {
          key: 'length',
          body,
          attributes: plain,
          conditions: {},
        })
        await refused(put, 'invalid_request')
      }
      await refused(session.get('length'), 'no_such_key')
    })

    test('take a body whose length only its end tells', async () => {
      const bytes = patterned(700_000)
      const body = { ...bodyOf(bytes), size: undefined }
      await session.do('PutObject', { key: 'form', body, attributes: plain, conditions: {} })
      assert.ok((await session.get('form')).equals(bytes))
    })

    test('are deleted once; deleting what is not there succeeds', async () => {
      await session.put('deleted')
      assert.deepEqual(await session.delete('deleted'), { deleteMarker: false })
      assert.deepEqual(await session.delete('deleted'), { deleteMarker: false })
      await refused(session.get('deleted'), 'no_such_key')
    })

    test('being read are not torn by an overwrite or a delete', async () => {
      const old = patterned(4_000_000, 7)
      await session.put('torn', old)
      const reading = await session.do('GetObject', { key: 'torn' })
      const late = await session.do('GetObject', { key: 'torn' })
      await session.put('torn', patterned(4_000_000, 8))
      await session.delete('torn')
      assert.ok((await bytesOf(reading.body)).equals(old))
      assert.ok((await bytesOf(late.body)).equals(old))
    })

    test('may be left unread: a destroyed body ends at once, before or after its first bytes', async () => {
      await session.put('unread', patterned(1_000_000))
      const first = (await session.do('GetObject', { key: 'unread' })).body[Symbol.asyncIterator]()
      await first.return?.()
      const second = (await session.do('GetObject', { key: 'unread' })).body[Symbol.asyncIterator]()
      await second.next()
      const [late] = await Promise.all([second.next(), second.return?.()])
      assert.ok(late.done === true || late.value.length > 0)
      assert.deepEqual(await second.next(), { done: true, value: undefined })
    })

    describe('tags', () => {
      test('are replaced all at once, and removed by an empty set', async () => {
        await session.put('tags', 'x', { attributes: { ...plain, tags: new Map([['a', '1']]) } })
        const { etag } = await session.do('HeadObject', { key: 'tags' })
        const tags = new Map([
          ['b', '2'],
          ['c', ''],
        ])
        await session.do('PutObjectTagging', { key: 'tags', tags })
        const head = await session.do('HeadObject', { key: 'tags' })
        assert.deepEqual([head.tags, head.etag], [tags, etag])
        await session.do('PutObjectTagging', { key: 'tags', tags: new Map() })
        assert.equal((await session.do('HeadObject', { key: 'tags' })).tags.size, 0)
      })
    })

    rangeClaims(newSession)
    conditionClaims(newSession)
  })
}

function rangeClaims(newSession: NewSession): void {
  describe('ranges', () => {
    let session: Session
    const small = patterned(1000)
    const large = patterned(600_000, 3)
    before(async () => {
      session = await newSession()
      await session.put('small', small)
      await session.put('large', large)
      await session.put('empty', '')
    })

    for (const [key, bytes] of [
      ['small', small],
      ['large', large],
    ] as const) {
      test(`give exactly the bytes asked for, of a ${key} object`, async () => {
        const size = bytes.length
        const cases = [
          [{ kind: 'from-to', first: 0, last: 0 }, 0, 0],
          [{ kind: 'from-to', first: 10, last: 500 }, 10, 500],
          [{ kind: 'from-to', first: 7 }, 7, size - 1],
          [{ kind: 'from-to', first: size - 1, last: size + 99 }, size - 1, size - 1],
          [{ kind: 'suffix', length: 5 }, size - 5, size - 1],
          [{ kind: 'suffix', length: size + 5 }, 0, size - 1],
        ] as const
        for (const [range, first, last] of cases) {
          const got = await session.do('GetObject', { key, range })
          assert.deepEqual(got.range, { first, last })
          assert.ok((await bytesOf(got.body)).equals(bytes.subarray(first, last + 1)))
        }
      })
    }

    test('that lie outside are refused with the size', async () => {
      const outside = [
        { kind: 'from-to', first: 1000 },
        { kind: 'from-to', first: 5, last: 4 },
        { kind: 'suffix', length: 0 },
      ] as const
      for (const range of outside) {
        const detail = await refused(session.get('small', { range }), 'invalid_range')
        assert.equal(detail['size'], 1000)
      }
    })

    test('of an empty object are all refused', async () => {
      for (const range of [
        { kind: 'from-to', first: 0 },
        { kind: 'suffix', length: 1 },
      ] as const) {
        await refused(session.get('empty', { range }), 'invalid_range')
      }
    })

    test('by part number: an object that did not come in parts is its own part 1', async () => {
      const got = await session.do('GetObject', { key: 'small', partNumber: 1 })
      assert.deepEqual(got.range, { first: 0, last: 999 })
      assert.ok((await bytesOf(got.body)).equals(small))
      await refused(session.get('small', { partNumber: 2 }), 'invalid_part_number')
    })
  })
}

function conditionClaims(newSession: NewSession): void {
  describe('conditional writes', () => {
    let session: Session
    before(async () => {
      session = await newSession()
    })

    test('If-None-Match *: creates, and refuses what exists', async () => {
      const conditions = { ifNoneMatch: '*' }
      await session.put('create', 'first', { conditions })
      const detail = await refused(
        session.put('create', 'second', { conditions }),
        'precondition_failed',
      )
      assert.equal(detail['condition'], 'If-None-Match')
      assert.equal((await session.get('create')).toString(), 'first')
    })

    test('If-None-Match with an ETag refuses only that one', async () => {
      const { etag } = await session.put('none-match', '1')
      await session.put('none-match', '2', { conditions: { ifNoneMatch: 'other' } })
      await session.put('none-match', '1', { conditions: { ifNoneMatch: etag } })
      const again = session.put('none-match', '3', { conditions: { ifNoneMatch: etag } })
      await refused(again, 'precondition_failed')
    })

    test('If-Match: replaces only the one it names; on nothing it is a missing key', async () => {
      const { etag } = await session.put('match', '1')
      await session.put('match', '2', { conditions: { ifMatch: etag } })
      const stale = session.put('match', '3', { conditions: { ifMatch: etag } })
      assert.equal((await refused(stale, 'precondition_failed'))['condition'], 'If-Match')
      const missing = session.put('missing', '1', { conditions: { ifMatch: etag } })
      await refused(missing, 'no_such_key')
      await refused(session.put('missing', '1', { conditions: { ifMatch: '*' } }), 'no_such_key')
    })

    test('of many creators at once exactly one wins, and its bytes are what is there', async () => {
      for (const size of [100, 100_000]) {
        const key = `race/${size}`
        const bodies = Array.from({ length: 12 }, (_, i) => patterned(size, i + 1))
        const results = await Promise.allSettled(
          bodies.map((bytes) => session.put(key, bytes, { conditions: { ifNoneMatch: '*' } })),
        )
        const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
        assert.equal(winners.length, 1)
        assert.ok((await session.get(key)).equals(bodies[winners[0] ?? -1] ?? Buffer.alloc(0)))
      }
    })

    test('of many who count up by If-Match none loses an increment', async () => {
      await session.put('counter', '0')
      async function increment(): Promise<void> {
        for (;;) {
          const { object, body } = await session.do('GetObject', { key: 'counter' })
          const value = String(Number(await bytesOf(body)) + 1)
          const conditions = { ifMatch: object.etag }
          if (
            await session.put('counter', value, { conditions }).then(
              () => true,
              () => false,
            )
          )
            return
        }
      }
      await Promise.all(Array.from({ length: 20 }, increment))
      assert.equal((await session.get('counter')).toString(), '20')
    })

    test('hold deletes back: by ETag, size and time; what is missing is deleted already', async () => {
      const { etag } = await session.put('guarded', '12345')
      const { lastModified } = await session.do('HeadObject', { key: 'guarded' })
      const wrong = [
        [{ ifMatch: 'other' }, 'If-Match'],
        [{ ifMatchSize: 4 }, 'x-amz-if-match-size'],
        [{ ifMatchLastModified: new Date(0) }, 'x-amz-if-match-last-modified-time'],
        [{ ifMatch: etag, ifMatchSize: 6 }, 'x-amz-if-match-size'],
      ] as const
      for (const [conditions, condition] of wrong) {
        const detail = await refused(
          session.delete('guarded', undefined, conditions),
          'precondition_failed',
        )
        assert.equal(detail['condition'], condition)
      }
      const seconds = new Date(Math.floor(lastModified.getTime() / 1000) * 1000)
      const right = { ifMatch: etag, ifMatchSize: 5, ifMatchLastModified: seconds }
      await session.delete('guarded', undefined, right)
      await refused(session.get('guarded'), 'no_such_key')
      await session.delete('guarded', undefined, right)
    })
  })
}
