import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { composite } from '../../checksums/index.ts'
import { bodyOf, bytesOf, checksumValue, ForgedBody, md5, patterned, plain } from './bodies.ts'
import type { OriginRequest, OriginResponse } from '../../s3/index.ts'
import type { NewSession } from './conformance.ts'
import { refused } from './session.ts'
import type { Session } from './session.ts'

type Ask = Omit<OriginRequest<'ListMultipartUploads'>, 'bucket'>

const mebibyte = 1024 * 1024
const one = patterned(5 * mebibyte, 11)
const two = patterned(5 * mebibyte + 7, 12)
const tail = patterned(1000, 13)
const whole = Buffer.concat([one, two, tail])

export function multipartClaims(newSession: NewSession): void {
  describe('multipart uploads', () => {
    let session: Session
    before(async () => {
      session = await newSession()
    })

    async function threeParts(
      key: string,
      uploadId: string,
    ): Promise<{ partNumber: number; etag: string }[]> {
      return Promise.all([
        session.part(key, uploadId, 2, one),
        session.part(key, uploadId, 5, two),
        session.part(key, uploadId, 9, tail),
      ])
    }

    test('become one object when completed, and are nothing before', async () => {
      const attributes = { ...plain, metadata: { a: '1' }, tags: new Map([['t', '1']]) }
      const uploadId = await session.upload('whole', { attributes })
      const parts = await threeParts('whole', uploadId)
      await refused(session.get('whole'), 'no_such_key')
      assert.deepEqual(await session.keys({ prefix: 'whole' }), [])

      const done = await session.complete('whole', uploadId, parts, { objectSize: whole.length })
      const digests = parts.map(({ etag }) => Buffer.from(etag, 'hex'))
      const etag = `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-3`
      const value = checksumValue('CRC64NVME', whole)
      assert.equal(done.etag, etag)
      assert.deepEqual(done.checksum, { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value })
      const { object, body } = await session.do('GetObject', { key: 'whole' })
      assert.ok((await bytesOf(body)).equals(whole))
      assert.deepEqual([object.metadata, object.tags], [attributes.metadata, attributes.tags])
      assert.deepEqual(
        object.parts?.map(({ partNumber, size }) => [partNumber, size]),
        [
          [2, one.length],
          [5, two.length],
          [9, tail.length],
        ],
      )
    })

    test('give ranges across their parts, and each part by its number', async () => {
      const edge = one.length
      for (const [first, last] of [
        [0, 9],
        [edge - 5, edge + 5],
        [edge, edge],
        [edge - 1, whole.length - 1],
        [edge + two.length - 1, edge + two.length + 1],
      ] as const) {
        const bytes = await session.get('whole', { range: { kind: 'from-to', first, last } })
        assert.ok(bytes.equals(whole.subarray(first, last + 1)), `${first}-${last}`)
      }
      const part = await session.do('GetObject', { key: 'whole', partNumber: 5 })
      assert.deepEqual(part.range, { first: edge, last: edge + two.length - 1 })
      assert.ok((await bytesOf(part.body)).equals(two))
      await refused(session.get('whole', { partNumber: 3 }), 'invalid_part_number')
    })

    test('answer a repeated completion like the first, and another list not at all', async () => {
      const uploadId = await session.upload('again')
      const parts = [await session.part('again', uploadId, 1, tail)]
      const first = await session.complete('again', uploadId, parts)
      assert.deepEqual(await session.complete('again', uploadId, parts), first)
      const other = [{ partNumber: 1, etag: md5(one) }]
      await refused(session.complete('again', uploadId, other), 'no_such_upload')
    })

    test('of many who complete at once only one object comes', async () => {
      await session.do('PutBucketVersioning', { status: 'Enabled' })
      const uploadId = await session.upload('at-once')
      const parts = [await session.part('at-once', uploadId, 1, tail)]
      const all = await Promise.all(
        [1, 2, 3].map(() => session.complete('at-once', uploadId, parts)),
      )
      assert.equal(new Set(all.map(({ versionId }) => versionId)).size, 1)
      assert.equal((await session.versions({ prefix: 'at-once' })).versions.length, 1)
    })

    test('take the part that was sent last under a number', async () => {
      const uploadId = await session.upload('resent')
      const stale = await session.part('resent', uploadId, 1, one)
      const parts = [await session.part('resent', uploadId, 1, tail)]
      await refused(session.complete('resent', uploadId, [stale]), 'invalid_part')
      await session.complete('resent', uploadId, parts)
      assert.ok((await session.get('resent')).equals(tail))
    })

    test('leave out parts that are not listed', async () => {
      const uploadId = await session.upload('left-out')
      const [, second] = await threeParts('left-out', uploadId)
      assert.ok(second !== undefined)
      await session.complete('left-out', uploadId, [second])
      assert.ok((await session.get('left-out')).equals(two))
    })

    test('of a single empty part are an empty object', async () => {
      const uploadId = await session.upload('empty')
      await session.complete('empty', uploadId, [
        await session.part('empty', uploadId, 1, Buffer.alloc(0)),
      ])
      const { object, body } = await session.do('GetObject', { key: 'empty' })
      assert.deepEqual([object.size, (await bytesOf(body)).length], [0, 0])
    })

    test('are overwritten and deleted like any object', async () => {
      const uploadId = await session.upload('gone')
      await session.complete('gone', uploadId, await threeParts('gone', uploadId))
      const { body } = await session.do('GetObject', { key: 'gone' })
      const { versionId } = await session.do('HeadObject', { key: 'gone' })
      await session.delete('gone', versionId)
      assert.ok((await bytesOf(body)).equals(whole))
      await refused(session.get('gone'), 'no_such_key')
    })

    refusalClaims(newSession)
    abortClaims(newSession)
    checksumClaims(newSession)
    partCopyClaims(newSession)
    uploadListingClaims(newSession)
  })
}

