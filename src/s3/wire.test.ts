import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'

import { SignatureV4 } from '@smithy/signature-v4'

import { createChecksum } from '../checksums/index.ts'
import { accessKeyId, Denied, now, openKit, secretAccessKey, textOf } from './testing/kit.ts'
import type { Kit } from './testing/kit.ts'

let kit: Kit
const seen: string[] = []
before(async () => {
  kit = await openKit({ observe: (operation, status) => void seen.push(`${operation} ${status}`) })
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/bkt/k', { method: 'PUT', body: 'object' })
})
after(() => kit.close())
beforeEach(() => {
  kit.access.allows = () => true
})

describe('answers (S3 surface, section 14)', () => {
  it('carry who answered, and errors their own elements', async () => {
    const received = await kit.send('/bkt/missing')
    assert.equal(received.headers['x-amz-request-id'], '0123456789ABCDEF')
    assert.equal(received.headers['server'], 'Daypass')
    assert.ok(received.headers['x-amz-id-2'])
    assert.equal(received.headers['content-type'], 'application/xml')
    assert.match(received.text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>/)
    assert.equal(textOf(received.text, 'Key'), 'missing')
    assert.equal(textOf(received.text, 'RequestId'), '0123456789ABCDEF')
    assert.equal(textOf(received.text, 'Resource'), '/bkt/missing')
  })

  it('tell the decision behind a denial, in the body or in headers', async () => {
    kit.access.allows = () => false
    const got = await kit.send('/bkt/k')
    assert.equal(textOf(got.text, 'DecisionId'), 'decision-1')
    assert.equal(textOf(got.text, 'EncodedAuthorizationMessage'), 'sealed-trace')
    assert.equal(got.headers['x-daypass-decision-id'], 'decision-1')
    const head = await kit.send('/bkt/k', { method: 'HEAD' })
    assert.equal(head.text, '')
    assert.equal(head.headers['x-amz-error-code'], 'AccessDenied')
    assert.equal(head.headers['x-daypass-decision-id'], 'decision-1')
    assert.equal(head.headers['x-daypass-encoded-authorization-message'], 'sealed-trace')
  })

  it('leave an overlong trace out of the headers', async () => {
    kit.access.authorize = () => {
      const denied = new Denied()
      Object.assign(denied, { detail: { decisionId: 'd', encodedMessage: 'x'.repeat(3073) } })
      throw denied
    }
    const head = await kit.send('/bkt/k', { method: 'HEAD' })
    delete (kit.access as { authorize?: unknown }).authorize
    assert.equal(head.headers['x-daypass-encoded-authorization-message'], undefined)
    assert.equal(head.headers['x-daypass-decision-id'], 'd')
  })

  it('say nothing about a fault of ours, and report it', async () => {
    kit.access.allows = () => {
      throw new TypeError('secret innards')
    }
    const received = await kit.send('/bkt/k')
    assert.equal(received.status, 500)
    assert.equal(received.code, 'InternalError')
    assert.doesNotMatch(received.text, /innards/)
    assert.match(String(kit.faults.splice(0)), /secret innards/)
  })

  it('refuse unknown sub-resources of every kind instead of falling through', async () => {
    const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'POST']
    for (const path of ['/bkt', '/bkt/k']) {
      for (const method of methods) {
        for (const name of [
          'annotation',
          'abac',
          'torrent',
          'foo=bar',
          'restore',
          'select',
          'inventory',
        ]) {
          const received = await kit.send(`${path}?${name}`, { method })
          assert.equal(received.code, 'NotImplemented', `${method} ${path}?${name}`)
          assert.equal(received.status, 501)
        }
      }
    }
    assert.equal((await kit.send('/bkt/k?acl&tagging')).code, 'NotImplemented')
    assert.equal((await kit.send('/bkt/k')).text, 'object')
    assert.equal((await kit.send('/bkt/k?x-id=GetObject')).text, 'object')
  })

  it('refuse unknown methods', async () => {
    for (const [target, method] of [
      ['/bkt/k', 'PATCH'],
      ['/bkt', 'TRACE'],
      ['/', 'PUT'],
      ['/', 'DELETE'],
    ] as const) {
      const received = await kit.send(target, { method })
      assert.equal(received.status, 405)
      assert.ok(received.headers['allow'])
    }
    assert.equal((await kit.send('/bkt', { method: 'POST', body: 'x' })).code, 'MethodNotAllowed')
  })

  it('refuse preflight requests, since no bucket has rules', async () => {
    const headers = { origin: 'https://evil.test', 'access-control-request-method': 'PUT' }
    const received = await kit.send('/bkt/k', { method: 'OPTIONS', anonymous: true, headers })
    assert.equal(received.code, 'AccessForbidden')
    assert.equal(received.status, 403)
    assert.ok(!Object.keys(received.headers).some((name) => name.startsWith('access-control')))
  })

  it('are counted by operation', async () => {
    seen.length = 0
    await kit.send('/bkt/k')
    await kit.send('/bkt/missing', { method: 'HEAD' })
    await kit.send('/bkt?foo')
    assert.deepEqual(seen, ['GetObject 200', 'HeadObject 404', 'unknown 501'])
  })
})

