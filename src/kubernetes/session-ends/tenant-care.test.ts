import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ServiceAccountBinding } from '../../grants/index.ts'
import type { Standing } from './standing.ts'
import { TenantCare, type TenantFacts } from './tenant-care.ts'

const start = Date.parse('2026-03-04T05:06:07.000Z')
const at = (seconds: number): Date => new Date(start + seconds * 1000)
const admin = { endpoint: 'https://store:9000', credentialsSecret: 'admin', insecureHttp: false }
const settleMs = 600_000
const account = 'shop/web'
const subject = 'system:serviceaccount:shop:web'

function standing(
  name: string,
  generation = 1,
  more: Partial<ServiceAccountBinding> = {},
): Standing {
  const binding = {
    id: `daypass.dev/Binding/store/${name}`,
    namespace: 'store',
    subjects: [{ namespace: 'shop', serviceAccount: 'web' }],
    policies: ['readonly'],
    documents: [],
    ...more,
  }
  return { binding, policies: new Map(), stamp: `uid-${name}.${generation}` }
}

function facts(standings: readonly Standing[], more: Partial<TenantFacts> = {}): TenantFacts {
  return {
    uid: 'uid',
    generation: 1,
    admin,
    bounds: { maxSessionSeconds: 43_200 },
    isOfResources: true,
    bindings: new Map(standings.map((one) => [one.binding.id, one])),
    ...more,
  }
}

/** A tenant that is looked after, with these bindings; `writes`: how often the record was to be written since. */
function caring(...standings: readonly Standing[]) {
  let writes = 0
  const options = { settleMs, changed: () => void (writes += 1) }
  const care = TenantCare.begin(facts(standings), options)
  care.update(facts(standings), at(0))
  return { care, options, writes: () => writes }
}

const owed = (care: TenantCare, seconds: number) =>
  care.due(at(seconds)).map(({ whose }) => (whose.kind === 'binding' ? whose.id : whose.kind))
const idOf = (name: string): string => `daypass.dev/Binding/store/${name}`

function finish(care: TenantCare, seconds: number): void {
  for (const pending of care.due(at(seconds))) care.done(pending, at(seconds))
}