function refusalClaims(newSession: NewSession): void {
  describe('are refused at completion', () => {
    let session: Session
    let uploadId: string
    let parts: { partNumber: number; etag: string }[]
    before(async () => {
      session = await newSession()
      uploadId = await session.upload('k')
      parts = [
        await session.part('k', uploadId, 1, one),
        await session.part('k', uploadId, 2, tail),
        await session.part('k', uploadId, 3, two),
      ]
    })
    const [first, second, third] = [0, 1, 2]
    const pick = (...wanted: number[]): typeof parts => wanted.flatMap((i) => parts[i] ?? [])

    test('with a small part before the last, which is named', async () => {
      const detail = await refused(
        session.complete('k', uploadId, pick(first, second, third)),
        'part_too_small',
      )
      assert.deepEqual([detail['partNumber'], detail['size']], [2, tail.length])
    })

    test('with parts out of order, or twice', async () => {
      for (const list of [pick(third, first), pick(first, first)]) {
        await refused(session.complete('k', uploadId, list), 'invalid_part_order')
      }
    })

    test('with a part that was not sent, an ETag or a checksum that is another', async () => {
      const etag = md5(one)
      const value = checksumValue('CRC64NVME', tail)
      for (const part of [
        { partNumber: 4, etag },
        { partNumber: 2, etag },
        { partNumber: 1, etag, checksum: value },
      ]) {
        await refused(session.complete('k', uploadId, [part]), 'invalid_part')
      }
    })

    test('with no parts, another size, another checksum', async () => {
      await refused(session.complete('k', uploadId, []), 'invalid_request')
      const list = pick(first, second)
      const size = { objectSize: 1 }
      await refused(session.complete('k', uploadId, list, size), 'invalid_request')
      const checksum = { algorithm: 'CRC64NVME', value: checksumValue('CRC64NVME', one) } as const
      await refused(session.complete('k', uploadId, list, { checksum }), 'bad_checksum')
      const other = { algorithm: 'SHA256', value: checksumValue('SHA256', one) } as const
      await refused(session.complete('k', uploadId, list, { checksum: other }), 'invalid_request')
    })

    test('under another key, with an id that is made up or of another bucket', async () => {
      const list = pick(first, second)
      const other = await newSession()
      await refused(session.complete('l', uploadId, list), 'no_such_upload')
      await refused(session.complete('k', 'made-up', list), 'no_such_upload')
      await refused(other.complete('k', uploadId, list), 'no_such_upload')
      await refused(other.part('k', uploadId, 1, tail), 'no_such_upload')
    })

    test('by a condition on what is there; and then can still be completed', async () => {
      await session.put('k', 'there')
      const conditions = { ifNoneMatch: '*' }
      const list = pick(first, second)
      await refused(session.complete('k', uploadId, list, { conditions }), 'precondition_failed')
      assert.equal((await session.get('k')).toString(), 'there')
      await session.complete('k', uploadId, list, { conditions: { ifMatch: '*' } })
      assert.ok((await session.get('k')).equals(Buffer.concat([one, tail])))
    })

    test('with a part number outside 1 to 10000', async () => {
      const id = await session.upload('numbers')
      for (const partNumber of [0, -1, 10_001, 1.5]) {
        await refused(session.part('numbers', id, partNumber, tail), 'invalid_request')
      }
    })
  })
}

