import { anyOne, anyRun } from '../wildcard.ts'
import type { Budget } from './budget.ts'

/** A code point, a wildcard (`anyRun`, `anyOne`), or a variable that only the target can fill in, as it is written. */
export type Code = number | string

/** A pattern as a value: two that are written alike have one `key`. */
export type Glob = Readonly<{ codes: readonly Code[]; key: string }>

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
  return { codes: normal, key: keyOf(normal) }
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

export function isWild({ codes }: Glob): boolean {
  return codes.some((code) => code === anyRun || code === anyOne)
}

export function isOpen({ codes }: Glob): boolean {
  return codes.some((code) => typeof code === 'string')
}

/** The text that a glob without wildcards and variables means; of others, what is literal in it. */
export function plainText({ codes }: Glob): string {
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
  const [first, other] = [outer.codes[0], inner.codes[0]]
  if (first !== other && !isWildCode(first)) return false
  budget.spend(outer.codes.length + inner.codes.length)
  let [at, position, afterStar, retryFrom] = [0, 0, -1, 0]
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
      budget.spend(position - retryFrom + 1)
      at = afterStar
      retryFrom += 1
      position = retryFrom
    } else {
      return false
    }
  }
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
  if (containsGlob(left, right, budget)) return [right]
  if (containsGlob(right, left, budget)) return [left]
  if (headsDiffer(left.codes, right.codes) || tailsDiffer(left.codes, right.codes)) return []
  if (isOpen(left) || isOpen(right)) return undefined
  if (left.codes.length + right.codes.length > mostCodes) return undefined
  const found = new Meeting(left.codes, right.codes, budget).meet(0, 0)
  return found && withoutContained(found.map(globOf), budget)
}
/** Deep enough for any name, shallow enough for the stack. */
const mostCodes = 2400

/** Drops what another one of the list contains; sorted, each once. */
export function withoutContained(globs: readonly Glob[], budget: Budget): readonly Glob[] {
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

function headsDiffer(left: readonly Code[], right: readonly Code[]): boolean {
  for (let index = 0; ; index += 1) {
    const [one, other] = [left[index], right[index]]
    if (!isLetter(one) || !isLetter(other)) return isEnd(one, other) || isEnd(other, one)
    if (one !== other) return true
  }
}

function tailsDiffer(left: readonly Code[], right: readonly Code[]): boolean {
  for (let index = 1; ; index += 1) {
    const [one, other] = [left.at(-index), right.at(-index)]
    if (!isLetter(one) || !isLetter(other)) return false
    if (one !== other) return true
  }
}

function isLetter(code: Code | undefined): boolean {
  return typeof code === 'number' && code >= 0
}

/** One text ends where the other demands another character. */
function isEnd(one: Code | undefined, other: Code | undefined): boolean {
  return one === undefined && (isLetter(other) || other === anyOne)
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
      this.#budget.spend(rest.length + 1)
      return code === anyRun && rest[0] === anyRun ? rest : [code, ...rest]
    })
  }

  #either(
    some: readonly Codes[] | undefined,
    others: readonly Codes[] | undefined,
  ): readonly Codes[] | undefined {
    if (some === undefined || others === undefined) return undefined
    if (some.length === 0 || others.length === 0) return some.length === 0 ? others : some
    const both = withoutContained([...some, ...others].map(globOf), this.#budget)
    return both.length > mostAlternatives ? undefined : both.map(({ codes }) => codes)
  }
}
