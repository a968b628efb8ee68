import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parseJsonObject } from './json-object.ts'

describe('a JSON object from outside (RFC 8259)', () => {
  const refused = new Map([
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"a"'],
    ['nothing', ''],
    ['trailing garbage', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['a doubled member', '{"sub":"a","sub":"b"}'],
    ['a doubled member in another spelling', '{"sub":"a","s\\u0075b":"b"}'],
    ['a doubled member deep down', '{"a":[{"b":{"c":1,"d":2,"c":1}}]}'],
    ['a doubled __proto__', '{"__proto__":1,"__proto__":2}'],
    ['a lone surrogate', '{"sub":"\\ud800"}'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['deep nesting', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])
  for (const [name, text] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => parseJsonObject(text), SyntaxError))
  }

  it('takes the same name in different objects, and text that looks like members', () => {
    const text = '{"a":{"x":1},"b":{"x":1},"c":"{\\"x\\":1,\\"x\\":2}","d":["x","x"],"e" : "}"}'
    assert.deepEqual(parseJsonObject(text), JSON.parse(text))
  })

  it('keeps __proto__ as an ordinary member that reaches no prototype', () => {
    const object = parseJsonObject('{"__proto__":{"admin":true}}')
    assert.equal(Object.getPrototypeOf(object), Object.prototype)
    assert.equal('admin' in object, false)
    assert.deepEqual(Object.keys(object), ['__proto__'])
  })

  it('reads whatever JSON.stringify wrote of an object', () => {
    const objects = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }))
    fc.assert(
      fc.property(objects, (object) => {
        const text = JSON.stringify(object)
        assert.deepEqual(parseJsonObject(text), JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })
})
