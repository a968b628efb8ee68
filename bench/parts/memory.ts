import { action, assumeRole, benchUser, planSigned, startDaypass } from '../daypass.ts'
import { makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { load } from '../load/compare.ts'
import type { SessionsMemory } from '../measure/sessions-memory.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import { residentBytes } from '../resident.ts'
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

/**
 * The whole server: its middle size around the ten thousandth AssumeRole and around the last one, since a single look
 * would see where the collector happens to stand. Calls that issue nothing come first, for the heap grows to its
 * working size with any load.
 */
async function overHttp(place: Workplace, pace: Pace): Promise<readonly Figure[]> {
  const { users, key } = benchUser(place, 'readwrite')
  const server = await startDaypass(place, { users })
  const warming = [planSigned(server, 'sts', key, action('GetCallerIdentity', {}))]
  const warmup = { ...pace, warmupSeconds: 0, seconds: pace.firstWarmupSeconds * 2 }
  await load(place, warmup, { requests: warming, connections: 32 }, server)
  const requests = [planSigned(server, 'sts', key, assumeRole)]
  let issued = 0
  const issueUntil = async (total: number): Promise<readonly number[]> => {
    const sizes: number[] = []
    const timer = setInterval(() => sizes.push(residentBytes(server.pid) ?? NaN), 50)
    const round = { ...pace, warmupSeconds: 0, seconds: 1 }
    while (issued < total) {
      issued += (await load(place, round, { requests, connections: 32 }, server)).requests
    }
    clearInterval(timer)
    return sizes
  }
  await issueUntil(few / 2)
  const before = await issueUntil(few)
  await issueUntil(few * (pace.quick ? 2 : 6))
  const after = await issueUntil(issued + few / 2)
  if (before.some(Number.isNaN)) return []
  return [
    makeFigure({
      name: `resident set of the server after ${issued.toLocaleString('en')} exchanges`,
      unit: 'MB',
      ours: median(after) / 1e6,
      floor: median(before) / 1e6,
      budget: flat,
      detail: { mostMegabytes: Math.max(...after) / 1e6 },
    }),
  ]
}
