import type { Ask } from './ask.ts'
import type { Listed } from './document.ts'
import { compilePattern, matchesPattern, type Pattern } from './pattern.ts'
import { parseTemplate } from './template.ts'

export type ActionMatcher = Readonly<{
  negated: boolean
  /** Bare `*`: every action of every service. */
  everything: boolean
  exact: ReadonlySet<string>
  patterns: readonly Pattern[]
}>

/** Action names compare without case: everything in here is lower case. */
export function compileActions(listed: Listed): ActionMatcher {
  const values = listed.values.map((value) => value.toLowerCase())
  const named = values.filter((value) => value !== '*' && value !== '*:*')
  return {
    negated: listed.negated,
    everything: named.length < values.length,
    exact: new Set(named.filter((value) => !isWild(value))),
    patterns: named.filter(isWild).map((value) => compileActionPattern(value)),
  }
}

function compileActionPattern(value: string): Pattern {
  const syntax = { wildcards: true, variables: false }
  return compilePattern(parseTemplate(value.toLowerCase(), syntax, ''))
}

export function matchesAction(matcher: ActionMatcher, ask: Ask): boolean {
  return (matcher.everything || namesAction(matcher, ask)) !== matcher.negated
}

/** The action is meant by its service, not only by a bare `*`. */
export function namesAction(matcher: ActionMatcher, ask: Ask): boolean {
  if (hasName(matcher, ask.action, ask)) return true
  return ask.actionAlias !== undefined && hasName(matcher, ask.actionAlias, ask)
}

function hasName(matcher: ActionMatcher, action: string, ask: Ask): boolean {
  if (matcher.exact.has(action)) return true
  for (const pattern of matcher.patterns) {
    if (matchesPattern(pattern, action, ask)) return true
  }
  return false
}

function isWild(value: string): boolean {
  return value.includes('*') || value.includes('?')
}
