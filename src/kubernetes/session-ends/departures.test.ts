import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Departures } from './departures.ts'

const account = (name: string, uid: string) => ({ metadata: { namespace: 'shop', name, uid } })

function watching() {
  let now = 0
  let told = 0
  const departures = new Departures(() => new Date(now))
  departures.listen(() => (told += 1))
  const later = (milliseconds: number): void => void (now += milliseconds)
  return { departures, target: departures.target, later, told: () => told }
}

describe('departures of service accounts', () => {
  it('are those that were deleted, once', () => {
    const { departures, target, told } = watching()
    target.put(account('web', 'a'))
    target.put(account('web', 'a'))
    assert.deepEqual(departures.drain().gone, [])
    target.delete('shop', 'web')
    assert.equal(told(), 1)
    const [gone, ...more] = departures.drain().gone
    assert.deepEqual([gone?.serviceAccount, gone?.isReplaced, more.length], ['web', false, 0])
    assert.deepEqual(departures.drain().gone, [])
  })

  it('are those whose name another one has now', () => {
    const { departures, target } = watching()
    target.put(account('web', 'a'))
    target.put(account('web', 'b'))
    assert.equal(departures.drain().gone[0]?.isReplaced, true)
  })

  it('end with a return, which is told once, and not when it has gone again', () => {
    const { departures, target } = watching()
    target.put(account('web', 'a'))
    target.delete('shop', 'web')
    target.put(account('web', 'b'))
    assert.deepEqual(departures.drain().returned, ['shop/web'])
    target.put(account('web', 'b'))
    assert.deepEqual(departures.drain().returned, [])
    target.delete('shop', 'web')
    target.put(account('web', 'c'))
    target.delete('shop', 'web')
    assert.deepEqual(departures.drain().returned, [])
  })

  it('are kept for a while for whoever takes the lead, and not forever', () => {
    const { departures, target, later } = watching()
    for (const name of ['old', 'young']) target.put(account(name, name))
    target.delete('shop', 'old')
    later(1000)
    target.delete('shop', 'young')
    departures.forgetBefore(new Date(500))
    assert.deepEqual(
      departures.drain().gone.map(({ serviceAccount }) => serviceAccount),
      ['young'],
    )
    for (let count = 0; count < 10_100; count += 1) target.delete('shop', `web-${count}`)
    assert.equal(departures.drain().gone.length, 10_000)
  })
})
