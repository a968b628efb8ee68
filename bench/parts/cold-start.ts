import { join } from 'node:path'
import { assumeRole, sendSigned, startDaypass } from '../daypass.ts'
import { atMost, makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { floorAddress } from '../floors/serve.ts'
import type { Pace, Part } from '../part.ts'
import { buildDaypass, daypassProgram, program } from '../program.ts'
import type { Workplace } from '../workplace.ts'

export const coldStart: Part = {
  name: 'cold-start',
  floor: 'a bare node:http server in the same runtime, from spawning it to its first answer',
  async measure(place, pace) {
    const built = await buildDaypass(place)
    return [
      await measureStart(place, pace, 'cold start to first credential, built', built),
      await measureStart(place, pace, 'cold start to first credential, sources', daypassProgram),
    ]
  },
}

/** On an empty directory: keys are made, databases laid out. */
async function measureStart(
  place: Workplace,
  pace: Pace,
  name: string,
  daypass: string,
): Promise<Figure> {
  const ours: number[] = []
  const floor: number[] = []
  for (let round = 0; round < pace.rounds * 2; round++) {
    floor.push(await timeOf(() => startFloor(place)))
    ours.push(await timeOf(() => startOurs(place, daypass, `${name} ${round}`)))
  }
  const budget = atMost(500, 'ms')
  return makeFigure({ name, unit: 'ms', ours: median(ours), floor: median(floor), budget })
}

async function timeOf(start: () => Promise<{ stop(): Promise<void> }>): Promise<number> {
  const before = performance.now()
  const server = await start()
  const time = performance.now() - before
  await server.stop()
  return time
}

async function startFloor(place: Workplace): Promise<{ stop(): Promise<void> }> {
  const server = await place.serve([program('floors/hello.ts')], floorAddress)
  await (await fetch(server.url)).text()
  return server
}

async function startOurs(
  place: Workplace,
  daypass: string,
  name: string,
): Promise<{ stop(): Promise<void> }> {
  const server = await startDaypass(place, {}, { dir: join(place.dir, name), program: daypass })
  await (await sendSigned(server, 'sts', server.root, assumeRole)).text()
  return server
}
