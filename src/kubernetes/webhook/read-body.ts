import type { HttpRequest } from '../../http.ts'

/** Two states of an object of at most 1.5 MiB each (etcd's limit), and what stands around them. */
const mostBytes = 4 * 1024 * 1024

/** The whole text; a byte over the limit is not kept, and nobody is waited for longer than that. */
export async function readBody(
  { body }: Pick<HttpRequest, 'body'>,
  timeoutMs: number,
): Promise<Readonly<{ text: string }> | 'too-large' | 'incomplete'> {
  const pieces = body[Symbol.asyncIterator]()
  const { promise: late, resolve } = Promise.withResolvers<'incomplete'>()
  const timer = setTimeout(() => resolve('incomplete'), timeoutMs)
  try {
    const read = await Promise.race([collect(pieces), late])
    if (typeof read !== 'string') {
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(read) }
    }
    // Not waited for: a source that hangs hangs here, too.
    pieces.return?.().catch(() => undefined)
    return read
  } catch {
    // A client that has gone, or text that is none: there is nothing to judge.
    return 'incomplete'
  } finally {
    clearTimeout(timer)
  }
}

async function collect(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | 'too-large'> {
  const kept: Uint8Array[] = []
  let size = 0
  for (;;) {
    const piece = await pieces.next()
    if (piece.done === true) return Buffer.concat(kept)
    size += piece.value.length
    if (size > mostBytes) return 'too-large'
    kept.push(piece.value)
  }
}
