import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { findText } from './linear-search.ts'
import { matchLongCodes } from './long-pattern.ts'
import { compilePattern, matchesPattern } from './pattern.ts'
import { prepareAsk, type Ask } from './ask.ts'
import { parseTemplate } from './template.ts'
import { noon, user } from './testing/ask.ts'
import { referenceLike } from './testing/reference-evaluator.ts'
import { anyOne, anyRun, matchCodes } from './wildcard.ts'

const prepared = prepareAsk(
  { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' },
  { facts: noon, principal: user },
)
assert.ok(prepared)
const ask: Ask = prepared

function like(pattern: string, text: string): boolean {
  const template = parseTemplate(pattern, { wildcards: true, variables: false }, '')
  return matchesPattern(compilePattern(template), text, ask)
}

function codesOf(pattern: string): readonly number[] {
  return Array.from(pattern, (character) =>
    character === '*' ? anyRun : character === '?' ? anyOne : character.charCodeAt(0),
  )
}

describe('wildcards (AWS IAM User Guide, "IAM JSON policy elements: Resource")', () => {
  const table: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a/b', true],
    ['?', '', false],
    ['?', 'a', true],
    ['?', '/', true],
    ['?', 'ab', false],
    ['a*', 'a', true],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a/b/b/c', true],
    ['*?', '', false],
    ['?*', 'x', true],
    ['**', '', true],
    ['a**b', 'ab', true],
    ['.*', 'a', false],
    ['a|b', 'a', false],
    ['(a)', 'a', false],
    ['?', '😀', true],
    ['??', '😀', false],
    ['*😀', '😀😀', true],
    ['K', 'k', false],
  ]
  for (const [pattern, text, matches] of table) {
    test(`${JSON.stringify(pattern)} ${matches ? 'matches' : 'refuses'} ${JSON.stringify(text)}`, () => {
      assert.equal(like(pattern, text), matches)
      assert.equal(referenceLike(pattern, text), matches)
    })
  }

  test('agree with the naive recursive matcher', () => {
    const pattern = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '*', '?', '😀'),
      maxLength: 8,
    })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '😀'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (one, other) => {
        assert.equal(like(one, other), referenceLike(one, other))
      }),
      { numRuns: 5000 },
    )
  })

  test('the general matcher agrees as well, from any position on', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, fc.nat({ max: 3 }), (one, other, from) => {
        const start = Math.min(from, other.length)
        const expected = referenceLike(one, other.slice(start))
        assert.equal(matchCodes(codesOf(one), other, start), expected)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the search in long texts', () => {
  const unit = fc.constantFrom('a', 'b', '😀')

  test('finds a text where the runtime finds it', () => {
    const piece = fc.string({ unit, minLength: 1, maxLength: 4 }).map((text) => text.repeat(200))
    const text = fc.array(fc.oneof(piece, fc.string({ unit }))).map((some) => some.join(''))
    fc.assert(
      fc.property(text, piece, fc.nat({ max: 9 }), (some, wanted, from) => {
        const long = some + 'ab'.repeat(2000) + some
        assert.equal(findText(long, wanted, from), long.indexOf(wanted, from))
      }),
    )
  })

  test('of a pattern agrees with the plain matcher, from any position on', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '*', '?'), maxLength: 90 })
    const text = fc.string({ unit, maxLength: 120 })
    const wished = fc.tuple(pattern, text, fc.nat({ max: 3 }), fc.boolean())
    fc.assert(
      fc.property(wished, ([one, other, from, fits]) => {
        const codes = one
          .split('')
          .map((c) => (c === '*' ? anyRun : c === '?' ? anyOne : c.charCodeAt(0)))
        const whole = `abb${fits ? one.replaceAll('*', other).replaceAll('?', 'a') : other}`
        assert.equal(matchLongCodes(codes, whole, from), matchCodes(codes, whole, from))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a hostile pattern', () => {
  /** Counts the looks at the text instead of the time. */
  function looks(pattern: string, text: string): number {
    let count = 0
    const counting = {
      length: text.length,
      charCodeAt: (index: number): number => {
        count += 1
        return text.charCodeAt(index)
      },
    }
    matchCodes(codesOf(pattern), counting)
    return count
  }

  test('of a thousand stars costs a few looks a character', () => {
    assert.ok(looks(`${'*a'.repeat(1024)}b`, 'a'.repeat(1024)) < 10_000)
    assert.ok(looks('*a*a*a*a*a*a*a*a*b', 'a'.repeat(1024)) < 10_000)
    assert.ok(looks(`${'*?a'.repeat(600)}b`, 'a'.repeat(1024)) < 10_000)
  })

  test('of one long piece costs no more than text times piece', () => {
    assert.ok(looks(`*${'a'.repeat(100)}b`, 'a'.repeat(1000)) < 250_000)
  })

  test('is answered by the compiled form, too', () => {
    assert.equal(like(`${'*a'.repeat(1000)}b`, 'a'.repeat(1024)), false)
    assert.equal(like('*a'.repeat(1000), 'a'.repeat(1024)), true)
  })
})
