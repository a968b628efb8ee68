import type { Ask } from './ask.ts'
import { compilePattern, matchesPattern, type Pattern, type Resolve } from './pattern.ts'
import { resolveVariable, type Part, type Template } from './template.ts'

/** The six colon-separated parts of an ARN, each a pattern of its own: no wildcard and no value crosses a colon. */
export type ArnPattern = readonly Pattern[]
const partCount = 6

/** `undefined`: not six parts. Colons behind the fifth belong to the last part. */
export function compileArnPattern(template: Template): ArnPattern | undefined {
  const segments: Part[][] = [[]]
  for (const part of template) {
    if (part.kind === 'literal') splitLiteral(part.text, segments)
    else segments.at(-1)?.push(part)
  }
  return segments.length === partCount ? segments.map(compilePattern) : undefined
}

export function matchesArn(
  pattern: ArnPattern,
  arn: string,
  ask: Ask,
  resolve: Resolve = resolveVariable,
): boolean {
  let start = 0
  for (const [index, part] of pattern.entries()) {
    const colon = index < partCount - 1 ? arn.indexOf(':', start) : arn.length
    if (colon < 0 || !matchesPattern(part, arn.slice(start, colon), ask, resolve)) return false
    start = colon + 1
  }
  return true
}

function splitLiteral(text: string, segments: Part[][]): void {
  let start = 0
  while (segments.length < partCount) {
    const colon = text.indexOf(':', start)
    if (colon < 0) break
    pushText(segments, text.slice(start, colon))
    segments.push([])
    start = colon + 1
  }
  pushText(segments, text.slice(start))
}

function pushText(segments: Part[][], text: string): void {
  if (text !== '') segments.at(-1)?.push({ kind: 'literal', text })
}
