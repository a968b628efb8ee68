import type { Ask } from './ask.ts'
import { findConditionKey, type ConditionKey } from './condition-keys.ts'
import { malformed, shown } from './errors.ts'
import { factText, isList } from './fact.ts'

/** A policy text taken apart: what is literal, what is a wildcard, what is filled in when a request is judged. */
export type Part =
  | Readonly<{ kind: 'literal'; text: string }>
  | Readonly<{ kind: 'any-run' }>
  | Readonly<{ kind: 'any-one' }>
  | Variable
export type Variable = Readonly<{
  kind: 'variable'
  name: string
  key: ConditionKey
  fallback: string | undefined
}>
export type Template = readonly Part[]

/** Which of the two languages a value is written in. */
export type TemplateSyntax = Readonly<{
  /** `*` and `?` are wildcards. */
  wildcards: boolean
  /** `${…}` is a variable: Version 2012-10-17 only; before it was plain text. */
  variables: boolean
}>

/** @throws PolicyError when a variable is not `${key}`, `${key, 'default'}`, `${*}`, `${?}` or `${$}` */
export function parseTemplate(text: string, syntax: TemplateSyntax, path: string): Template {
  const parts: Part[] = []
  const special = specials[`${syntax.wildcards}`]
  let at = 0
  while (at < text.length) {
    const found = nextSpecial(text, at, special)
    if (found > at) pushPart(parts, { kind: 'literal', text: text.slice(at, found) })
    if (found === text.length) break
    if (syntax.variables && text.startsWith('${', found)) {
      const { part, end } = parseVariable(text, found, path)
      pushPart(parts, part)
      at = end
    } else {
      pushPart(parts, characterPart(text.charAt(found)))
      at = found + 1
    }
  }
  return parts
}

/** The characters at which a text may turn into something else. */
const specials = { true: '$*?', false: '$' } as const

function nextSpecial(text: string, from: number, special: string): number {
  for (let at = from; at < text.length; at += 1) if (special.includes(text.charAt(at))) return at
  return text.length
}

/** `undefined`: absent without default, or a key of several values, which has no one text. */
export function resolveVariable(variable: Variable, ask: Ask): string | undefined {
  const fact = variable.key.read(ask)
  if (fact === undefined || (isList(fact) && fact.length === 0)) return variable.fallback
  return isList(fact) ? undefined : factText(fact)
}

/** The text with all variables filled in; `undefined` when one has no value. For templates without wildcards. */
export function renderTemplate(template: Template, ask: Ask): string | undefined {
  let text = ''
  for (const part of template) {
    const piece = part.kind === 'variable' ? resolveVariable(part, ask) : literalText(part)
    if (piece === undefined) return undefined
    text += piece
  }
  return text
}

export function variablesOf(template: Template): readonly Variable[] {
  return template.filter((part) => part.kind === 'variable')
}

/** The whole text, when nothing in it is open. */
export function constantText(template: Template): string | undefined {
  if (template.length === 0) return ''
  const [only] = template
  return template.length === 1 && only?.kind === 'literal' ? only.text : undefined
}

function literalText(part: Exclude<Part, Variable>): string {
  return part.kind === 'literal' ? part.text : part.kind === 'any-run' ? '*' : '?'
}

function characterPart(character: string): Part {
  if (character === '*') return { kind: 'any-run' }
  if (character === '?') return { kind: 'any-one' }
  return { kind: 'literal', text: character }
}

/** Joins literals; `**` says no more than `*`. */
function pushPart(parts: Part[], part: Part): void {
  const last = parts.at(-1)
  if (part.kind === 'any-run' && last?.kind === 'any-run') return
  if (part.kind === 'literal' && last?.kind === 'literal') {
    parts[parts.length - 1] = { kind: 'literal', text: last.text + part.text }
  } else {
    parts.push(part)
  }
}

// No two neighbours of this expression can take the same character: it is linear on any input.
const variablePattern = /^\$\{(?:([*?$])|([^{}$'*?,]+)(?:,\s*'([^']*)'\s*)?)\}/

function parseVariable(text: string, at: number, path: string): { part: Part; end: number } {
  const [whole, escaped, name = '', fallback] = variablePattern.exec(text.slice(at)) ?? []
  if (whole === undefined) throw malformed(path, `${shown(text)} holds an unfinished variable`)
  const end = at + whole.length
  if (escaped !== undefined) return { part: { kind: 'literal', text: escaped }, end }
  const key = findConditionKey(name.trim())
  if (key === undefined) throw malformed(path, `${shown(name)} is not the name of a variable`)
  return { part: { kind: 'variable', name: name.trim(), key, fallback }, end }
}