function abortClaims(newSession: NewSession): void {
  test('end when they are aborted: late parts and completions are refused', async () => {
    const session = await newSession()
    const uploadId = await session.upload('k')
    const parts = [await session.part('k', uploadId, 1, tail)]
    await session.do('AbortMultipartUpload', { key: 'k', uploadId })
    await refused(session.part('k', uploadId, 2, tail), 'no_such_upload')
    await refused(session.complete('k', uploadId, parts), 'no_such_upload')
    await refused(session.do('AbortMultipartUpload', { key: 'k', uploadId }), 'no_such_upload')
  })

  test('keep a part as it was when its replacement turns out to be forged', async () => {
    const session = await newSession()
    const uploadId = await session.upload('k')
    const parts = [await session.part('k', uploadId, 1, tail)]
    const body = bodyOf(patterned(900_000), { breakAt: 900_000 })
    await assert.rejects(
      session.do('UploadPart', { key: 'k', uploadId, partNumber: 1, body }),
      ForgedBody,
    )
    await session.complete('k', uploadId, parts)
    assert.ok((await session.get('k')).equals(tail))
  })
}

function checksumClaims(newSession: NewSession): void {
  describe('checksums', () => {
    for (const [algorithm, type] of [
      ['CRC32', 'COMPOSITE'],
      ['CRC32', 'FULL_OBJECT'],
      ['CRC32C', 'FULL_OBJECT'],
      ['SHA256', 'COMPOSITE'],
      ['CRC64NVME', 'FULL_OBJECT'],
    ] as const) {
      test(`${algorithm} ${type}: made of the parts', sent or not, and held against the claim`, async () => {
        const session = await newSession()
        const uploadId = await session.upload('k', { checksum: { algorithm, type } })
        const sent = bodyOf(one, { algorithm })
        const place = { key: 'k', uploadId }
        const first = await session.do('UploadPart', { ...place, partNumber: 1, body: sent })
        const second = await session.part('k', uploadId, 2, tail)
        assert.equal(first.checksum?.algorithm, algorithm)
        const all = Buffer.concat([one, tail])
        const value =
          type === 'FULL_OBJECT'
            ? checksumValue(algorithm, all)
            : composite(
                algorithm,
                [one, tail].map((bytes) => checksumValue(algorithm, bytes)),
              )
        const list = [{ partNumber: 1, etag: first.etag, checksum: sent.checksum().value }, second]
        const wrong = { algorithm, value: checksumValue(algorithm, one) }
        await refused(session.complete('k', uploadId, list, { checksum: wrong }), 'bad_checksum')
        const otherType = type === 'COMPOSITE' ? 'FULL_OBJECT' : 'COMPOSITE'
        const mixed = session.complete('k', uploadId, list, { checksumType: otherType })
        await refused(mixed, 'invalid_request')
        const claim = { checksum: { algorithm, value }, checksumType: type }
        const done = await session.complete('k', uploadId, list, claim)
        assert.deepEqual(done.checksum, { algorithm, type, value })
        assert.deepEqual((await session.do('HeadObject', { key: 'k' })).checksum, done.checksum)
      })
    }

    test('of another algorithm than the upload was begun with are refused', async () => {
      const session = await newSession()
      const checksum = { algorithm: 'CRC32', type: 'COMPOSITE' } as const
      const uploadId = await session.upload('k', { checksum })
      const body = bodyOf(tail, { algorithm: 'SHA256' })
      const part = session.do('UploadPart', { key: 'k', uploadId, partNumber: 1, body })
      await refused(part, 'invalid_request')
    })
  })
}

