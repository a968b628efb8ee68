import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A program that serves until it is told to stop. */
export type Server = Readonly<{
  url: string
  /** What else was looked for in what it says: the further groups of the pattern. */
  more: readonly string[]
  pid: number
  stop(): Promise<void>
}>

/** A program that is talked to line by line. */
export type Dialogue = Readonly<{
  say(line: string): void
  /** The next line that it says. */
  hear(): Promise<string>
}>

type Environment = Readonly<Record<string, string>>

/** One part's directory and processes; `close` leaves nothing of them behind. */
export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'daypass-bench-'))
  readonly #nodeOptions: readonly string[]
  readonly #closers: (() => Promise<unknown> | void)[] = []
  #files = 0
  #closed = false

  /** @param nodeOptions for servers only: a profiler, for one. */
  constructor(nodeOptions: readonly string[] = []) {
    this.#nodeOptions = nodeOptions
  }

  /** What comes too late, because the part took too long, is closed at once. */
  defer(close: () => Promise<unknown> | void): void {
    if (this.#closed) void close()
    else this.#closers.push(close)
  }

  /** Writes a file with a name of its own. */
  file(content: string | Uint8Array): string {
    const path = join(this.dir, `file-${++this.#files}`)
    writeFileSync(path, content)
    return path
  }

  /** A server says its address within the first lines; what it says then is not kept. */
  async serve(args: readonly string[], address: RegExp, env: Environment = {}): Promise<Server> {
    const child = this.#spawn([...this.#nodeOptions, ...args], env)
    const [url = '', ...more] = await new Promise<readonly string[]>((resolve, reject) => {
      let said = ''
      let isFound = false
      const hear = (text: Buffer): void => {
        if (isFound) return
        said = (said + text.toString('utf8')).slice(-8000)
        const found = address.exec(said)
        if (found === null) return
        isFound = true
        resolve(found.slice(1))
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.once('close', () => reject(failed(args, said)))
    })
    return { url, more, pid: child.pid ?? 0, stop: () => stop(child) }
  }

  /** Runs a program to its end and gives what it printed. */
  async run(args: readonly string[]): Promise<string> {
    const child = this.#spawn(args, {})
    let said = ''
    child.stdout?.on('data', (text: Buffer) => (said += text.toString('utf8')))
    child.stderr?.pipe(process.stderr)
    await once(child, 'close')
    if (child.exitCode !== 0) throw failed(args, said)
    return said
  }

  talk(args: readonly string[]): Dialogue {
    const child = this.#spawn(args, {})
    child.stderr?.pipe(process.stderr)
    const lines = linesOf(child)
    return {
      say: (line) => void child.stdin?.write(`${line}\n`),
      async hear() {
        const { done, value } = await lines.next()
        if (done === true) throw failed(args, '')
        return value
      },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const close of this.#closers.splice(0).toReversed()) await close()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #spawn(args: readonly string[], env: Environment): ChildProcess {
    // A part that took too long must not begin anything that nobody would end.
    if (this.#closed) throw new Error('the part is over')
    const child = spawn(process.execPath, args, {
      // Nothing of the caller's settings reaches what is measured.
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: 'pipe',
    })
    this.defer(() => stop(child))
    return child
  }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string, void> {
  let rest = ''
  for await (const text of child.stdout ?? []) {
    const lines = (rest + String(text)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** Asks first, and does not ask for long. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(patience)
}

function failed(args: readonly string[], said: string): Error {
  return new Error(`${args.join(' ')} ended too early. ${said.slice(-2000)}`)
}
