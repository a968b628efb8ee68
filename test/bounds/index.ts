/**
 * What every parser of foreign text keeps to, whatever it is given: its documented error and no other, 50 ms, 16 MiB. One line
 * in a test names a parser, the error, and the words of its grammar; the hostile inputs are made from those.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as fc from 'fast-check'
import { anyInput, floods, type Input } from './inputs.ts'
import { isWithinLimits, measure } from './measure.ts'

export { countUp, repeatTo } from './inputs.ts'

export type BoundedParser = Readonly<{
  name: string
  /** Parsers of bytes take the text as latin1. */
  parse: (text: string) => unknown
  /** Whether this is a refusal that the parser documents. */
  refuses: (error: unknown) => boolean
  /** What its grammar is made of: marks, keywords, the beginnings of things that have an end. */
  words: readonly string[]
  /** Where in a text that is otherwise sound the rest is put. Default: it is the whole text. */
  frames?: readonly ((rest: string) => string)[]
  /** What only somebody who knows the parser would try. */
  hostile?: Readonly<Record<string, string>>
}>

export function keepsItsBounds(parser: BoundedParser): void {
  const { name, words, frames = [(rest) => rest], hostile = {} } = parser
  it(`${name}: answers or refuses any 64 KiB within 50 ms and 16 MiB`, async () => {
    const byHand = Object.entries(hostile).map(([name, text]) => ({ name, text }))
    for (const input of [...floods(words, frames), ...byHand]) await check(parser, input)
  })
  it(`${name}: throws nothing but what it documents, whatever it is given`, async () => {
    const property = fc.asyncProperty(anyInput(words, frames), (input) => check(parser, input))
    await fc.assert(property, { numRuns: 100 })
  })
}

async function check({ name, parse, refuses }: BoundedParser, input: Input): Promise<void> {
  const { cost, thrown } = await measure(() => parse(input.text))
  assert.ok(
    isWithinLimits(cost),
    `${name} took ${cost.milliseconds.toFixed(1)} ms and ${cost.bytes} bytes for ${input.name}`,
  )
  if (thrown === undefined || refuses(thrown.error)) return
  assert.fail(`${name} threw ${String(thrown.error)} for ${input.name}`)
}
