import type { Ask } from './ask.ts'
import { findText } from './linear-search.ts'
import { matchLongCodes } from './long-pattern.ts'
import {
  constantText,
  resolveVariable,
  variablesOf,
  type Part,
  type Template,
  type Variable,
} from './template.ts'
import { anyOne, anyRun, matchCodes, pushLiteral, type PatternCodes } from './wildcard.ts'

/** A template compiled for matching; the common shapes are told apart once. */
export type Pattern =
  | Readonly<{ kind: 'exact'; text: string }>
  | Readonly<{ kind: 'pieces'; pieces: Pieces }>
  | Readonly<{ kind: 'codes'; codes: PatternCodes }>
  | OpenPattern

/** Texts with a `*` between each two: the string functions of the runtime find them fastest. */
type Pieces = Readonly<{ head: string; middle: readonly string[]; tail: string }>

/** Holds variables. Most look like `home/${aws:username}/*`, and those are matched without building anything. */
type OpenPattern = Readonly<{
  kind: 'open'
  /** Up to the first wildcard. */
  lead: readonly (Variable | Literal)[]
  /** From the first wildcard on. */
  tail: Template
  /** The tail, when it holds neither variables nor `?`. */
  tailPieces: Pieces | undefined
}>
type Literal = Extract<Part, { kind: 'literal' }>
type Filled = Exclude<Part, Variable>

/** What a variable stands for at this place; `undefined`: nothing, so the pattern cannot match. */
export type Resolve = (variable: Variable, ask: Ask) => string | undefined

export function compilePattern(template: Template): Pattern {
  const constant = constantText(template)
  if (constant !== undefined) return { kind: 'exact', text: constant }
  if (variablesOf(template).length > 0) return openPattern(template)
  const pieces = piecesOf(template)
  if (pieces !== undefined) return { kind: 'pieces', pieces }
  return { kind: 'codes', codes: codesOf(template.filter((part) => part.kind !== 'variable')) }
}

export function matchesPattern(
  pattern: Pattern,
  text: string,
  ask: Ask,
  resolve: Resolve = resolveVariable,
): boolean {
  if (pattern.kind === 'exact') return text === pattern.text
  if (pattern.kind === 'pieces') return matchesPieces(pattern.pieces, text, 0)
  if (pattern.kind === 'codes') return matchesCodes(pattern.codes, text, 0)
  return matchesOpen(pattern, text, ask, resolve)
}

/** Matches whatever it is given. */
export function matchesEverything(pattern: Pattern): boolean {
  if (pattern.kind !== 'pieces') return false
  const { head, middle, tail } = pattern.pieces
  return head === '' && middle.length === 0 && tail === ''
}

function openPattern(template: Template): OpenPattern {
  const lead: (Variable | Literal)[] = []
  for (const part of template) {
    if (part.kind !== 'literal' && part.kind !== 'variable') break
    lead.push(part)
  }
  const tail = template.slice(lead.length)
  return { kind: 'open', lead, tail, tailPieces: piecesOf(tail) }
}

function matchesOpen(pattern: OpenPattern, text: string, ask: Ask, resolve: Resolve): boolean {
  let position = 0
  for (const part of pattern.lead) {
    const piece = part.kind === 'literal' ? part.text : resolve(part, ask)
    if (piece === undefined || !text.startsWith(piece, position)) return false
    position += piece.length
  }
  if (pattern.tailPieces !== undefined) return matchesPieces(pattern.tailPieces, text, position)
  const tail = fillIn(pattern.tail, (variable) => resolve(variable, ask))
  if (tail === undefined || lengthOf(tail) > text.length - position) return false
  const pieces = piecesOf(tail)
  if (pieces !== undefined) return matchesPieces(pieces, text, position)
  if (lengthOf(tail) * text.length > mostSteps) return false
  return matchesCodes(codesOf(tail), text, position)
}

/**
 * How long one value may take: the product of both lengths at worst, and both are the caller's own choice where its session
 * policy compares a claim with a claim. Ninety values of 10 KiB took minutes, in which nobody else was served.
 */
const mostSteps = 2 ** 23
/** Up to here the plain way is the faster one. */
const fewSteps = 2 ** 15

function matchesCodes(codes: PatternCodes, text: string, from: number): boolean {
  const isLong = codes.length * (text.length - from) > fewSteps
  return isLong ? matchLongCodes(codes, text, from) : matchCodes(codes, text, from)
}

/** What a variable brings in is literal: its `*` and `?` are characters, and nothing is scanned again. */
function fillIn(
  template: Template,
  resolve: (variable: Variable) => string | undefined,
): readonly Filled[] | undefined {
  const filled: Filled[] = []
  for (const part of template) {
    const text = part.kind === 'variable' ? resolve(part) : ''
    if (text === undefined) return undefined
    filled.push(part.kind === 'variable' ? { kind: 'literal', text } : part)
  }
  return filled
}

/** Of the shortest text that matches. */
function lengthOf(template: readonly Filled[]): number {
  const lengths = { literal: 0, 'any-one': 1, 'any-run': 0 }
  return template.reduce(
    (sum, part) => sum + (part.kind === 'literal' ? part.text.length : lengths[part.kind]),
    0,
  )
}

/** `undefined`: has no `*`, or has something that must be looked at when a request is judged. */
function piecesOf(template: Template): Pieces | undefined {
  const pieces = ['']
  for (const part of template) {
    if (part.kind === 'any-run') pieces.push('')
    else if (part.kind === 'literal') pieces[pieces.length - 1] += part.text
    else return undefined
  }
  const [head = '', ...rest] = pieces
  const tail = rest.pop()
  return tail === undefined ? undefined : { head, middle: rest, tail }
}

/** Each piece at its first place behind the one before: if that fails, no later place would do. */
function matchesPieces({ head, middle, tail }: Pieces, text: string, from: number): boolean {
  const end = text.length - tail.length
  let position = from + head.length
  if (position > end || !text.startsWith(head, from)) return false
  for (const piece of middle) {
    const found = findText(text, piece, position)
    if (found < 0) return false
    position = found + piece.length
  }
  return position <= end && (tail === '' || text.endsWith(tail))
}

function codesOf(template: readonly Filled[]): PatternCodes {
  const codes: number[] = []
  for (const part of template) {
    if (part.kind === 'any-run') codes.push(anyRun)
    else if (part.kind === 'any-one') codes.push(anyOne)
    else pushLiteral(codes, part.text)
  }
  return codes
}
