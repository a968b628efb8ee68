import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { refused } from '../testing/session.ts'
import type { Commands } from './commands.ts'
import { IndexDatabase } from './index-database.ts'
import { Writer } from './writer.ts'

describe('the writer', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-writer-'))
  const file = join(dir, 'objects.db')
  let writer: Writer
  before(async () => {
    writer = await Writer.open(file, () => undefined)
  })
  after(async () => {
    await writer.close()
    rmSync(dir, { recursive: true })
  })

  function create(name: string): Promise<undefined> {
    return writer.run('CreateBucket', { name, at: 0 })
  }

  function names(): string[] {
    const index = IndexDatabase.openReader(file)
    const rows = index.rows<{ name: string }>('SELECT name FROM bucket ORDER BY name')
    index.close()
    return rows.map(({ name }) => name)
  }

  test('a command that trips over a fault of ours takes nobody along', async () => {
    const faulty = { name: Symbol.iterator.toString(), at: 'never' } as unknown
    const [first, bad, refusal, last] = await Promise.allSettled([
      create('a'),
      writer.run('CreateBucket', faulty as Commands['CreateBucket']['request']), // oxlint-disable-line typescript/no-unsafe-type-assertion -- wrong on purpose
      create('a'),
      create('b'),
    ])
    assert.equal(first.status, 'fulfilled')
    assert.equal(last.status, 'fulfilled')
    await refused(settled(bad), 'unavailable')
    await refused(settled(refusal), 'bucket_exists')
    assert.deepEqual(names(), ['a', 'b'])
  })

  test('a request that cannot cross to the thread is refused, and the next one is served', async () => {
    const uncloneable = { name: 'x', at: () => 0 } as unknown
    const bad = writer.run('CreateBucket', uncloneable as Commands['CreateBucket']['request']) // oxlint-disable-line typescript/no-unsafe-type-assertion -- wrong on purpose
    await refused(bad, 'unavailable')
    await create('c')
    assert.deepEqual(names(), ['a', 'b', 'c'])
  })

  test('finishes what was asked for before it closes, and refuses what comes after', async () => {
    const asked = Array.from({ length: 600 }, (_, i) => create(`many-${i}`))
    const closed = writer.close()
    await refused(create('late'), 'unavailable')
    await Promise.all([...asked, closed])
    assert.equal(names().length, 603)
    writer = await Writer.open(file, () => undefined)
  })
})

function settled(result: PromiseSettledResult<unknown>): Promise<unknown> {
  return result.status === 'fulfilled' ? Promise.resolve() : Promise.reject(result.reason)
}
