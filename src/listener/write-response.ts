import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { HttpResponse } from '../http.ts'
import { streamBody } from './stream-body.ts'

/** Resolves when the answer has been handed to the socket or the client has gone. */
export async function writeResponse(
  message: IncomingMessage,
  reply: ServerResponse,
  response: HttpResponse,
): Promise<void> {
  const { body } = response
  if (reply.destroyed) return discard(body)
  const unread = !message.complete
  if (unread || response.close === true) reply.setHeader('connection', 'close')
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    const sent = message.method === 'HEAD' ? undefined : body
    reply.writeHead(response.status, withLength(response, body))
    if (!unread) return void reply.end(sent)
    if (sent === undefined) reply.flushHeaders()
    else reply.write(sent)
    await linger(message)
    reply.end()
  } else {
    reply.writeHead(response.status, response.headers)
    await streamBody(response, body, reply)
  }
}

const lingerMs = 500

/**
 * The rest of a refused body is not read to its end, however much it is; but a connection cut at once would take the
 * refusal with it (RFC 9112, section 9.6). So the client gets a moment to read it and to stop.
 */
async function linger(message: IncomingMessage): Promise<void> {
  const patience = AbortSignal.timeout(lingerMs)
  message.resume()
  await finished(message, { signal: patience, cleanup: true }).catch(() => undefined)
}

/** Explicit for what is known; an answer without a body has length 0, unless the status forbids one. */
function withLength(
  response: HttpResponse,
  body: string | Buffer | undefined,
): HttpResponse['headers'] {
  if (response.status === 204 || response.status === 304 || 'content-length' in response.headers) {
    return response.headers
  }
  const length = body === undefined ? 0 : Buffer.byteLength(body)
  return { ...response.headers, 'content-length': String(length) }
}

async function discard(body: HttpResponse['body']): Promise<void> {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return
  await body[Symbol.asyncIterator]().return?.()
}
