import type { IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { HttpRequest } from '../http.ts'
import { readClientCertificates } from './client-certificates.ts'
import { unmapAddress, type SourceReader } from './source.ts'

export function toHttpRequest(
  message: IncomingMessage,
  given: Readonly<{
    id: string
    secure: boolean
    receivedAt: Date
    readSource: SourceReader
    proceed: () => void
  }>,
): HttpRequest {
  const target = originForm(message.url ?? '/')
  const question = target.indexOf('?')
  const headers = pairs(message.rawHeaders)
  const forwarded = headers
    .filter(([name]) => name.toLowerCase() === 'x-forwarded-for')
    .map(([, value]) => value)
    .join(',')
  const peer = message.socket.remoteAddress
  return {
    id: given.id,
    method: message.method ?? '',
    path: question === -1 ? target : target.slice(0, question),
    query: question === -1 ? '' : target.slice(question + 1),
    headers,
    body: leaveOpen(message),
    source: given.readSource(peer, forwarded === '' ? undefined : forwarded),
    ...(peer === undefined ? {} : { peer: unmapAddress(peer) }),
    secure: given.secure,
    clientCertificates: () => readClientCertificates(message.socket),
    receivedAt: given.receivedAt,
    proceed: given.proceed,
  }
}

/** RFC 9112, section 3.2.2: a server must take the absolute form as well; the host header stays what is verified. */
function originForm(target: string): string {
  const match = /^https?:\/\/[^/?]*(.*)$/i.exec(target)
  const path = match?.[1] ?? target
  return path.startsWith('/') ? path : `/${path}`
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  const list: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    list.push([raw[index] ?? '', raw[index + 1] ?? ''])
  }
  return list
}

type Body = AsyncIterator<Uint8Array, void, undefined>

/** Node destroys the socket with a body that is not read to its end, and the refusal would be lost with it. */
function leaveOpen(message: IncomingMessage): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      let source: Body | undefined
      const begin = async (): Promise<IteratorResult<Uint8Array, void>> => {
        // Node hands a request over with its head, and what came in the same packet right after that.
        if (!message.complete) await setImmediate()
        source ??= message.complete
          ? arrived(message)
          : message.iterator({ destroyOnReturn: false })
        return source.next()
      }
      return {
        next: () => source?.next() ?? begin(),
        return: () => source?.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      }
    },
  }
}

/** A small body comes together with its head and is taken as it lies there, which costs a tenth of waiting for it. */
async function* arrived(message: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  const body: unknown = message.read()
  if (body instanceof Uint8Array) yield body
}
