import { atMost, makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import type { Times } from '../measure/time-calls.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import type { Workplace } from '../workplace.ts'

export const policy: Part = {
  name: 'policy',
  floor:
    'for each statement one regular expression over the action and one over the resource, and no conditions. ' +
    'The policy is the worst of its size: every statement fits, and only its condition decides',
  async measure(place, pace) {
    const figures: Figure[] = []
    for (const statements of [1, 20, 100]) {
      const times = await runMeasure(place, pace, 'measure/policy.ts', `${statements}`)
      const name = `policy decision, ${statements} statement${statements === 1 ? '' : 's'}`
      const limit = statements === 20 ? { budget: atMost(5, 'µs') } : {}
      const figure = timeFigure(name, times, limit)
      figures.push({ ...figure, detail: { decisionsPerSecond: 1e6 / figure.ours } })
    }
    return figures
  },
}

/** Runs a program that times calls; half of a round for each side. */
export async function runMeasure(
  place: Workplace,
  pace: Pace,
  name: string,
  ...args: readonly string[]
): Promise<Times> {
  const seconds = String(pace.seconds / 4)
  const said = await place.run([program(name), String(pace.rounds), seconds, ...args])
  return JSON.parse(said) as Times // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
}

export function timeFigure(
  name: string,
  { ours, floor }: Times,
  given: Partial<Parameters<typeof makeFigure>[0]>,
): Figure {
  return makeFigure({
    name,
    unit: 'µs',
    ours: median(ours),
    floor: median(floor),
    ...given,
  })
}
