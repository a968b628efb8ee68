import { anyOne, anyRun, type PatternCodes } from './wildcard.ts'

type Points = readonly number[] | Uint32Array

/**
 * What `matchCodes` says, for patterns and texts so long that their product counts: each piece between two stars is searched
 * for at 32 places at once (Baeza-Yates and Gonnet, "A new approach to text searching"). Both are well-formed Unicode.
 */
export function matchLongCodes(codes: PatternCodes, text: string, from: number): boolean {
  const [head = [], ...rest] = piecesOf(codes)
  const tail = rest.pop()
  const points = pointsOf(text, from)
  if (tail === undefined) return points.length === head.length && fitsAt(head, points, 0)
  const end = points.length - tail.length
  if (head.length > end || !fitsAt(head, points, 0) || !fitsAt(tail, points, end)) return false
  let at = head.length
  for (const piece of rest) {
    const found = findPiece(piece, points, at, end)
    if (found < 0) return false
    at = found + piece.length
  }
  return true
}

/** What stands before, between and behind the stars: characters, and `anyOne`. */
function piecesOf(codes: PatternCodes): readonly (readonly number[])[] {
  const pieces: number[][] = [[]]
  for (const [index, code] of codes.entries()) {
    if (code === anyRun) pieces.push([])
    else if (isPair(codes[index - 1], code)) pieces.at(-1)?.splice(-1, 1, joined(codes, index))
    else pieces.at(-1)?.push(code)
  }
  return pieces
}

function isPair(before: number | undefined, code: number): boolean {
  if (before === undefined || before < 0xd800 || before > 0xdbff) return false
  return code >= 0xdc00 && code <= 0xdfff
}

function joined(codes: PatternCodes, low: number): number {
  return 0x10000 + (((codes[low - 1] ?? 0) - 0xd800) << 10) + ((codes[low] ?? 0) - 0xdc00)
}

function pointsOf(text: string, from: number): Uint32Array {
  const points = new Uint32Array(text.length - from)
  let count = 0
  for (let at = from; at < text.length; count += 1) {
    const point = text.codePointAt(at) ?? 0
    points[count] = point
    at += point > 0xffff ? 2 : 1
  }
  return points.subarray(0, count)
}

function fitsAt(piece: Points, points: Points, at: number): boolean {
  for (let index = 0; index < piece.length; index += 1) {
    if (piece[index] !== anyOne && piece[index] !== points[at + index]) return false
  }
  return true
}

/** Where the piece stands first, wholly before `end`; -1: nowhere. */
function findPiece(piece: readonly number[], points: Uint32Array, from: number, end: number) {
  if (piece.length === 0) return from
  if (piece.length > end - from) return -1
  const { masks, others } = masksOf(piece)
  const last = (piece.length - 1) >>> 5
  const whole = 1 << ((piece.length - 1) & 31)
  // Bit i: what was just read is the end of a place where the piece fits up to its character i.
  const fitting = new Int32Array(last + 1)
  for (let at = from; at < end; at += 1) {
    const mask = masks.get(points[at] ?? 0) ?? others
    let carried = 1
    for (let word = 0; word <= last; word += 1) {
      const before = fitting[word] ?? 0
      fitting[word] = ((before << 1) | carried) & (mask[word] ?? 0)
      carried = before >>> 31
    }
    if (((fitting[last] ?? 0) & whole) !== 0) return at - piece.length + 1
  }
  return -1
}

/** For each character of the piece the places that take it; `others`: the places that take any other one. */
function masksOf(piece: readonly number[]): {
  masks: ReadonlyMap<number, Int32Array>
  others: Int32Array
} {
  const others = new Int32Array(((piece.length - 1) >>> 5) + 1)
  for (const [index, code] of piece.entries()) if (code === anyOne) setBit(others, index)
  const masks = new Map<number, Int32Array>()
  for (const [index, code] of piece.entries()) {
    if (code === anyOne) continue
    const mask = masks.get(code) ?? others.slice()
    setBit(mask, index)
    masks.set(code, mask)
  }
  return { masks, others }
}

function setBit(words: Int32Array, index: number): void {
  words[index >>> 5] = (words[index >>> 5] ?? 0) | (1 << (index & 31))
}
