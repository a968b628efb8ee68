import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LoginThrottle, type ThrottleSettings } from './login-throttle.ts'
import { sourceNetwork } from './source-network.ts'

const settings: ThrottleSettings = {
  perSource: { burst: 10, secondsPerToken: 1 },
  perName: { burst: 10, secondsPerToken: 10 },
  perNameAndSource: { burst: 3, secondsPerToken: 10 },
}
const at = (seconds: number) => new Date(seconds * 1000)

function fails(throttle: LoginThrottle, name: string, source: string, seconds = 0): boolean {
  return !('retryAfterSeconds' in throttle.begin(name, source, at(seconds)))
}

function succeeds(throttle: LoginThrottle, name: string, source: string, seconds = 0): boolean {
  const attempt = throttle.begin(name, source, at(seconds))
  if ('retryAfterSeconds' in attempt) return false
  attempt.succeeded()
  return true
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('throttling of failed logins (DESIGN section 10, rule 7)', () => {
  it('stops one source that guesses at one name, and nobody else', () => {
    const throttle = new LoginThrottle(settings)
    assert.equal(times(50).filter(() => fails(throttle, 'bob', '10.0.0.1')).length, 3)
    assert.ok(succeeds(throttle, 'bob', '10.0.0.2'))
    assert.ok(succeeds(throttle, 'alice', '10.0.0.1'))
  })

  it('says how long to wait, and lets in then', () => {
    const throttle = new LoginThrottle(settings)
    times(3).forEach(() => fails(throttle, 'bob', 'a'))
    assert.deepEqual(throttle.begin('bob', 'a', at(0)), { retryAfterSeconds: 10 })
    assert.deepEqual(throttle.begin('bob', 'a', at(4)), { retryAfterSeconds: 6 })
    assert.ok(fails(throttle, 'bob', 'a', 10))
    assert.ok(!fails(throttle, 'bob', 'a', 11))
  })

  it('costs nothing to be right, however often', () => {
    const throttle = new LoginThrottle(settings)
    assert.ok(times(1000).every(() => succeeds(throttle, 'bob', 'a')))
  })

  it('costs nothing when nothing was tried', () => {
    const throttle = new LoginThrottle(settings)
    for (const _ of times(100)) {
      const attempt = throttle.begin('bob', 'a', at(0))
      assert.ok('undone' in attempt)
      attempt.undone()
    }
  })

  it('counts tries that run at the same time', () => {
    const throttle = new LoginThrottle(settings)
    const attempts = times(20).map(() => throttle.begin('bob', 'a', at(0)))
    assert.equal(attempts.filter((attempt) => 'succeeded' in attempt).length, 3)
  })

  it('stops a source that tries many names, but not those who log in from there', () => {
    const throttle = new LoginThrottle(settings)
    assert.ok(succeeds(throttle, 'alice', 'office'))
    assert.equal(times(100).filter((n) => fails(throttle, `name-${n}`, 'office')).length, 10)
    assert.ok(succeeds(throttle, 'alice', 'office'))
    assert.ok(!succeeds(throttle, 'carol', 'office'))
    assert.ok(succeeds(throttle, 'carol', 'home'))
  })

  it('slows guesses at one name from everywhere, and still lets its owner in from a new place', () => {
    const throttle = new LoginThrottle(settings)
    const twice = times(100).map((n) => [
      fails(throttle, 'bob', `10.1.0.${n}`),
      fails(throttle, 'bob', `10.1.0.${n}`),
    ])
    assert.ok(twice.filter(([, second]) => second).length <= 5)
    assert.ok(succeeds(throttle, 'bob', '10.2.0.1'))
    // A slip of the owner's finger: the next try is at most as far away as that slip is remembered.
    assert.ok(fails(throttle, 'bob', '10.2.0.2'))
    assert.deepEqual(throttle.begin('bob', '10.2.0.2', at(0)), { retryAfterSeconds: 10 })
    times(100).forEach((n) => fails(throttle, 'bob', `10.3.0.${n}`, 9))
    assert.ok(succeeds(throttle, 'bob', '10.2.0.2', 10))
  })

  it('takes spellings of one name for one name', () => {
    const throttle = new LoginThrottle(settings)
    const spellings = ['bob', 'BOB', 'Bób', 'b ob', 'ｂｏｂ', 'bob\u0301']
    assert.equal(spellings.filter((name) => fails(throttle, name, 'a')).length, 3)
    const unseen = ['strauß', 'STRAUSS', 'str\u00adauss', 'strau\u200bss', 'strauſs']
    assert.equal(unseen.filter((name) => fails(throttle, name, 'b')).length, 3)
  })

  it('gives nothing for a clock that is set back', () => {
    const throttle = new LoginThrottle(settings)
    times(3).forEach(() => fails(throttle, 'bob', 'a', 1000))
    assert.ok(!fails(throttle, 'bob', 'a', 0))
    assert.ok(!fails(throttle, 'bob', 'a', 1001))
    assert.ok(fails(throttle, 'bob', 'a', 1010))
  })

  it('takes a household of IPv6 for one source', () => {
    const same = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::9', '2001:0db8:0001:0002:3:4:5:6']
    assert.equal(new Set(same.map(sourceNetwork)).size, 1)
    assert.notEqual(sourceNetwork('2001:db8:1:3::1'), sourceNetwork('2001:db8:1:2::1'))
    assert.equal(sourceNetwork('::ffff:10.0.0.1'), '10.0.0.1')
    assert.equal(sourceNetwork('fe80::1%eth0'), 'fe80:0:0:0')
    assert.equal(sourceNetwork('::1'), '0:0:0:0')
    assert.equal(sourceNetwork(''), '')
    assert.equal(sourceNetwork('not an address'), 'not an address')
  })
})
