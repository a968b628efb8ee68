import type { HttpRequest } from '../http.ts'
import { IamError } from './iam-error.ts'

/** Policy documents have at most 20 KiB; percent-encoding may triple that. */
const maxBodyBytes = 64 * 1024
/** For the whole body, so that one byte a second does not keep a place for ever. */
const bodyTimeoutMs = 10_000

/**
 * @throws IamError `body_too_large` before a byte more than the limit is kept, `body_too_slow`, `body_incomplete`
 */
export async function readBody(
  request: Pick<HttpRequest, 'body'>,
  timeoutMs = bodyTimeoutMs,
): Promise<Buffer> {
  const chunks = request.body[Symbol.asyncIterator]()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new IamError('body_too_slow', 'The body did not arrive in time')),
    timeoutMs,
  )
  try {
    return await Promise.race([collect(chunks), late])
  } catch (error) {
    // Not waited for: a source that hangs hangs here too.
    chunks.return?.().catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function collect(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = []
  let size = 0
  for (;;) {
    const chunk = await chunks.next().catch((cause: unknown) => {
      throw new IamError('body_incomplete', 'The body ended early', { cause })
    })
    if (chunk.done) return Buffer.concat(kept)
    size += chunk.value.length
    if (size > maxBodyBytes) {
      throw new IamError('body_too_large', `The body has more than ${maxBodyBytes} bytes`)
    }
    kept.push(chunk.value)
  }
}
