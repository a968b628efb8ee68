import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import aws4 from 'aws4'
import { postPresignSignatureV4, presignSignatureV4, signV4 } from 'minio/dist/esm/signing.mjs'
import { Secret } from '../secret.ts'
import {
  decodePath,
  encodePath,
  parseCredential,
  signRequest,
  verifyPostPolicySignature,
} from './index.ts'
import { deriveSigningKey } from './signing-keys.ts'
import { example, sha256, verify, wire } from './testing/wire.ts'
import type { Headers } from './testing/wire.ts'

const now = new Date('2026-01-01T12:00:00Z')
const token = 'AQoDYXdzEJr/EXAMPLETOKEN+/=='
const key = { ...example, sessionToken: new Secret(token) }
const expect = { services: ['s3', 'sts'], region: 'eu-west-1', now }

/** Paths as clients send them, and what they stand for. */
const paths: readonly (readonly [sent: string, decoded: string])[] = [
  ['/', '/'],
  ['/bucket', '/bucket'],
  ['/bucket/key', '/bucket/key'],
  ['/bucket//a/./b/../c//', '/bucket//a/./b/../c//'],
  ['/bucket/a%20b%2Bc', '/bucket/a b+c'],
  ['/bucket/%21%27%28%29%2A%26%3D%40%3A%24%2C%3B~-_.', "/bucket/!'()*&=@:$,;~-_."],
  ['/bucket/%C3%A4%E2%82%AC%F0%9F%98%80', '/bucket/ä€😀'],
  ['/bucket/100%25', '/bucket/100%'],
]

class Sha256 {
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

function smithy(service: string, sessionToken?: string): SignatureV4 {
  return new SignatureV4({
    credentials: {
      accessKeyId: example.accessKeyId,
      secretAccessKey: example.secret.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    region: 'eu-west-1',
    service,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: true,
  })
}

function smithyRequest(
  method: string,
  path: string,
  query: Record<string, string | string[]>,
  headers: Record<string, string>,
  body?: string,
) {
  const rest = { protocol: 'https:', hostname: 's3.example.test', query, headers }
  return { method, path, ...rest, ...(body === undefined ? {} : { body }) }
}

function queryText(query: Record<string, string | string[] | null>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one) => [name, one] as const),
  )
  return pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
}

describe('@smithy/signature-v4, the signer of the AWS SDK', () => {
  const query = {
    'x-id': 'PutObject',
    tagging: '',
    'a b': ["1/2+3 &='()*!", '0'],
    a: '1',
    'a-b': '2',
  }
  const headers = {
    host: 's3.example.test:9000',
    'content-type': 'text/plain;  charset=utf-8',
    'x-amz-meta-note': '  two   words ',
    'user-agent': 'not signed',
  }

  for (const [path] of paths) {
    it(`signs ${path} in the header as we do, and we verify it`, async () => {
      const request = smithyRequest('PUT', path, query, headers, 'hello')
      const signed = await smithy('s3', token).sign(request, { signingDate: now })
      const target = `${path}?${queryText(query)}`
      const sent = wire('PUT', target, Object.entries(signed.headers))
      const { authentication } = verify(sent, example, expect)
      assert.equal(authentication.sessionToken?.reveal(), token)
      assert.deepEqual(authentication.payload, { kind: 'hash', sha256: sha256('hello') })

      const ours = signRequest(
        wire('PUT', target, Object.entries(headers)),
        key,
        { region: 'eu-west-1', service: 's3' },
        now,
        sha256('hello'),
      )
      assert.equal(new Map(ours).get('authorization'), signed.headers['authorization'])
    })

    it(`presigns ${path}, and we verify it`, async () => {
      const request = smithyRequest('GET', path, query, {
        ...headers,
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      })
      const signed = await smithy('s3', token).presign(request, {
        signingDate: now,
        expiresIn: 600,
      })
      const target = `${path}?${queryText(signed.query ?? {})}`
      const { authentication } = verify(
        wire('GET', target, Object.entries(signed.headers)),
        example,
        expect,
      )
      assert.equal(authentication.kind, 'query')
      assert.equal(authentication.expiresSeconds, 600)
      assert.equal(authentication.sessionToken?.reveal(), token)
    })
  }

  it('signs an STS call without x-amz-content-sha256, and we verify it by the hash of the body', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const plain = { host: 'sts.example.test', ...type }
    const signer = smithy('sts', token)
    const signed = await signer.sign(smithyRequest('POST', '/', {}, plain, body), {
      signingDate: now,
    })
    const { 'x-amz-content-sha256': hash, ...without } = signed.headers
    assert.equal(hash, sha256(body))
    verify(wire('POST', '/', Object.entries(signed.headers)), example, expect, body)
    const stripped = { ...without, host: 'sts.example.test' }
    assert.throws(() => verify(wire('POST', '/', Object.entries(stripped)), example, expect, body))
  })
})