describe('what has to end at a tenant', () => {
  it('is nothing when it is new, and nothing when nothing has changed', () => {
    const { care, options } = caring(standing('a'), standing('b'))
    assert.deepEqual(owed(care, 1), [])
    const next = TenantCare.resume(care.record(), options)
    next.update(facts([standing('a'), standing('b')]), at(2))
    assert.deepEqual(owed(next, 3), [])
  })

  it('is what a deleted binding gave, until a moment after, and once more when nobody can give by it any more', () => {
    const { care } = caring(standing('a'), standing('b'))
    care.update(facts([standing('b')]), at(10))
    const [pending] = care.due(at(10))
    assert.ok(pending)
    assert.deepEqual(pending.whose, { kind: 'binding', id: idOf('a') })
    assert.deepEqual(pending.issuedBefore, at(11))
    care.update(facts([standing('b')]), at(20))
    assert.equal(care.due(at(20))[0], pending, 'it is not begun anew while it is pending')
    assert.deepEqual(Object.keys(care.record().bindings), [idOf('a'), idOf('b')])
    care.done(pending, at(21))
    assert.deepEqual(Object.keys(care.record().bindings), [idOf('b')])
    assert.deepEqual(owed(care, 600), [])
    assert.deepEqual(owed(care, 610), [idOf('a')])
    assert.equal(care.due(at(610))[0]?.issuedBefore, undefined, 'then: up to that very instant')
    finish(care, 610)
    assert.equal(care.pendingCount, 0)
  })

  it('is nothing of a binding that came back, beyond the moment at which it did', () => {
    const { care } = caring(standing('a'))
    care.update(facts([]), at(10))
    finish(care, 10)
    const back = { ...standing('a'), stamp: 'other.1' }
    care.update(facts([back]), at(100))
    assert.deepEqual(care.due(at(100))[0]?.issuedBefore, at(100))
    finish(care, 100)
    assert.equal(care.record().bindings[idOf('a')], 'other.1')
    assert.deepEqual(owed(care, 5000), [])
  })

  it('is what a binding gave that is made anew under its name, or gives less', () => {
    const less: readonly Standing[] = [
      { ...standing('a'), stamp: 'other.1' },
      standing('a', 2, { policies: [] }),
      standing('a', 2, { policies: ['writeonly'] }),
      standing('a', 2, { subjects: [{ namespace: 'shop', serviceAccount: 'other' }] }),
      standing('a', 2, { maxSessionSeconds: 900 }),
      standing('a', 2, { roleArn: 'arn:aws:iam::000000000000:role/x' }),
      standing('a', 2, { documents: ['{"Statement":[{"Effect":"Deny"}]}'] }),
      { ...standing('a', 2), policies: new Map([['readonly', '{}']]) },
    ]
    for (const after of less) {
      const { care } = caring(standing('a'))
      care.update(facts([after]), at(10))
      assert.deepEqual(owed(care, 10), [idOf('a')], JSON.stringify(after))
      assert.equal(care.record().bindings[idOf('a')], 'uid-a.1', 'until the tenant has said yes')
      finish(care, 10)
      assert.equal(care.record().bindings[idOf('a')], after.stamp)
      assert.equal(care.pendingCount, 0, 'who is bound now may be giving again')
    }
  })

  it('is nothing of a binding that gives more, where that was seen', () => {
    const [web, api] = ['web', 'api'].map((serviceAccount) => ({
      namespace: 'shop',
      serviceAccount,
    }))
    assert.ok(web && api)
    const more: readonly Standing[] = [
      standing('a', 2),
      standing('a', 2, { subjects: [web, api] }),
      standing('a', 2, { policies: ['readonly', 'writeonly'] }),
    ]
    for (const after of more) {
      const { care, options, writes } = caring(standing('a'))
      const unseen = TenantCare.resume(care.record(), options)
      const before = writes()
      care.update(facts([after]), at(10))
      assert.deepEqual(owed(care, 10), [])
      assert.equal(care.record().bindings[idOf('a')], 'uid-a.2')
      assert.ok(writes() > before)
      unseen.update(facts([after]), at(10))
      assert.deepEqual(
        owed(unseen, 10),
        [idOf('a')],
        'who has not seen what it was before cannot know',
      )
    }
  })

  it('is what changed and went while nobody looked', () => {
    const { care, options } = caring(standing('a'), standing('b'), standing('c'))
    const next = TenantCare.resume(care.record(), options)
    next.update(facts([standing('b', 2), standing('c'), standing('d')]), at(1000))
    assert.deepEqual(owed(next, 1000), [idOf('a'), idOf('b')])
    finish(next, 1000)
    assert.deepEqual(Object.keys(next.record().bindings).toSorted(), ['b', 'c', 'd'].map(idOf))
  })

  it('reaches to the last of several changes', () => {
    const { care } = caring(standing('a'))
    care.update(facts([standing('a', 2, { policies: [] })]), at(10))
    const [first] = care.due(at(10))
    care.update(facts([standing('a', 3, { policies: ['x'] })]), at(20))
    assert.ok(first)
    care.done(first, at(21))
    const [second] = care.due(at(21))
    assert.deepEqual(second?.issuedBefore, at(21), 'an answer to the first is none to the second')
    finish(care, 22)
    assert.equal(care.record().bindings[idOf('a')], 'uid-a.3')
  })

  it('is what a service account got, and once more when nobody remembers its token', () => {
    const { care } = caring(standing('a'))
    care.accountGone('local', account, at(10), 17_000)
    assert.deepEqual(care.due(at(10))[0]?.whose, { kind: 'account', provider: 'local', subject })
    finish(care, 10)
    assert.deepEqual(owed(care, 26), [])
    assert.deepEqual(owed(care, 27), ['account'])
    care.accountReturned('local', account, at(28))
    assert.deepEqual(care.due(at(30))[0]?.issuedBefore, at(28))
    finish(care, 30)
    care.accountReturned('local', account, at(40))
    assert.equal(care.pendingCount, 0)
  })

  it('is everything when the tenant is gone, is another one or allows less', () => {
    for (const [after, isOwed] of [
      [{ uid: 'other' }, true],
      [{ generation: 2, bounds: { maxSessionSeconds: 900 } }, true],
      [{ generation: 2, bounds: { maxSessionSeconds: 43_200, ceiling: 'x' } }, true],
      [{ generation: 2 }, false],
      [
        { bounds: { maxSessionSeconds: 43_200, ceiling: 'read otherwise by a newer version' } },
        false,
      ],
      [{ admin: { ...admin, endpoint: 'https://new:9000' } }, false],
    ] as const) {
      const { care, options } = caring(standing('a'))
      care.update(facts([standing('a')], after), at(10))
      const what = JSON.stringify(after)
      assert.deepEqual(owed(care, 10), isOwed ? ['everybody'] : [], what)
      const next = TenantCare.resume(care.record(), options)
      next.update(facts([standing('a')], after), at(20))
      assert.deepEqual(owed(next, 20), isOwed ? ['everybody'] : [], `${what}: the next leader`)
      finish(next, 20)
      next.update(facts([standing('a')], after), at(30))
      assert.deepEqual(owed(next, 30), [], what)
    }
    const { care } = caring(standing('a'))
    care.gone(at(10))
    care.gone(at(11))
    assert.deepEqual(owed(care, 11), ['everybody'])
    assert.equal(care.isOver, false)
    finish(care, 12)
    assert.equal(care.isOver, true)
  })

  it('is everything, too, when the tenant came back before that was done', () => {
    const { care } = caring(standing('a'))
    care.gone(at(10))
    care.update(facts([standing('a')], { uid: 'new' }), at(20))
    assert.deepEqual(care.due(at(20))[0]?.issuedBefore, at(21))
    finish(care, 21)
    assert.equal(care.isOver, false)
    assert.equal(care.record().uid, 'new')
  })

  it('stays bounded: a thousand accounts one by one, more as one', () => {
    const { care } = caring(standing('a'))
    for (let count = 0; count < 1500; count += 1)
      care.accountGone('local', `shop/web-${count}`, at(10), undefined)
    assert.equal(care.pendingCount, 1001)
    assert.ok(owed(care, 10).includes('everybody'))
  })

  it('is nothing any more when all that it was about has run out', () => {
    const { care } = caring(standing('a'))
    care.update(facts([]), at(10))
    assert.deepEqual(owed(care, 43_000), [idOf('a')])
    assert.deepEqual(owed(care, 43_300), [])
    assert.equal(care.pendingCount, 0)
    assert.deepEqual(care.record().bindings, {})
  })
})
