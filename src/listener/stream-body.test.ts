import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import type { HttpResponse, LendingBody } from '../http.ts'
import { listen } from './index.ts'

async function serving<T>(
  answer: () => HttpResponse,
  use: (url: string, errors: unknown[]) => Promise<T>,
): Promise<T> {
  const errors: unknown[] = []
  const listener = await listen({
    address: '127.0.0.1:0',
    trustedProxies: [],
    handle: () => Promise.resolve(answer()),
    broken: () => ({ status: 500, headers: {}, body: 'broken' }),
    onError: (_what, error) => errors.push(error),
    clock: () => new Date(),
    requestId: () => '0123456789ABCDEF',
  })
  try {
    return await use(listener.url, errors)
  } finally {
    await listener.close(100)
  }
}

const pieces = 40
const pieceBytes = 256 * 1024

/** Lends one and the same memory again and again; `ended` tells how it ended. */
function lendingBody(): LendingBody & { readonly ended: Promise<string> } {
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  return {
    ended,
    async lendTo(take) {
      const memory = Buffer.alloc(pieceBytes)
      try {
        for (let piece = 0; piece < pieces; piece++) await take(memory.fill(piece))
        resolve('taken')
      } catch (error) {
        resolve('refused')
        throw error
      }
    },
    [Symbol.asyncIterator]() {
      throw new Error('not read as an iterable')
    },
  }
}

function whole(body: LendingBody): HttpResponse {
  return { status: 200, headers: { 'content-length': String(pieces * pieceBytes) }, body }
}

/** Reads a little of an answer and goes away. */
async function glance(url: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
}

describe('a body in memory that is lent', () => {
  it('arrives whole, though its memory is used again and again', async () => {
    const bytes = await serving(
      () => whole(lendingBody()),
      async (url) => Buffer.from(await (await fetch(url)).arrayBuffer()),
    )
    const firsts = Array.from({ length: pieces }, (_, piece) =>
      bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes),
    )
    assert.equal(bytes.length, pieces * pieceBytes)
    assert.ok(firsts.every((part, piece) => part.every((byte) => byte === piece)))
  })

  it('is given back when the client goes away, which is nobody’s fault', async () => {
    const body = lendingBody()
    await serving(
      () => whole(body),
      async (url, errors) => {
        await glance(url)
        assert.equal(await body.ended, 'refused')
        assert.deepEqual(errors, [])
      },
    )
  })

  it('cuts the answer when it fails midway', async () => {
    const fault = new Error('the disk is gone')
    const body: LendingBody = {
      ...lendingBody(),
      async lendTo(take) {
        await take(Buffer.alloc(10))
        throw fault
      },
    }
    await serving(
      () => whole(body),
      async (url, errors) => {
        await assert.rejects(async () => (await fetch(url)).arrayBuffer())
        assert.deepEqual(errors, [fault])
      },
    )
  })
})

describe('a body that is an iterable', () => {
  it('is told when the client goes away while it is being waited for', async () => {
    const { promise: left, resolve } = Promise.withResolvers<string>()
    const { promise: never } = Promise.withResolvers<never>()
    let asked = 0
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          asked++ === 0 ? Promise.resolve({ done: false, value: Buffer.alloc(10) }) : never,
        async return() {
          resolve('left')
          return { done: true, value: undefined }
        },
      }),
    }
    await serving(
      () => ({ status: 200, headers: { 'content-length': '100' }, body }),
      async (url, errors) => {
        await glance(url)
        assert.equal(await left, 'left')
        assert.deepEqual(errors, [])
      },
    )
  })

  it('leaves in one piece when it is one, and its end is still asked for', async () => {
    let ended = false
    async function* one(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('whole')
      ended = true
    }
    const text = await serving(
      () => ({ status: 200, headers: { 'content-length': '5' }, body: one() }),
      async (url) => (await fetch(url)).text(),
    )
    assert.equal(text, 'whole')
    assert.ok(ended)
  })

  it('reports a source that fails of itself, also with the code of a broken connection', async () => {
    const fault = Object.assign(new Error('the store behind us broke off'), { code: 'ECONNRESET' })
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10)
      throw fault
    }
    await serving(
      () => ({ status: 200, headers: { 'content-length': '100' }, body: broken() }),
      async (url, errors) => {
        await assert.rejects(async () => (await fetch(url)).arrayBuffer())
        assert.deepEqual(errors, [fault])
      },
    )
  })
})
