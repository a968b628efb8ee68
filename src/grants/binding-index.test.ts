import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { BindingIndex, compilePattern } from './binding-index.ts'
import type { BindingSubject, BoundSubject, ServiceAccountBinding } from './tenants.ts'

const tenant = { namespace: 'store', name: 'main' }
const web: BoundSubject = {
  cluster: 'local',
  namespace: 'shop',
  serviceAccount: 'web',
  claims: new Map(),
}

function binding(
  name: string,
  subjects: readonly BindingSubject[],
  more: Partial<ServiceAccountBinding> = {},
): ServiceAccountBinding {
  const id = `daypass.dev/Binding/store/${name}`
  return { id, namespace: 'store', subjects, policies: ['readonly'], documents: [], ...more }
}

function indexOf(...bindings: readonly ServiceAccountBinding[]): BindingIndex {
  const index = new BindingIndex('local')
  for (const each of bindings) index.put(each)
  return index
}

const found = (index: BindingIndex, subject = web, of = tenant) =>
  index.find(of, subject).map(({ id }) => id.split('/').at(-1))

describe('bindings, found by who asks', () => {
  it('are those of the tenant’s own namespace, and of nobody else', () => {
    const shop = { namespace: 'shop', serviceAccount: 'web' }
    const index = indexOf(
      binding('here', [shop]),
      { ...binding('there', [shop]), namespace: 'bank' },
      binding('other-account', [{ ...shop, serviceAccount: 'job' }]),
      binding('other-namespace', [{ ...shop, namespace: 'shopping' }]),
      binding('other-tenant', [shop], { tenant: 'second' }),
    )
    assert.deepEqual(found(index), ['here'])
    assert.deepEqual(found(index, web, { ...tenant, name: 'second' }), ['here', 'other-tenant'])
    assert.deepEqual(found(index, web, { namespace: 'bank', name: 'x' }), ['there'])
    assert.deepEqual(found(index, web, { namespace: '', name: '' }), [])
  })

  it('mean the cluster that they live in when they name none', () => {
    const shop = { namespace: 'shop', serviceAccount: 'web' }
    const index = indexOf(
      binding('home', [shop]),
      binding('edge', [{ ...shop, cluster: 'edge-*' }]),
      binding('any', [{ ...shop, cluster: '*' }]),
    )
    assert.deepEqual(found(index), ['any', 'home'])
    assert.deepEqual(found(index, { ...web, cluster: 'edge-1' }), ['any', 'edge'])
    assert.deepEqual(found(index, { ...web, cluster: 'prod' }), ['any'])
  })

  it('fit by patterns, each within its own name', () => {
    const index = indexOf(
      binding('team', [{ namespace: 'team-*', serviceAccount: 'web' }]),
      binding('all-of-shop', [{ namespace: 'shop', serviceAccount: '*' }]),
      binding('jobs', [{ namespace: 'shop', serviceAccount: '*-job' }]),
    )
    assert.deepEqual(found(index), ['all-of-shop'])
    assert.deepEqual(found(index, { ...web, serviceAccount: 'clean-job' }), ['all-of-shop', 'jobs'])
    assert.deepEqual(found(index, { ...web, namespace: 'team-a' }), ['team'])
    assert.deepEqual(found(index, { ...web, namespace: 'team' }), [])
  })

  it('come once, however many of their subjects fit', () => {
    const shop = { namespace: 'shop', serviceAccount: 'web' }
    const index = indexOf(binding('twice', [shop, { namespace: '*', serviceAccount: '*' }]))
    assert.deepEqual(found(index), ['twice'])
  })

  it('with a selector fit nobody whose labels are not known, not even by forbidding', () => {
    const subject = { namespace: 'shop', serviceAccount: 'web' }
    const select = (
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
      values: string[] = [],
    ) => [{ key: 'tier', operator, values }]
    const index = indexOf(
      binding('in', [{ ...subject, namespaceSelector: select('In', ['gold', 'silver']) }]),
      binding('not-in', [{ ...subject, namespaceSelector: select('NotIn', ['gold']) }]),
      binding('exists', [{ ...subject, serviceAccountSelector: select('Exists') }]),
      binding('no-tier', [{ ...subject, serviceAccountSelector: select('DoesNotExist') }]),
      binding('empty', [{ ...subject, namespaceSelector: [] }]),
    )
    const labels = (tier?: string) => new Map(tier === undefined ? [] : [['tier', tier]])
    assert.deepEqual(found(index), [])
    const gold = { ...web, namespaceLabels: labels('gold'), serviceAccountLabels: labels('x') }
    assert.deepEqual(found(index, gold), ['exists', 'in'])
    const plain = { ...web, namespaceLabels: labels(), serviceAccountLabels: labels() }
    assert.deepEqual(found(index, plain), ['no-tier', 'not-in'])
  })

  it('with claims fit by one text of each claim, and by nothing that is no text', () => {
    const claims = new Map([
      ['node', ['node-*']],
      ['aud', ['a', 'b']],
    ])
    const index = indexOf(binding('claims', [{ namespace: 'shop', serviceAccount: 'web', claims }]))
    const asking = (node: unknown, aud: unknown) => ({
      ...web,
      claims: new Map([
        ['node', node],
        ['aud', aud],
      ]),
    })
    assert.deepEqual(found(index, asking('node-1', ['x', 'b'])), ['claims'])
    for (const [node, aud] of [
      ['other', ['b']],
      ['node-1', []],
      ['node-1', undefined],
      [{ toString: () => 'node-1' }, ['b']],
      [true, 'a'],
    ] as const) {
      assert.deepEqual(found(index, asking(node, aud)), [])
    }
  })

  it('are gone at once when they are taken away or changed, whatever was remembered', () => {
    const pattern = { namespace: 'shop', serviceAccount: '*' }
    const index = indexOf(binding('a', [pattern]), binding('b', [pattern]))
    assert.deepEqual(found(index), ['a', 'b'])
    index.delete('daypass.dev/Binding/store/a')
    assert.deepEqual(found(index), ['b'])
    index.put(binding('b', [{ namespace: 'shop', serviceAccount: 'job' }]))
    assert.deepEqual(found(index), [])
    index.put(binding('c', [{ namespace: 'shop', serviceAccount: 'web' }]))
    assert.deepEqual(found(index), ['c'])
    for (const name of ['b', 'c']) index.delete(`daypass.dev/Binding/store/${name}`)
    assert.equal(index.size, 0)
  })
})

