import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import { PresenceFilter } from 'ldapts'
import { LdapConnection, openConnection, type ConnectionSettings } from './connection.ts'

const settings: ConnectionSettings = {
  security: 'plain',
  tlsServerName: undefined,
  caFile: undefined,
  insecureSkipVerify: true,
  timeoutMs: 300,
}
const servers: Server[] = []
after(() => servers.forEach((server) => server.close()))

/** A directory that answers whatever we want it to. */
async function serve(answer: (socket: Socket, bytes: Buffer) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => answer(socket, bytes))
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const target = (port: number) => ({ host: '127.0.0.1', port })
/** `LDAPMessage` with a result of success: of a bind (0x61), of an extended operation (0x78). */
const success = (id: number, tag: number) =>
  Buffer.from([0x30, 0x0c, 0x02, 0x01, id, tag, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00])

describe('a connection to somebody who may be anybody', () => {
  it('gives up on who never answers', async () => {
    const connection = await openConnection(target(await serve(() => {})), settings)
    await assert.rejects(connection.bind('cn=a', 'b'), /timed out/)
    assert.equal(connection.isOpen, false)
  })

  for (const security of ['ldaps', 'starttls'] as const) {
    it(`gives up on who never speaks TLS, ${security}`, async () => {
      const port = await serve(() => {})
      await assert.rejects(openConnection(target(port), { ...settings, security }))
    })
  }

  it('says nothing in plain text to who refuses StartTLS', async () => {
    const seen: Buffer[] = []
    const port = await serve((socket, bytes) => {
      seen.push(bytes)
      const refusal = success(bytes[4] ?? 0, 0x78)
      refusal[9] = 52
      socket.write(refusal)
    })
    await assert.rejects(openConnection(target(port), { ...settings, security: 'starttls' }))
    assert.equal(seen.length, 1)
  })

  it('forgets what came in plain text behind the answer to StartTLS', async () => {
    // The beginning of a success that the first byte of the real answer would complete.
    const forged = Buffer.from([0x30, 0x0d, 2, 1, 2, 0x61, 8, 0x0a, 1, 0, 4, 0, 4, 1])
    const first = Promise.withResolvers<Buffer>()
    let asked = 0
    const port = await serve((socket, bytes) => {
      asked += 1
      if (asked > 1) return first.resolve(bytes)
      socket.write(Buffer.concat([success(bytes[4] ?? 0, 0x78), forged]))
    })
    const opening = openConnection(target(port), { ...settings, security: 'starttls' })
    // What follows is a TLS handshake and nothing else; it then fails, since nobody answers.
    assert.equal((await first.promise)[0], 0x16)
    await assert.rejects(opening)
  })

  it('never connects again by itself', async () => {
    let connections = 0
    const port = await serve((socket) => socket.destroy())
    servers.at(-1)?.on('connection', () => (connections += 1))
    const connection = await openConnection(target(port), settings)
    await assert.rejects(connection.bind('cn=a', 'secret'))
    await assert.rejects(connection.bind('cn=a', 'secret'))
    assert.equal(connections, 1)
    assert.equal(connection.isOpen, false)
  })

  it('gives up on an answer that never ends', async () => {
    const endless = Buffer.alloc(1 << 20)
    const port = await serve((socket) => {
      socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]))
      const more = () => void (socket.writable && socket.write(endless, more))
      more()
    })
    const connection = await openConnection(target(port), { ...settings, timeoutMs: 5000 })
    const filter = new PresenceFilter({ attribute: 'objectClass' })
    const search = { scope: 'sub', filter, attributes: ['1.1'], mostEntries: 1 } as const
    await assert.rejects(connection.search('dc=x', search))
    assert.equal(connection.isOpen, false)
  })

  it('is closed when told to', async () => {
    const port = await serve((socket, bytes) => socket.write(success(bytes[4] ?? 0, 0x61)))
    const connection = await openConnection(target(port), settings)
    assert.ok(connection instanceof LdapConnection)
    await connection.bind('cn=a', 'b')
    connection.close()
    assert.equal(connection.isOpen, false)
  })
})
