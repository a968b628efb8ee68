import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, utimesSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ConnectionOptions } from 'node:tls'
import { withoutOpenssl, Workshop } from '../identity/certificate/testing/authority.ts'
import type { HttpRequest } from '../http.ts'
import { listen, type Listener, type ListenOptions } from './index.ts'

describe('client certificates at the door', { skip: withoutOpenssl() }, () => {
  const shop = new Workshop()
  let door: Listener
  let seen: HttpRequest | undefined
  let presented: readonly Buffer[] = []

  const options: ListenOptions = {
    address: '127.0.0.1:0',
    trustedProxies: ['127.0.0.1'],
    handle: (request) => {
      seen = request
      presented = request.clientCertificates?.() ?? []
      return Promise.resolve({ status: 200, headers: {}, close: true })
    },
    broken: () => ({ status: 500, headers: {} }),
    onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
    clock: () => new Date(),
    requestId: () => '0123456789ABCDEF',
  }
  const open = (tls: { requestClientCertificates?: boolean } | undefined, idleTimeoutMs = 60_000) =>
    listen({
      ...options,
      idleTimeoutMs,
      ...(tls && {
        tls: { certFile: shop.file('server.pem'), keyFile: shop.file('server.key'), ...tls },
      }),
    })
  before(async () => {
    shop.make('server', { extensions: ['subjectAltName=IP:127.0.0.1'] })
    shop.make('root', { extensions: 'ca' })
    shop.make('issuing', { by: 'root', extensions: 'ca' })
    shop.make('alice', { by: 'issuing' })
    shop.make('bob', { by: 'issuing' })
    door = await open({ requestClientCertificates: true })
  })
  after(async () => {
    await door.close(100)
    shop.close()
  })

  /** One request; the session that the server gave, if any, and whether an old one was taken up. */
  async function ask(
    options: ConnectionOptions,
    headers = '',
    at = door,
  ): Promise<{ session: Buffer | undefined; resumed: boolean; status: string; server: string }> {
    const socket = connect({
      port: Number(new URL(at.url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...options,
    })
    let session: Buffer | undefined
    let answer = ''
    socket.on('session', (given: Buffer) => (session = given))
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    await once(socket, 'secureConnect')
    const resumed = socket.isSessionReused()
    const server = socket.getPeerX509Certificate()?.subject ?? ''
    socket.write(`GET / HTTP/1.1\r\nHost: h\r\n${headers}\r\n`)
    await once(socket, 'close')
    return { session, resumed, status: answer.slice(9, 12), server }
  }
  const client = (names: readonly string[], key = names[0] ?? '') => ({
    cert: shop.pem(...names),
    key: shop.text(`${key}.key`),
  })

  it('are handed on as they were presented: order, strangers and all', async () => {
    const chains = [
      ['alice'],
      ['alice', 'issuing'],
      ['alice', 'issuing', 'root'],
      ['alice', 'root', 'bob', 'issuing'],
    ]
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const names of chains) {
        await ask({ ...client(names), maxVersion })
        assert.deepEqual(
          presented,
          names.map((name) => shop.der(name)),
          names.join(),
        )
      }
    }
  })

  it('are none when none is presented, and nobody is turned away for it', async () => {
    assert.equal((await ask({})).status, '200')
    assert.deepEqual(presented, [])
  })

  it('are not asked for unless told to, and are none over plain HTTP', async () => {
    for (const tls of [{}, { requestClientCertificates: false }, undefined]) {
      presented = [Buffer.alloc(1)]
      const other = await open(tls)
      if (tls) await ask(client(['alice', 'issuing']), '', other)
      else await fetch(other.url)
      assert.deepEqual(presented, [])
      await other.close(100)
    }
  })

  it('come whole on every connection: no session is resumed, which would lose the issuers', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...client(['alice', 'issuing']), maxVersion }
      const { session } = await ask(options)
      const again = await ask({ ...options, ...(session && { session }) })
      assert.equal(again.resumed, false)
      assert.equal(presented.length, 2)
    }
  })

  it('are counted no further than anybody follows', async () => {
    await ask(client(['alice', ...Array.from({ length: 30 }, () => 'issuing')]))
    assert.equal(presented.length, 12)
  })

  it('need the key of the first one', async () => {
    seen = undefined
    await assert.rejects(ask({ cert: shop.pem('bob'), key: shop.text('alice.key') }))
    assert.equal(seen, undefined)
  })

  it('stay the same on a connection: there is no second handshake', async () => {
    for (const at of [door, await open({})]) {
      const port = Number(new URL(at.url).port)
      const options = {
        host: '127.0.0.1',
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.2',
      } as const
      const socket = connect({ port, ...options, ...client(['alice', 'issuing']) })
      await once(socket, 'secureConnect')
      const ended = Promise.withResolvers<unknown>()
      socket.on('error', ended.resolve)
      socket.renegotiate({ rejectUnauthorized: false }, (error) => ended.resolve(error))
      assert.ok((await ended.promise) instanceof Error)
      socket.destroy()
      if (at !== door) await at.close(100)
    }
  })

  it('are waited for in a handshake, but not for ever', async () => {
    const hasty = await open({ requestClientCertificates: true }, 50)
    const socket = connectPlain(Number(new URL(hasty.url).port), '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
    await hasty.close(100)
  })

  it('need a certificate and key of our own, else the start says which settings are wrong', async () => {
    for (const keyFile of [shop.file('root.key'), shop.file('server.pem'), shop.file('absent')]) {
      await assert.rejects(
        listen({ ...options, tls: { certFile: shop.file('server.pem'), keyFile } }),
        /^Error: tls: certFile and keyFile/,
      )
    }
  })

  it('come with the address of the peer, whatever it says of others', async () => {
    await ask({}, 'X-Forwarded-For: 203.0.113.5\r\n')
    assert.equal(seen?.source, '203.0.113.5')
    assert.equal(seen.peer, '127.0.0.1')
  })

  it('are still asked for, and not resumed, after the server’s own certificate was renewed', async () => {
    shop.make('renewed', { extensions: ['subjectAltName=IP:127.0.0.1'] })
    copyFileSync(shop.file('renewed.key'), shop.file('server.key'))
    copyFileSync(shop.file('renewed.pem'), shop.file('server.pem'))
    utimesSync(shop.file('server.pem'), new Date(), new Date(Date.now() + 5000))
    const options = client(['alice', 'issuing'])
    let answer = await ask(options)
    for (let turn = 0; turn < 40 && answer.server !== 'CN=renewed'; turn += 1) {
      await sleep(200)
      answer = await ask(options)
    }
    assert.equal(answer.server, 'CN=renewed')
    const again = await ask({ ...options, ...(answer.session && { session: answer.session }) })
    assert.equal(again.resumed, false)
    assert.equal(presented.length, 2)
  })
})
