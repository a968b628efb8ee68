import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { run } from '../run.ts'

export type Asked = Readonly<{ headers: IncomingHttpHeaders; form: URLSearchParams }>
export type Told = Readonly<{ status?: number; type?: string; body: string }>

/** A server on loopback that answers each form as it is told, and remembers what it was asked. */
export async function fakeServer(
  t: TestContext,
  answer: (form: URLSearchParams) => Told,
): Promise<Readonly<{ url: string; asked: Asked[] }>> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      asked.push({ headers: request.headers, form })
      const { status = 200, type = 'application/json', body } = answer(form)
      response.writeHead(status, { 'content-type': type }).end(body)
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port}`, asked }
}

/** The answer to an action, as the IAM face writes JSON. */
export function success(action: string, result: object): Told {
  return { body: JSON.stringify({ [`${action}Response`]: { [`${action}Result`]: result } }) }
}

export function failure(status: number, Code: string, Message: string, more: object = {}): Told {
  return { status, body: JSON.stringify({ Error: { Type: 'Sender', Code, Message, ...more } }) }
}

export type Ran = Readonly<{ code: number; out: string; error: string }>

/** One command line, in this process. */
export async function runCli(
  args: readonly string[],
  world: Readonly<{
    env?: Readonly<Record<string, string>>
    stdin?: string
    clock?: () => Date
  }> = {},
): Promise<Ran> {
  let out = ''
  let error = ''
  const code = await run(args, {
    env: world.env ?? {},
    stdin: Readable.from([Buffer.from(world.stdin ?? '')]),
    isTerminal: false,
    writeOut: (text) => {
      out += text
    },
    writeError: (text) => {
      error += text
    },
    clock: world.clock ?? (() => new Date('2026-03-04T05:06:07Z')),
  })
  return { code, out, error }
}

export function keysFor(url: string): Readonly<Record<string, string>> {
  return {
    DAYPASS_ENDPOINT: url,
    DAYPASS_ACCESS_KEY: 'testkey',
    DAYPASS_SECRET_KEY: 'a secret of the tests',
  }
}
