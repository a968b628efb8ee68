/**
 * A program: `sessions-memory.ts DIR FEW MANY` issues sessions and prints the resident set after FEW and after MANY of
 * them. Some of the first ones are in use all the time: for every hundred that are issued, the next of them is opened.
 * Run with --expose-gc, so that what is only garbage does not count.
 */
import { setImmediate } from 'node:timers/promises'
import type { Credentials } from '../../src/credentials/index.ts'
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

const inUse: Credentials[] = []
let issued = 0

async function issueUntil(total: number): Promise<number> {
  while (issued < total) {
    const grant = await grantFor(core, 'bench')
    for (let batch = 0; batch < 100; batch++) {
      const credentials = core.sessions.issue(grant)
      if (inUse.length < 1000) inUse.push(credentials)
    }
    issued += 100
    const next = inUse[(issued / 100) % inUse.length]
    if (next !== undefined) await core.sessions.open(next.accessKeyId, next.sessionToken)
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
