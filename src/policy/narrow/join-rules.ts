import { malformed } from '../errors.ts'
import type { Budget } from './budget.ts'
import { intersectNames } from './names.ts'
import type { Rule } from './narrow-types.ts'
import { intersectPlaces, isNowhere } from './places.ts'
import { joinTerms } from './terms.ts'

/** More than a policy of any size could hold, even before what is contained falls away. */
const mostRules = 1000

/**
 * What both lists of Allows allow: each with each.
 * @param slashed see `intersectPlaces`
 * @throws PolicyError for pairs of which it cannot be said exactly what they have in common
 */
export function intersectRules(
  some: readonly Rule[],
  others: readonly Rule[],
  slashed: boolean,
  budget: Budget,
): readonly Rule[] {
  const found: Rule[] = []
  for (const one of some) {
    for (const other of others) {
      budget.spend(1)
      const both = intersectTwo(one, other, slashed, budget)
      if (both !== undefined) found.push(both)
    }
    if (found.length > mostRules) {
      throw malformed('', 'the intersection of the policies has too many statements')
    }
  }
  return found
}

function intersectTwo(one: Rule, other: Rule, slashed: boolean, budget: Budget): Rule | undefined {
  if (one.service !== other.service) return undefined
  const origin = `${one.origin} with ${other.origin}`
  const names = intersectNames(one.names, other.names, budget)
  if (names === undefined) throw malformed(origin, 'their actions overlap in too many ways')
  if (names.patterns.length === 0) return undefined
  const terms = joinTerms(one.terms, other.terms, origin, budget)
  if (terms === undefined) return undefined
  const places = intersectPlaces(one.places, other.places, slashed, budget)
  if (places === undefined) {
    throw malformed(
      origin,
      'what their resources have in common cannot be written down: ' +
        'use a Resource that is wholly inside or wholly outside the other, or an Allow with a Deny',
    )
  }
  if (!isNowhere(places)) return { ...one, names, places, terms, origin }
  // here they mean the same action, whatever the resource: nothing would be less than both allow
  if (one.service === 's3' || one.service === 'iam') return undefined
  throw malformed(origin, `they allow the same ${one.service}: actions on different resources`)
}
