import { readFile, stat } from 'node:fs/promises'
import type { Agent } from 'undici'

/** The port through which providers are asked. Rejects when there is no whole answer within the limits. */
export type FetchText = (url: string, request: FetchRequest) => Promise<FetchedText>

type FetchRequest = Readonly<{
  method: 'GET' | 'POST'
  headers: Readonly<Record<string, string>>
  body?: string
  /** For everything, from the name lookup to the last byte. */
  timeoutMs: number
  /** Of the answer's body. */
  maxBytes: number
  /** PEM file with the only certificate authorities to trust. */
  caFile?: string | undefined
}>

/** Redirects are not followed: they come back as they are. Names of headers are in lower case. */
export type FetchedText = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}>

type Connections = (caFile: string | undefined) => Promise<Agent>

/** The real thing. Idle connections close by themselves after some seconds and hold no process up. */
export function createFetchText(): FetchText {
  const connections = openConnections()
  return async (url, request) => {
    const signal = AbortSignal.timeout(request.timeoutMs)
    const { request: send } = await import('undici')
    const answer = await send(url, {
      dispatcher: await connections(request.caFile),
      method: request.method,
      headers: { 'accept-encoding': 'identity', 'user-agent': 'daypass', ...request.headers },
      body: request.body ?? null,
      signal,
    })
    return {
      status: answer.statusCode,
      headers: singleHeaders(answer.headers),
      body: await readText(answer.body, request.maxBytes),
    }
  }
}

// One pool of connections for each CA file, made anew when the file has changed. The one before is not closed: somebody
// may be about to use it, and its idle connections go by themselves.
function openConnections(): Connections {
  const opened = new Map<string | undefined, { stamp: string; agent: Promise<Agent> }>()
  return async (caFile) => {
    const stamp = caFile === undefined ? '' : await stampOf(caFile)
    const present = opened.get(caFile)
    if (present?.stamp === stamp) return present.agent
    const agent = openAgent(caFile)
    opened.set(caFile, { stamp, agent })
    agent.catch(() => opened.delete(caFile))
    return agent
  }
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file)
  return `${mtimeMs}/${size}/${ino}`
}

// undici takes 70 ms to load, and start-up needs no provider: hence the late import.
async function openAgent(caFile: string | undefined): Promise<Agent> {
  const { Agent } = await import('undici')
  const connect = caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }
  return new Agent({ connections: 32, connect: { ...connect, timeout: 5000 } })
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop destroys the body and its connection.
    if (size > maxBytes) throw new RangeError(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}

function singleHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat()[0]] as const)
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
