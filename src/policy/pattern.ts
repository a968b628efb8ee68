import type { Ask } from './ask.ts'
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
  | Readonly<{ kind: 'everything' }>
  | Readonly<{ kind: 'exact'; text: string }>
  | Readonly<{ kind: 'prefix'; text: string }>
  | Readonly<{ kind: 'codes'; codes: PatternCodes }>
  | Readonly<{ kind: 'open'; head: string; template: Template }>

/** What a variable stands for at this place; `undefined`: nothing, so the pattern cannot match. */
export type Resolve = (variable: Variable, ask: Ask) => string | undefined

export function compilePattern(template: Template): Pattern {
  const [first, second] = template
  const constant = constantText(template)
  if (constant !== undefined) return { kind: 'exact', text: constant }
  if (variablesOf(template).length > 0) {
    return { kind: 'open', head: first?.kind === 'literal' ? first.text : '', template }
  }
  if (template.length === 1 && first?.kind === 'any-run') return { kind: 'everything' }
  if (template.length === 2 && first?.kind === 'literal' && second?.kind === 'any-run') {
    return { kind: 'prefix', text: first.text }
  }
  return { kind: 'codes', codes: codesOf(template) ?? [] }
}

export function matchesPattern(
  pattern: Pattern,
  text: string,
  ask: Ask,
  resolve: Resolve = resolveVariable,
): boolean {
  if (pattern.kind === 'exact') return text === pattern.text
  if (pattern.kind === 'prefix') return text.startsWith(pattern.text)
  if (pattern.kind === 'codes') return matchCodes(pattern.codes, text)
  return pattern.kind === 'everything' || matchesOpen(pattern, text, ask, resolve)
}

function matchesOpen(
  pattern: Pattern & { kind: 'open' },
  text: string,
  ask: Ask,
  resolve: Resolve,
): boolean {
  if (!text.startsWith(pattern.head)) return false
  const codes = codesOf(pattern.template, (variable) => resolve(variable, ask))
  return codes !== undefined && matchCodes(codes, text)
}

/** What a variable brings in is literal: its `*` and `?` are pushed as characters, and nothing is scanned again. */
function codesOf(
  template: Template,
  resolve?: (variable: Variable) => string | undefined,
): PatternCodes | undefined {
  const codes: number[] = []
  for (const part of template) {
    const text = openText(part, resolve)
    if (text === undefined) return undefined
    if (part.kind === 'any-run') codes.push(anyRun)
    else if (part.kind === 'any-one') codes.push(anyOne)
    else pushLiteral(codes, text)
  }
  return codes
}

function openText(
  part: Part,
  resolve: ((variable: Variable) => string | undefined) | undefined,
): string | undefined {
  if (part.kind === 'literal') return part.text
  return part.kind === 'variable' ? resolve?.(part) : ''
}
