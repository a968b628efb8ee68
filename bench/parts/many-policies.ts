import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startDaypass } from '../daypass.ts'
import { atMost, makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import type { Times } from '../measure/time-calls.ts'
import type { Pace, Part } from '../part.ts'
import { policyDocument } from '../policy-document.ts'
import { program } from '../program.ts'
import { timeFigure } from './policy.ts'
import type { Workplace } from '../workplace.ts'

/** The budget is for ten thousand; a quick look is content with fewer. */
const full = 10_000
const few = 2000

export const manyPolicies: Part = {
  name: 'many-policies',
  floor:
    'start: the same server without policies; match: the same decision on one of them again and again',
  async measure(place, pace) {
    const count = pace.quick ? few : full
    const shown = count.toLocaleString('en')
    const dir = join(place.dir, 'many')
    mkdirSync(dir, { mode: 0o700 })
    const measure = program('measure/many-policies.ts')
    await place.run([measure, 'fill', dir, String(count)])
    const seconds = String(pace.seconds / 4)
    const said = await place.run([measure, 'match', dir, String(pace.rounds), seconds])
    const times = JSON.parse(said) as Times // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
    const document = policyDocument(3)
    const names = Array.from({ length: count }, (_, index) => [`policy-${index}`, document])
    const policies: unknown = Object.fromEntries(names)
    return [
      await measureStart(place, pace, `start with ${shown} policies in the store`, { dir }),
      await measureStart(place, pace, `start with ${shown} policies in a JSON file`, { policies }),
      await measureStart(place, pace, `start with ${shown} policies in a YAML file`, {
        policies,
        print: (settings) => stringify(settings, { aliasDuplicateObjects: false }),
      }),
      timeFigure(`match one of ${shown} policies`, times, { budget: atMost(50, 'µs') }),
    ]
  },
}

type Given = Readonly<{
  dir?: string
  policies?: unknown
  print?: (settings: object) => string
}>

/** From spawning the server to its saying that it serves. */
async function measureStart(
  place: Workplace,
  pace: Pace,
  name: string,
  given: Given,
): Promise<Figure> {
  const ours: number[] = []
  const floor: number[] = []
  for (let round = 0; round < Math.min(pace.rounds, 2); round++) {
    floor.push(await timeStart(place, { dir: join(place.dir, `${name} floor`) }))
    ours.push(await timeStart(place, { dir: join(place.dir, `${name} ours`), ...given }))
  }
  const budget = atMost(2000, 'ms')
  return makeFigure({ name, unit: 'ms', ours: median(ours), floor: median(floor), budget })
}

async function timeStart(
  place: Workplace,
  { policies = {}, print = JSON.stringify, ...where }: Given,
): Promise<number> {
  // Printing thousands of policies takes its time, too, and is not what is measured.
  const text = print({ policies })
  const before = performance.now()
  const server = await startDaypass(place, {}, { ...where, print: () => text })
  const time = performance.now() - before
  await server.stop()
  return time
}
