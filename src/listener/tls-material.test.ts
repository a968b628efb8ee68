import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { withoutOpenssl, Workshop } from '../identity/certificate/testing/authority.ts'
import { listen, type Listener, type TlsMaterial, type TlsPair } from './index.ts'

class Shelf implements TlsMaterial {
  pair: TlsPair | undefined
  readonly users = new Set<(pair: TlsPair) => void>()

  read(): TlsPair | undefined {
    return this.pair
  }

  onChange(use: (pair: TlsPair) => void): () => void {
    this.users.add(use)
    return () => this.users.delete(use)
  }

  put(pair: TlsPair): void {
    this.pair = pair
    for (const use of this.users) use(pair)
  }
}

describe('a certificate that is kept in memory', { skip: withoutOpenssl() }, () => {
  const shop = new Workshop()
  const pairOf = (name: string): TlsPair => ({
    cert: readFileSync(shop.file(`${name}.pem`)),
    key: readFileSync(shop.file(`${name}.key`)),
  })
  const open = (material: TlsMaterial): Promise<Listener> =>
    listen({
      address: '127.0.0.1:0',
      tls: { material },
      trustedProxies: [],
      handle: () => Promise.resolve({ status: 200, headers: {}, body: 'here' }),
      broken: () => ({ status: 500, headers: {} }),
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
      clock: () => new Date(),
      requestId: () => '0123456789ABCDEF',
    })
  const dial = async (listener: Listener): Promise<TLSSocket> => {
    const { port } = new URL(listener.url)
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return socket
  }
  const ask = async (socket: TLSSocket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n')
    const [answer]: unknown[] = await once(socket, 'data')
    return String(answer)
  }

  before(() => {
    for (const name of ['first', 'second']) {
      shop.make(name, { extensions: ['subjectAltName=IP:127.0.0.1'] })
    }
  })
  after(() => shop.close())

  it('is shown to new connections once it has changed, and old ones go on', async () => {
    const shelf = new Shelf()
    shelf.put(pairOf('first'))
    const listener = await open(shelf)
    const old = await dial(listener)
    shelf.put(pairOf('second'))
    const fresh = await dial(listener)
    assert.equal(old.getPeerCertificate().subject.CN, 'first')
    assert.equal(fresh.getPeerCertificate().subject.CN, 'second')
    assert.match(await ask(old), /^HTTP\/1\.1 200 /)
    for (const socket of [old, fresh]) socket.destroy()
    await listener.close(100)
  })

  it('may be missing at first: nobody is served without it, and everybody once it is there', async () => {
    const shelf = new Shelf()
    const listener = await open(shelf)
    await assert.rejects(dial(listener))
    shelf.put(pairOf('first'))
    const socket = await dial(listener)
    assert.match(await ask(socket), /^HTTP\/1\.1 200 /)
    socket.destroy()
    await listener.close(100)
  })

  it('is not listened to any more by a listener that has closed', async () => {
    const shelf = new Shelf()
    shelf.put(pairOf('first'))
    const listener = await open(shelf)
    assert.equal(shelf.users.size, 1)
    await listener.close(100)
    assert.equal(shelf.users.size, 0)
  })
})
