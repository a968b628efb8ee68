import { malformed, shown } from '../errors.ts'
import type { Budget } from './budget.ts'
import { containsGlob, literalGlob, withoutContained, type Glob } from './glob.ts'
import { intersectGlobs } from './intersect-globs.ts'
import type { Names } from './narrow-types.ts'

/** No exception: what of most rules is the whole truth. */
export function plainNames(patterns: readonly Glob[], budget: Budget): Names {
  return { patterns: withoutContained(patterns, budget), except: [] }
}

/** What both match. `undefined`: it cannot be told. */
export function intersectNames(one: Names, other: Names, budget: Budget): Names | undefined {
  const found: Glob[] = []
  for (const pattern of one.patterns) {
    for (const second of other.patterns) {
      const both = intersectGlobs(pattern, second, budget)
      if (both === undefined) return undefined
      found.push(...both)
    }
  }
  return trimNames({ patterns: found, except: [...one.except, ...other.except] }, budget)
}

/** Without patterns that are excepted whole, and exceptions that touch no pattern. */
export function trimNames({ patterns, except }: Names, budget: Budget): Names {
  const left = withoutContained(patterns, budget).filter(
    (pattern) => !except.some((other) => containsGlob(other, pattern, budget)),
  )
  const touching = except.filter((other) => touchesAny(left, other, budget))
  return { patterns: left, except: withoutContained(touching, budget) }
}

/** Whether everything that `inner` matches is matched by `outer`. A yes is always right. */
export function containsNames(outer: Names, inner: Names, budget: Budget): boolean {
  return (
    inner.patterns.every((pattern) =>
      outer.patterns.some((other) => containsGlob(other, pattern, budget)),
    ) &&
    outer.except.every(
      (excepted) =>
        inner.except.some((other) => containsGlob(other, excepted, budget)) ||
        !touchesAny(inner.patterns, excepted, budget),
    )
  )
}

/** Whether they may have something in common. A no is always right. */
export function touchesAny(patterns: readonly Glob[], other: Glob, budget: Budget): boolean {
  return patterns.some((pattern) => intersectGlobs(pattern, other, budget)?.length !== 0)
}

/**
 * Exceptions written out: the known actions of the service without the excepted ones. What the list does not know is left out,
 * so the answer is never wider.
 * @param known every action of the service that the target has, as it is spelled
 * @throws PolicyError where the actions of the service are not known here
 */
export function writtenOut(
  names: Names,
  known: readonly string[],
  origin: string,
  budget: Budget,
): readonly Glob[] {
  const { patterns, except } = trimNames(names, budget)
  if (except.length === 0) return patterns
  const all = known.map((name) => literalGlob(name.toLowerCase()))
  return patterns.flatMap((pattern) => {
    if (!touchesAny(except, pattern, budget)) return [pattern]
    const meant = all.filter((name) => containsGlob(pattern, name, budget))
    if (pattern.wild && meant.length === 0) {
      throw malformed(origin, `the actions of ${shown(pattern.key)} are not known here one by one`)
    }
    return meant.filter((name) => !except.some((other) => containsGlob(other, name, budget)))
  })
}
