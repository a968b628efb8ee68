import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import { StsError } from './sts-error.ts'
import type { StsLimits } from './types.ts'

/**
 * The whole body, which is small and comes soon, or is refused. An announced length that is too much is refused before
 * the first byte. The time is that of the whole body, so that one byte a second does not keep a place for ever.
 */
export async function readBody(request: HttpRequest, limits: StsLimits): Promise<Buffer> {
  const announced = header(request, 'content-length')
  if (announced !== undefined && Number(announced) > limits.maxBodyBytes) throw tooLarge(limits)
  request.proceed()
  const chunks = request.body[Symbol.asyncIterator]()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(tooSlow()), limits.bodyTimeoutMs)
  try {
    return await Promise.race([collect(chunks, limits), late])
  } catch (error) {
    // Not waited for: a source that hangs hangs here too.
    chunks.return?.().catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function collect(chunks: AsyncIterator<Uint8Array>, limits: StsLimits): Promise<Buffer> {
  const kept: Uint8Array[] = []
  let size = 0
  for (;;) {
    const chunk = await chunks.next().catch((cause: unknown) => {
      throw incomplete(cause)
    })
    if (chunk.done) return Buffer.concat(kept)
    size += chunk.value.length
    if (size > limits.maxBodyBytes) throw tooLarge(limits)
    kept.push(chunk.value)
  }
}

function tooLarge(limits: StsLimits): StsError {
  return new StsError('body_too_large', `The request body exceeds ${limits.maxBodyBytes} bytes`)
}

function tooSlow(): StsError {
  return new StsError('body_too_slow', 'The request body did not arrive in time')
}

function incomplete(cause: unknown): StsError {
  return new StsError('body_incomplete', 'The request body ended early', { cause })
}
