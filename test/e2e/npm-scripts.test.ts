import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'

const root = resolve(import.meta.dirname, '../..')

describe('the server, started by npm', () => {
  // npm passes the signal to its shell alone. A shell that waits in between dies of it, and the server lives on, unseen.
  it('ends when npm is told to end', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'daypass-npm-'))
    const anyPort = '127.0.0.1:0'
    const addresses = ['--address', anyPort, '--operations-address', anyPort]
    const npm = spawn(
      'npm',
      ['run', '--silent', 'daypass', '--', 'server', join(dir, 'data'), ...addresses],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    )
    const { pid } = npm
    assert.ok(pid !== undefined)
    t.after(() => {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // All of them are gone, as they should be.
      }
      rmSync(dir, { recursive: true, force: true })
    })
    for await (const chunk of npm.stdout.iterator({ destroyOnReturn: false })) {
      if (String(chunk).includes('Daypass is serving')) break
    }
    npm.kill('SIGTERM')
    npm.stdout.resume()
    // Comes when nobody holds the other end any more, so when the server is gone too.
    await once(npm, 'close', { signal: AbortSignal.timeout(30_000) })
  })
})
