import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { signRequest } from './index.ts'
import type { ClientKey } from './index.ts'
import { emptySha256 } from './signature.ts'
import { example, verify, wire } from './testing/wire.ts'
import type { Headers } from './testing/wire.ts'

const now = new Date('2026-01-01T12:00:00.999Z')
const scope = { region: 'us-east-1', service: 's3' }
const host = ['Host', 's3.example.test'] as const

function sign(headers: Headers, key: ClientKey = example) {
  return signRequest(wire('GET', '/b/k?x=1', headers), key, scope, now, emptySha256)
}

describe('signing as a client', () => {
  it('gives the headers to add, the token among them only when there is one', () => {
    const names = sign([host]).map(([name]) => name)
    assert.deepEqual(names, ['x-amz-content-sha256', 'x-amz-date', 'authorization'])
    const withToken = sign([host], { ...example, sessionToken: new Secret('TOKEN') })
    assert.equal(new Map(withToken).get('x-amz-security-token'), 'TOKEN')
  })

  it('signs what is sent, but for what proxies and libraries rewrite', () => {
    const headers: Headers = [
      host,
      ['Range', 'bytes=0-1'],
      ['Content-Type', 'text/plain'],
      ['User-Agent', 'x'],
      ['Accept-Encoding', 'gzip'],
      ['Connection', 'close'],
      ['Expect', '100-continue'],
    ]
    const authorization = new Map(sign(headers)).get('authorization') ?? ''
    const names = 'content-type;host;range;x-amz-content-sha256;x-amz-date'
    assert.ok(authorization.includes(`SignedHeaders=${names}, `))
  })

  it('makes what we verify', () => {
    const headers = [host, ['x-amz-meta-a', ' a  b '], ['x-amz-meta-a', 'c']] as const
    const request = wire('GET', '/b/k?x=1', [...headers, ...sign(headers)])
    verify(request, example, { services: ['s3'], now })
  })

  it('refuses a request without a host', () => {
    assert.throws(() => sign([]), TypeError)
  })

  for (const name of [
    'Authorization',
    'X-Amz-Date',
    'x-amz-content-sha256',
    'X-Amz-Security-Token',
  ]) {
    it(`refuses a request that has ${name} already`, () => {
      assert.throws(() => sign([host, [name, 'x']]), TypeError)
    })
  }
})
