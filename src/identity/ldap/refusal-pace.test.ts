import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RefusalPace } from './refusal-pace.ts'

const day = 86_400_000

/** When a refusal leaves, counted from the beginning of its login. */
function leaving(): { pace: RefusalPace; leavesAfter: (elapsedMs: number) => Promise<number> } {
  let waited = 0
  const pace = new RefusalPace(async (ms) => {
    waited = ms
  })
  return {
    pace,
    async leavesAfter(elapsedMs) {
      await pace.wait(elapsedMs)
      return elapsedMs + waited
    },
  }
}

describe('the time of a refusal (DESIGN section 10, rule 7)', () => {
  it('is the same for who is known and who is not, however slow passwords are compared', async () => {
    for (const hashingMs of [0, 5, 80, 299, 400, 1500]) {
      const { pace, leavesAfter } = leaving()
      pace.learn(hashingMs, new Date(0))
      assert.equal(await leavesAfter(2), await leavesAfter(hashingMs))
    }
  })

  it('is not forgotten because of many who are unknown', async () => {
    const { pace, leavesAfter } = leaving()
    pace.learn(400, new Date(0))
    for (let n = 0; n < 10_000; n += 1) pace.learn(3, new Date(day - 1))
    assert.equal(await leavesAfter(3), await leavesAfter(400))
  })

  it('is forgotten after two days, and bounded', async () => {
    const { pace } = leaving()
    pace.learn(60_000, new Date(0))
    assert.equal(pace.stepMs, 3000)
    pace.learn(1, new Date(day))
    assert.equal(pace.stepMs, 3000)
    pace.learn(1, new Date(2 * day))
    assert.equal(pace.stepMs, 300)
  })

  it('is the next step for who was slower than ever', async () => {
    const { leavesAfter } = leaving()
    assert.equal(await leavesAfter(300), 600)
    assert.equal(await leavesAfter(0), 300)
  })
})
