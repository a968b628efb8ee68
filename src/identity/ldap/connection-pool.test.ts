import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openConnection } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'

describe('connections that lie idle', () => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.resume()
  })
  const pool = new ConnectionPool({
    most: 3,
    idleMs: 60_000,
    waitMs: 1000,
    mostWaiting: 1,
    open: () =>
      openConnection(
        { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
        {
          security: 'plain',
          tlsServerName: undefined,
          caFile: undefined,
          insecureSkipVerify: false,
          timeoutMs: 1000,
        },
      ),
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    pool.close()
    server.close()
  })
  const openThree = async () => {
    const begin = Promise.withResolvers<void>()
    const uses = [1, 2, 3].map(() => pool.use(() => begin.promise))
    begin.resolve()
    await Promise.all(uses)
    assert.equal(pool.size, 3)
  }

  it('are all given up when one of them has fallen silent, and kept otherwise', async () => {
    await openThree()
    const silence = () => Promise.reject(new Error('BindRequest: Operation timed out'))
    await assert.rejects(pool.use(silence), /timed out/)
    assert.ok(pool.size <= 1, 'the one that was lent is its user’s to close')
    await openThree()
    assert.equal(await pool.use(async (connection) => connection.isOpen), true)
    assert.equal(pool.size, 3)
  })
})
