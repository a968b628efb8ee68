import { anyOne, anyRun } from '../wildcard.ts'
import type { Budget } from './budget.ts'

/** A code point, a wildcard (`anyRun`, `anyOne`), or a variable that only the target can fill in, as it is written. */
export type Code = number | string

/** A pattern as a value. */
export type Glob = Readonly<{
  codes: readonly Code[]
  /** One for patterns that are written alike. */
  key: string
  /** Holds a `*` or a `?`. */
  wild: boolean
  /** What is literal at both ends: most patterns are told apart by it. A whole text is its own head and tail. */
  head: string
  tail: string
}>

/** A run of wildcards is told in one way, first every `?`, then one `*`: `*?*` says what `?*` says. */
export function globOf(codes: readonly Code[]): Glob {
  const normal: Code[] = []
  let run = false
  for (const code of codes) {
    if (code === anyRun) run = true
    else {
      if (run && code !== anyOne) normal.push(anyRun)
      if (code !== anyOne) run = false
      normal.push(code)
    }
  }
  if (run) normal.push(anyRun)
  const first = normal.findIndex((code) => !isLetter(code))
  const last = normal.findLastIndex((code) => !isLetter(code))
  return {
    codes: normal,
    key: keyOf(normal),
    wild: normal.some(isWildCode),
    head: textOf(first < 0 ? normal : normal.slice(0, first)),
    tail: textOf(normal.slice(last + 1)),
  }
}

export function literalGlob(text: string): Glob {
  return globOf(codesOfText(text))
}

export function codesOfText(text: string): readonly number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

export const everyGlob: Glob = globOf([anyRun])

export function isEvery({ codes }: Glob): boolean {
  return codes.length === 1 && codes[0] === anyRun
}

export function isOpen({ codes }: Glob): boolean {
  return codes.some((code) => typeof code === 'string')
}

/** The text that a glob without wildcards and variables means; of others, what is literal in it. */
export function plainText({ codes }: Glob): string {
  return textOf(codes)
}

function textOf(codes: readonly Code[]): string {
  return codes
    .map((code) => (typeof code === 'number' && code >= 0 ? String.fromCodePoint(code) : ''))
    .join('')
}

/** Orders by UTF-16 units: the same on every machine. */
export function byKey(left: Readonly<{ key: string }>, right: Readonly<{ key: string }>): number {
  return left.key < right.key ? -1 : left.key > right.key ? 1 : 0
}

/** Written as in a policy of Version 2012-10-17, so that no two patterns look alike. */
function keyOf(codes: readonly Code[]): string {
  let key = ''
  for (const code of codes) {
    if (code === anyRun) key += '*'
    else if (code === anyOne) key += '?'
    else if (typeof code === 'string') key += code
    else if (code === star || code === mark || code === dollar) {
      key += `\${${String.fromCodePoint(code)}}`
    } else key += String.fromCodePoint(code)
  }
  return key
}
const [star, mark, dollar] = [0x2a, 0x3f, 0x24]

/**
 * Whether everything that `inner` can be is something that `outer` can be. The wildcards of `inner` are taken for letters
 * that only wildcards of `outer` match: a yes is always right, a no is right but for exotic runs of `?` and `*`.
 */
export function containsGlob(outer: Glob, inner: Glob, budget: Budget): boolean {
  if (outer.key === inner.key || isEvery(outer)) return true
  if (!outer.wild) return false
  budget.spend(1)
  if (!inner.head.startsWith(outer.head) || !inner.tail.endsWith(outer.tail)) return false
  let [at, position, afterStar, retryFrom, steps] = [0, 0, -1, 0, 0]
  while (position < inner.codes.length) {
    const code = outer.codes[at]
    const letter = inner.codes[position]
    if (code === anyRun) {
      at += 1
      afterStar = at
      retryFrom = position
    } else if (code !== undefined && matchesLetter(code, letter)) {
      at += 1
      position += 1
    } else if (afterStar >= 0) {
      budget.spend(steps)
      steps = 0
      at = afterStar
      retryFrom += 1
      position = retryFrom
    } else {
      break
    }
    steps += 1
  }
  budget.spend(steps)
  if (position < inner.codes.length) return false
  while (outer.codes[at] === anyRun) at += 1
  return at === outer.codes.length
}

function matchesLetter(code: Code, letter: Code | undefined): boolean {
  if (code === letter) return true
  return code === anyOne && typeof letter === 'number' && letter >= 0
}

function isWildCode(code: Code | undefined): boolean {
  return code === anyRun || code === anyOne
}

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

/** Drops what another one of the list contains; sorted, each once. */
export function withoutContained(globs: readonly Glob[], budget: Budget): readonly Glob[] {
  budget.spend(2 * globs.length)
  return keepWidest(globs, (outer, inner) => containsGlob(outer, inner, budget))
}

/** Of two that contain each other the first stays. */
export function keepWidest<Item extends Readonly<{ key: string }>>(
  items: readonly Item[],
  contains: (outer: Item, inner: Item) => boolean,
): readonly Item[] {
  const unique = [...new Map(items.map((item) => [item.key, item])).values()].sort(byKey)
  if (unique.length < 2) return unique
  return unique.filter(
    (item, index) =>
      !unique.some(
        (other, place) =>
          place !== index && contains(other, item) && (place < index || !contains(item, other)),
      ),
  )
}

function meet(one: string, other: string, way: 'startsWith' | 'endsWith'): boolean {
  return one[way](other) || other[way](one)
}

function isLetter(code: Code | undefined): boolean {
  return typeof code === 'number' && code >= 0
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
