import type { Ask } from './ask.ts'

export type SingleFact = string | number | boolean | Date
/** `undefined`: the key is not in the context. A list without values counts as absent, too. */
export type Fact = SingleFact | readonly string[] | undefined
export type FactReader = (ask: Ask) => Fact

/** The one text of a fact, for string comparison and variables. `undefined`: it has none (an invalid date, NaN). */
export function factText(fact: SingleFact): string | undefined {
  if (typeof fact === 'string') return fact
  if (typeof fact === 'boolean') return fact ? 'true' : 'false'
  if (typeof fact === 'number') return Number.isFinite(fact) ? String(fact) : undefined
  return Number.isNaN(fact.getTime()) ? undefined : fact.toISOString().replace('.000Z', 'Z')
}

export function isList(fact: Fact): fact is readonly string[] {
  return typeof fact === 'object' && !(fact instanceof Date)
}
