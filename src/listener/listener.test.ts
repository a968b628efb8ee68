import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { createSourceReader } from './source.ts'
import { listen } from './index.ts'

type Handler = (request: HttpRequest) => Promise<HttpResponse>

async function withServer<T>(
  handle: Handler,
  use: (url: URL, errors: unknown[]) => Promise<T>,
  limits: { idleTimeoutMs?: number } = {},
): Promise<T> {
  const errors: unknown[] = []
  const listener = await listen({
    address: '127.0.0.1:0',
    trustedProxies: [],
    handle,
    broken: () => ({ status: 500, headers: {}, body: 'broken' }),
    onError: (_what, error) => errors.push(error),
    clock: () => new Date(),
    requestId: () => '0123456789ABCDEF',
    ...limits,
  })
  try {
    return await use(new URL(listener.url), errors)
  } finally {
    await listener.close(100)
  }
}

/** Sends bytes as they are and reads until the other side closes. */
async function raw(url: URL, text: string): Promise<string> {
  const socket = connect(Number(url.port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(text, 'latin1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  return answer
}

const empty: HttpResponse = { status: 200, headers: {} }

describe('listen', () => {
  it('keeps target and headers byte for byte, doubled headers included', async () => {
    let seen: HttpRequest | undefined
    await withServer(
      (request) => {
        seen = request
        return Promise.resolve({ ...empty, close: true })
      },
      (url) =>
        raw(url, 'GET /a%2Fb//../c?x=1&x=%20?y HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: \xe4\r\n\r\n'),
    )
    assert.equal(seen?.path, '/a%2Fb//../c')
    assert.equal(seen.query, 'x=1&x=%20?y')
    assert.deepEqual(seen.headers.slice(1), [
      ['X-A', '1'],
      ['x-a', '\xe4'],
    ])
  })

  it('leaves no header out, however many come: the last ones may be those of a proxy', async () => {
    let seen: HttpRequest | undefined
    const many = 'a:\r\n'.repeat(7000)
    await withServer(
      (request) => {
        seen = request
        return Promise.resolve({ ...empty, close: true })
      },
      (url) => raw(url, `GET / HTTP/1.1\r\nHost: h\r\n${many}X-Forwarded-For: 192.0.2.1\r\n\r\n`),
    )
    assert.deepEqual(seen?.headers.at(-1), ['X-Forwarded-For', '192.0.2.1'])
    assert.equal(seen.headers.length, 7002)
  })

  it('takes the absolute form of a target', async () => {
    let path = ''
    await withServer(
      (request) => {
        path = request.path
        return Promise.resolve({ ...empty, close: true })
      },
      (url) => raw(url, 'GET http://h/b/k HTTP/1.1\r\nHost: h\r\n\r\n'),
    )
    assert.equal(path, '/b/k')
  })

  it('asks for a body only when the handler lets it come', async () => {
    const answer = await withServer(
      () => Promise.resolve({ status: 403, headers: {}, body: 'no', close: true }),
      (url) =>
        raw(
          url,
          'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n',
        ),
    )
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.doesNotMatch(answer, /100 Continue/)
  })

  it('sends 100 Continue once when the handler proceeds', async () => {
    const answer = await withServer(
      async (request) => {
        request.proceed()
        request.proceed()
        for await (const _chunk of request.body) break
        return { ...empty, close: true }
      },
      (url) =>
        raw(
          url,
          'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab',
        ),
    )
    assert.equal(answer.match(/100 Continue/g)?.length, 1)
  })

  it('waits for an answer that takes longer than any silence may', async () => {
    const answer = await withServer(
      async (request) => {
        for await (const _chunk of request.body);
        await sleep(400)
        return { ...empty, close: true }
      },
      (url) => raw(url, 'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab'),
      { idleTimeoutMs: 100 },
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
  })

  it('ends each connection with its answer once it is closing', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const { promise: closing, resolve: close } = Promise.withResolvers<void>()
    const listener = await listen({
      address: '127.0.0.1:0',
      trustedProxies: [],
      async handle() {
        ask()
        await closing
        return { ...empty, body: 'whole' }
      },
      broken: () => ({ status: 500, headers: {} }),
      onError: assert.fail,
      clock: () => new Date(),
      requestId: () => '0123456789ABCDEF',
    })
    // The connection is not closed from here.
    const answer = raw(new URL(listener.url), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await asked
    const closed = listener.close(10_000)
    close()
    assert.match(await answer, /^HTTP\/1\.1 200 .*^connection: close\r\n.*whole$/ims)
    await closed
  })

  it('cuts a body that falls silent, and an answer that nobody takes', async () => {
    const begun = performance.now()
    const half = 'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na'
    const reading = async (request: HttpRequest): Promise<HttpResponse> => {
      for await (const _chunk of request.body);
      return empty
    }
    await withServer(reading, (url) => raw(url, half), { idleTimeoutMs: 100 })
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(65_536)
    }
    const ended = Promise.withResolvers<void>()
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* endless()
      } finally {
        ended.resolve()
      }
    }
    await withServer(
      () => Promise.resolve({ status: 200, headers: {}, body: watched() }),
      async (url) => {
        const socket = connect(Number(url.port), '127.0.0.1').on('error', () => undefined)
        socket.write('GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n')
        await ended.promise
        socket.destroy()
      },
      { idleTimeoutMs: 100 },
    )
    assert.ok(performance.now() - begun < 10_000)
  })

  it('cuts an answer whose source fails midway, so that it never looks whole', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      await Promise.resolve()
      throw new Error('the disk is gone')
    }
    await withServer(
      () => Promise.resolve({ status: 200, headers: { 'content-length': '8' }, body: failing() }),
      async (url, errors) => {
        const request = httpRequest(url)
        request.end()
        await assert.rejects(
          (async () => {
            const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
            for await (const _chunk of response) continue
          })(),
        )
        assert.match(String(errors[0]), /the disk is gone/)
      },
    )
  })

  it('answers a fault of ours with the constant text and tells the log', async () => {
    await withServer(
      () => Promise.reject(new Error('secret detail')),
      async (url, errors) => {
        const response = await fetch(url)
        assert.equal(response.status, 500)
        assert.equal(await response.text(), 'broken')
        assert.match(String(errors[0]), /secret detail/)
      },
    )
  })

  it('refuses a header section of more than 32 KiB', async () => {
    const answer = await withServer(
      () => Promise.resolve(empty),
      (url) => raw(url, `GET / HTTP/1.1\r\nHost: h\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`),
    )
    assert.match(answer, /^HTTP\/1\.1 431 /)
  })

  it('refuses what is no HTTP', async () => {
    const answer = await withServer(
      () => Promise.resolve(empty),
      (url) => raw(url, 'hello\r\n\r\n'),
    )
    assert.match(answer, /^HTTP\/1\.1 400 /)
  })

  it('refuses two framings of one body', async () => {
    const answer = await withServer(
      () => Promise.resolve(empty),
      (url) =>
        raw(
          url,
          'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        ),
    )
    assert.match(answer, /^HTTP\/1\.1 400 /)
  })

  it('refuses a second host, which another reader may go by', async () => {
    let handled = 0
    const answer = await withServer(
      () => {
        handled += 1
        return Promise.resolve(empty)
      },
      (url) => raw(url, 'GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n'),
    )
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.equal(handled, 0)
  })

  it('does not read a refused body of any size', async () => {
    let read = 0
    await withServer(
      () => Promise.resolve({ status: 413, headers: {}, body: 'too large', close: true }),
      async (url) => {
        const request = httpRequest(url, {
          method: 'POST',
          headers: { 'content-length': '1000000000' },
        })
        request.on('error', () => undefined)
        const chunk = Buffer.alloc(65_536)
        const pump = (): void => {
          while (!request.destroyed && read < 1_000_000_000) {
            read += chunk.length
            if (!request.write(chunk)) return void request.once('drain', pump)
          }
        }
        pump()
        const [response] = (await once(request, 'response')) as [{ statusCode: number }]
        assert.equal(response.statusCode, 413)
        await once(request, 'close')
      },
    )
    assert.ok(read < 1_000_000_000)
  })
})

