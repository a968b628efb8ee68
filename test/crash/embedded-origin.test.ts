import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { openEmbeddedOrigin } from '../../src/origins/index.ts'
import { patterned } from '../../src/origins/testing/bodies.ts'
import { refused, Session } from '../../src/origins/testing/session.ts'

const rounds = 6

type Written = { size: number; seed: number }
/** What a key may hold: what was acknowledged last, or what was under way when the process died. */
type Expected = { acknowledged?: Written; underWay?: Written; mayBeGone?: boolean; gone?: boolean }

describe('embedded origin, killed again and again under concurrent writes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-crash-'))
  after(() => rmSync(dir, { recursive: true }))
  const expected = new Map<string, Expected>()

  for (let round = 1; round <= rounds; round++) {
    test(`round ${round}: every acknowledged write is there and whole, and no orphan is left`, async () => {
      const said = await runUntilKilled(dir, round)
      assert.ok(said.length > 0, 'it was killed before it wrote anything')
      for (const line of said) note(expected, line)

      const origin = await openEmbeddedOrigin({ dir, clock: () => new Date(), random: randomBytes })
      const session = new Session(origin, 'bucket')
      for (const [key, state] of expected) await check(session, key, state)
      await checkAllListed(session)
      await origin.close()
      checkNoOrphans(dir)
    })
  }
})

function note(expected: Map<string, Expected>, line: Record<string, unknown>): void {
  const { begin, done, deleted, size, seed } = line
  const written = { size: Number(size), seed: Number(seed) }
  if (typeof done === 'string') expected.set(done, { acknowledged: written })
  else if (typeof deleted === 'string') expected.set(deleted, { gone: true })
  else if (typeof begin === 'string' && seed === undefined) {
    expected.set(begin, {
      acknowledged: { size: 100_000, seed: Number(begin.split('/')[3]) },
      mayBeGone: true,
    })
  } else if (typeof begin === 'string') {
    expected.set(begin, { ...expected.get(begin), underWay: written })
  }
}

async function check(session: Session, key: string, state: Expected): Promise<void> {
  if (state.gone === true) {
    await refused(session.get(key), 'no_such_key')
    return
  }
  const found = await session.get(key).catch(() => undefined)
  if (found === undefined) {
    assert.ok(state.mayBeGone === true || state.acknowledged === undefined, `${key} is lost`)
    return
  }
  const possible = [state.acknowledged, state.underWay].filter((written) => written !== undefined)
  const fits = possible.find(({ size, seed }) => found.equals(patterned(size, seed)))
  assert.ok(fits !== undefined, `${key} is torn or is something else`)
  // What it turned out to be is what it has to be in the rounds that follow.
  state.acknowledged = fits
  delete state.underWay
  delete state.mayBeGone
}

/** Whatever is listed can be read to its end, with the size that the listing says. */
async function checkAllListed(session: Session): Promise<void> {
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await session.list({ after })
    for (const { key, size } of page.objects) {
      assert.equal((await session.get(key)).length, size, key)
      assert.ok(!key.startsWith('never/'))
    }
    after = page.nextAfter
  }
}

/** Every data file belongs to a content, every content to its files, and nothing unfinished is left. */
function checkNoOrphans(dir: string): void {
  assert.deepEqual(readdirSync(join(dir, 'tmp')), [])
  const database = new DatabaseSync(join(dir, 'objects.db'), { readOnly: true })
  const rows = database
    .prepare('SELECT file FROM content WHERE file IS NOT NULL ORDER BY file')
    .all()
  const garbage = database.prepare('SELECT count(*) AS count FROM garbage').get()
  const integrity = database.prepare('PRAGMA integrity_check').get()
  const dangling = database.prepare(unreferenced).get()
  database.close()
  const onDisk = readdirSync(join(dir, 'data')).flatMap((directory) =>
    readdirSync(join(dir, 'data', directory)).map((name) => `${directory}/${name}`),
  )
  assert.deepEqual(
    onDisk.sort(),
    rows.map((row) => row['file']),
  )
  assert.equal(garbage?.['count'], 0)
  assert.equal(integrity?.['integrity_check'], 'ok')
  assert.equal(dangling?.['count'], 0)
}

/** Contents whose count of references is not what refers to them. */
const unreferenced = `
  SELECT count(*) AS count FROM content WHERE refs <>
    (SELECT count(*) FROM version WHERE version.content = content.id) +
    (SELECT count(*) FROM part WHERE part.content = content.id) +
    (SELECT count(*) FROM segment WHERE segment.source = content.id)
`

/** Lets the writer run for a random while and kills it in the middle of whatever it does. */
function runUntilKilled(dir: string, round: number): Promise<Record<string, unknown>[]> {
  const program = join(import.meta.dirname, 'embedded-origin-writer.ts')
  const child = spawn(process.execPath, [program, dir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  let doomed = false
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
    if (doomed) return
    doomed = true
    setTimeout(() => child.kill('SIGKILL'), 100 + Math.random() * 700)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') {
        reject(new Error('the writer ended by itself'))
        return
      }
      const lines = output.split('\n').slice(0, -1)
      resolve(lines.map((line) => JSON.parse(line) as Record<string, unknown>)) // oxlint-disable-line typescript/no-unsafe-type-assertion -- lines of our own writer
    })
  })
}
