import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WatchEvent } from '../../state.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryState } from './memory-state.ts'

describe('the store in memory', () => {
  it('writes all or nothing, by the revisions that were seen', async () => {
    const state = new MemoryState()
    const first = await state.commit([{ key: 'a', revision: 0 }], [put('a', '1'), put('b', '1')])
    assert.ok(first.committed)
    const late = await state.commit([{ key: 'a', revision: 0 }], [put('a', '2'), put('c', '2')])
    assert.deepEqual(late, { committed: false, failed: { key: 'a', revision: 0 } })
    assert.equal(await state.get('c'), undefined)
    const again = await state.commit([{ key: 'a', revision: first.revision }], [put('a', '2')])
    assert.ok(again.committed && again.revision > first.revision)
    const { entries, revision } = await state.list('')
    assert.deepEqual(
      entries.map(({ key, value }) => [key, value]),
      [
        ['a', '2'],
        ['b', '1'],
      ],
    )
    assert.equal(revision, again.revision)
  })

  it('forgets entries when their time has come, and says so to a watch', async () => {
    const clock = new FakeClock()
    const state = new MemoryState({ clock: clock.now })
    const expiresAt = new Date(clock.now().getTime() + 1000)
    await state.commit([], [{ ...put('a/1', '1'), expiresAt }])
    const { revision } = await state.list('a/')
    const stop = new AbortController()
    const events = state.watch('a/', revision, stop.signal)
    await events.next()
    clock.advance(1000)
    assert.equal(await state.get('a/1'), undefined)
    assert.equal(kindOf((await events.next()).value), 'changes')
    stop.abort()
    assert.equal((await events.next()).done, true)
  })

  it('shows a watch every change under its prefix once and in order, then signs of life', async () => {
    const state = new MemoryState({ progressMs: 5 })
    const stop = new AbortController()
    await state.commit([], [put('a/1', '1')])
    await state.commit([], [put('b/1', '1')])
    await state.commit([], [put('a/2', '1'), { kind: 'delete', key: 'a/1' }])
    const events = state.watch('a/', 1, stop.signal)
    const value: WatchEvent | undefined = (await events.next()).value
    assert.ok(value?.kind === 'changes')
    const seen = value.changes.map((change) =>
      change.kind === 'put' ? `put ${change.entry.key}` : `delete ${change.key}`,
    )
    assert.deepEqual(seen, ['put a/1', 'put a/2', 'delete a/1'])
    assert.equal(kindOf((await events.next()).value), 'progress')
    stop.abort()
  })

  it('says compacted for a revision that it no longer keeps', async () => {
    const state = new MemoryState()
    await state.commit([], [put('a', '1')])
    state.compact()
    const events = state.watch('a', 1, new AbortController().signal)
    assert.equal(kindOf((await events.next()).value), 'compacted')
    assert.equal((await events.next()).done, true)
  })

  it('breaks one view and leaves the other alone', async () => {
    const state = new MemoryState()
    const other = state.connect()
    const events = other.watch('', 1, new AbortController().signal)
    await events.next()
    other.cut()
    await assert.rejects(events.next(), /cut/)
    other.failing = true
    await assert.rejects(other.get('a'))
    assert.equal((await state.commit([], [put('a', '1')])).committed, true)
  })
})

function put(key: string, value: string): { kind: 'put'; key: string; value: string } {
  return { kind: 'put', key, value }
}

function kindOf(event: WatchEvent | undefined): string | undefined {
  return event?.kind
}
