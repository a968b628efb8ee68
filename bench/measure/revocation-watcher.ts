/**
 * A program: `revocation-watcher.ts DIR`, a second process over the state of a running server. For each line
 * `ACCESS-KEY-ID TOKEN` on its input it says `live` once it lets the session in, and then the instant, in milliseconds
 * since 1970, at which it stops doing so.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { CredentialsError } from '../../src/credentials/index.ts'
import type { Session } from '../../src/credentials/index.ts'
import { Secret } from '../../src/secret.ts'
import { openCore } from './core.ts'

const core = await openCore(process.argv[2] ?? '')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

for await (const line of createInterface({ input: process.stdin })) {
  const [accessKeyId = '', token = ''] = line.split(' ')
  const { session } = await core.sessions.open(accessKeyId, new Secret(token))
  core.sessions.assertLive(session, new Date())
  say('live')
  while (isLive(session)) await sleep(1)
  say(String(Date.now()))
}
await core.close()

function isLive(session: Session): boolean {
  try {
    core.sessions.assertLive(session, new Date())
    return true
  } catch (error) {
    if (error instanceof CredentialsError && error.code === 'session_revoked') return false
    throw error
  }
}