function partCopyClaims(newSession: NewSession): void {
  describe('parts that are copies', () => {
    let session: Session
    before(async () => {
      session = await newSession()
      await session.put('large', whole)
      await session.put('small', tail)
      const uploadId = await session.upload('composed')
      await session.complete('composed', uploadId, [
        await session.part('composed', uploadId, 1, one),
        await session.part('composed', uploadId, 2, two),
      ])
    })

    async function source(key: string): Promise<{ bucket: string; key: string; etag: string }> {
      const { etag } = await session.do('HeadObject', { key })
      return { bucket: session.bucket, key, etag }
    }

    test('of whole objects and of ranges, large, small and composed, make one object', async () => {
      const uploadId = await session.upload('k')
      const place = { key: 'k', uploadId }
      const range = { first: 100, last: 100 + 6 * mebibyte }
      const copies = [
        { partNumber: 1, source: await source('large') },
        { partNumber: 2, source: await source('large'), range },
        { partNumber: 3, source: await source('composed') },
        { partNumber: 4, source: await source('composed'), range },
        { partNumber: 5, source: await source('small'), range: { first: 1, last: 998 } },
      ]
      const parts = []
      for (const copy of copies) {
        const { etag } = await session.do('UploadPartCopy', { ...place, ...copy })
        parts.push({ partNumber: copy.partNumber, etag })
      }
      const composed = Buffer.concat([one, two])
      const expected = [
        whole,
        whole.subarray(range.first, range.last + 1),
        composed,
        composed.subarray(range.first, range.last + 1),
        tail.subarray(1, 999),
      ]
      assert.deepEqual(
        parts.map(({ etag }) => etag),
        expected.map(md5),
      )
      const done = await session.complete('k', uploadId, parts)
      for (const key of ['large', 'small', 'composed']) await session.delete(key)
      const bytes = await session.get('k')
      assert.ok(bytes.equals(Buffer.concat(expected)))
      assert.equal(done.checksum?.value, checksumValue('CRC64NVME', bytes))
    })

    test('are refused outside of the source, without it, and when it is another by now', async () => {
      await session.put('k2', whole)
      const uploadId = await session.upload('target')
      const place = { key: 'target', uploadId, partNumber: 1 }
      const good = await source('k2')
      for (const range of [
        { first: 0, last: whole.length },
        { first: 5, last: 4 },
        { first: -1, last: 4 },
      ]) {
        const copy = session.do('UploadPartCopy', { ...place, source: good, range })
        await refused(copy, 'invalid_range')
      }
      const missing = { ...good, key: 'none' }
      await refused(session.do('UploadPartCopy', { ...place, source: missing }), 'no_such_key')
      const other = { ...good, etag: md5(tail) }
      const conflict = session.do('UploadPartCopy', { ...place, source: other })
      await refused(conflict, 'conditional_conflict')
      const { parts } = await session.do('ListParts', {
        key: 'target',
        uploadId,
        partNumberMarker: 0,
        maxParts: 10,
      })
      assert.deepEqual(parts, [])
    })
  })
}

function uploadListingClaims(newSession: NewSession): void {
  describe('listings', () => {
    test('of parts go by number and page', async () => {
      const session = await newSession()
      const checksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' } as const
      const uploadId = await session.upload('k', { checksum })
      for (const number of [3, 1, 7]) await session.part('k', uploadId, number, tail)
      const ask = { key: 'k', uploadId, partNumberMarker: 0, maxParts: 2 }
      const page = await session.do('ListParts', ask)
      assert.deepEqual(
        page.parts.map(({ partNumber, size, etag }) => [partNumber, size, etag]),
        [1, 3].map((number) => [number, tail.length, md5(tail)]),
      )
      assert.deepEqual([page.nextPartNumberMarker, page.upload.checksum], [3, checksum])
      const next = await session.do('ListParts', { ...ask, partNumberMarker: 3 })
      assert.deepEqual([next.parts.length, next.nextPartNumberMarker], [1, undefined])
      const made = session.do('ListParts', { ...ask, uploadId: 'made-up' })
      await refused(made, 'no_such_upload')
    })

    test('of uploads go by key, then by age, collapse by delimiter, and page', async () => {
      const session = await newSession()
      const begun: string[] = []
      for (const key of ['b', 'a/1', 'a/2', 'b', 'c']) {
        begun.push(`${key} ${await session.upload(key)}`)
      }
      const all = { prefix: '', delimiter: '', keyMarker: '', maxUploads: 1000 }
      const { uploads } = await session.do('ListMultipartUploads', all)
      const seen = uploads.map(({ key, uploadId }) => `${key} ${uploadId}`)
      const expected = [1, 2, 0, 3, 4].map((i) => begun[i])
      assert.deepEqual(seen, expected)

      const collapsed = await session.do('ListMultipartUploads', { ...all, delimiter: '/' })
      assert.deepEqual([collapsed.commonPrefixes, collapsed.uploads.length], [['a/'], 3])
      for (const maxUploads of [1, 2, 3]) {
        const paged: string[] = []
        let next: { keyMarker?: string; uploadIdMarker?: string } | undefined = {}
        while (next !== undefined) {
          const ask: Ask = { ...all, ...next, maxUploads }
          const page: OriginResponse<'ListMultipartUploads'> = await session.do(
            'ListMultipartUploads',
            ask,
          )
          paged.push(...page.uploads.map(({ key, uploadId }) => `${key} ${uploadId}`))
          next = page.next
        }
        assert.deepEqual(paged, expected)
      }
    })
  })
}
