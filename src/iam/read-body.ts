import type { HttpRequest } from '../http.ts'
import { IamError } from './iam-error.ts'

/** Policy documents have at most 20 KiB; percent-encoding may triple that. */
export const maxBodyBytes = 64 * 1024

/** @throws IamError `body_too_large` before a byte more than the limit is kept. */
export async function readBody(request: Pick<HttpRequest, 'body'>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > maxBodyBytes) {
      throw new IamError('body_too_large', `The body has more than ${maxBodyBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
