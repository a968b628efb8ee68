import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { mergeParameters, parseFields } from './parameters.ts'
import { StsError } from './sts-error.ts'

const parse = (text: string | Buffer) => parseFields(Buffer.from(text))
const malformed = { name: 'StsError', code: 'malformed_form' }

describe('a form body (URL Standard, application/x-www-form-urlencoded)', () => {
  it('is read as pairs in order', () => {
    assert.deepEqual(parse('A=1&B=x+y%20z&C=%E2%82%AC&D&E=&=v&&F=a=b'), [
      ['A', '1'],
      ['B', 'x y z'],
      ['C', '€'],
      ['D', ''],
      ['E', ''],
      ['', 'v'],
      ['F', 'a=b'],
    ])
    assert.deepEqual(parse(''), [])
  })

  it('may hold text that is not percent-encoded, as some clients send it', () => {
    assert.deepEqual(parse('Policy={"a":"€;b"}'), [['Policy', '{"a":"€;b"}']])
  })

  it('refuses broken percent-encoding and what is no UTF-8', () => {
    for (const text of ['A=%', 'A=%4', 'A=%zz', 'A=%FF', 'A=%C0%80', 'A=%ED%A0%80', '%E2%82=1']) {
      assert.throws(() => parse(text), malformed, text)
    }
    assert.throws(() => parse(Buffer.from([0x41, 0x3d, 0xff])), malformed)
  })

  it('refuses more parameters than any call has', () => {
    assert.equal(parse('a&'.repeat(255) + 'a').length, 256)
    assert.throws(() => parse('a&'.repeat(300)), malformed)
  })

  it('throws nothing but its own error, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          mergeParameters([], parseFields(Buffer.from(bytes)))
        } catch (error) {
          assert.ok(error instanceof StsError && error.code === 'malformed_form')
        }
      }),
    )
  })

  it('reads back what URLSearchParams writes', () => {
    const names = fc.string({ unit: 'grapheme', maxLength: 8 })
    const pairs = fc.uniqueArray(fc.tuple(names, fc.string({ unit: 'grapheme' })), {
      selector: ([name]) => name,
    })
    fc.assert(
      fc.property(pairs, (fields) => {
        const read = parse(new URLSearchParams(fields).toString())
        assert.deepEqual(
          read.filter(([name, value]) => name !== '' || value !== ''),
          fields.filter(([name, value]) => name !== '' || value !== ''),
        )
      }),
    )
  })
})

describe('the parameters of a call', () => {
  it('come from query and body together', () => {
    const parameters = mergeParameters([['Action', 'A']], [['Version', 'V']])
    assert.equal(parameters.get('Action'), 'A')
    assert.equal(parameters.get('Version'), 'V')
  })

  it('may stand in both places with one value, and never with two', () => {
    assert.equal(mergeParameters([['A', '1']], [['A', '1']]).get('A'), '1')
    assert.throws(() => mergeParameters([['A', '1']], [['A', '2']]), malformed)
    assert.throws(() => mergeParameters([['A', '']], [['A', '2']]), malformed)
  })

  it('stand once, even with one value', () => {
    const twice = [
      ['A', '1'],
      ['A', '1'],
    ] as const
    assert.throws(() => mergeParameters(twice, []), malformed)
    assert.throws(() => mergeParameters([], twice), malformed)
  })

  it('count as absent when empty', () => {
    const parameters = mergeParameters([['A', '']], [])
    assert.equal(parameters.get('A'), undefined)
    assert.deepEqual(parameters.names(), [])
    assert.throws(() => parameters.demand('A'), { code: 'missing_parameter' })
  })

  it('may have names that objects are born with', () => {
    const parameters = mergeParameters([], [['__proto__', 'x']])
    assert.equal(parameters.get('__proto__'), 'x')
    assert.equal(parameters.get('constructor'), undefined)
  })
})
