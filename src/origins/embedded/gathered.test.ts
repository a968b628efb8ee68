import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { patterned } from '../testing/bodies.ts'
import { Gathered } from './gathered.ts'

describe('a gathered body', () => {
  test('has the same bytes in the same order, however they came', () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(5000), fc.constant(16_384)), { size: '+1' })
    const takes = fc.array(sizes, { minLength: 1, maxLength: 3 })
    const property = fc.property(takes, (rounds) => {
      const gathered = new Gathered()
      for (const [seed, round] of rounds.entries()) {
        const sent = round.map((size, i) => patterned(size, seed * 1000 + i))
        for (const piece of sent) gathered.add(piece)
        const whole = Buffer.concat(sent)
        assert.equal(gathered.size, whole.length)
        assert.ok(Buffer.concat(gathered.take()).equals(whole))
      }
    })
    fc.assert(property, { numRuns: 200 })
  })

  test('is no crowd of small pieces, even between large ones', () => {
    const gathered = new Gathered()
    for (let i = 0; i < 500_000; i++) gathered.add(Buffer.of(i))
    assert.ok(gathered.take().length <= 32)
    for (let i = 0; i < 100; i++) {
      gathered.add(patterned(4096))
      gathered.add(Buffer.of(i))
    }
    const backing = new Set(gathered.take().map(({ buffer }) => buffer))
    assert.ok(backing.size <= 102, 'all the single bytes share one page')
  })

  test('keeps a piece that came alone as it is', () => {
    const gathered = new Gathered()
    const piece = Buffer.from('small object')
    gathered.add(piece)
    assert.equal(gathered.take()[0], piece)
  })
})