describe('aws4', () => {
  for (const [path] of paths) {
    for (const signQuery of [false, true]) {
      it(`signs ${path} in the ${signQuery ? 'query' : 'header'}, and we verify it`, () => {
        const date = signQuery ? '&X-Amz-Date=20260101T120000Z' : ''
        const target = `${path}?prefix=a%2Fb%20c&list-type=2&marker${date}`
        const signed = aws4.sign(
          {
            method: 'GET',
            host: 's3.example.test',
            path: target,
            service: 's3',
            region: 'eu-west-1',
            signQuery,
            headers: {
              Range: 'bytes=0-9',
              ...(signQuery ? {} : { 'X-Amz-Date': '20260101T120000Z' }),
            },
          },
          {
            accessKeyId: example.accessKeyId,
            secretAccessKey: example.secret.reveal(),
            sessionToken: token,
          },
        )
        const headers: Headers = Object.entries(signed.headers ?? {}).map(([name, value]) => [
          name,
          String(value),
        ])
        const { authentication } = verify(wire('GET', signed.path ?? '', headers), example, expect)
        assert.equal(authentication.kind, signQuery ? 'query' : 'header')
        assert.equal(authentication.sessionToken?.reveal(), token)
      })
    }
  }

  it('signs an STS call by the hash of its body alone, and we verify it', () => {
    const body = 'Action=AssumeRole&Version=2011-06-15'
    const signed = aws4.sign(
      {
        method: 'POST',
        host: 'sts.example.test',
        path: '/',
        service: 'sts',
        region: 'eu-west-1',
        body,
        headers: { 'X-Amz-Date': '20260101T120000Z' },
      },
      { accessKeyId: example.accessKeyId, secretAccessKey: example.secret.reveal() },
    )
    const headers: Headers = Object.entries(signed.headers ?? {}).map(([name, value]) => [
      name,
      String(value),
    ])
    assert.ok(!headers.some(([name]) => name.toLowerCase() === 'x-amz-content-sha256'))
    verify(wire('POST', '/', headers), example, expect, body)
    assert.throws(() => verify(wire('POST', '/', headers), example, expect, `${body}&A=b`))
  })
})

describe('the minio package', () => {
  const secret = example.secret.reveal()

  for (const [path] of paths) {
    const target = `${path}?uploads&prefix=a%2Fb%20c`
    const headers = {
      host: 's3.example.test:9000',
      'x-amz-date': '20260101T120000Z',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-security-token': token,
    }
    const request = { method: 'PUT', path: target, headers, protocol: 'https:' }

    it(`signs ${path} in the header as we do, and we verify it`, () => {
      const authorization = signV4(
        request,
        example.accessKeyId,
        secret,
        'eu-west-1',
        now,
        'UNSIGNED-PAYLOAD',
      )
      verify(wire('PUT', target, Object.entries({ ...headers, authorization })), example, expect)

      const bare = wire('PUT', target, [['host', headers.host]])
      const scope = { region: 'eu-west-1', service: 's3' }
      const ours = new Map(signRequest(bare, key, scope, now, 'UNSIGNED-PAYLOAD'))
      assert.equal(ours.get('authorization'), authorization)
    })

    it(`presigns ${path}, and we verify it`, () => {
      const bare = { ...request, headers: { host: headers.host } }
      const url = presignSignatureV4(
        bare,
        example.accessKeyId,
        secret,
        token,
        'eu-west-1',
        now,
        600,
      )
      const sent = url.slice('https://s3.example.test:9000'.length)
      const { authentication } = verify(
        wire('PUT', sent, [['Host', headers.host]]),
        example,
        expect,
      )
      assert.equal(authentication.sessionToken?.reveal(), token)
    })
  }

  it('signs a POST policy, and we verify it', () => {
    const policy = Buffer.from('{"conditions":[]}').toString('base64')
    const credential = `${example.accessKeyId}/20260101/eu-west-1/s3/aws4_request`
    const signingKey = deriveSigningKey(example.secret, parseCredential(credential).scope)
    const signature = postPresignSignatureV4('eu-west-1', now, secret, policy)
    const form = { policy, credential, date: '20260101T120000Z', signature, signingKey }
    assert.doesNotThrow(() => verifyPostPolicySignature(form))
  })
})

describe('paths', () => {
  for (const [sent, decoded] of paths) {
    it(`${sent} is sent for ${decoded}`, () => {
      assert.equal(encodePath(decoded), sent)
      assert.equal(decodePath(sent), decoded)
    })
  }
})
