import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sendSigned, startDaypass, assumeRole } from '../daypass.ts'
import { atMost, makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import type { Times } from '../measure/time-calls.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import { residentBytes } from '../resident.ts'
import type { Workplace } from '../workplace.ts'
import { timeFigure } from './policy.ts'

const full = 10_000
const few = 1000

export const manyEntities: Part = {
  name: 'many-entities',
  floor:
    'start and memory: the same server with an empty store; decision: the same for one user again and again',
  async measure(place, pace) {
    const count = pace.quick ? few : full
    const dir = join(place.dir, 'many')
    mkdirSync(dir, { mode: 0o700 })
    const measure = program('measure/many-entities.ts')
    await place.run([measure, 'fill', dir, String(count)])
    const seconds = String(pace.seconds / 4)
    const said = await place.run([measure, 'decide', dir, String(pace.rounds), seconds])
    const times = JSON.parse(said) as Times // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
    const shown = `${count.toLocaleString('en')} users, as many policies and keys, ${(count / 10).toLocaleString('en')} roles`
    return [
      ...(await measureStart(place, pace, shown, dir)),
      timeFigure('decide on a signed request of one of them', times, { budget: atMost(60, 'µs') }),
    ]
  },
}

type Start = Readonly<{ ms: number; residentMb: number }>

async function measureStart(
  place: Workplace,
  pace: Pace,
  shown: string,
  dir: string,
): Promise<readonly Figure[]> {
  const ours: Start[] = []
  const floor: Start[] = []
  for (let round = 0; round < Math.min(pace.rounds, 3); round++) {
    floor.push(await start(place, join(place.dir, 'empty')))
    ours.push(await start(place, dir))
  }
  const both = (read: (one: Start) => number): { ours: number; floor: number } => ({
    ours: median(ours.map(read)),
    floor: median(floor.map(read)),
  })
  const time = both(({ ms }) => ms)
  const size = both(({ residentMb }) => residentMb)
  return [
    makeFigure({ name: `start with ${shown}`, unit: 'ms', ...time, budget: atMost(2000, 'ms') }),
    ...(Number.isNaN(size.ours)
      ? []
      : [makeFigure({ name: 'resident set after that start', unit: 'MB', ...size })]),
  ]
}

/** From spawning the server to its saying that it serves; its size once it has answered something. */
async function start(place: Workplace, dir: string): Promise<Start> {
  const before = performance.now()
  const server = await startDaypass(place, {}, { dir })
  const ms = performance.now() - before
  await (await sendSigned(server, 'sts', server.root, assumeRole)).text()
  const residentMb = (residentBytes(server.pid) ?? NaN) / 1e6
  await server.stop()
  return { ms, residentMb }
}
