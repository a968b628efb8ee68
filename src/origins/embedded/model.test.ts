import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { openEmbeddedOrigin } from '../index.ts'
import { bytesOf, md5, patterned } from '../testing/bodies.ts'
import { Model } from '../testing/model.ts'
import { Session } from '../testing/session.ts'

const objectKey = fc.constantFrom(
  'a',
  'a/',
  'a/b',
  'a//b',
  'a/../b',
  '..',
  '/',
  '//',
  '%2F',
  'a%2Fb',
  'b',
  'b/1',
  'b/2',
  'b/2/3',
  'é',
  'e\u0301',
  '\uffff',
  '\uffff/x',
  '😀',
  '😀/x',
  '\u0000',
  '\u0001/\u0001',
  '~',
  'z'.repeat(1024),
)
const size = fc.constantFrom(0, 1, 100, 65_536, 65_537, 90_000)
const delimiter = fc.constantFrom('', '/', '//', '2', '😀')
const prefix = fc.constantFrom('', 'a', 'a/', 'b/', '/', '😀', '\uffff', 'none', 'b/2')
const pick = fc.nat(20)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), key: objectKey, size }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete'), key: objectKey }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deleteVersion'), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy'), pick, key: objectKey }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('multipart'), key: objectKey, size }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('enable') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('suspend') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('list'),
      prefix,
      delimiter,
      maxKeys: fc.integer({ min: 1, max: 6 }),
    }),
  },
)

type Step = {
  do: string
  key?: string
  size?: number
  pick?: number
  prefix?: string
  delimiter?: string
  maxKeys?: number
}

describe('embedded origin, against a model', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-model-'))
  let origin: Awaited<ReturnType<typeof openEmbeddedOrigin>>
  let buckets = 0
  before(async () => {
    origin = await openEmbeddedOrigin({ dir, clock: () => new Date(), random: randomBytes })
  })
  after(async () => {
    await origin.close()
    rmSync(dir, { recursive: true })
  })

  test('agrees after any sequence of writes, deletes, copies, uploads and listings', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps: Step[]) => {
        const bucket = `model-${buckets++}`
        await origin.handle('CreateBucket', { bucket })
        const session = new Session(origin, bucket)
        const model = new Model()
        for (const [i, one] of steps.entries()) await take(session, model, one, i)
        await compareWhole(session, model)
      }),
      { numRuns: 150 },
    )
  })
})

async function take(session: Session, model: Model, one: Step, seed: number): Promise<void> {
  const { key = '', size: length = 0 } = one
  switch (one.do) {
    case 'put': {
      const bytes = patterned(length, seed + 1)
      const { versionId } = await session.put(key, bytes)
      model.put(key, versionId, { bytes, etag: md5(bytes) })
      return
    }
    case 'delete': {
      const { versionId, deleteMarker } = await session.delete(key)
      assert.equal(deleteMarker, model.versioning !== 'Off')
      model.delete(key, versionId)
      return
    }
    case 'deleteVersion': {
      const version = model.pick(one.pick ?? 0)
      if (version === undefined) return
      await session.delete(version.key, version.versionId)
      model.deleteVersion(version.key, version.versionId)
      return
    }
    case 'copy': {
      const version = model.pick(one.pick ?? 0)
      if (version?.object === undefined) return
      const { etag } = version.object
      const source = {
        bucket: session.bucket,
        key: version.key,
        versionId: version.versionId,
        etag,
      }
      const copied = await session.do('CopyObject', { source, key, conditions: {} })
      model.put(key, copied.versionId, version.object)
      return
    }
    case 'multipart': {
      const bytes = patterned(length, seed + 1)
      const uploadId = await session.upload(key)
      const part = await session.part(key, uploadId, 1, bytes)
      const { etag, versionId } = await session.complete(key, uploadId, [part])
      model.put(key, versionId, { bytes, etag })
      return
    }
    case 'enable':
    case 'suspend': {
      const status = one.do === 'enable' ? 'Enabled' : 'Suspended'
      await session.do('PutBucketVersioning', { status })
      model.versioning = status
      return
    }
    default:
      await compareLists(session, model, one)
  }
}

async function compareLists(session: Session, model: Model, one: Step): Promise<void> {
  const { prefix = '', delimiter = '', maxKeys = 1000 } = one
  const seen: string[] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await session.list({ prefix, delimiter, maxKeys, after })
    const objects = page.objects.map(({ key, etag }) => `${key} ${etag}`)
    const entries = [...objects, ...page.commonPrefixes]
    assert.ok(entries.length <= maxKeys && (page.nextAfter === undefined || entries.length > 0))
    seen.push(...entries)
    after = page.nextAfter
  }
  assert.deepEqual(seen.toSorted(), model.list(prefix, delimiter).toSorted())
}

async function compareWhole(session: Session, model: Model): Promise<void> {
  await compareLists(session, model, { do: 'list' })
  const { versions } = await session.versions()
  assert.deepEqual(
    versions.map(({ key, versionId, isLatest, deleteMarker }) => ({
      key,
      versionId,
      isLatest,
      deleteMarker,
    })),
    model.versions(),
  )
  for (const { key, versionId, object } of model.all()) {
    if (object === undefined) continue
    const got = await session.do('GetObject', { key, versionId })
    assert.equal(got.object.etag, object.etag)
    assert.ok((await bytesOf(got.body)).equals(object.bytes))
  }
}
