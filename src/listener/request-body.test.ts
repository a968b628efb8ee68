import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpRequest } from '../http.ts'
import { listen } from './index.ts'

type Seen = Readonly<{ sha256: string } | { error: unknown }>

/** What a handler reads of the bodies that `send` sends on one connection, and what is answered. */
async function bodiesOf(
  send: (socket: Socket) => Promise<void>,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Readonly<{ seen: readonly Seen[]; answers: string }>> {
  const seen: Seen[] = []
  const listener = await listen({
    address: '127.0.0.1:0',
    trustedProxies: [],
    async handle(request) {
      await before()
      seen.push(await read(request).catch((error: unknown) => ({ error })))
      return { status: 200, headers: {} }
    },
    broken: () => ({ status: 500, headers: {} }),
    onError: () => undefined,
    clock: () => new Date(),
    requestId: () => '0123456789ABCDEF',
  })
  const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
  let answers = ''
  socket.setNoDelay().setEncoding('latin1')
  socket.on('error', () => undefined).on('data', (chunk: string) => (answers += chunk))
  await once(socket, 'connect')
  await send(socket)
  while (seen.length === 0) await sleep(5)
  socket.end()
  await listener.close(1000)
  return { seen, answers }
}

async function read(request: HttpRequest): Promise<Seen> {
  const hash = createHash('sha256')
  for await (const chunk of request.body) hash.update(chunk)
  return { sha256: hash.digest('hex') }
}

const head = (size: number): string =>
  `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('the body of a request', () => {
  it('is whole, whether it comes with its head, in pieces, or not at all', async () => {
    const text = 'Action=AssumeRole'
    const together = await bodiesOf(async (socket) => void socket.write(head(text.length) + text))
    assert.deepEqual(together.seen, [{ sha256: sha256(text) }])
    const inPieces = await bodiesOf(async (socket) => {
      for (const piece of [head(text.length), text.slice(0, 5), text.slice(5)]) {
        socket.write(piece)
        await sleep(20)
      }
    })
    assert.deepEqual(inPieces.seen, [{ sha256: sha256(text) }])
    const none = await bodiesOf(
      async (socket) => void socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'),
    )
    assert.deepEqual(none.seen, [{ sha256: sha256('') }])
  })

  it('is whole when the handler comes to it late', async () => {
    const late = (): Promise<unknown> => sleep(30)
    const { seen } = await bodiesOf(async (socket) => void socket.write(`${head(4)}late`), late)
    assert.deepEqual(seen, [{ sha256: sha256('late') }])
  })

  it('is whole when it is much larger than what is held', async () => {
    const body = randomBytes(3_000_000)
    const send = async (socket: Socket): Promise<void> => {
      socket.write(head(body.length))
      socket.write(body)
    }
    assert.deepEqual((await bodiesOf(send)).seen, [{ sha256: sha256(body) }])
    assert.deepEqual((await bodiesOf(send, () => sleep(30))).seen, [{ sha256: sha256(body) }])
  })

  it('is never taken for whole when it was cut', async () => {
    for (const before of [undefined, () => sleep(30)]) {
      const { seen } = await bodiesOf(async (socket) => {
        socket.write(`${head(10)}half`)
        await sleep(5)
        socket.resetAndDestroy()
      }, before)
      assert.equal(seen.length, 1)
      assert.ok(seen.every((one) => 'error' in one))
    }
  })

  it('leaves the next request on the connection alone', async () => {
    const { answers } = await bodiesOf(async (socket) => {
      socket.write(`${head(3)}one${head(3)}two`)
      await sleep(100)
    })
    assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 2)
  })
})
