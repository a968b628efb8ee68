import { refuse } from './write-context.ts'

const maxKeyBytes = 1024
const texts = ['key', 'prefix', 'delimiter', 'after', 'keyMarker'] as const

/**
 * Keys are UTF-8. A lone surrogate would be stored as U+FFFD, and two different keys would become one.
 */
export function checkNames(
  request: Readonly<Record<string, unknown>> & { source?: { key: string } },
): void {
  if (request.source !== undefined) checkNames({ key: request.source.key })
  for (const name of texts) {
    const text = request[name]
    if (typeof text === 'string' && !text.isWellFormed()) {
      throw refuse('invalid_request', `The ${name} is not valid UTF-8.`)
    }
  }
  const { key } = request
  if (typeof key !== 'string') return
  const size = Buffer.byteLength(key)
  if (size < 1 || size > maxKeyBytes) {
    throw refuse('invalid_request', `A key has 1 to ${maxKeyBytes} bytes.`)
  }
}
