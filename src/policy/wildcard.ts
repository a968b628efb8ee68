/**
 * Wildcard patterns as numbers: UTF-16 code units, and two values below zero for the wildcards. A pattern is never
 * turned into a regular expression: `*a*a*a…` would take time without end.
 */
export const anyRun = -1
export const anyOne = -2
export type PatternCodes = readonly number[]

/** What the matcher needs of a string; tests count the looks. */
export type Characters = Readonly<{ length: number; charCodeAt(index: number): number }>

/**
 * Whether the pattern matches the whole text from `from` on. `*` is any run of characters, also none and also across `/`;
 * `?` is exactly one character (a surrogate pair is one). Iterative with one point to come back to, the last `*`: at most
 * text length times the longest piece between two stars.
 */
export function matchCodes(codes: PatternCodes, text: Characters, from = 0): boolean {
  const { length } = text
  let at = 0
  let position = from
  let afterStar = -1
  let retryFrom = from
  while (position < length) {
    const code = at < codes.length ? codes[at] : undefined
    const unit = text.charCodeAt(position)
    if (code === unit) {
      at += 1
      position += 1
    } else if (code === anyRun) {
      at += 1
      if (at === codes.length) return true
      afterStar = at
      retryFrom = position
    } else if (code === anyOne) {
      at += 1
      position += isHighSurrogate(unit) ? pairLength(text, position) : 1
    } else if (afterStar >= 0) {
      at = afterStar
      retryFrom += isHighSurrogate(text.charCodeAt(retryFrom)) ? pairLength(text, retryFrom) : 1
      position = retryFrom
    } else {
      return false
    }
  }
  while (at < codes.length && codes[at] === anyRun) at += 1
  return at === codes.length
}

export function pushLiteral(codes: number[], text: string): void {
  for (let index = 0; index < text.length; index += 1) codes.push(text.charCodeAt(index))
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function pairLength(text: Characters, at: number): number {
  const next = text.charCodeAt(at + 1)
  return next >= 0xdc00 && next <= 0xdfff ? 2 : 1
}
