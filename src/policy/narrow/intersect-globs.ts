import { anyOne, anyRun } from '../wildcard.ts'
import type { Budget } from './budget.ts'
import { containsGlob, globOf, isOpen, withoutContained, type Code, type Glob } from './glob.ts'

/** More alternatives than this are more than a policy of a few kilobytes could carry. */
const mostAlternatives = 32

/**
 * Exactly what both patterns match, as patterns: `a*` and `*b` give `a*b`, and `s3:Get*` and `*tObject` give two. An empty list:
 * they have nothing in common. `undefined`: it cannot be told, since a variable is in the way or there are too many alternatives.
 */
export function intersectGlobs(
  left: Glob,
  right: Glob,
  budget: Budget,
): readonly Glob[] | undefined {
  budget.spend(1)
  if (!left.wild && !right.wild && !isOpen(left) && !isOpen(right)) {
    return left.key === right.key ? [left] : []
  }
  if (containsGlob(left, right, budget)) return [right]
  if (containsGlob(right, left, budget)) return [left]
  if (!meet(left.head, right.head, 'startsWith') || !meet(left.tail, right.tail, 'endsWith')) {
    return []
  }
  if (isOpen(left) || isOpen(right)) return undefined
  if (left.codes.length + right.codes.length > mostCodes) return undefined
  budget.spend(left.codes.length + right.codes.length)
  const found = new Meeting(left.codes, right.codes, budget).meet(0, 0)
  return found && withoutContained(found.map(globOf), budget)
}
/** Deep enough for any name, shallow enough for the stack. */
const mostCodes = 2400

function meet(one: string, other: string, way: 'startsWith' | 'endsWith'): boolean {
  return one[way](other) || other[way](one)
}

type Codes = readonly Code[]

/** The product of two patterns, by positions; each pair of positions is worked out once. */
class Meeting {
  readonly #left: Codes
  readonly #right: Codes
  readonly #budget: Budget
  readonly #known = new Map<number, readonly Codes[] | undefined>()

  constructor(left: Codes, right: Codes, budget: Budget) {
    this.#left = left
    this.#right = right
    this.#budget = budget
  }

  /** What both rests have in common; `undefined`: too many alternatives. */
  meet(leftAt: number, rightAt: number): readonly Codes[] | undefined {
    const place = leftAt * (this.#right.length + 1) + rightAt
    if (this.#known.has(place)) return this.#known.get(place)
    this.#budget.spend(4)
    const found = this.#step(leftAt, rightAt)
    this.#known.set(place, found)
    return found
  }

  #step(leftAt: number, rightAt: number): readonly Codes[] | undefined {
    const [one, other] = [this.#left[leftAt], this.#right[rightAt]]
    if (one === undefined && other === undefined) return [[]]
    // one of the two stars ends first; until then both run together
    if (one === anyRun && other === anyRun) {
      return this.#behind(
        anyRun,
        this.#either(this.meet(leftAt + 1, rightAt), this.meet(leftAt, rightAt + 1)),
      )
    }
    if (one === anyRun) {
      const taken = other === undefined ? [] : this.#behind(other, this.meet(leftAt, rightAt + 1))
      return this.#either(this.meet(leftAt + 1, rightAt), taken)
    }
    if (other === anyRun) {
      const taken = one === undefined ? [] : this.#behind(one, this.meet(leftAt + 1, rightAt))
      return this.#either(this.meet(leftAt, rightAt + 1), taken)
    }
    if (one === undefined || other === undefined) return []
    if (one !== other && one !== anyOne && other !== anyOne) return []
    return this.#behind(one === anyOne ? other : one, this.meet(leftAt + 1, rightAt + 1))
  }

  #behind(code: Code, rests: readonly Codes[] | undefined): readonly Codes[] | undefined {
    return rests?.map((rest) => {
      this.#budget.spend(rest.length + 2)
      return code === anyRun && rest[0] === anyRun ? rest : [code, ...rest]
    })
  }

  #either(
    some: readonly Codes[] | undefined,
    others: readonly Codes[] | undefined,
  ): readonly Codes[] | undefined {
    if (some === undefined || others === undefined) return undefined
    if (some.length === 0 || others.length === 0) return some.length === 0 ? others : some
    const all = [...some, ...others]
    this.#budget.spend(4 * all.reduce((sum, { length }) => sum + length, 0))
    const both = withoutContained(all.map(globOf), this.#budget)
    return both.length > mostAlternatives ? undefined : both.map(({ codes }) => codes)
  }
}
