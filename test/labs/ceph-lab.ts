import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const command = resolve(import.meta.dirname, 'ceph')
const run = promisify(execFile)

/** A real Ceph object gateway of `test/labs/ceph`, on loopback. */
export type CephLab = Readonly<{
  url: string
  /** Of the role that `BROKER` may take; it may do everything with S3. */
  roleArn: string
  /** Of the keys `OWNER` and `BROKER`. */
  secret: string
  /** Ends everything and removes it. */
  down(): Promise<void>
}>

/** Or why it cannot be had here: no root, no packages, another system. */
export async function startCeph(): Promise<CephLab | string> {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-ceph-'))
  try {
    await run(command, ['up', dir], { timeout: 170_000 })
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    rmSync(dir, { recursive: true, force: true })
    return `no Ceph to test against: ${stderr.trim().split('\n').at(-1) || String(error)}`
  }
  const lines = readFileSync(join(dir, 'env'), 'utf8').trim().split('\n')
  const values = new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const value = (name: string): string => {
    const found = values.get(name)
    if (found === undefined) throw new Error(`the lab does not say ${name}`)
    return found
  }
  return {
    url: value('CEPH_URL'),
    roleArn: value('CEPH_ROLE'),
    secret: value('CEPH_SECRET'),
    async down() {
      await run(command, ['down', dir], { timeout: 60_000 })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
