import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createChecksum } from '../checksums/index.ts'
import { openBody } from './index.ts'
import type { WireRequest } from './index.ts'
import { emptySha256 } from './signature.ts'
import { arriving, chain, frameSigned, read } from './testing/chunks.ts'
import { example, refusal, sha256, verify, wire } from './testing/wire.ts'
import type { Headers } from './testing/wire.ts'

const expect = { services: ['s3'], region: 'us-east-1', now: new Date('2013-05-24T00:00:00Z') }
const scope = '20130524/us-east-1/s3/aws4_request'

function signed(
  method: string,
  target: string,
  headers: Headers,
  signedHeaders: string,
  signature: string,
): WireRequest {
  const authorization = `AWS4-HMAC-SHA256 Credential=${example.accessKeyId}/${scope},SignedHeaders=${signedHeaders},Signature=${signature}`
  return wire(method, target, [...headers, ['Authorization', authorization]])
}

describe('Amazon S3 API reference: examples of signature calculations', () => {
  const host = ['Host', 'examplebucket.s3.amazonaws.com'] as const
  const date = ['x-amz-date', '20130524T000000Z'] as const
  const empty = ['x-amz-content-sha256', emptySha256] as const
  const short = 'host;x-amz-content-sha256;x-amz-date'

  it('GET object with a range', () => {
    const request = signed(
      'GET',
      '/test.txt',
      [host, ['Range', 'bytes=0-9'], empty, date],
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    )
    assert.equal(verify(request, example, expect).authentication.accessKeyId, example.accessKeyId)
  })

  it('PUT object, its key escaped, a Date header signed', async () => {
    const body = Buffer.from('Welcome to Amazon S3.')
    const request = signed(
      'PUT',
      '/test%24file.text',
      [
        ['Date', 'Fri, 24 May 2013 00:00:00 GMT'],
        host,
        date,
        ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
        ['x-amz-content-sha256', sha256(body)],
      ],
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    )
    const verified = verify(request, example, expect)
    const opened = openBody(verified, arriving(body), { contentLength: body.length, maxBytes: 100 })
    assert.deepEqual(await read(opened.stream), body)
  })

  it('GET bucket lifecycle, a query name without a value', () => {
    const signature = 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'
    verify(signed('GET', '/?lifecycle', [host, empty, date], short, signature), example, expect)
  })

  it('GET bucket, a listing', () => {
    const signature = '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'
    const target = '/?max-keys=2&prefix=J'
    verify(signed('GET', target, [host, empty, date], short, signature), example, expect)
  })

  it('presigned GET', () => {
    const target =
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
      '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
    const { authentication } = verify(wire('GET', target, [host]), example, expect)
    assert.equal(authentication.kind, 'query')
    assert.equal(authentication.expiresSeconds, 86400)
    assert.deepEqual(authentication.payload, { kind: 'unsigned' })
  })
})

