import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import type { Origin } from '../../s3/index.ts'
import { openEmbeddedOrigin } from '../index.ts'
import { bodyOf, bytesOf, md5, patterned, plain } from '../testing/bodies.ts'
import { originConformance } from '../testing/conformance.ts'
import { refused, Session } from '../testing/session.ts'

const clock = (): Date => new Date()

function open(dir: string): Promise<Origin> {
  return openEmbeddedOrigin({ dir, clock, random: randomBytes })
}

originConformance('embedded', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-origin-'))
  const origin = await open(dir)
  return {
    origin,
    async dispose() {
      await origin.close()
      assert.deepEqual(filesIn(join(dir, 'tmp')), [])
      rmSync(dir, { recursive: true })
    },
  }
})

describe('embedded origin', () => {
  const root = mkdtempSync(join(tmpdir(), 'daypass-origin-'))
  after(() => rmSync(root, { recursive: true }))
  let count = 0
  const newDir = (): string => join(root, String(count++))

  async function withBucket(dir: string): Promise<Session> {
    const origin = await open(dir)
    await origin.handle('CreateBucket', { bucket: 'bucket' }).catch(() => undefined)
    return new Session(origin, 'bucket')
  }

  test('still has everything after it was closed and opened again', async () => {
    const dir = newDir()
    const first = await withBucket(dir)
    await first.put('small', 'small')
    await first.put('large', patterned(1_000_000))
    const uploadId = await first.upload('k')
    const part = await first.part('k', uploadId, 1, patterned(100))
    await first.origin.close()
    const second = await withBucket(dir)
    assert.equal((await second.get('small')).toString(), 'small')
    assert.ok((await second.get('large')).equals(patterned(1_000_000)))
    await second.complete('k', uploadId, [part])
    assert.ok((await second.get('k')).equals(patterned(100)))
    await second.origin.close()
  })

  test('keeps everybody but the owner out', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('large', patterned(100_000))
    for (const name of ['objects.db', 'objects.db-wal', 'objects.db-shm', 'objects.lock']) {
      assert.equal(statSync(join(dir, name)).mode & 0o077, 0, name)
    }
    assert.equal(statSync(dir).mode & 0o077, 0)
    for (const file of filesIn(join(dir, 'data'))) assert.equal(statSync(file).mode & 0o077, 0)
    await session.origin.close()
  })

  test('lets nobody else open its directory while it lives, and everybody after', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await assert.rejects(open(dir), /in use/)
    await session.put('k')
    await session.origin.close()
    await (await open(dir)).close()
  })

  test('refuses everything once it is closed', async () => {
    const session = await withBucket(newDir())
    await session.origin.close()
    await session.origin.close()
    await refused(session.put('k'), 'unavailable')
    await refused(session.get('k'), 'unavailable')
  })

  test('names the file that it cannot open', async () => {
    const dir = newDir()
    await (await open(dir)).close()
    writeFileSync(join(dir, 'objects.db'), 'x'.repeat(8192))
    await assert.rejects(open(dir), /\/objects\.db cannot be opened: file is not a database/)
  })

  test('refuses an index of another schema, and lets go of the directory', async () => {
    const dir = newDir()
    await (await open(dir)).close()
    const database = new DatabaseSync(join(dir, 'objects.db'))
    database.exec('PRAGMA user_version = 99')
    await assert.rejects(open(dir), /schema 99/)
    database.exec('PRAGMA user_version = 1')
    database.close()
    await (await open(dir)).close()
  })

  test('refuses to start, and to sweep, when the index of its data is gone', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('large', patterned(1_000_000))
    await session.origin.close()
    const file = join(dir, 'objects.db')
    renameSync(file, `${file}.away`)
    await assert.rejects(open(dir), /no index/)
    writeFileSync(file, '')
    await assert.rejects(open(dir), /no index/)
    renameSync(`${file}.away`, file)
    const again = await withBucket(dir)
    assert.ok((await again.get('large')).equals(patterned(1_000_000)))
    await again.origin.close()
  })

  for (const name of ['objects.db', 'objects.db-wal']) {
    test(`acknowledges nothing into a ${name} that was deleted or replaced under it`, async () => {
      const dir = newDir()
      const session = await withBucket(dir)
      await session.put('k', 'before')
      const file = join(dir, name)
      renameSync(file, `${file}.away`)
      await refusedFor(session.put('lost'), file)
      await refusedFor(session.delete('k'), file)
      writeFileSync(file, 'somebody else')
      await refusedFor(session.put('lost', patterned(100_000)), file)
      assert.equal((await session.get('k')).toString(), 'before')
      renameSync(`${file}.away`, file)
      await session.put('back')
      await session.origin.close()
      const again = await withBucket(dir)
      assert.deepEqual(await again.keys(), ['back', 'k'])
      await again.origin.close()
    })
  }

  test('acknowledges nothing when its whole directory was moved away', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('k')
    renameSync(dir, `${dir}.away`)
    await refused(session.put('lost'), 'unavailable')
    await refusedFor(session.delete('k'), join(dir, 'objects.db'))
    await session.origin.close()
    const again = await withBucket(`${dir}.away`)
    assert.deepEqual(await again.keys(), ['k'])
    await again.origin.close()
  })

  test('names its data files by nothing that comes from a key', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('../../secret-name', patterned(100_000))
    const files = filesIn(dir)
    assert.ok(files.every((file) => !file.includes('secret')))
    assert.equal(filesIn(join(dir, 'data')).length, 1)
    await session.origin.close()
  })

  test('parses the list of parts only for a read that asks for one', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    const uploadId = await session.upload('k')
    const part = await session.part('k', uploadId, 1, patterned(100_000))
    await session.complete('k', uploadId, [part])
    await session.origin.close()
    // Ten thousand parts would take 25 ms of everybody's time; these cannot be parsed at all.
    const database = new DatabaseSync(join(dir, 'objects.db'))
    database.exec(`UPDATE content SET parts = 'not JSON' WHERE parts IS NOT NULL`)
    database.close()
    const again = await withBucket(dir)
    assert.equal((await again.do('HeadObject', { key: 'k' })).size, 100_000)
    const range = { kind: 'from-to', first: 7, last: 9 } as const
    assert.ok((await again.get('k', { range })).equals(patterned(100_000).subarray(7, 10)))
    await assert.rejects(again.get('k', { partNumber: 1 }), SyntaxError)
    await again.origin.close()
  })

  test('removes data files with the last object that shares them', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    const data = (): string[] => filesIn(join(dir, 'data'))
    const { etag } = await session.put('k', patterned(100_000))
    const source = { bucket: 'bucket', key: 'k', etag }
    await session.do('CopyObject', { source, key: 'copy', conditions: {} })
    assert.equal(data().length, 1)
    await session.delete('k')
    assert.equal(data().length, 1)
    const { body } = await session.do('GetObject', { key: 'copy' })
    await session.delete('copy')
    assert.equal(data().length, 1, 'a reader still has it')
    assert.ok((await bytesOf(body)).equals(patterned(100_000)))
    await eventually(() => data().length === 0)
    await session.origin.close()
  })

  test('removes the files of refused writes, aborted uploads and replaced parts', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    const large = patterned(200_000)
    const uploadId = await session.upload('k')
    await session.part('k', uploadId, 1, large)
    await session.part('k', uploadId, 1, large)
    await session.do('AbortMultipartUpload', { key: 'k', uploadId })
    await session.put('k', 'there')
    const writes = Array.from({ length: 5 }, (_, i) =>
      session.put('new', patterned(200_000, i), { conditions: { ifNoneMatch: '*' } }),
    )
    await Promise.allSettled(writes)
    const forged = bodyOf(large, { breakAt: 150_000 })
    const put = { key: 'forged', body: forged, attributes: plain, conditions: {} }
    await assert.rejects(session.do('PutObject', put))
    await eventually(() => filesIn(join(dir, 'data')).length === 1)
    assert.deepEqual(filesIn(join(dir, 'tmp')), [])
    await session.origin.close()
  })

  test('copies a whole object without reading it where its digests are known', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    const bytes = patterned(6_000_000)
    const { etag, checksum } = await session.put('k', bytes)
    const source = { bucket: 'bucket', key: 'k', etag }
    const uploadId = await session.upload('big')
    const declared = { algorithm: 'SHA256', type: 'COMPOSITE' } as const
    const other = await session.upload('other', { checksum: declared })
    const part = { key: 'big', uploadId, source }
    const [file = ''] = filesIn(join(dir, 'data'))
    renameSync(file, `${file}.away`)
    const whole = await session.do('UploadPartCopy', { ...part, partNumber: 1 })
    assert.deepEqual([whole.etag, whole.checksum], [md5(bytes), checksum])
    const range = { first: 0, last: bytes.length - 1 }
    const all = await session.do('UploadPartCopy', { ...part, partNumber: 2, range })
    assert.equal(all.etag, md5(bytes))
    const copying = { source, key: 'copy', conditions: {} }
    await session.do('CopyObject', { ...copying, checksumAlgorithm: 'CRC64NVME' })
    // These have to be computed.
    const less = { ...part, partNumber: 3, range: { first: 1, last: bytes.length - 1 } }
    await refused(session.do('UploadPartCopy', less), 'unavailable')
    const summed = { source, key: 'other', uploadId: other, partNumber: 1 }
    await refused(session.do('UploadPartCopy', summed), 'unavailable')
    await refused(
      session.do('CopyObject', { ...copying, checksumAlgorithm: 'SHA1' }),
      'unavailable',
    )
    renameSync(`${file}.away`, file)
    const parts = [whole, all].map(({ etag }, i) => ({ partNumber: i + 1, etag }))
    const { etag: multipart } = await session.complete('big', uploadId, parts)
    assert.ok((await session.get('big')).equals(Buffer.concat([bytes, bytes])))
    // The ETag of a multipart object is not what its bytes hash to.
    const twice = { bucket: 'bucket', key: 'big', etag: multipart }
    const third = await session.upload('third')
    const request = { key: 'third', uploadId: third, partNumber: 1, source: twice }
    const hashed = await session.do('UploadPartCopy', request)
    assert.equal(hashed.etag, md5(Buffer.concat([bytes, bytes])))
    await session.origin.close()
  })

  test('sweeps what a crash left behind when it is opened', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('k', patterned(100_000))
    await session.origin.close()
    const [kept] = filesIn(join(dir, 'data'))
    assert.ok(kept !== undefined)
    const directory = join(kept, '..')
    writeFileSync(join(dir, 'tmp', 'unfinished'), 'x')
    writeFileSync(join(directory, 'never-committed'), 'x')
    writeFileSync(join(directory, 'to-be-deleted'), 'x')
    const database = new DatabaseSync(join(dir, 'objects.db'))
    database.exec(`INSERT INTO garbage VALUES ('00000001/to-be-deleted'), ('00000001/long-gone')`)
    database.close()
    const again = await withBucket(dir)
    assert.deepEqual(filesIn(join(dir, 'data')), [kept])
    assert.deepEqual(filesIn(join(dir, 'tmp')), [])
    assert.ok((await again.get('k')).equals(patterned(100_000)))
    await again.origin.close()
  })

  test('begins a new data directory after a thousand files', async () => {
    const dir = newDir()
    const session = await withBucket(dir)
    const bytes = patterned(70_000)
    for (let i = 0; i < 1100; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => session.put(`k${i + j}`, bytes)))
    }
    assert.deepEqual(readdirSync(join(dir, 'data')), ['00000001', '00000002'])
    await session.origin.close()
    const again = await withBucket(dir)
    assert.ok((await again.get('k1')).equals(bytes))
    assert.ok((await again.get('k1099')).equals(bytes))
    assert.equal(filesIn(join(dir, 'data')).length, 1100)
    await again.origin.close()
  })

  test('leaves so much of the disk free that a full one can be emptied', async () => {
    const dir = newDir()
    const disk = { bsize: 4096, blocks: 2_000_000, bavail: 1_000_000 }
    const origin = await openEmbeddedOrigin({
      dir,
      clock,
      random: randomBytes,
      readFreeSpace: () => disk,
    })
    const session = new Session(origin, 'bucket')
    await origin.handle('CreateBucket', { bucket: 'bucket' })
    const { etag } = await session.put('large', patterned(1_000_000))
    const uploadId = await session.upload('k')
    disk.bavail = 17_000 // above what is kept, but not by a whole large object
    await refused(session.put('other', patterned(5_000_000)), 'unavailable')
    await session.put('small')
    disk.bavail = 16_000
    await refused(session.put('small too'), 'unavailable')
    await refused(session.part('k', uploadId, 1, patterned(100)), 'unavailable')
    const form = { ...bodyOf(patterned(1_000_000)), size: undefined }
    const put = { key: 'form', body: form, attributes: plain, conditions: {} }
    await refused(session.do('PutObject', put), 'unavailable')
    const source = { bucket: 'bucket', key: 'large', etag }
    const copy = session.do('CopyObject', { source, key: 'copy', conditions: {} })
    await refused(copy, 'unavailable')
    const part = { key: 'k', uploadId, partNumber: 1, source }
    await refused(session.do('UploadPartCopy', part), 'unavailable')
    await refused(session.upload('another'), 'unavailable')
    const tag = (tags: Map<string, string>) =>
      session.do('PutObjectTagging', { key: 'small', tags })
    await refused(tag(new Map([['t', '1']])), 'unavailable')
    await tag(new Map())
    assert.equal((await session.get('small')).toString(), 'small')
    await session.delete('large')
    await session.do('AbortMultipartUpload', { key: 'k', uploadId })
    await eventually(() => filesIn(join(dir, 'data')).length === 0)
    disk.bavail = 1_000_000
    await session.put('other', patterned(5_000_000))
    assert.deepEqual(filesIn(join(dir, 'tmp')), [])
    await origin.close()
  })

  test('refuses a form that turns out to be larger than what is left', async () => {
    const dir = newDir()
    const disk = { bsize: 4096, blocks: 2_000_000, bavail: 1_000_000 }
    const origin = await openEmbeddedOrigin({
      dir,
      clock,
      random: randomBytes,
      // What is written is gone.
      readFreeSpace: () => ({ ...disk, bavail: (disk.bavail -= 50) }),
    })
    const session = new Session(origin, 'bucket')
    await origin.handle('CreateBucket', { bucket: 'bucket' })
    disk.bavail = 16_384 + 50 + 128 + 60
    const form = { ...bodyOf(patterned(4_000_000)), size: undefined }
    const put = { key: 'form', body: form, attributes: plain, conditions: {} }
    await refused(session.do('PutObject', put), 'unavailable')
    assert.deepEqual(filesIn(join(dir, 'tmp')), [])
    await origin.close()
  })

  test('answers unavailable when the disk fails, and is whole afterwards', async (context) => {
    if (process.getuid?.() === 0) {
      // Root writes into a read-only directory: a missing one stands for the broken disk.
      context.diagnostic('as root: the directory for unfinished files is taken away instead')
    }
    const dir = newDir()
    const session = await withBucket(dir)
    await session.put('k', 'before')
    const large = patterned(1_000_000)
    chmodSync(join(dir, 'tmp'), 0o500)
    if (process.getuid?.() === 0) rmSync(join(dir, 'tmp'), { recursive: true })
    await refused(session.put('k', large), 'unavailable')
    assert.equal((await session.get('k')).toString(), 'before')
    await session.put('small', 'small objects need no file')
    await session.origin.close()
    if (existsSync(join(dir, 'tmp'))) chmodSync(join(dir, 'tmp'), 0o700)
    const again = await withBucket(dir)
    await again.put('k', large)
    assert.ok((await again.get('k')).equals(large))
    await again.origin.close()
  })
})

/** Unavailable, and our log is told which file is missing. */
async function refusedFor(operation: Promise<unknown>, file: string): Promise<void> {
  await refused(operation, 'unavailable')
  const { cause } = (await operation.catch((error: Error) => error)) as Error
  assert.ok(String(cause).includes(file), String(cause))
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200 && !condition(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.ok(condition())
}
