/**
 * A program: `sessions-memory.ts DIR FEW MANY` issues sessions, opens one in a hundred again, and prints the resident
 * set after FEW and after MANY of them. Run with --expose-gc, so that what is only garbage does not count.
 */
import { setImmediate } from 'node:timers/promises'
import { grantFor, openCore } from './core.ts'

const [dir = '', few, many] = process.argv.slice(2)
const core = await openCore(dir)
await core.admin.createUser('bench')
await core.admin.attachUserPolicy('bench', 'readwrite')

export type SessionsMemory = Readonly<{
  /** Bytes. */
  residentAfterFew: number
  residentAfterMany: number
  /** Of issuing alone. */
  sessionsPerSecond: number
}>

let issued = 0

async function issueUntil(total: number): Promise<number> {
  while (issued < total) {
    const grant = await grantFor(core, 'bench')
    for (let batch = 0; batch < 100; batch++) {
      const { accessKeyId, sessionToken } = core.sessions.issue(grant)
      if (batch === 0) await core.sessions.open(accessKeyId, sessionToken)
    }
    issued += 100
    await setImmediate()
  }
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.()
  return process.memoryUsage.rss()
}

const residentAfterFew = await issueUntil(Number(few))
const started = performance.now()
const before = issued
const residentAfterMany = await issueUntil(Number(many))
const seconds = (performance.now() - started) / 1000
await core.close()
const result: SessionsMemory = {
  residentAfterFew,
  residentAfterMany,
  sessionsPerSecond: (issued - before) / seconds,
}
process.stdout.write(JSON.stringify(result))
