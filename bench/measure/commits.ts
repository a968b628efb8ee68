/**
 * A program: `commits.ts FILE SECONDS` prints how many commits of one row each SQLite makes durable in a second, on a
 * file system like the one that Daypass writes to.
 */
import { DatabaseSync } from 'node:sqlite'

const [file = '', seconds] = process.argv.slice(2)
const database = new DatabaseSync(file)
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
database.exec(
  'CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
)
const put = database.prepare(
  'INSERT INTO entry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
)
/** About as long as the document of a user. Another one each time: SQLite writes nothing where nothing changes. */
const valueAt = (index: number): string => String(index).padStart(300, 'x')

let written = 0

function run(forSeconds: number): number {
  const started = performance.now()
  let commits = 0
  for (; performance.now() < started + forSeconds * 1000; commits++) {
    put.run(`user/user-${commits % 64}`, valueAt(written++))
  }
  return (commits * 1000) / (performance.now() - started)
}

run(Number(seconds) / 4)
process.stdout.write(String(run(Number(seconds))))
database.close()