describe('who asks (S3 surface, sections 1 to 9)', () => {
  it('refuses wrong signatures, with what was signed and without the secret', async () => {
    const sent = {
      raw: true,
      headers: {
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDALICE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=' +
          '0'.repeat(64),
        'x-amz-date': '20261121T120000Z',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      },
    }
    const received = await kit.send('/bkt/k', sent)
    assert.equal(received.code, 'SignatureDoesNotMatch')
    assert.equal(received.status, 403)
    assert.match(textOf(received.text, 'StringToSign') ?? '', /^AWS4-HMAC-SHA256\n/)
    assert.equal(textOf(received.text, 'AWSAccessKeyId'), 'AKIDALICE')
    assert.ok(!received.text.includes(secretAccessKey.reveal()))
  })

  it('maps what SigV4 refuses', async () => {
    const authorization = (value: string) => ({ raw: true, headers: { authorization: value } })
    const expected: readonly (readonly [string, string, number])[] = [
      ['Bearer x', 'InvalidArgument', 400],
      ['AWS AKID:sig', 'InvalidRequest', 400],
      ['AWS4-ECDSA-P256-SHA256 Credential=x', 'NotImplemented', 501],
      ['AWS4-HMAC-SHA256 nonsense', 'AuthorizationHeaderMalformed', 400],
    ]
    for (const [value, code, status] of expected) {
      const sent = authorization(value)
      const headers = {
        ...sent.headers,
        'x-amz-date': '20261121T120000Z',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      }
      const received = await kit.send('/bkt/k', { ...sent, headers })
      assert.equal(received.code, code, value)
      assert.equal(received.status, status)
    }
    assert.equal(
      (await kit.send('/bkt/k?X-Amz-Signature=x', { raw: true })).code,
      'AuthorizationQueryParametersError',
    )
  })

  it('refuses a body that is not the signed one, and stores nothing', async () => {
    const payload = createHash('sha256').update('other').digest('hex')
    const received = await kit.send('/bkt/forged', { method: 'PUT', body: 'forged', payload })
    assert.equal(received.code, 'XAmzContentSHA256Mismatch')
    assert.equal((await kit.send('/bkt/forged')).code, 'NoSuchKey')
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'
    const tags = await kit.send('/bkt/k?tagging', { method: 'PUT', body: tagging, payload })
    assert.equal(tags.code, 'XAmzContentSHA256Mismatch')
    assert.equal(textOf((await kit.send('/bkt/k?tagging')).text, 'Key'), undefined)
  })

  it('takes uploads in chunks with a trailer, and only uploads', async () => {
    const sum = createChecksum('CRC32')
    sum.update(Buffer.from('hello world'))
    const chunked = (trailer: string) => ({
      method: 'PUT',
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      body: `5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:${trailer}\r\n\r\n`,
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '11',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        'x-amz-sdk-checksum-algorithm': 'CRC32',
      },
    })
    const stored = await kit.send('/bkt/chunked?x-id=PutObject', chunked(sum.digest()))
    assert.equal(stored.status, 200, stored.text)
    const got = await kit.send('/bkt/chunked')
    assert.equal(got.text, 'hello world')
    assert.equal(got.headers['content-encoding'], undefined)
    assert.equal((await kit.send('/bkt/bad', chunked('AAAAAA=='))).code, 'BadDigest')
    const { headers, ...rest } = chunked(sum.digest())
    const { 'x-amz-trailer': _, ...untold } = headers
    assert.equal((await kit.send('/bkt/bad', { ...rest, headers: untold })).status, 400)
    const { 'x-amz-decoded-content-length': __, ...unsized } = headers
    assert.equal(
      (await kit.send('/bkt/bad', { ...rest, headers: unsized })).code,
      'MissingContentLength',
    )
    const short = { ...headers, 'x-amz-decoded-content-length': '12' }
    assert.equal((await kit.send('/bkt/bad', { ...rest, headers: short })).code, 'IncompleteBody')
    const twice = { ...headers, 'x-amz-checksum-crc32': sum.digest() }
    assert.equal((await kit.send('/bkt/bad', { ...rest, headers: twice })).code, 'InvalidRequest')
    assert.equal((await kit.send('/bkt/bad')).code, 'NoSuchKey')
    assert.equal((await kit.send('/bkt?policy', chunked(sum.digest()))).code, 'InvalidRequest')
  })

  it('takes presigned uploads whose headers were moved to the query', async () => {
    const signed = await presign('PUT', '/bkt/presigned', {
      'x-amz-meta-n': 'grüße',
      'x-amz-tagging': 'a=1',
      'content-type': 'text/plain',
    })
    assert.match(signed, /x-amz-meta-n=/)
    const sent = { raw: true, method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } }
    kit.access.asked.length = 0
    assert.equal((await kit.send(signed, sent)).status, 200)
    const [asked] = kit.access.asked
    assert.equal(asked?.s3?.authType, 'REST-QUERY-STRING')
    assert.equal(asked?.s3?.signatureAge, 0)
    assert.deepEqual([...(asked?.s3?.requestObjectTags ?? [])], [['a', '1']])
    const got = await kit.send('/bkt/presigned')
    assert.equal(Buffer.from(got.headers['x-amz-meta-n'] ?? '', 'latin1').toString(), 'grüße')
    const twice = { ...sent, headers: { ...sent.headers, 'x-amz-tagging': 'b=2' } }
    assert.notEqual((await kit.send(signed, twice)).status, 200)
  })

  it('refuses line breaks that come in by the query', async () => {
    const signed = await presign('PUT', '/bkt/split', { 'x-amz-meta-n': 'a\r\nset-cookie: b' })
    const received = await kit.send(signed, { raw: true, method: 'PUT', body: 'x' })
    assert.equal(received.code, 'InvalidArgument')
  })

  it('does not read unsigned names from the query of a request signed by header', async () => {
    await kit.send('/bkt/plain?x-amz-meta-evil=1', { method: 'PUT', body: 'x' })
    assert.equal((await kit.send('/bkt/plain')).headers['x-amz-meta-evil'], undefined)
  })
})

async function presign(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<string> {
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
    region: 'us-east-1',
    service: 's3',
    sha256: NodeSha256,
    uriEscapePath: false,
  })
  const host = 'localhost:9000'
  const request = {
    method,
    protocol: 'http:',
    hostname: 'localhost',
    port: 9000,
    path,
    query: {},
    headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
  }
  const signed = await signer.presign(request, { signingDate: now, expiresIn: 60 })
  const query = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  )
  return `${path}?${query.join('&')}`
}

class NodeSha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {
    throw new Error('not used')
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
