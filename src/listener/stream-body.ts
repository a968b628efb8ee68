import type { ServerResponse } from 'node:http'
import type { HttpResponse, LendingBody } from '../http.ts'

type Body = AsyncIterable<Uint8Array>

/**
 * Sends a body as fast as the client takes it. A source that fails midway destroys the connection: a cut answer must
 * never look whole. A client that goes away is nobody's fault, and the source hears of it.
 */
export async function streamBody(
  response: HttpResponse,
  body: Body,
  reply: ServerResponse,
): Promise<void> {
  try {
    if (lends(body)) await body.lendTo((piece) => sent(reply, piece))
    else await pump(response, body, reply)
    reply.end()
  } catch (error) {
    const gone = reply.destroyed || error instanceof ClientGone
    reply.destroy()
    if (!gone) throw error
  }
}

class ClientGone extends Error {}

function lends(body: Body): body is LendingBody {
  return 'lendTo' in body && typeof body.lendTo === 'function'
}

/** Resolves when the piece has left this process, and nothing here looks at its memory any more. */
function sent(reply: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new ClientGone())
    if (reply.destroyed) return gone()
    reply.once('close', gone)
    reply.write(piece, (error) => {
      reply.off('close', gone)
      if (error) gone()
      else resolve()
    })
  })
}

async function pump(response: HttpResponse, body: Body, reply: ServerResponse): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  // While the source is being waited for, nobody else would tell it.
  reply.once('close', () => void source.return?.().catch(() => undefined))
  for (;;) {
    const { done, value } = await source.next()
    if (reply.destroyed) throw new ClientGone()
    if (done === true) return
    // A small body leaves in one piece with its head.
    if (isWhole(response, value)) reply.end(value)
    else if (!reply.write(value)) await drained(reply)
  }
}

function isWhole({ headers }: HttpResponse, piece: Uint8Array): boolean {
  return headers['content-length'] === String(piece.length)
}

function drained(reply: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      reply.off('drain', settle).off('close', settle)
      resolve()
    }
    reply.once('drain', settle).once('close', settle)
  })
}
