import { atMost } from '../figure.ts'
import type { Figure } from '../figure.ts'
import type { Which } from '../measure/binding-match.ts'
import type { Part } from '../part.ts'
import { runMeasure, timeFigure } from './policy.ts'

const count = 10_000

const ways: readonly (readonly [Which, string])[] = [
  ['exact', 'names spelled out'],
  ['patterns-cold', 'patterns, an account not seen before'],
  ['patterns-warm', 'patterns, an account seen before'],
]

export const bindingMatch: Part = {
  name: 'binding-match',
  floor: 'the same look-up in an index of one binding, which fits',
  async measure(place, pace) {
    const figures: Figure[] = []
    for (const [which, words] of ways) {
      const times = await runMeasure(place, pace, 'measure/binding-match.ts', `${count}`, which)
      const name = `bindings of an account among ${count.toLocaleString('en')}: ${words}`
      figures.push(timeFigure(name, times, { budget: atMost(50, 'µs') }))
    }
    return figures
  },
}
