import type { Budget } from './budget.ts'
import { containsGlob, everyGlob, globOf, isEvery, keepWidest, type Code } from './glob.ts'
import { intersectGlobs } from './intersect-globs.ts'
import type { Place, Places } from './narrow-types.ts'

const everyPlace: Place = { ...everyGlob, parts: [] }
export const everywhere: Places = { negated: false, globs: [everyPlace] }

const colon = 0x3a
/** Of an ARN; colons behind the fifth belong to the last part. */
const partCount = 6

/** A bare `*`, or an ARN taken apart. */
export function placeOf(codes: readonly Code[]): Place {
  const whole = globOf(codes)
  if (isEvery(whole)) return everyPlace
  const parts: Code[][] = [[]]
  for (const code of whole.codes) {
    if (code === colon && parts.length < partCount) parts.push([])
    else parts.at(-1)?.push(code)
  }
  return { ...whole, parts: parts.map(globOf) }
}

export function isEverywhere({ negated, globs }: Places): boolean {
  return !negated && globs.some(isEvery)
}

/** Matches no resource at all. */
export function isNowhere({ negated, globs }: Places): boolean {
  return negated ? globs.some(isEvery) : globs.length === 0
}

/** Sorted, without what another entry covers. */
export function simplifyPlaces({ negated, globs }: Places, budget: Budget): Places {
  return {
    negated,
    globs: keepWidest(globs, (outer, inner) => containsPlace(outer, inner, budget)),
  }
}

/** Whether everything in `inner` lies in `outer`. A yes is always right. */
export function containsPlaces(outer: Places, inner: Places, budget: Budget): boolean {
  const covered = (globs: readonly Place[], by: readonly Place[]): boolean =>
    globs.every((glob) => by.some((other) => containsPlace(other, glob, budget)))
  if (outer.negated) {
    if (inner.negated) return covered(outer.globs, inner.globs)
    return inner.globs.every((glob) =>
      outer.globs.every((other) => intersectPlace(glob, other, budget)?.length === 0),
    )
  }
  return inner.negated ? isEverywhere(outer) : covered(inner.globs, outer.globs)
}

/**
 * Exactly what lies in both. `undefined`: it cannot be written down.
 * @param slashed the target asks about a bucket as `bucket/`, as MinIO does, so that `bucket/*` means the bucket as well
 */
export function intersectPlaces(
  one: Places,
  other: Places,
  slashed: boolean,
  budget: Budget,
): Places | undefined {
  if (one.negated && other.negated) {
    return simplifyPlaces({ negated: true, globs: [...one.globs, ...other.globs] }, budget)
  }
  if (one.negated) return withoutPlaces(other, one.globs, slashed, budget)
  if (other.negated) return withoutPlaces(one, other.globs, slashed, budget)
  const found: Place[] = []
  for (const glob of one.globs) {
    for (const second of other.globs) {
      const both = intersectPlace(glob, second, budget)
      if (both === undefined) return undefined
      found.push(...both)
    }
  }
  return simplifyPlaces({ negated: false, globs: found }, budget)
}

/** Listed places without others: entries stay or go whole, since the rest of a pattern has no pattern. */
function withoutPlaces(
  places: Places,
  without: readonly Place[],
  slashed: boolean,
  budget: Budget,
): Places | undefined {
  if (isEverywhere(places)) return { negated: true, globs: without }
  const { outside, partly } = sortPlaces(places.globs, without, budget)
  if (partly.length > 0) return undefined
  const asAsked = slashed ? outside.map(withSlash) : []
  const sorted = sortPlaces(asAsked, without, budget)
  return sorted.outside.length < asAsked.length ? undefined : { negated: false, globs: outside }
}

/** What could be a bucket, as MinIO asks about it. */
function withSlash(place: Place): Place {
  const slash = 0x2f
  return place.codes.includes(slash) ? place : placeOf([...place.codes, slash])
}

type Sorted = Readonly<{
  inside: readonly Place[]
  outside: readonly Place[]
  partly: readonly Place[]
}>

/** Which of the entries lie in the region, outside it, or neither for sure. */
export function sortPlaces(
  globs: readonly Place[],
  region: readonly Place[],
  budget: Budget,
): Sorted {
  const sorted: Record<keyof Sorted, Place[]> = { inside: [], outside: [], partly: [] }
  for (const glob of globs) {
    if (region.some((other) => containsPlace(other, glob, budget))) sorted.inside.push(glob)
    else if (region.every((other) => intersectPlace(glob, other, budget)?.length === 0)) {
      sorted.outside.push(glob)
    } else sorted.partly.push(glob)
  }
  return sorted
}

/** Part by part: no wildcard of an ARN reaches over one of its first five colons. */
function containsPlace(outer: Place, inner: Place, budget: Budget): boolean {
  if (outer.key === inner.key || isEvery(outer)) return true
  if (isEvery(inner) || !inner.head.startsWith(outer.head)) return false
  budget.spend(2)
  return outer.parts.every((part, index) => {
    const other = inner.parts[index]
    return other !== undefined && containsGlob(part, other, budget)
  })
}

function intersectPlace(one: Place, other: Place, budget: Budget): readonly Place[] | undefined {
  if (containsPlace(one, other, budget)) return [other]
  if (containsPlace(other, one, budget)) return [one]
  budget.spend(one.parts.length)
  const met = one.parts.map((part, index) => {
    const second = other.parts[index]
    return second === undefined ? [] : intersectGlobs(part, second, budget)
  })
  if (met.some((part) => part?.length === 0)) return []
  const heads = met.slice(0, -1)
  const tails = met.at(-1)
  if (tails === undefined || heads.some((part) => part?.length !== 1)) return undefined
  const head = heads.flatMap((part) => [...(part?.[0]?.codes ?? []), colon])
  return tails.map(({ codes }) => {
    budget.spend(2 * (head.length + codes.length))
    return placeOf([...head, ...codes])
  })
}
