import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { BoundedCache } from './bounded-cache.ts'

describe('the bounded cache', () => {
  it('never holds more than its capacity, and never answers with another value', () => {
    const anyStep = fc.tuple(
      fc.constantFrom('get', 'set', 'delete'),
      fc.integer({ max: 9, min: 0 }),
    )
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
        const cache = new BoundedCache<number>(4)
        for (const [step, number] of steps) {
          if (step === 'set') cache.set(`${number}`, number)
          if (step === 'delete') cache.delete(`${number}`)
          if (step === 'delete') assert.equal(cache.get(`${number}`), undefined)
          const found = cache.get(`${number}`)
          assert.ok(found === undefined || found === number)
          if (step === 'set') assert.equal(found, number)
          assert.ok(cache.size <= 4)
        }
      }),
    )
  })

  it('keeps what is asked for, however much else comes by', () => {
    const cache = new BoundedCache<number>(10)
    cache.set('hot', 1)
    for (let count = 0; count < 1000; count += 1) {
      cache.set(`cold ${count}`, count)
      assert.equal(cache.get('hot'), 1)
    }
    assert.equal(cache.get('cold 900'), undefined)
  })
})
