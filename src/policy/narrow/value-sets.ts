import { compareDecimals, parseDecimal } from '../decimal.ts'
import { parseInstant } from '../instant.ts'
import { parseIpRange, rangeContains, type IpRange } from '../ip-range.ts'
import type { Budget } from './budget.ts'
import { byKey, containsGlob, isOpen, plainText, type Glob } from './glob.ts'
import { intersectGlobs } from './intersect-globs.ts'

/** What the values of one operator mean as a set of facts. The values of one key are ORed. */
export type ValueSet = Readonly<{
  /** Whether every fact that the first value accepts is accepted by the second. A yes is always right. */
  within(value: Glob, other: Glob, budget: Budget): boolean
  /** What both values accept; an empty list for nothing, `undefined` when it cannot be told. */
  meet(value: Glob, other: Glob, budget: Budget): readonly Glob[] | undefined
}>

/** The set of each operator, by the name of its positive or negated form without prefix and suffix. */
export const valueSets: ReadonlyMap<string, ValueSet> = new Map<string, ValueSet>([
  ...named(
    ['StringEquals', 'StringNotEquals'],
    keyed(({ key }) => key),
  ),
  ...named(
    ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    keyed((value) => (isOpen(value) ? value.key : plainText(value).toLowerCase())),
  ),
  ...named(['StringLike', 'StringNotLike'], { within: swap(containsGlob), meet: intersectGlobs }),
  ...named(['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'], {
    within: (value, other) => value.key === other.key,
    meet: (value, other) => (value.key === other.key ? [value] : undefined),
  }),
  ...named(
    ['Bool', 'Null'],
    keyed((value) => plainText(value).toLowerCase()),
  ),
  ...named(
    ['BinaryEquals'],
    keyed(({ key }) => key),
  ),
  ...named(['IpAddress', 'NotIpAddress'], {
    within: rangeWithin,
    meet: (value, other) =>
      rangeWithin(value, other) ? [value] : rangeWithin(other, value) ? [other] : [],
  }),
  ...ordered('Numeric', compareNumbers),
  ...ordered('Date', compareInstants),
])

/** Sorted, without what another value covers. */
export function simplifyValues(
  set: ValueSet,
  values: readonly Glob[],
  budget: Budget,
): readonly Glob[] {
  const kept: Glob[] = []
  for (const value of [...values].sort(byKey)) {
    if (kept.some((other) => set.within(value, other, budget))) continue
    const left = kept.filter((other) => !set.within(other, value, budget))
    kept.splice(0, kept.length, ...left, value)
  }
  return kept.sort(byKey)
}

/** Whether every value of the first list is covered by one of the second. */
export function valuesWithin(
  set: ValueSet,
  values: readonly Glob[],
  others: readonly Glob[],
  budget: Budget,
): boolean {
  return values.every((value) => others.some((other) => set.within(value, other, budget)))
}

/** What both lists accept. `undefined`: it cannot be told. */
export function meetValues(
  set: ValueSet,
  values: readonly Glob[],
  others: readonly Glob[],
  budget: Budget,
): readonly Glob[] | undefined {
  if (valuesWithin(set, values, others, budget)) return values
  if (valuesWithin(set, others, values, budget)) return others
  const found: Glob[] = []
  for (const value of values) {
    for (const other of others) {
      const both = set.meet(value, other, budget)
      if (both === undefined) return undefined
      found.push(...both)
    }
  }
  return simplifyValues(set, found, budget)
}

/** Values that accept one fact each: equal or apart, unless the target fills something in. */
function keyed(keyOf: (value: Glob) => string): ValueSet {
  return {
    within: (value, other, budget) => {
      budget.spend(1)
      return keyOf(value) === keyOf(other)
    },
    meet: (value, other, budget) => {
      budget.spend(1)
      if (keyOf(value) === keyOf(other)) return [value]
      return isOpen(value) || isOpen(other) ? undefined : []
    },
  }
}

type Compare = (value: Glob, other: Glob) => number

/** Of bounds one always lies within the other. */
function ordered(
  family: string,
  compare: Compare,
): readonly (readonly [name: string, set: ValueSet])[] {
  const same: ValueSet = {
    within: (value, other) => compare(value, other) === 0,
    meet: (value, other) => (compare(value, other) === 0 ? [value] : []),
  }
  return [
    ...named([`${family}Equals`, `${family}NotEquals`], same),
    ...named(
      [`${family}LessThan`, `${family}LessThanEquals`],
      bounds((value, other) => compare(value, other) <= 0),
    ),
    ...named(
      [`${family}GreaterThan`, `${family}GreaterThanEquals`],
      bounds((value, other) => compare(value, other) >= 0),
    ),
  ]
}

function bounds(within: (value: Glob, other: Glob) => boolean): ValueSet {
  return { within, meet: (value, other) => (within(value, other) ? [value] : [other]) }
}

function compareNumbers(value: Glob, other: Glob): number {
  const [one, two] = [parseDecimal(plainText(value)), parseDecimal(plainText(other))]
  // the parser has refused what is no number, so both are there
  return one === undefined || two === undefined ? Number.NaN : compareDecimals(one, two)
}

function compareInstants(value: Glob, other: Glob): number {
  return (
    (parseInstant(plainText(value)) ?? Number.NaN) - (parseInstant(plainText(other)) ?? Number.NaN)
  )
}

function rangeWithin(value: Glob, other: Glob): boolean {
  const [range, outer] = [parseIpRange(plainText(value)), parseIpRange(plainText(other))]
  if (range === undefined || outer === undefined) return false
  return isSameFamily(range, outer) && outer.prefixLength <= range.prefixLength
    ? rangeContains(outer, range.base)
    : false
}

function isSameFamily(range: IpRange, other: IpRange): boolean {
  return (typeof range.base === 'number') === (typeof other.base === 'number')
}

function swap(contains: (outer: Glob, inner: Glob, budget: Budget) => boolean): ValueSet['within'] {
  return (value, other, budget) => contains(other, value, budget)
}

function named(
  names: readonly string[],
  set: ValueSet,
): readonly (readonly [name: string, set: ValueSet])[] {
  return names.map((name) => [name, set])
}
