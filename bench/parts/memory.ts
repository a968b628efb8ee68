import { readFileSync } from 'node:fs'
import { benchUser, assumeRole, planSigned, startDaypass } from '../daypass.ts'
import { makeFigure } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { load } from '../load/compare.ts'
import type { SessionsMemory } from '../measure/sessions-memory.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import type { Workplace } from '../workplace.ts'

const few = 10_000

export const memory: Part = {
  name: 'memory',
  floor: 'the resident set of the same process after ten thousand sessions',
  measure: async (place, pace) => [await inProcess(place, pace), ...(await overHttp(place, pace))],
}

const flat = { text: '± 10 %', isMet: ({ ratio }: { ratio: number }) => Math.abs(ratio - 1) <= 0.1 }

async function inProcess(place: Workplace, pace: Pace): Promise<Figure> {
  const many = pace.quick ? 100_000 : 1_000_000
  const args = ['--expose-gc', program('measure/sessions-memory.ts'), place.dir]
  const said = await place.run([...args, `${few}`, `${many}`])
  const result = JSON.parse(said) as SessionsMemory // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
  return makeFigure({
    name: `resident set after ${many.toLocaleString('en')} sessions issued`,
    unit: 'MB',
    ours: result.residentAfterMany / 1e6,
    floor: result.residentAfterFew / 1e6,
    budget: flat,
    detail: { sessionsPerSecond: result.sessionsPerSecond },
  })
}

/** The whole server, after ten thousand AssumeRole calls and after five times as many. */
async function overHttp(place: Workplace, pace: Pace): Promise<readonly Figure[]> {
  const { users, key } = benchUser(place, 'readwrite')
  const server = await startDaypass(place, { users })
  const requests = [planSigned(server, 'sts', key, assumeRole)]
  let issued = 0
  const issueUntil = async (total: number): Promise<number | undefined> => {
    while (issued < total) {
      const load1 = { requests, connections: 32 }
      issued += (await load(place, { ...pace, warmupSeconds: 0, seconds: 1 }, load1, server))
        .requests
    }
    return residentBytes(server.pid)
  }
  const before = await issueUntil(few)
  const after = await issueUntil(few * (pace.quick ? 2 : 5))
  if (before === undefined || after === undefined) return []
  const name = `resident set of the server after ${issued.toLocaleString('en')} exchanges`
  return [makeFigure({ name, unit: 'MB', ours: after / 1e6, floor: before / 1e6, budget: flat })]
}

/** Linux only. */
function residentBytes(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
