import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { readPolicyClaim } from './policy-claim.ts'

const mapping = { kind: 'claim', provider: 'dex', claimName: 'policy' } as const

function read(value: unknown): readonly string[] {
  return readPolicyClaim(new Map([['policy', value]]), mapping)
}

describe('the policy claim of a token', () => {
  const shapes: readonly (readonly [unknown, readonly string[]])[] = [
    ['readonly', ['readonly']],
    ['a,b , c', ['a', 'b', 'c']],
    [
      ['a', 'b,c', 5],
      ['a', 'b', 'c'],
    ],
    [
      [' b ', 'a', 'b'],
      ['a', 'b'],
    ],
    [',, ,', []],
    ['', []],
    [[], []],
    [true, []],
    [5, []],
    [null, []],
    [undefined, []],
    [{ 0: 'a' }, []],
    [[['a']], []],
    [[null, { a: 1 }], []],
  ]
  for (const [value, names] of shapes) {
    it(`reads ${JSON.stringify(value)} as ${JSON.stringify(names)}`, () => {
      assert.deepEqual(read(value), names)
    })
  }

  it('joins prefix and name', () => {
    const claims = new Map([['https://example.com/policy', 'a']])
    const prefixed = { ...mapping, claimPrefix: 'https://example.com/' }
    assert.deepEqual(readPolicyClaim(claims, prefixed), ['a'])
  })

  it('takes a name with dots as one flat name unless told otherwise', () => {
    const nested = new Map<string, unknown>([['realm_access', { roles: ['nested'] }]])
    const flat = new Map<string, unknown>([['realm_access.roles', 'flat']])
    const named = { ...mapping, claimName: 'realm_access.roles' }
    assert.deepEqual(readPolicyClaim(nested, named), [])
    assert.deepEqual(readPolicyClaim(flat, named), ['flat'])
    assert.deepEqual(readPolicyClaim(nested, { ...named, dottedPath: true }), ['nested'])
    assert.deepEqual(readPolicyClaim(flat, { ...named, dottedPath: true }), [])
  })

  it('follows no inherited member on a dotted path', () => {
    const claims = new Map<string, unknown>([['a', { b: 'x' }]])
    for (const claimName of [
      'a.constructor.name',
      'a.__proto__',
      'a.b.length',
      'a.b.0',
      'a.',
      '.',
    ]) {
      const dotted = { ...mapping, claimName, dottedPath: true }
      assert.deepEqual(readPolicyClaim(claims, dotted), [], claimName)
    }
  })

  it('gives sorted, trimmed names without repeats for any claim, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const names = read(value)
        assert.deepEqual(names, [...new Set(names)].sort())
        assert.ok(names.every((name) => name !== '' && name === name.trim() && !/,/.test(name)))
      }),
    )
  })
})
