import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const command = resolve(import.meta.dirname, '../../../../test/labs/directory')
const run = promisify(execFile)

/** A real directory of `test/labs/directory`, on loopback. */
export type DirectoryLab = Readonly<{
  /** Of its `env` file. */
  value(name: string): string
  /** Ends the server and removes everything. */
  down(): Promise<void>
}>

/** Or why it cannot be had here: no root, no packages, another system. */
export async function startDirectory(kind: 'slapd' | 'ad'): Promise<DirectoryLab | string> {
  const dir = mkdtempSync(join(tmpdir(), `daypass-${kind}-`))
  try {
    await run(command, [kind, 'up', dir], { timeout: 150_000 })
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    rmSync(dir, { recursive: true, force: true })
    return `no directory to test against: ${stderr.trim().split('\n').at(-1) || String(error)}`
  }
  const lines = readFileSync(join(dir, 'env'), 'utf8').trim().split('\n')
  const values = new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  return {
    value(name) {
      const value = values.get(name)
      if (value === undefined) throw new Error(`the lab does not say ${name}`)
      return value
    },
    async down() {
      await run(command, [kind, 'down', dir])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
