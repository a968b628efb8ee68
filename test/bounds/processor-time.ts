import assert from 'node:assert/strict'

const mostRuns = 5

/**
 * Asserts that the work takes this thread no longer than that, at best: a first run pays for compiling, and a busy machine is
 * no fault of ours.
 */
export async function takesAtMost(milliseconds: number, work: () => unknown): Promise<void> {
  let least = Infinity
  for (let run = 0; run < mostRuns && least > milliseconds; run += 1) {
    const before = process.threadCpuUsage()
    await work()
    const { user, system } = process.threadCpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  assert.ok(least <= milliseconds, `${least} ms of processor time`)
}
