import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { openSqliteState } from './index.ts'
import { stateConformance } from './testing/conformance.ts'

const clock = (): Date => new Date()
const keepRevisions = 1000

stateConformance('SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-state-'))
  return {
    open: () => openSqliteState(join(dir, 'state.db'), { clock, pollMs: 100, keepRevisions }),
    async compact(state) {
      for (let i = 0; i < keepRevisions + 64; i++) {
        await state.commit([], [{ kind: 'put', key: 'filler', value: String(i) }])
      }
    },
    async dispose() {
      rmSync(dir, { recursive: true })
    },
  }
})

describe('SQLite state', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-state-'))
  after(() => rmSync(dir, { recursive: true }))
  const fileOf = (name: string): string => join(dir, name)

  test('keeps everybody but the owner out of all its files', async () => {
    const file = fileOf('mode.db')
    const state = await openSqliteState(file, { clock })
    await state.commit([], [{ kind: 'put', key: 'a', value: '1' }])
    for (const name of [file, `${file}-wal`, `${file}-shm`]) {
      assert.equal(statSync(name).mode & 0o777, 0o600, name)
    }
    await state.close()
  })

  test('still has everything after it was closed and opened again', async () => {
    const first = await openSqliteState(fileOf('again.db'), { clock })
    const commit = await first.commit([], [{ kind: 'put', key: 'a', value: '1' }])
    await first.close()
    const second = await openSqliteState(fileOf('again.db'), { clock })
    assert.ok(commit.committed)
    assert.equal((await second.get('a'))?.revision, commit.revision)
    await second.close()
  })

  test('expires by the given clock, not by the wall', async () => {
    let now = new Date('2026-01-01T00:00:00Z')
    const state = await openSqliteState(fileOf('clock.db'), { clock: () => now })
    const expiresAt = new Date('2026-01-01T01:00:00Z')
    await state.commit([], [{ kind: 'put', key: 'a', value: '1', expiresAt }])
    now = new Date('2026-01-01T00:59:59.999Z')
    assert.notEqual(await state.get('a'), undefined)
    now = expiresAt
    assert.equal(await state.get('a'), undefined)
    assert.deepEqual((await state.list('')).entries, [])
    await state.close()
  })

  test('says compacted to a watch from a revision that this file has not reached', async () => {
    const state = await openSqliteState(fileOf('restored.db'), { clock })
    const kinds: string[] = []
    for await (const event of state.watch('', 99, AbortSignal.timeout(1000))) kinds.push(event.kind)
    assert.deepEqual(kinds, ['compacted'])
    await state.close()
  })

  test('refuses a file of another schema, and everything after close', async () => {
    const file = fileOf('newer.db')
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 2')
    database.close()
    await assert.rejects(openSqliteState(file, { clock }), /schema 2/)

    const state = await openSqliteState(fileOf('closed.db'), { clock })
    await state.close()
    await state.close()
    await assert.rejects(state.get('a'), /closed/)
    await assert.rejects(state.commit([], []), /closed/)
    const watch = state.watch('', 0, AbortSignal.timeout(1000))
    await assert.rejects(watch[Symbol.asyncIterator]().next(), /closed/)
  })

  test('ends a running watch when it is closed', async () => {
    const state = await openSqliteState(fileOf('closing.db'), { clock })
    setTimeout(() => void state.close(), 50)
    for await (const event of state.watch('', 0, AbortSignal.timeout(5000))) {
      assert.equal(event.kind, 'progress')
    }
  })

  test('loses no increment among processes', async () => {
    const file = fileOf('processes.db')
    const children = [1, 2, 3].map(() => counter(file, 'count', '60'))
    assert.deepEqual(await Promise.all(children.map(exitOf)), [0, 0, 0])
    const state = await openSqliteState(file, { clock })
    assert.equal((await state.get('count'))?.value, '180')
    await state.close()
  })

  test('killed in the middle of commits: keeps what was acknowledged, and no half commit', async () => {
    const file = fileOf('killed.db')
    let acknowledged = 0
    for (let round = 0; round < 5; round++) {
      const child = counter(file, 'pairs')
      let output = ''
      child.stdout?.on('data', (text: Buffer) => {
        output += text.toString()
        if (output.length > 40 + round * 37) child.kill('SIGKILL')
      })
      await exitOf(child)
      acknowledged = Number(output.trim().split('\n').at(-1))
      const state = await openSqliteState(file, { clock })
      const left = await state.get('pair/left')
      const right = await state.get('pair/right')
      assert.equal(left?.value, right?.value)
      assert.equal(left?.revision, right?.revision)
      assert.ok(Number(left?.value) >= acknowledged)
      await state.close()
    }
    assert.ok(acknowledged > 0)
  })
})

test('names the file that it cannot open', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-store-'))
  const file = join(dir, 'state.db')
  writeFileSync(file, 'x'.repeat(8192))
  const message = `${file} cannot be opened: file is not a database.`
  await assert.rejects(openSqliteState(file, { clock: () => new Date() }), { message })
  rmSync(dir, { recursive: true })
})

function counter(file: string, ...args: string[]): ChildProcess {
  const program = new URL('./testing/counter.ts', import.meta.url).pathname
  return spawn(process.execPath, [program, file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve))
}
