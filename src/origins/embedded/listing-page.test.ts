import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { IndexDatabase } from './index-database.ts'
import { listObjects, listUploads, listVersions } from './listings.ts'

const keysPerPrefix = 100_000

describe('listings of a large index', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-index-'))
  let index: IndexDatabase
  let stepped = 0

  before(() => {
    index = IndexDatabase.openWriter(join(dir, 'objects.db'))
    index.run('BEGIN')
    for (let i = 0; i < keysPerPrefix; i++) {
      addVersion(`many/${String(i).padStart(6, '0')}`, i)
      addUpload(`many/${String(i).padStart(6, '0')}`)
    }
    for (const key of ['a', 'z1', 'z2']) {
      addVersion(key, 1)
      addUpload(key)
    }
    // One key with many old versions, one with many under a delete marker.
    for (let i = 0; i < 10_000; i++) {
      addVersion('old', i, { current: i === 9999 ? 1 : 0 })
      addVersion('old-deleted', i, { current: i === 9999 ? 1 : 0, marker: i === 9999 ? 1 : 0 })
    }
    index.run('COMMIT')
  })
  after(() => {
    index.close()
    rmSync(dir, { recursive: true })
  })

  function addVersion(key: string, sequence: number, flags = {}): void {
    const { current, marker } = { current: 1, marker: 0, ...flags }
    index.run(
      `INSERT INTO version VALUES (1, ?, ?, ?, ?, ?, 0, 0, '', NULL, NULL, NULL, NULL, NULL)`,
      Buffer.from(key),
      -sequence,
      String(sequence),
      current,
      marker,
    )
  }

  function addUpload(key: string): void {
    index.run(`INSERT INTO upload VALUES (1, ?, 'id', 0, NULL, NULL, NULL, NULL)`, Buffer.from(key))
  }

  /** The same index, counting each row that SQLite hands over. */
  function counting(): IndexDatabase {
    stepped = 0
    const each = function* (...query: Parameters<IndexDatabase['each']>): Iterable<unknown> {
      for (const row of index.each(...query)) {
        stepped++
        yield row
      }
    }
    return new Proxy(index, {
      get: (target, name) => (name === 'each' ? each : Reflect.get(target, name, target)),
    })
  }

  const all = { prefix: '', delimiter: '/', maxKeys: 1000 }

  test('step over a common prefix of 100 000 keys without scanning it', () => {
    const page = listObjects(counting(), 1, { ...all, after: '' })
    assert.deepEqual(page.commonPrefixes, ['many/'])
    assert.equal(page.objects.length, 4)
    assert.ok(stepped <= 6, `${stepped} rows`)
  })

  test('continue behind a common prefix without scanning it', () => {
    const page = listObjects(counting(), 1, { ...all, after: 'many/' })
    assert.deepEqual(
      page.objects.map(({ key }) => key),
      ['old', 'z1', 'z2'],
    )
    assert.ok(stepped <= 4, `${stepped} rows`)
  })

  test('read one row more than they list, also in the middle', () => {
    const ask = { ...all, delimiter: '', after: 'many/050000', maxKeys: 10 }
    assert.equal(listObjects(counting(), 1, ask).objects.length, 10)
    assert.ok(stepped <= 11, `${stepped} rows`)
  })

  test('of objects step over old versions and delete markers', () => {
    listObjects(counting(), 1, { ...all, prefix: 'old', after: '' })
    assert.equal(stepped, 1)
  })

  test('of versions and of uploads step over common prefixes alike', () => {
    const versions = listVersions(counting(), 1, { ...all, keyMarker: '', maxKeys: 2 })
    assert.deepEqual(versions.commonPrefixes, ['many/'])
    assert.ok(stepped <= 3, `${stepped} rows`)
    const ask = { prefix: '', delimiter: '/', keyMarker: '', maxUploads: 1000 }
    const uploads = listUploads(counting(), 1, ask)
    assert.deepEqual([uploads.commonPrefixes, uploads.uploads.length], [['many/'], 3])
    assert.ok(stepped <= 5, `${stepped} rows`)
  })

  test('search by index from their start, and sort nothing', () => {
    const plans = [
      `SELECT * FROM version INDEXED BY live
       WHERE bucket = 1 AND current = 1 AND marker = 0 AND key >= x'00' AND key < x'ff' ORDER BY key`,
      `SELECT * FROM version
       WHERE bucket = 1 AND (key, rank) > (x'00', 1) AND key < x'ff' ORDER BY key, rank`,
      `SELECT * FROM upload
       WHERE bucket = 1 AND (key, upload_id) > (x'00', '') AND key < x'ff' ORDER BY key, upload_id`,
    ]
    for (const sql of plans) {
      const steps = index.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      assert.equal(steps.length, 1)
      assert.match(steps[0]?.detail ?? '', /^SEARCH .*bucket=\? AND \(?key/)
    }
  })
})
