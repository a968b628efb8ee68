/** Opens what a server keeps on disk, in the directory that is its argument, and tells how that went. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openEmbeddedOrigin } from '../../src/origins/index.ts'
import { openSqliteState } from '../../src/store/index.ts'

const [dir = ''] = process.argv.slice(2)
const clock = (): Date => new Date()
const openings = [
  () => openSqliteState(join(dir, 'state.db'), { clock }),
  () => openEmbeddedOrigin({ dir, clock, random: randomBytes }),
]
for (const open of openings) {
  try {
    const opened = await open()
    await opened.close()
    console.log('opened')
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error))
  }
}
