import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const command = resolve(import.meta.dirname, '../../src/cli/daypass.ts')

/** The real command in a process of its own, on free loopback ports, as a person would start it. */
export type DaypassServer = Readonly<{
  dir: string
  endpoint: string
  operationsEndpoint: string
  root: Readonly<{ accessKeyId: string; secretAccessKey: string }>
  /** Everything that it has written so far, on either stream. */
  output(): string
  process: ChildProcess
  /** SIGTERM, and waits for the end. Keeps the directory unless it was made here. */
  stop(): Promise<void>
}>

export type DaypassServerOptions = Readonly<{
  /** Default: a throw-away one, removed by `stop`. */
  dir?: string
  /** Text of the configuration file. */
  config?: string
  env?: Readonly<Record<string, string>>
}>

export async function startDaypass(options: DaypassServerOptions = {}): Promise<DaypassServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'daypass-e2e-'))
  const args = ['server', dir, '--address', '127.0.0.1:0', '--operations-address', '127.0.0.1:0']
  if (options.config !== undefined) {
    const file = `${dir}.yaml`
    writeFileSync(file, options.config)
    args.push('--config', file)
  }
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const gather = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
  }
  child.stdout.on('data', gather)
  child.stderr.on('data', gather)
  const found = await readEndpoints(child, () => output)
  return {
    dir,
    ...found,
    root: readRoot(dir, options.env),
    output: () => output,
    process: child,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(`${dir}.yaml`, { force: true })
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Nothing of the environment that runs the tests may reach the server: no keys, no endpoints, no settings. */
export function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(DAYPASS|MINIO|AWS)_|^NODE_TEST/.test(entry[0]),
    ),
  )
}

async function readEndpoints(
  child: ChildProcess,
  output: () => string,
): Promise<Pick<DaypassServer, 'endpoint' | 'operationsEndpoint'>> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline && child.exitCode === null) {
    const endpoint = /S3, STS, IAM\s+(http\S+)/.exec(output())?.[1]
    const operationsEndpoint = /operations\s+(http\S+)/.exec(output())?.[1]
    if (endpoint !== undefined && operationsEndpoint !== undefined) {
      return { endpoint, operationsEndpoint }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  child.kill('SIGKILL')
  throw new Error(`the server did not start:\n${output()}`)
}

function readRoot(dir: string, env: DaypassServerOptions['env'] = {}): DaypassServer['root'] {
  const accessKeyId = env['MINIO_ROOT_USER'] ?? env['DAYPASS_ROOT_USER']
  const secretAccessKey = env['MINIO_ROOT_PASSWORD'] ?? env['DAYPASS_ROOT_PASSWORD']
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey }
  }
  const text = readFileSync(join(dir, 'root-credentials.json'), 'utf8')
  return JSON.parse(text) as DaypassServer['root']
}
