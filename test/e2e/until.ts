import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'

const longestWaitMs = 20_000

/** Waits for something that happens in another process; fails when it does not. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + longestWaitMs
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`)
    await setTimeout(10)
  }
}
