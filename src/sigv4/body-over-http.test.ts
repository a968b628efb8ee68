import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { openBody, SigV4Error } from './index.ts'
import { frameSigned, read } from './testing/chunks.ts'
import { put } from './testing/signed-put.ts'

const verified = put('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
const chunks = [Buffer.alloc(200_000, 'a'), Buffer.alloc(100_000, 'b')]
const body = frameSigned(verified, chunks)
const data = Buffer.concat(chunks)

describe('a body over a real connection', () => {
  let outcomes: Promise<unknown>[] = []
  let server: Server
  let port = 0

  before(async () => {
    server = createServer((incoming, response) => {
      const declared = { decodedLength: data.length, maxBytes: 2 ** 20 }
      const outcome = read(openBody(verified, incoming, declared).stream)
      outcomes.push(outcome.catch((error: unknown) => error))
      outcome.then(
        (bytes) => response.end(String(bytes.equals(data))),
        (error: unknown) => {
          response.writeHead(400, { connection: 'close' })
          response.end(error instanceof SigV4Error ? error.code : 'fault')
        },
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    port = address.port
  })
  after(() => server.close())

  function send() {
    outcomes = []
    return request({ port, host: '127.0.0.1', method: 'PUT', path: '/bucket/key' })
  }

  async function answerTo(bytes: Buffer): Promise<readonly [number | undefined, string]> {
    const client = send()
    client.end(bytes)
    const [response]: IncomingMessage[] = await once(client, 'response')
    assert.ok(response)
    return [response.statusCode, (await read(response)).toString()]
  }

  it('is read to its end', async () => {
    assert.deepEqual(await answerTo(body), [200, 'true'])
  })

  it('can be answered with the refusal when it is broken half-way', async () => {
    const broken = Buffer.from(body)
    broken.write('x', 150_000)
    assert.deepEqual(await answerTo(broken), [400, 'signature_mismatch'])
  })

  it('is refused when the client goes away', async () => {
    const client = send()
    client.on('error', () => {})
    client.write(body.subarray(0, 150_000))
    while (outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve))
    client.destroy()
    const [outcome] = await Promise.all(outcomes)
    assert.ok(outcome instanceof SigV4Error)
    assert.equal(outcome.code, 'incomplete_body')
  })
})
