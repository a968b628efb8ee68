import type { IncomingMessage } from 'node:http'
import { CliError } from './cli-error.ts'

export type Reply = Readonly<{ status: number; contentType: string; body: string }>

const timeoutMs = 30_000
const maxReplyBytes = 16 * 1024 * 1024

/**
 * Posts a form. No redirects are followed: a signature is for one host.
 * @throws CliError `unreachable`
 */
export async function send(
  endpoint: URL,
  headers: readonly (readonly [string, string])[],
  body: string,
): Promise<Reply> {
  const { request } =
    endpoint.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const outgoing = request(endpoint, {
    method: 'POST',
    headers: Object.fromEntries(headers),
    signal: AbortSignal.timeout(timeoutMs),
  })
  outgoing.on('response', (incoming) => {
    read(incoming).then(resolve, reject)
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  try {
    return await promise
  } catch (error) {
    throw unreachable(endpoint, error)
  }
}

async function read(incoming: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxReplyBytes) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return {
    status: incoming.statusCode ?? 0,
    contentType: incoming.headers['content-type'] ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

function unreachable(endpoint: URL, error: unknown): CliError {
  const reason = error instanceof Error ? error.message || error.name : String(error)
  const tls =
    endpoint.protocol === 'https:'
      ? '; a private CA is given with NODE_EXTRA_CA_CERTS'
      : ', https://… where the server has TLS'
  return new CliError(
    'unreachable',
    `Cannot reach ${endpoint.origin} (${reason}). Is the server running there? ` +
      `Another address is given with --endpoint or DAYPASS_ENDPOINT${tls}`,
    { cause: error },
  )
}
