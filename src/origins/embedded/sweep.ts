import { mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { dataDirectories } from './data-files.ts'
import type { IndexDatabase } from './index-database.ts'

/**
 * Removes what a crash left behind: unfinished files, files that were never committed, and files that were to be
 * deleted. Looks only where such files can be; see `DataFiles`.
 */
export async function sweep(dir: string, index: IndexDatabase): Promise<void> {
  await mkdir(join(dir, 'tmp'), { recursive: true, mode: 0o700 })
  await mkdir(join(dir, 'data'), { recursive: true, mode: 0o700 })
  for (const name of await readdir(join(dir, 'tmp'))) await remove(join(dir, 'tmp', name))
  await sweepGarbage(dir, index)
  const newest = (await dataDirectories(dir)).slice(-2)
  for (const directory of newest) await sweepUncommitted(dir, directory, index)
}

async function sweepGarbage(dir: string, index: IndexDatabase): Promise<void> {
  for (const { file } of index.rows<{ file: string }>('SELECT file FROM garbage')) {
    await remove(join(dir, 'data', file))
  }
  index.run('DELETE FROM garbage')
}

async function sweepUncommitted(
  dir: string,
  directory: string,
  index: IndexDatabase,
): Promise<void> {
  const rows = index.rows<{ file: string }>(
    'SELECT file FROM content WHERE file >= ? AND file < ?',
    `${directory}/`,
    `${directory}0`,
  )
  const committed = new Set(rows.map(({ file }) => file))
  for (const name of await readdir(join(dir, 'data', directory))) {
    const file = `${directory}/${name}`
    if (!committed.has(file)) await remove(join(dir, 'data', file))
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
