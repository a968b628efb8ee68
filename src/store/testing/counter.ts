/** A process of its own for the tests: counts up one key by compare-and-set until it is done or killed. */
import { openSqliteState } from '../sqlite-state.ts'
import { increment } from './conformance.ts'

const [file, mode, times] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: counter FILE count|pairs [TIMES]')
const state = await openSqliteState(file, { clock: () => new Date() })

if (mode === 'pairs') {
  for (let i = 1; ; i++) {
    const value = String(i)
    await state.commit(
      [],
      [
        { kind: 'put', key: 'pair/left', value },
        { kind: 'put', key: 'pair/right', value },
      ],
    )
    process.stdout.write(`${value}\n`)
  }
}
await increment(state, 'count', Number(times))
await state.close()