describe('the client address', () => {
  it('is the peer, whatever X-Forwarded-For says, without a trusted proxy', () => {
    assert.equal(createSourceReader([])('203.0.113.5', '10.0.0.1'), '203.0.113.5')
  })

  it('is the last untrusted hop behind trusted proxies', () => {
    const read = createSourceReader(['10.0.0.0/8', '::1'])
    assert.equal(read('10.1.1.1', '1.2.3.4, 198.51.100.7, 10.2.2.2'), '198.51.100.7')
    assert.equal(read('::1', '198.51.100.7'), '198.51.100.7')
    assert.equal(read('::ffff:10.1.1.1', 'nonsense'), '10.1.1.1')
    assert.equal(read('10.1.1.1', undefined), '10.1.1.1')
  })

  it('is the hop without the port that some proxies add', () => {
    const read = createSourceReader(['10.0.0.0/8'])
    assert.equal(read('10.1.1.1', '198.51.100.7:40123, 10.2.2.2:443'), '198.51.100.7')
    assert.equal(read('10.1.1.1', '[2001:db8::1]:40123'), '2001:db8::1')
    assert.equal(read('10.1.1.1', '[2001:db8::1]'), '2001:db8::1')
    for (const hop of ['198.51.100.7:', '198.51.100.7:1:2', '[198.51.100.7', '[]', ':80']) {
      assert.equal(read('10.1.1.1', hop), '10.1.1.1', hop)
    }
  })
})

