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
 * `*` is any run of characters, also none and also across `/`; `?` is exactly one character (a surrogate pair is one).
 * Iterative with one point to come back to, the last `*`: at most text length times the longest piece between two stars.
 */
export function matchCodes(codes: PatternCodes, text: Characters): boolean {
  const length = text.length
  let at = 0
  let position = 0
  let afterStar = -1
  let retryFrom = 0
  while (position < length) {
    const code = codes[at]
    if (code === anyRun) {
      at += 1
      if (at === codes.length) return true
      afterStar = at
      retryFrom = position
    } else if (code === anyOne) {
      at += 1
      position += characterLength(text, position)
    } else if (code !== undefined && code === text.charCodeAt(position)) {
      at += 1
      position += 1
    } else if (afterStar >= 0) {
      at = afterStar
      retryFrom += characterLength(text, retryFrom)
      position = retryFrom
    } else {
      return false
    }
  }
  while (codes[at] === anyRun) at += 1
  return at === codes.length
}

export function pushLiteral(codes: number[], text: string): void {
  for (let index = 0; index < text.length; index += 1) codes.push(text.charCodeAt(index))
}

function characterLength(text: Characters, at: number): number {
  return isHighSurrogate(text.charCodeAt(at)) && isLowSurrogate(text.charCodeAt(at + 1)) ? 2 : 1
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
