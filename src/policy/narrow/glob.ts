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

function isLetter(code: Code | undefined): boolean {
  return typeof code === 'number' && code >= 0
}
