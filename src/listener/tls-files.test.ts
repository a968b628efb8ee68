import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { watchTlsFiles } from './tls-files.ts'

describe('the TLS files', () => {
  let dir = ''
  let files: { certFile: string; keyFile: string }
  let errors: unknown[] = []

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] })
    dir = mkdtempSync(join(tmpdir(), 'daypass-tls-'))
    files = { certFile: join(dir, 'cert'), keyFile: join(dir, 'key') }
    for (const file of Object.values(files)) writeFileSync(file, 'one')
    errors = []
  })
  afterEach(() => {
    mock.timers.reset()
    rmSync(dir, { recursive: true })
  })

  function watch(): { texts: string[]; close: () => void } {
    const texts: string[] = []
    const watched = watchTlsFiles(files, (error) => errors.push(error))
    const close = watched.onChange(({ cert }) => texts.push(cert.toString()))
    return { texts, close }
  }

  it('are read again when one changes, and only then', () => {
    const { texts, close } = watch()
    mock.timers.tick(4000)
    assert.deepEqual(texts, [])
    writeFileSync(files.certFile, 'another')
    mock.timers.tick(4000)
    assert.deepEqual(texts, ['another'])
    close()
  })

  it('leave what was read in place while they cannot even be looked at', () => {
    const { texts, close } = watch()
    rmSync(files.certFile)
    symlinkSync(files.certFile, files.certFile)
    mock.timers.tick(2000)
    assert.equal(errors.length, 1)
    rmSync(files.certFile)
    writeFileSync(files.certFile, 'back again')
    mock.timers.tick(2000)
    assert.deepEqual(texts, ['back again'])
    close()
  })
})
