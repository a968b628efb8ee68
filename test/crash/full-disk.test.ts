import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'

/** Runs a script where `$DIR` is a disk of 400 KiB that nobody else sees; it is gone with the script. */
function onSmallDisk(script: string, dir: string): string[] {
  const whole = `mount -t tmpfs -o size=400k none "$DIR" && ${script}`
  const env = { ...process.env, DIR: dir, NODE: process.execPath }
  const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', whole], {
    env,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout.trim().split('\n')
}

describe('a start on a full disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-full-'))
  after(() => rmSync(dir, { recursive: true }))
  const mountable = spawnSync('unshare', ['-rm', 'true']).status === 0
  const skip = mountable ? false : 'needs unshare(1) with a mount name space of its own'
  const start = `"$NODE" "${join(import.meta.dirname, 'full-disk-start.ts')}" "$DIR"`
  const fill = '(dd if=/dev/zero of="$DIR/fill" bs=4k 2>/dev/null || true)'

  const expected = (lines: readonly string[]): void => {
    const [state = '', objects = ''] = lines
    assert.match(state, /\/state\.db cannot be opened: .*disk is full.*start again/)
    assert.match(objects, /\/objects\.db cannot be opened: .*disk is full.*start again/)
  }

  it('says which file found no room and what to do, the first time', { skip }, () => {
    expected(onSmallDisk(`${fill} && ${start}`, dir))
  })

  it(
    'says so again where there is something already, and starts when there is room',
    { skip },
    () => {
      const all = `${start} && ${fill} && ${start} && rm "$DIR/fill" && ${start}`
      const lines = onSmallDisk(all, dir)
      assert.deepEqual(lines.slice(0, 2), ['opened', 'opened'])
      expected(lines.slice(2, 4))
      assert.deepEqual(lines.slice(4), ['opened', 'opened'])
    },
  )
})