describe('Amazon S3 API reference: uploads in chunks', () => {
  const chunks = [Buffer.alloc(65536, 'a'), Buffer.alloc(1024, 'a')]
  const target = '/examplebucket/chunkObject.txt'
  const common: Headers = [
    ['Host', 's3.amazonaws.com'],
    ['x-amz-date', '20130524T000000Z'],
    ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
    ['Content-Encoding', 'aws-chunked'],
    ['x-amz-decoded-content-length', '66560'],
  ]
  const plain = signed(
    'PUT',
    target,
    [
      ...common,
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
      ['Content-Length', '66824'],
    ],
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
    '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  )
  const withTrailer = signed(
    'PUT',
    target,
    [
      ...common,
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
      ['x-amz-trailer', 'x-amz-checksum-crc32c'],
    ],
    'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer',
    '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  )
  const lengths = { decodedLength: 66560, maxBytes: 2 ** 20 }
  const data = Buffer.concat(chunks)

  it('signed chunks', async () => {
    const verified = verify(plain, example, expect)
    assert.deepEqual(chain(verified, chunks).signatures, [
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ])
    const body = frameSigned(verified, chunks)
    assert.equal(body.length, 66824)
    const opened = openBody(verified, arriving(body), { ...lengths, contentLength: 66824 })
    assert.deepEqual(await read(opened.stream), data)
  })

  it('signed chunks and trailer', async () => {
    const verified = verify(withTrailer, example, expect)
    const checksum = createChecksum('CRC32C')
    checksum.update(data)
    const trailer = `x-amz-checksum-crc32c:${checksum.digest()}`
    assert.equal(trailer, 'x-amz-checksum-crc32c:sOO8/Q==')
    assert.deepEqual(chain(verified, chunks, trailer), {
      signatures: [
        'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
        '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
        '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
      ],
      trailerSignature: 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
    })
    const body = frameSigned(verified, chunks, { trailer })
    const declared = { ...lengths, trailer: 'x-amz-checksum-crc32c' }
    const opened = openBody(verified, arriving(body), declared)
    assert.deepEqual(await read(opened.stream), data)
    assert.deepEqual([...opened.trailers()], [['x-amz-checksum-crc32c', 'sOO8/Q==']])
  })

  it('refuses the published chunks under the seed of the other upload', async () => {
    const body = frameSigned(verify(plain, example, expect), chunks)
    const other = verify(withTrailer, example, expect)
    const declared = { ...lengths, trailer: 'x-amz-checksum-crc32c' }
    const opened = openBody(other, arriving(body), declared)
    await assert.rejects(read(opened.stream), refusal('signature_mismatch'))
  })
})

describe('session tokens and the corners of a path (computed twice, by independent signers)', () => {
  const now = new Date('2026-01-01T12:00:00Z')
  const token = 'AQoDYXdzEJr/EXAMPLETOKEN+/=='
  const expectNow = { ...expect, now }
  const credential = `Credential=${example.accessKeyId}/20260101/us-east-1/s3/aws4_request`

  it('token in the header', () => {
    const names = 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token'
    const signature = '495ed970c26472f3f33d580380b46864b6d1674f01f00ac6fcbb7e4c960f5e83'
    const request = wire('GET', '/b/k', [
      ['host', 's3.example.test'],
      ['x-amz-date', '20260101T120000Z'],
      ['x-amz-content-sha256', emptySha256],
      ['x-amz-security-token', token],
      [
        'authorization',
        `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
      ],
    ])
    const { authentication } = verify(request, example, expectNow)
    assert.equal(authentication.sessionToken?.reveal(), token)
  })

  it('token in the query', () => {
    const target =
      '/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
      `&X-Amz-Credential=${encodeURIComponent(`${example.accessKeyId}/20260101/us-east-1/s3/aws4_request`)}` +
      `&X-Amz-Date=20260101T120000Z&X-Amz-Expires=600&X-Amz-Security-Token=${encodeURIComponent(token)}` +
      '&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=64b299e5414166c6612ed71188bd62222dccbed82c873feddba80b5690203a9a'
    const request = wire('GET', target, [['Host', 's3.example.test']])
    const { authentication } = verify(request, example, expectNow)
    assert.equal(authentication.sessionToken?.reveal(), token)
  })

  const names = 'host;x-amz-content-sha256;x-amz-date;x-amz-meta-note;x-amz-security-token'
  const signature = '306fa7030a5417b75ce4ff6c627be204aab3bb16809b767e3a176ddb1c70cf06'
  for (const path of [
    '/bkt/a%20b%2Bc~d%2Ae/../f//g/%C3%A4.txt',
    '/bkt/a%20b+c~d*e/../f//g/%c3%a4.txt', // as other clients spell it
    '/bkt/a%20b%2bc%7Ed*e/%2e%2E/f//g/\xc3\xa4.txt',
  ]) {
    it(`any spelling of one path: ${path}`, () => {
      const request = wire('PUT', `${path}?tagging&x-id=PutObject`, [
        ['Host', 'localhost:9000'],
        ['X-Amz-Date', '20260101T120000Z'],
        ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'],
        ['X-Amz-Meta-Note', '  two   words '],
        ['X-Amz-Security-Token', token],
        [
          'Authorization',
          `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
        ],
      ])
      verify(request, example, expectNow)
    })
  }
})
