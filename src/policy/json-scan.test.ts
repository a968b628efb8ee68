import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { PolicyError } from './errors.ts'
import { scanJson, type JsonValue } from './json-scan.ts'

function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'string':
    case 'boolean':
      return value.value
    case 'number':
      return Number(value.text)
    case 'null':
      return null
    case 'array':
      return value.items.map(plain)
    case 'object':
      return new Map([...value.members].map(([name, member]) => [name, plain(member)]))
    default:
      return value satisfies never
  }
}

function withMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMaps)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([name, member]) => [name, withMaps(member)]))
}

function problem(text: string): string {
  try {
    scanJson(text, 3)
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    assert.equal(error.code, 'malformed_policy')
    return error.message
  }
  return 'none'
}

describe('JSON (RFC 8259)', () => {
  test('reads what JSON.parse reads, and nothing else', () => {
    const noise = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        ' ',
        '1',
        '-',
        '.',
        'e',
        '\\',
        'u',
        't',
      ),
      maxLength: 12,
    })
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 4 }), noise), (text) => {
        let expected: unknown
        try {
          expected = withMaps(JSON.parse(text))
        } catch {
          assert.throws(() => scanJson(text, 50), PolicyError)
          return
        }
        try {
          assert.deepEqual(plain(scanJson(text, 50)), expected)
        } catch (error) {
          assert.ok(error instanceof PolicyError, String(error))
          assert.match(error.message, /is given twice|well-formed Unicode/)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('keeps the digits of numbers', () => {
    assert.deepEqual(scanJson('9007199254740993', 1), { kind: 'number', text: '9007199254740993' })
  })

  test('takes __proto__ for a name like any other', () => {
    const value = scanJson('{"__proto__": {"a": 1}}', 3)
    assert.deepEqual(plain(value), new Map([['__proto__', new Map([['a', 1]])]]))
  })

  const refusals: readonly (readonly [text: string, says: string])[] = [
    ['', 'document: is empty'],
    ['  \n', 'document: is empty'],
    ['{"a": 1, "a": 2}', 'a: is given twice'],
    ['{"a": {"b": 1, "\\u0062": 2}}', 'a.b: is given twice'],
    ['{"a": [{"b": 1}, {"b": 1, "b": 1}]}', 'a[1].b: is given twice'],
    ['{} {}', 'document: not JSON, position 3: "{" does not belong here'],
    ['{}x', 'document: not JSON, position 2: "x" does not belong here'],
    ['\ufeff{}', 'document: not JSON, position 0: "\ufeff" does not belong here'],
    ['{"a": 1,}', 'document: not JSON, position 8: "}" does not belong here'],
    ['{"a"', 'a: not JSON, position 4: the text ends too early'],
    ['{a: 1}', 'document: not JSON, position 1: "a" does not belong here'],
    ['[1 2]', 'document: not JSON, position 3: "2" does not belong here'],
    ['01', 'document: not JSON, position 1: "1" does not belong here'],
    ["{'a': 1}", 'document: not JSON, position 1: "\'" does not belong here'],
    ['"a', 'document: a string does not end'],
    ['"\\', 'document: a string does not end'],
    ['"\\x"', 'document: position 0: not a JSON string'],
    ['"\n"', 'document: position 0: not a JSON string'],
    ['"\\ud800"', 'document: position 0: not well-formed Unicode'],
    ['NaN', 'document: not JSON, position 0: "N" does not belong here'],
    ['[[[[]]]]', '[0][0][0]: is nested deeper than 3'],
    ['['.repeat(100_000), '[0][0][0]: is nested deeper than 3'],
  ]
  for (const [text, says] of refusals) {
    test(`refuses ${JSON.stringify(text.slice(0, 40))}: ${says}`, () => {
      assert.equal(problem(text), says)
    })
  }

  test('shows no control characters of the text in its message', () => {
    assert.doesNotMatch(problem('{"\\u0001\\u001b[2J": 1, "\\u0001\\u001b[2J": 2}'), /\p{Cc}/u)
  })
})
