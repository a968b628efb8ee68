import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { cleanEnvironment } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'

/** What came of another program. */
export type Ran = Readonly<{
  /** Exit code; -1 when a signal ended it. */
  code: number
  out: Buffer
  error: string
}>

export type RunOptions = Readonly<{
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** Goes to its standard input. */
  input?: Buffer | string
}>

const longestRunMs = 60_000

/** Runs a program to its end, with nothing of our own environment that names keys or endpoints. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const { promise, resolve: done, reject } = Promise.withResolvers<Ran>()
  const child = spawn(program, [...args], {
    env: { ...cleanEnvironment(), ...options.env },
    cwd: options.cwd,
    timeout: longestRunMs,
  })
  const out: Buffer[] = []
  const error: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => error.push(chunk))
  // It may end without having read everything.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input)
  child.on('error', reject)
  child.on('close', (code) =>
    done({ code: code ?? -1, out: Buffer.concat(out), error: Buffer.concat(error).toString() }),
  )
  return promise
}

/** The program's standard output. Throws, with its standard error in the message, when it fails. */
export async function demandProgram(
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<Buffer> {
  const { code, out, error } = await runProgram(program, args, options)
  if (code === 0) return out
  throw new Error(`${program} ended with ${code}: ${error}${out.toString().slice(0, 2000)}`)
}

/** Why a test of this program cannot run here; `false`: it can. */
export function absence(path: string): string | false {
  return !existsSync(path) && `${path} is not installed`
}

/** Debian's, which has Debian's modules. */
export const python = '/usr/bin/python3'

/** Why what needs this Python module cannot be tested here; `false`: it can. */
export function missingModule(name: string): string | false {
  const { status } = spawnSync(python, ['-c', `import ${name}`], { env: cleanEnvironment() })
  return status !== 0 && `${python} has no ${name}`
}

/** The command line, to be run by Node. */
export const command = resolve(import.meta.dirname, '../../src/cli/daypass.ts')

/** The real command line, with the root key of the server's directory unless `env` brings other keys. */
export function daypass(
  server: DaypassServer,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const env = { DAYPASS_ENDPOINT: server.endpoint, DAYPASS_DIR: server.dir, ...options.env }
  return runProgram(process.execPath, [command, ...args], { ...options, env })
}