describe('bindings with patterns, found by what their names begin with', () => {
  const unit = fc.constantFrom('a', 'b', '-')
  const name = fc.string({ unit, minLength: 1, maxLength: 5 })
  const wanted = fc.string({
    unit: fc.oneof(unit, fc.constant('*')),
    minLength: 1,
    maxLength: 5,
  })
  const subject = fc.record({ namespace: wanted, serviceAccount: wanted })

  it('are the same as when every one of them is tried', () => {
    const bindings = fc.array(fc.array(subject, { minLength: 1, maxLength: 3 }), { maxLength: 12 })
    const gone = fc.array(fc.nat({ max: 11 }), { maxLength: 4 })
    fc.assert(
      fc.property(bindings, gone, name, name, (all, taken, namespace, serviceAccount) => {
        const index = indexOf(...all.map((subjects, at) => binding(String(at), subjects)))
        for (const at of taken) index.delete(`daypass.dev/Binding/store/${at}`)
        const fits = (one: BindingSubject) =>
          compilePattern(one.namespace)(namespace) &&
          compilePattern(one.serviceAccount)(serviceAccount)
        const expected = all.flatMap((subjects, at) =>
          subjects.some(fits) && !taken.includes(at) ? [String(at)] : [],
        )
        assert.deepEqual(
          found(index, { ...web, namespace, serviceAccount }),
          expected.toSorted((a, b) => (a < b ? -1 : 1)),
        )
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a pattern', () => {
  it('means what the plain way of reading it means', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 })
    const pattern = fc.string({
      unit: fc.constantFrom('a', 'b', '-', '*'),
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(pattern, text, (wanted, candidate) => {
        const expected = new RegExp(`^(?:${wanted.replaceAll('*', '.*')})$`).test(candidate)
        assert.equal(compilePattern(wanted)(candidate), expected)
      }),
      { numRuns: 2000 },
    )
  })

  it('that is empty matches nothing, and one with the signs of regular expressions means them', () => {
    assert.equal(compilePattern('')(''), false)
    assert.equal(compilePattern('')('a'), false)
    assert.equal(compilePattern('a.c')('abc'), false)
    assert.equal(compilePattern('a|b*')('b'), false)
  })
})
