import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { BadMasterKeyError, loadMasterKey } from './master-key.ts'

const text = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA='

describe('the master key', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'daypass-master-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  function write(name: string, content: string | Buffer, mode = 0o600): string {
    const path = join(dir, name)
    writeFileSync(path, content)
    chmodSync(path, mode)
    return path
  }

  function assertBad(env: Record<string, string | undefined>, message: RegExp): void {
    assert.throws(
      () => loadMasterKey({ env, dir, mayCreate: true }),
      (error: unknown) => error instanceof BadMasterKeyError && message.test(error.message),
    )
  }

  it('is made at the first start, mode 0600, and found again at the next', () => {
    const first = loadMasterKey({ env: {}, dir, mayCreate: true })
    const path = join(dir, 'master.key')
    assert.deepEqual([first.origin, first.path, first.created], ['file', path, true])
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.match(readFileSync(path, 'utf8'), /^[A-Za-z0-9+/]{43}=\n$/)
    assert.deepEqual(readdirSync(dir), ['master.key'])
    const second = loadMasterKey({ env: {}, dir, mayCreate: true })
    assert.equal(second.created, false)
    assert.ok(second.key.equals(first.key))
  })

  it('makes the directory when it is not there', () => {
    assert.ok(loadMasterKey({ env: {}, dir: join(dir, 'a', 'b'), mayCreate: true }).created)
  })

  it('is one key when two processes start at once', () => {
    // The other one links its file between our look and our link.
    let raced = false
    const random = (bytes: number): Buffer => {
      if (!raced) {
        raced = true
        write('master.key', `${text}\n`)
      }
      return randomBytes(bytes)
    }
    const ours = loadMasterKey({ env: {}, dir, random, mayCreate: true })
    assert.equal(ours.created, false)
    assert.equal(ours.key.export().toString('base64'), text)
    assert.deepEqual(readdirSync(dir), ['master.key'])
  })

  it('comes from the environment, and then no file is made', () => {
    const loaded = loadMasterKey({ env: { DAYPASS_MASTER_KEY: text }, dir, mayCreate: true })
    assert.deepEqual(
      [loaded.origin, loaded.path, loaded.created],
      ['environment', undefined, false],
    )
    assert.equal(loaded.key.export().toString('base64'), text)
    assert.deepEqual(readdirSync(dir), [])
  })

  it('comes from the file that the environment names, also through a link as Kubernetes makes them', () => {
    const path = join(dir, 'mounted')
    symlinkSync(write('secret', `${text}\n`, 0o440), path)
    const loaded = loadMasterKey({ env: { DAYPASS_MASTER_KEY_FILE: path }, dir, mayCreate: true })
    assert.deepEqual([loaded.origin, loaded.path], ['file', path])
    assert.equal(loaded.key.export().toString('base64'), text)
  })

  it('is refused when others may read or change its file, and the message says what to do', () => {
    for (const mode of [0o644, 0o604, 0o640, 0o620, 0o602, 0o777]) {
      write('master.key', text, mode)
      assertBad({}, /chmod 600/)
    }
    for (const mode of [0o644, 0o604, 0o660, 0o602]) {
      assertBad({ DAYPASS_MASTER_KEY_FILE: write('given', text, mode) }, /chmod 600/)
    }
  })

  it('is refused when it is not base64 of 32 bytes, and the message does not show it', () => {
    const short = randomBytes(31).toString('base64')
    const url = text.replaceAll('/', '_')
    const long = randomBytes(33).toString('base64')
    const garbage = ['', ' ', '\n', 'changeme', short, long, `${text}${text}`, url.slice(0, -1)]
    for (const bad of [...garbage, `${text.slice(0, -2)}B=`, 'x'.repeat(5000), '\0'.repeat(32)]) {
      assertBad({ DAYPASS_MASTER_KEY: bad }, /DAYPASS_MASTER_KEY does not hold a master key/)
      write('master.key', bad)
      assertBad({}, /master\.key does not hold a master key/)
      if (bad.trim() !== '') assertBad({}, notHolding(bad))
      // What was refused is still there: nothing was put in its place.
      assert.equal(readFileSync(join(dir, 'master.key'), 'utf8'), bad)
    }
  })

  it('is refused when two are given, and when the named file is missing, empty-named or a directory', () => {
    const file = write('given', text)
    assertBad({ DAYPASS_MASTER_KEY: text, DAYPASS_MASTER_KEY_FILE: file }, /not both/)
    assertBad({ DAYPASS_MASTER_KEY_FILE: '' }, /empty/)
    assertBad({ DAYPASS_MASTER_KEY_FILE: join(dir, 'nowhere') }, /cannot be read/)
    mkdirSync(join(dir, 'folder'), { mode: 0o700 })
    assertBad({ DAYPASS_MASTER_KEY_FILE: join(dir, 'folder') }, /does not hold/)
    assert.deepEqual(readdirSync(dir).sort(), ['folder', 'given'])
  })

  it('is not made anew where something has been sealed already', () => {
    assert.throws(() => loadMasterKey({ env: {}, dir, mayCreate: false }), /restore it/)
    assert.deepEqual(readdirSync(dir), [])
  })
})

/** Any text without the given one in it. */
function notHolding(bad: string): RegExp {
  return new RegExp(`^(?!.*${bad.replaceAll(/[^A-Za-z0-9]/g, '\\$&')})`, 's')
}
