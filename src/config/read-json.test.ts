import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assert as check, dictionary, jsonValue, property, string } from 'fast-check'
import { parse } from 'yaml'
import { readJson } from './read-json.ts'

describe('a configuration in JSON', () => {
  it('is read as YAML reads it', () => {
    const texts = dictionary(string({ minLength: 1 }), jsonValue({ noUnicodeString: false }))
    check(
      property(texts, (value) => {
        const text = JSON.stringify(value, null, 2)
        assert.deepEqual(readJson(text), JSON.parse(text))
      }),
    )
    const text = '{"a": {"__proto__": 1, "k": ["x:", "\\"y\\":", -0.5e3, null, true]}, "b": "# no"}'
    assert.deepEqual(readJson(text), parse(text))
  })

  it('is left to the parser of YAML when a name stands twice', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":{"b":[{"c":1,"c":2}]}}',
      '{"a":1,"\\u0061":2}',
      '{"__proto__":1,"__proto__":2}',
      '{"":1,"" : 2}',
    ]) {
      assert.equal(readJson(text), undefined, text)
    }
  })

  it('is left to the parser of YAML when it is something else', () => {
    for (const text of [
      '',
      '[]',
      'null',
      'a: 1',
      '{a: 1}',
      '{"a":1} # note',
      '{"a":1,}',
      '{"a":01}',
    ]) {
      assert.equal(readJson(text), undefined, text)
    }
    assert.equal(readJson(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), undefined)
  })
})
