import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { PolicyError } from '../index.ts'
import { referenceLike } from '../testing/reference-evaluator.ts'
import { anyOne, anyRun } from '../wildcard.ts'
import { Budget } from './budget.ts'
import { containsGlob, globOf, withoutContained, type Glob } from './glob.ts'
import { intersectGlobs } from './intersect-globs.ts'

const plenty = (): Budget => new Budget(1_000_000)

function glob(pattern: string): Glob {
  return globOf(
    Array.from(pattern, (character) =>
      character === '*' ? anyRun : character === '?' ? anyOne : (character.codePointAt(0) ?? 0),
    ),
  )
}

function meet(left: string, right: string): readonly string[] | undefined {
  return intersectGlobs(glob(left), glob(right), plenty())?.map(({ key }) => key)
}

const letters = fc.constantFrom('a', 'b', '*', '?', '*', '😀')
const patterns = fc.array(letters, { maxLength: 6 }).map((parts) => parts.join(''))
const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '😀'), { maxLength: 7 })
  .map((parts) => parts.join(''))

describe('the intersection of patterns', () => {
  test('is the smaller one, where one contains the other', () => {
    assert.deepEqual(meet('s3:*', 's3:get*'), ['s3:get*'])
    assert.deepEqual(meet('b/a?c', 'b/*'), ['b/a?c'])
    assert.deepEqual(meet('k', 'k'), ['k'])
  })

  test('holds every overlap', () => {
    assert.deepEqual(meet('s3:get*', '*tobject'), ['s3:get*tobject', 's3:getobject'])
    assert.deepEqual(meet('a*', '*b'), ['a*b'])
    assert.deepEqual(meet('?b*', 'a*'), ['ab*'])
  })

  test('is empty where nothing is in common', () => {
    assert.deepEqual(meet('s3:get*', 's3:put*'), [])
    assert.deepEqual(meet('b', 'b/*'), [])
    assert.deepEqual(meet('a*x', 'b*y'), [])
    assert.deepEqual(meet('??', 'a'), [])
  })

  test('matches exactly what both match', () => {
    fc.assert(
      fc.property(patterns, patterns, fc.array(texts, { maxLength: 30 }), (left, right, some) => {
        const both = meet(left, right)
        if (both === undefined) return
        for (const text of some) {
          const expected = referenceLike(left, text) && referenceLike(right, text)
          assert.equal(
            both.some((pattern) => referenceLike(pattern, text)),
            expected,
            `${left} ${right} ${text}: ${both.join(' ')}`,
          )
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('is told to be unknown where there are too many overlaps', () => {
    assert.equal(meet(`*${'ab*'.repeat(5)}`, `*${'cd*'.repeat(5)}`), undefined)
  })

  test('stops when its steps are used up', () => {
    const [left, right] = [glob(`*${'ab*'.repeat(4)}`), glob(`*${'cd*'.repeat(4)}`)]
    assert.throws(() => intersectGlobs(left, right, new Budget(200)), PolicyError)
  })

  test('takes a variable of the request for a text of its own', () => {
    const open = globOf([...glob('b/').codes, '${s3:prefix}', ...glob('/*').codes])
    assert.deepEqual(intersectGlobs(open, glob('b/*'), plenty()), [open])
    assert.equal(intersectGlobs(open, glob('b/a/*'), plenty()), undefined)
    assert.equal(containsGlob(glob('b/?/*'), open, plenty()), false)
    assert.equal(containsGlob(open, glob('b/a/k'), plenty()), false)
    assert.deepEqual(intersectGlobs(open, glob('c/*'), plenty()), [])
  })
})

describe('containment of patterns', () => {
  test('is never claimed where a text tells them apart', () => {
    fc.assert(
      fc.property(patterns, patterns, fc.array(texts, { maxLength: 30 }), (outer, inner, some) => {
        if (!containsGlob(glob(outer), glob(inner), plenty())) return
        for (const text of some.filter((one) => referenceLike(inner, one))) {
          assert.ok(referenceLike(outer, text), `${outer} ${inner} ${text}`)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('drops what another pattern covers, and of equals one', () => {
    const kept = withoutContained(['a*', 'ab', 'a*', '*?', '?*', 'b'].map(glob), plenty())
    assert.deepEqual(
      kept.map(({ key }) => key),
      ['?*'],
    )
  })
})
