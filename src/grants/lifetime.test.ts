import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { chooseLifetime } from './lifetime.ts'
import { limits, now, secondsFromNow } from './testing/desk.ts'
import { Trace } from './trace.ts'

type Asked = number | undefined

function seconds(asked: Asked, proofEnds?: Date, more: Partial<typeof limits> = {}): number {
  const rules = { ...limits, ...more }
  return chooseLifetime(asked, proofEnds, rules, now, new Trace()).durationSeconds
}

const code = (expected: string) => ({ name: 'GrantError', code: expected })

describe('the duration of a grant by key (AWS STS, DurationSeconds)', () => {
  it('is what the caller asks for, or the default', () => {
    assert.equal(seconds(undefined), 3600)
    for (const asked of [900, 901, 43_200]) assert.equal(seconds(asked), asked)
  })

  it('refuses what lies outside the limits, and what is no whole number', () => {
    for (const asked of [899, 800, 0, -1, 43_201, 31_536_001, 900.5, NaN, Infinity]) {
      assert.throws(() => seconds(asked), code('invalid_parameter'), String(asked))
    }
  })

  it('can be configured up to 365 days', () => {
    const year = { maxSeconds: 31_536_000 }
    assert.equal(seconds(31_536_000, undefined, year), 31_536_000)
    assert.throws(() => seconds(31_536_001, undefined, year), code('invalid_parameter'))
  })
})

describe('a fixed duration (MINIO_STS_DURATION)', () => {
  it('stands in for what is asked for and for the default, within the token', () => {
    const fixed = { fixedSeconds: 10_800 }
    assert.equal(seconds(undefined, undefined, fixed), 10_800)
    assert.equal(seconds(900, undefined, fixed), 10_800)
    assert.equal(seconds(900, secondsFromNow(3600), fixed), 3600)
    assert.equal(seconds(undefined, secondsFromNow(60_000), fixed), 43_200)
    assert.equal(seconds(1, undefined, fixed), 10_800)
  })
})

describe('the duration of a grant by token', () => {
  it("is the token's own when none is asked for, even below the minimum", () => {
    assert.equal(seconds(undefined, secondsFromNow(3000)), 3000)
    assert.equal(seconds(undefined, secondsFromNow(60)), 60)
  })

  it('never goes beyond the ceiling, however long the token lives', () => {
    assert.equal(seconds(undefined, secondsFromNow(90 * 86_400)), 43_200)
  })

  it('never goes beyond the token', () => {
    assert.equal(seconds(3600, secondsFromNow(300)), 300)
    assert.equal(seconds(900, secondsFromNow(3600)), 900)
  })

  it('goes beyond the token only where that is configured and asked for', () => {
    const insecure = { insecureOutliveToken: true }
    assert.equal(seconds(3600, secondsFromNow(300), insecure), 3600)
    assert.equal(seconds(undefined, secondsFromNow(300), insecure), 300)
  })

  it('is refused when the token has ended', () => {
    const ends = [secondsFromNow(0), secondsFromNow(-1), new Date(now.getTime()), new Date(NaN)]
    for (const end of ends) {
      for (const insecureOutliveToken of [false, true]) {
        assert.throws(() => seconds(3600, end, { insecureOutliveToken }), code('expired'))
      }
    }
  })

  it('has whole seconds at both ends, is never empty, and never outlives token or ceiling', () => {
    const instants = fc.integer({ min: -5000, max: 10 ** 9 })
    const wishes = fc.option(fc.integer({ min: 900, max: 43_200 }), { nil: undefined })
    fc.assert(
      fc.property(instants, wishes, (milliseconds, asked) => {
        const proofEnds = new Date(now.getTime() + milliseconds)
        let given
        try {
          given = chooseLifetime(asked, proofEnds, limits, now, new Trace())
        } catch {
          assert.ok(milliseconds < 1000)
          return
        }
        assert.equal(given.issuedAt.getMilliseconds() + given.expiresAt.getMilliseconds(), 0)
        assert.ok(given.expiresAt > now && given.expiresAt <= proofEnds)
        assert.ok(given.durationSeconds <= Math.min(asked ?? Infinity, limits.maxSeconds))
      }),
    )
  })
})

describe('the fixed duration (MinIO documentation, MINIO_STS_DURATION)', () => {
  const fixed = { fixedSeconds: 5400 }

  it('takes the place of what a caller asks for, and of the default', () => {
    assert.equal(seconds(900, undefined, fixed), 5400)
    assert.equal(seconds(undefined, undefined, fixed), 5400)
    assert.equal(seconds(900, secondsFromNow(9000), fixed), 5400)
  })

  it('never outlives the token, nor cuts one that came without a wish', () => {
    assert.equal(seconds(900, secondsFromNow(300), fixed), 300)
    assert.equal(seconds(undefined, secondsFromNow(9000), fixed), 9000)
  })
})
