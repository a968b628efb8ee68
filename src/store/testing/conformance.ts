import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Change, State, WatchEvent } from '../../state.ts'

/** One empty space, and any number of members that have it open. The clock is the real one. */
export type StateFixture = Readonly<{
  open(): Promise<State>
  /** Makes everything up to the current revision unavailable to a watch. */
  compact(state: State): Promise<void>
  dispose(): Promise<void>
}>

/** What every adapter of the State port must do. */
export function stateConformance(name: string, create: () => Promise<StateFixture>): void {
  describe(`State port: ${name}`, { concurrency: false }, () => {
    let fixture: StateFixture
    let one: State
    let two: State
    before(async () => {
      fixture = await create()
      one = await fixture.open()
      two = await fixture.open()
    })
    after(async () => {
      await Promise.all([one.close(), two.close()])
      await fixture.dispose()
    })

    test('gives back what was put, with the revision of the commit', async () => {
      const revision = await put(one, 'a/text', 'ü € 😀')
      assert.deepEqual(await one.get('a/text'), { key: 'a/text', value: 'ü € 😀', revision })
    })

    test('shows a commit to every member at once', async () => {
      const revision = await put(one, 'a/shared', '1')
      assert.equal((await two.get('a/shared'))?.revision, revision)
    })

    test('answers undefined for what was never there and for what is deleted', async () => {
      assert.equal(await one.get('none'), undefined)
      await put(one, 'a/gone', '1')
      await one.commit([], [{ kind: 'delete', key: 'a/gone' }])
      assert.equal(await two.get('a/gone'), undefined)
    })

    test('lists a prefix in order of keys and nothing beside it', async () => {
      for (const key of ['list/b', 'list/a', 'list/a/x', 'list', 'listing', 'lis/t']) {
        await put(one, key, key)
      }
      const { entries } = await two.list('list/')
      const keys = entries.map((entry) => entry.key)
      assert.deepEqual(keys, ['list/a', 'list/a/x', 'list/b'])
    })

    test('takes prefixes as text: % and _ and * mean themselves', async () => {
      await put(one, 'wild/axb', '1')
      for (const prefix of ['wild/a_', 'wild/%', 'wild/*']) {
        assert.deepEqual((await one.list(prefix)).entries, [])
      }
    })

    test('grows the revision with every commit', async () => {
      const first = await put(one, 'a/one', '1')
      const second = await put(two, 'a/two', '1')
      assert.ok(second > first)
      assert.equal((await one.list('')).revision, second)
    })

    describe('compare and set', () => {
      test('refuses a create when the key exists, and writes nothing', async () => {
        await put(one, 'cas/here', 'old')
        const failed = { key: 'cas/here', revision: 0 }
        const commit = await two.commit(
          [failed],
          [
            { kind: 'put', key: 'cas/here', value: 'new' },
            { kind: 'put', key: 'cas/else', value: 'new' },
          ],
        )
        assert.deepEqual(commit, { committed: false, failed })
        assert.equal((await one.get('cas/here'))?.value, 'old')
        assert.equal(await one.get('cas/else'), undefined)
      })

      test('refuses a revision that is no longer current', async () => {
        const stale = await put(one, 'cas/moved', '1')
        await put(two, 'cas/moved', '2')
        const write = { kind: 'put', key: 'cas/moved', value: '3' } as const
        const commit = await one.commit([{ key: 'cas/moved', revision: stale }], [write])
        assert.equal(commit.committed, false)
      })

      test('refuses a condition on a deleted key, and takes its absence', async () => {
        const revision = await put(one, 'cas/deleted', '1')
        await one.commit([], [{ kind: 'delete', key: 'cas/deleted' }])
        const write = { kind: 'put', key: 'cas/deleted', value: '2' } as const
        const refused = await two.commit([{ key: 'cas/deleted', revision }], [write])
        assert.equal(refused.committed, false)
        const taken = await two.commit([{ key: 'cas/deleted', revision: 0 }], [write])
        assert.equal(taken.committed, true)
      })

      test('names the first condition that fails, though others hold', async () => {
        const revision = await put(one, 'cas/true', '1')
        const failed = { key: 'cas/true', revision: revision + 1 }
        const commit = await one.commit([{ key: 'cas/true', revision }, failed], [])
        assert.deepEqual(commit, { committed: false, failed })
      })

      test('commits conditions without writes as a check', async () => {
        const { revision } = await one.list('')
        assert.deepEqual(await one.commit([{ key: 'cas/never', revision: 0 }], []), {
          committed: true,
          revision,
        })
      })

      test('loses no increment among competing members', async () => {
        await Promise.all([one, two, one, two].map((state) => increment(state, 'cas/count', 25)))
        assert.equal((await one.get('cas/count'))?.value, '100')
      })

      test('rejects two writes to one key in one commit', async () => {
        const write = { kind: 'put', key: 'cas/twice', value: '1' } as const
        await assert.rejects(one.commit([], [write, { kind: 'delete', key: 'cas/twice' }]))
        assert.equal(await one.get('cas/twice'), undefined)
      })

      test('rejects keys that are empty, too long, or not printable ASCII', async () => {
        for (const key of ['', 'ü', 'a b', 'a\nb', 'a\0', 'x'.repeat(1025)]) {
          await assert.rejects(one.commit([], [{ kind: 'put', key, value: '1' }]))
        }
      })
    })

    describe('watch', () => {
      test('delivers changes of this and of other members, in order, without gaps', async () => {
        const { revision } = await one.list('')
        const collected = collect(one, 'watch/', revision, 40)
        for (let i = 0; i < 20; i++) {
          await put(one, `watch/one/${i}`, String(i))
          await put(two, `watch/two/${i}`, String(i))
        }
        const revisions = (await collected).map(revisionOf)
        const sorted = [...new Set(revisions)].sort((a, b) => a - b)
        assert.equal(revisions.length, 40)
        assert.deepEqual(revisions, sorted)
      })

      test('resumes after the revision it is given, and delivers nothing twice', async () => {
        const first = await put(one, 'resume/a', '1')
        await put(one, 'resume/b', '2')
        await one.commit([], [{ kind: 'delete', key: 'resume/a' }])
        const changes = await collect(two, 'resume/', first, 2)
        assert.deepEqual(
          changes.map((change) => [change.kind, keyOf(change)]),
          [
            ['put', 'resume/b'],
            ['delete', 'resume/a'],
          ],
        )
      })

      test('keeps all changes of one commit together', async () => {
        const { revision } = await one.list('')
        const writes = ['x', 'y', 'z'].map(
          (key) => ({ kind: 'put', key: `together/${key}`, value: key }) as const,
        )
        await two.commit([], writes)
        const event = await nextOf(one, 'together/', revision, 'changes')
        assert.ok(event.kind === 'changes')
        assert.deepEqual(event.changes.map(keyOf), ['together/x', 'together/y', 'together/z'])
      })

      test('leaves out what lies beside the prefix', async () => {
        const { revision } = await one.list('')
        await put(one, 'beside', '1')
        await put(one, 'beside0', '1')
        await put(one, 'beside/in', '1')
        const changes = await collect(one, 'beside/', revision, 1)
        assert.deepEqual(changes.map(keyOf), ['beside/in'])
      })

      test('gives a sign of life at least once a second while nothing happens', async () => {
        const { revision } = await one.list('')
        const stop = new AbortController()
        const started = performance.now()
        let signs = 0
        for await (const event of two.watch('silent/', revision, stop.signal)) {
          assert.equal(event.kind, 'progress')
          if (++signs === 4) stop.abort()
        }
        assert.ok(performance.now() - started < 3500)
      })

      test('says how far it is even when everything happens elsewhere', async () => {
        const { revision } = await one.list('')
        const last = await put(two, 'elsewhere', '1')
        const stop = new AbortController()
        for await (const event of one.watch('nobody/', revision, stop.signal)) {
          if (event.kind !== 'compacted' && event.revision >= last) stop.abort()
        }
      })

      test('ends when its signal aborts, before and after the first event', async () => {
        const stop = new AbortController()
        stop.abort()
        for await (const event of one.watch('', 0, stop.signal)) assert.fail(event.kind)
        const later = new AbortController()
        setTimeout(() => later.abort(), 50)
        const { revision } = await one.list('')
        for await (const event of one.watch('quiet/', revision, later.signal)) {
          assert.equal(event.kind, 'progress')
        }
      })

      test('says compacted when the revision is no longer kept, and continues from a list', async () => {
        const { revision } = await one.list('')
        await fixture.compact(one)
        const event = await nextOf(two, '', revision, 'compacted')
        assert.equal(event.kind, 'compacted')
        const list = await two.list('')
        await put(one, 'after/compaction', '1')
        const changes = await collect(two, '', list.revision, 1)
        assert.deepEqual(changes.map(keyOf), ['after/compaction'])
      })
    })

    describe('time to live', () => {
      test('drops an entry when its time is over: from get, list and conditions', async () => {
        const expiresAt = new Date(Date.now() + 1500)
        await one.commit([], [{ kind: 'put', key: 'ttl/get', value: '1', expiresAt }])
        assert.deepEqual((await two.get('ttl/get'))?.expiresAt, expiresAt)
        await waitFor(async () => (await two.get('ttl/get')) === undefined)
        assert.deepEqual((await two.list('ttl/get')).entries, [])
        const again = await two.commit(
          [{ key: 'ttl/get', revision: 0 }],
          [{ kind: 'put', key: 'ttl/get', value: '2' }],
        )
        assert.equal(again.committed, true)
      })

      test('delivers the end of an entry as a delete', async () => {
        const { revision } = await one.list('')
        const expiresAt = new Date(Date.now() + 1500)
        await two.commit([], [{ kind: 'put', key: 'ttl/watch', value: '1', expiresAt }])
        const changes = await collect(one, 'ttl/watch', revision, 2)
        assert.deepEqual(
          changes.map((change) => change.kind),
          ['put', 'delete'],
        )
        assert.ok(Date.now() >= expiresAt.getTime())
      })

      test('keeps an entry whose expiry a later put took away', async () => {
        const expiresAt = new Date(Date.now() + 1200)
        await one.commit([], [{ kind: 'put', key: 'ttl/kept', value: '1', expiresAt }])
        await put(one, 'ttl/kept', '2')
        await new Promise((resolve) => setTimeout(resolve, 2200))
        assert.equal((await two.get('ttl/kept'))?.value, '2')
      })
    })
  })
}

