import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DaypassServer } from './daypass-server.ts'

/** Everything in the audit log of a server. */
export function auditText(server: DaypassServer): string {
  const dir = join(server.dir, 'audit')
  return readdirSync(dir)
    .map((file) => readFileSync(join(dir, file), 'utf8'))
    .join('')
}

/** None of these texts stands in what the server has said or recorded. Short ones would be found by chance. */
export function assertUntold(server: DaypassServer, secrets: readonly string[]): void {
  const told = server.output() + auditText(server)
  assert.ok(told.length > 0, 'nothing to look through')
  for (const secret of secrets) {
    assert.ok(secret.length >= 16, `too short to be looked for: ${secret}`)
    assert.ok(!told.includes(secret), 'a secret stands in the log or in the audit')
  }
}