describe('the rate limiter', () => {
  const at = (ms: number): Date => new Date(1_000_000 + ms)

  it('refuses a source that has used up its burst, and lets it in again later', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 2, inFlight: 10 })
    assert.ok(limiter.enter('a', at(0)))
    assert.ok(limiter.enter('a', at(0)))
    assert.equal(limiter.enter('a', at(0)), undefined)
    assert.ok(limiter.enter('b', at(0)), 'another source is not touched')
    assert.ok(limiter.enter('a', at(1001)))
  })

  it('counts a /64 of IPv6 as one source', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1, inFlight: 10 })
    assert.ok(limiter.enter('2001:db8::1', at(0)))
    assert.equal(limiter.enter('2001:db8:0:0:5::2', at(0)), undefined)
    assert.ok(limiter.enter('2001:db8:0:1::1', at(0)))
  })

  it('bounds what runs at the same time; leaving twice frees one place', () => {
    const limiter = createRateLimiter({ perSecond: 100, burst: 100, inFlight: 1 })
    const leave = limiter.enter('a', at(0))
    assert.equal(limiter.enter('b', at(0)), undefined)
    leave?.()
    leave?.()
    assert.ok(limiter.enter('c', at(0)))
    assert.equal(limiter.enter('d', at(0)), undefined)
  })

  it('leaves places for others when one source keeps all of its own', () => {
    const limiter = createRateLimiter({ perSecond: 100, burst: 100, inFlight: 8 })
    const leave = limiter.enter('2001:db8::1', at(0))
    assert.ok(limiter.enter('2001:db8::2', at(0)))
    assert.equal(limiter.enter('2001:db8::3', at(0)), undefined, 'a quarter of the places')
    assert.ok(limiter.enter('203.0.113.5', at(0)), 'another source is not touched')
    leave?.()
    leave?.()
    assert.ok(limiter.enter('2001:db8::3', at(0)))
    assert.equal(limiter.enter('2001:db8::4', at(0)), undefined)
  })

  it('gains nothing from a clock that goes backwards', () => {
    const limiter = createRateLimiter({ perSecond: 1000, burst: 1, inFlight: 10 })
    assert.ok(limiter.enter('a', at(1000)))
    assert.equal(limiter.enter('a', at(0)), undefined)
  })
})
