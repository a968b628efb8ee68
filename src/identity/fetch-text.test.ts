import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createFetchText } from './fetch-text.ts'

const get = { method: 'GET', headers: {}, timeoutMs: 5000, maxBytes: 1000 } as const

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

describe('asking a provider over HTTP', () => {
  const fetchText = createFetchText()
  const routes = new Map<string, RequestListener>([
    ['/text', (_, response) => response.end('Grüße')],
    ['/redirect', (_, response) => response.writeHead(301, { location: '/text' }).end()],
    ['/hang', () => {}],
    ['/drip', (_, response) => void response.write('a')],
    ['/huge', (_, response) => response.end('x'.repeat(1001))],
    ['/endless', (_, response) => void response.write('x'.repeat(5000))],
    ['/latin1', (_, response) => response.end(Buffer.from([0x47, 0xfc]))],
    ['/drop', (request) => request.socket.destroy()],
    ['/headers', (request, response) => response.end(JSON.stringify(request.headers))],
  ])
  const server = createHttpServer((request, response) => {
    routes.get(request.url ?? '')?.(request, response)
  })
  let origin: string
  before(async () => {
    origin = `http://127.0.0.1:${await listen(server)}`
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  it('gives status, headers and text', async () => {
    const answer = await fetchText(`${origin}/text`, get)
    assert.equal(answer.status, 200)
    assert.equal(answer.body, 'Grüße')
    assert.equal(typeof answer.headers.date, 'string')
  })

  it('sends our headers and wants no compression', async () => {
    const answer = await fetchText(`${origin}/headers`, { ...get, headers: { 'x-a': 'b' } })
    assert.match(answer.body, /"x-a":"b"/)
    assert.match(answer.body, /"accept-encoding":"identity"/)
  })

  it('does not follow a redirect', async () => {
    const answer = await fetchText(`${origin}/redirect`, get)
    assert.equal(answer.status, 301)
    assert.equal(answer.body, '')
  })

  for (const path of ['/hang', '/drip', '/huge', '/endless', '/latin1', '/drop']) {
    it(`rejects ${path}, in time`, async () => {
      const began = performance.now()
      await assert.rejects(fetchText(`${origin}${path}`, { ...get, timeoutMs: 300 }))
      assert.ok(performance.now() - began < 4000)
    })
  }

  it('takes exactly as much as is allowed', async () => {
    const answer = await fetchText(`${origin}/huge`, { ...get, maxBytes: 1001 })
    assert.equal(answer.body.length, 1001)
  })

  it('rejects when nobody listens', async () => {
    await assert.rejects(fetchText('http://127.0.0.1:1/', get))
  })
})

describe('asking a provider over TLS with a CA file', { skip: withoutOpenssl() }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'daypass-ca-'))
  const file = (name: string) => join(directory, name)
  const fetchText = createFetchText()
  const ask = (caFile?: string) => fetchText(origin, { ...get, caFile })
  let origin: string
  let server: Server

  before(async () => {
    for (const name of ['ours', 'other']) {
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
      const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
      openssl('req', '-x509', ...key, ...subject, ...out)
    }
    const tls = { key: readFileSync(file('ours.key')), cert: readFileSync(file('ours.pem')) }
    server = createHttpsServer(tls, (_, response) => response.end('hello'))
    origin = `https://127.0.0.1:${await listen(server)}/`
  })
  after(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })

  it('trusts what the file names', async () => {
    assert.equal((await ask(file('ours.pem'))).body, 'hello')
  })

  it('trusts nobody else, whatever was trusted before', async () => {
    await assert.rejects(ask(file('other.pem')))
    await assert.rejects(ask())
  })

  it('reads the file again when it has changed', async () => {
    const caFile = file('ca.pem')
    await assert.rejects(ask(caFile), /ENOENT/)
    writeFileSync(caFile, 'no certificate')
    await assert.rejects(ask(caFile))
    copyFileSync(file('other.pem'), caFile)
    await assert.rejects(ask(caFile))
    copyFileSync(file('ours.pem'), caFile)
    assert.equal((await ask(caFile)).body, 'hello')
    copyFileSync(file('other.pem'), caFile)
    await assert.rejects(ask(caFile))
  })
})

function openssl(...words: readonly string[]): void {
  const command = 'openssl'
  execFileSync(command, words, { stdio: 'ignore' })
}

function withoutOpenssl(): string | false {
  try {
    openssl('version')
    return false
  } catch {
    return 'the openssl command is not installed: no certificate to test with'
  }
}
