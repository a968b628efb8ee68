import { malformed } from '../errors.ts'
import type { Budget } from './budget.ts'
import { inOrder } from './compress.ts'
import { containsGlob, type Glob } from './glob.ts'
import { onlyPlainLists } from './minio-dialect.ts'
import { intersectNames, touchesAny } from './names.ts'
import type { Names, Rule } from './narrow-types.ts'
import { containsPlaces, intersectPlaces, isNowhere, sortPlaces } from './places.ts'

type Rules = Readonly<{ allows: readonly Rule[]; denies: readonly Rule[] }>

/**
 * Denies with `NotAction` or `NotResource`, which MinIO's parser does not know, worked into the Allows: "deny all but these" leaves
 * of each Allow what lies in these. What is denied only needs saying where something is allowed.
 * @param allows without exceptions among their names
 * @throws PolicyError where that cannot be written down
 */
export function absorbFences({ allows, denies }: Rules, budget: Budget): Rules {
  const plain = denies.filter((deny) => !isFence(deny))
  const added: Rule[] = []
  let left = allows
  for (const fence of inOrder(denies.filter(isFence))) {
    left = left.flatMap((allow) => {
      if (allow.service !== fence.service) return [allow]
      const [kept, denied] = fenceIn(allow, fence, budget)
      added.push(...denied)
      return kept
    })
  }
  return { allows: left, denies: [...plain, ...added] }
}

function isFence({ names, places }: Rule): boolean {
  return names.except.length > 0 || places.negated
}

type Fenced = readonly [kept: readonly Rule[], denied: readonly Rule[]]

/** One Allow behind one fence: what stays allowed, and what must be denied in plain words. */
function fenceIn(allow: Rule, fence: Rule, budget: Budget): Fenced {
  const met = intersectNames(allow.names, fence.names, budget)
  if (met?.patterns.length === 0) return [[allow], []]
  const { inside, outside, partly } = sortNames(allow.names.patterns, fence.names, budget)
  const free = outside.length === 0 ? [] : [{ ...allow, names: { patterns: outside, except: [] } }]
  const hit = { ...allow, names: { patterns: inside, except: [] } }
  const [kept, denied] = inside.length === 0 ? [[], []] : fencePlaces(hit, fence, budget)
  if (partly.length === 0) return [[...free, ...kept], denied]
  const mixed = { ...allow, names: { patterns: partly, except: [] } }
  const rest = fenceMixed(mixed, fence, budget)
  return [
    [...free, ...kept, ...rest[0]],
    [...denied, ...rest[1]],
  ]
}

/** Every action of the Allow is meant by the fence. */
function fencePlaces(allow: Rule, fence: Rule, budget: Budget): Fenced {
  if (fence.places.negated && fence.terms.length === 0) {
    const spared = { negated: false, globs: fence.places.globs }
    const places = intersectPlaces(allow.places, spared, true, budget)
    if (places === undefined) throw unsayable(allow, fence)
    return [isNowhere(places) ? [] : [{ ...allow, places }], []]
  }
  if (fence.terms.length === 0 && containsPlaces(fence.places, allow.places, budget)) {
    return [[], []]
  }
  return [[allow], denyWhere(allow, fence, allow.names, budget)]
}

/** Some actions of the Allow are meant by the fence, and no pattern tells them from the others. */
function fenceMixed(allow: Rule, fence: Rule, budget: Budget): Fenced {
  const everywhere = fence.terms.length === 0 && containsPlaces(fence.places, allow.places, budget)
  if (fence.names.except.length > 0) {
    // the fence means everything but its exceptions, so within it only they are left
    const spared = { patterns: fence.names.except, except: [] }
    const names = everywhere ? intersectNames(allow.names, spared, budget) : undefined
    if (names === undefined) throw unsayable(allow, fence)
    return [[{ ...allow, names }], []]
  }
  const names = intersectNames(allow.names, fence.names, budget)
  if (names === undefined) throw unsayable(allow, fence)
  return [[allow], denyWhere(allow, fence, names, budget)]
}

/** The fence in plain words, as far as this Allow reaches. */
function denyWhere(allow: Rule, fence: Rule, names: Names, budget: Budget): readonly Rule[] {
  if (!fence.places.negated) return [{ ...fence, names }]
  if (allow.places.negated) throw unsayable(allow, fence)
  const { outside, partly } = sortPlaces(allow.places.globs, fence.places.globs, budget)
  if (partly.length > 0) throw unsayable(allow, fence)
  if (outside.length === 0) return []
  return [{ ...fence, names, places: { negated: false, globs: outside } }]
}

type Sorted = Readonly<Record<'inside' | 'outside' | 'partly', readonly Glob[]>>

function sortNames(patterns: readonly Glob[], fence: Names, budget: Budget): Sorted {
  const sorted = { inside: [] as Glob[], outside: [] as Glob[], partly: [] as Glob[] }
  for (const pattern of patterns) {
    const covered = fence.patterns.some((other) => containsGlob(other, pattern, budget))
    const spared = fence.except.some((other) => containsGlob(other, pattern, budget))
    const excepted = touchesAny(fence.except, pattern, budget)
    if (spared || !touchesAny(fence.patterns, pattern, budget)) sorted.outside.push(pattern)
    else if (covered && !excepted) sorted.inside.push(pattern)
    else sorted.partly.push(pattern)
  }
  return sorted
}

function unsayable(allow: Rule, fence: Rule): Error {
  return malformed(
    `${fence.origin} with ${allow.origin}`,
    `${onlyPlainLists}, and here they cannot be replaced: use Action and Resource`,
  )
}