async function put(state: State, key: string, value: string): Promise<number> {
  const commit = await state.commit([], [{ kind: 'put', key, value }])
  assert.ok(commit.committed)
  return commit.revision
}

/** Adds one, `times` times, by compare-and-set. */
export async function increment(state: State, key: string, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const entry = await state.get(key)
    const value = String(Number(entry?.value ?? '0') + 1)
    const condition = { key, revision: entry?.revision ?? 0 }
    const commit = await state.commit([condition], [{ kind: 'put', key, value }])
    if (commit.committed) done++
  }
}

async function collect(
  state: State,
  prefix: string,
  from: number,
  count: number,
): Promise<Change[]> {
  const stop = AbortSignal.timeout(10_000)
  const changes: Change[] = []
  for await (const event of state.watch(prefix, from, stop)) {
    if (event.kind === 'changes') changes.push(...event.changes)
    if (changes.length >= count) break
  }
  return changes
}

async function nextOf(
  state: State,
  prefix: string,
  from: number,
  kind: WatchEvent['kind'],
): Promise<WatchEvent> {
  for await (const event of state.watch(prefix, from, AbortSignal.timeout(10_000))) {
    if (event.kind === kind) return event
  }
  throw new assert.AssertionError({ message: `no ${kind} within ten seconds` })
}

function keyOf(change: Change): string {
  return change.kind === 'put' ? change.entry.key : change.key
}

function revisionOf(change: Change): number {
  return change.kind === 'put' ? change.entry.revision : change.revision
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('not within ten seconds')
}
