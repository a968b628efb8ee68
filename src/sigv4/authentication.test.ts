import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { Secret } from '../secret.ts'
import { openBody, readAuthentication, SigV4Error, signRequest, verifySignature } from './index.ts'
import type { Authentication, SigV4ErrorCode, WireRequest } from './index.ts'
import { canonicalParts, canonicalRequest, stringToSign } from './canonical-request.ts'
import { emptySha256, hmac } from './signature.ts'
import { deriveSigningKey } from './signing-keys.ts'
import { arriving, frame } from './testing/chunks.ts'
import { UnknownKey, example, refusal, sha256, verify, wire } from './testing/wire.ts'
import type { Headers } from './testing/wire.ts'

const now = new Date('2026-01-01T12:00:00Z')
const timestamp = '20260101T120000Z'
const expect = { services: ['s3'], now }
const scope = { date: '20260101', region: 'us-east-1', service: 's3' }
const credential = `${example.accessKeyId}/20260101/us-east-1/s3/aws4_request`
const host = ['Host', 's3.example.test'] as const
const names = 'host;x-amz-content-sha256;x-amz-date'
const base: Headers = [host, ['X-Amz-Date', timestamp], ['X-Amz-Content-Sha256', emptySha256]]

function authorization(text: string): readonly [string, string] {
  return ['Authorization', text]
}

function headerOf(parts: { credential?: string; names?: string; signature?: string } = {}): string {
  const signature = parts.signature ?? '0'.repeat(64)
  return `AWS4-HMAC-SHA256 Credential=${parts.credential ?? credential}, SignedHeaders=${parts.names ?? names}, Signature=${signature}`
}

/** A header-signed request that is right unless these headers make it wrong. */
function sign(
  target: string,
  headers: Headers = [],
  payload = emptySha256,
  method = 'GET',
): WireRequest {
  const request = wire(method, target, [host, ...headers])
  const added = signRequest(request, example, { region: 'us-east-1', service: 's3' }, now, payload)
  return { ...request, headers: [...request.headers, ...added] }
}

/** A presigned request over these query parameters, in this order, rightly signed. */
function presign(
  parameters: Readonly<Record<string, string | undefined>> = {},
  headers: Headers = [host],
  payload = 'UNSIGNED-PAYLOAD',
): WireRequest {
  const query = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': credential,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': '600',
    'X-Amz-SignedHeaders': 'host',
    ...parameters,
  }
  const text = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map((pair) => pair.map((part) => encodeURIComponent(part ?? '')).join('='))
    .join('&')
  const request = wire('GET', `/bucket/key?${text}`, headers)
  const signedNames = (query['X-Amz-SignedHeaders'] ?? '').split(';')
  const canonical = canonicalRequest(canonicalParts(request, signedNames, payload))
  const signature = hmac(
    deriveSigningKey(example.secret, scope),
    stringToSign(timestamp, scope, canonical),
  ).toString('hex')
  return { ...request, query: `${text}&X-Amz-Signature=${signature}` }
}

function refuses(request: WireRequest, ...codes: SigV4ErrorCode[]): SigV4Error {
  let refused: unknown
  assert.throws(
    () => verify(request, example, expect),
    (error) => {
      refused = error
      return refusal(...codes)(error)
    },
  )
  assert.ok(refused instanceof SigV4Error)
  return refused
}

describe('S3 surface, section 1: one way of authentication', () => {
  it('takes a request without any as anonymous', () => {
    assert.deepEqual(readAuthentication(wire('GET', '/b/k?versionId=1', [host]), expect), {
      kind: 'anonymous',
      payload: { kind: 'unsigned' },
    })
  })

  it('takes a header, and a presigned query', () => {
    assert.equal(verify(sign('/b/k'), example, expect).authentication.kind, 'header')
    assert.equal(verify(presign(), example, expect).authentication.kind, 'query')
  })

  for (const name of [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
    'X-Amz-Expires',
  ]) {
    it(`refuses an Authorization header beside ${name}, escaped or not`, () => {
      refuses(sign(`/b/k?${name}=x`), 'ambiguous_authentication')
      refuses(sign(`/b/k?${name.replace('-', '%2D')}`), 'ambiguous_authentication')
    })
    it(`refuses ${name} alone in a query`, () => {
      refuses(wire('GET', `/b/k?${name}=x`, base), 'malformed_authorization_query')
      refuses(wire('GET', `/b/k?${name}`, base), 'malformed_authorization_query')
    })
  }

  for (const name of ['AWSAccessKeyId', 'Signature', 'Expires']) {
    it(`refuses ${name} in a query: signature version 2`, () => {
      refuses(wire('GET', `/b/k?${name}=1`, [host]), 'signature_v2')
    })
    it(`refuses ${name} beside another way`, () => {
      refuses(sign(`/b/k?${name}=1`), 'ambiguous_authentication')
      const presigned = presign()
      const both = { ...presigned, query: `${presigned.query}&${name}=1` }
      refuses(both, 'ambiguous_authentication')
    })
  }

  it('refuses two Authorization headers, equal ones too', () => {
    const request = sign('/b/k')
    const [again] = request.headers.filter(([name]) => name === 'authorization')
    assert.ok(again)
    refuses({ ...request, headers: [...request.headers, again] }, 'ambiguous_authentication')
  })

  it('refuses an Authorization header on a browser upload, whose credentials are in the form', () => {
    const form: Headers = [['Content-Type', 'multipart/form-data; boundary=x']]
    refuses(sign('/bucket', form, emptySha256, 'POST'), 'ambiguous_authentication')
    const anonymous = readAuthentication(wire('POST', '/bucket', [host, ...form]), expect)
    assert.equal(anonymous.kind, 'anonymous')
  })

  it('takes an object that is itself of a form type', () => {
    const form: Headers = [['Content-Type', 'multipart/form-data; boundary=x']]
    verify(sign('/bucket/key', form, emptySha256, 'PUT'), example, expect)
    verify(sign('/bucket/key?uploads', form, emptySha256, 'POST'), example, expect)
  })

  for (const [scheme, code] of [
    ['Bearer eyJhbGciOiJub25lIn0.e30.', 'unknown_scheme'],
    ['Basic YTpi', 'unknown_scheme'],
    ['', 'unknown_scheme'],
    ['aws4-hmac-sha256 Credential=x', 'unknown_scheme'],
    ['AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl', 'signature_v2'],
    ['AWS4-ECDSA-P256-SHA256 Credential=x', 'signature_v4a'],
    ['AWS4-HMAC-SHA256', 'malformed_authorization_header'],
    ['AWS4-HMAC-SHA256Credential=x', 'malformed_authorization_header'],
    ['AWS4-HMAC-SHA512 Credential=x', 'unknown_scheme'],
  ] as const) {
    it(`refuses the scheme of "${scheme}" as ${code}`, () => {
      refuses(wire('GET', '/b/k', [...base, authorization(scheme)]), code)
    })
  }

  it('refuses SigV4A in a query', () => {
    refuses(presign({ 'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256' }), 'signature_v4a')
  })
})

describe('S3 surface, section 4: the Authorization header', () => {
  const right = new Map(sign('/b/k').headers).get('authorization') ?? ''

  for (const [how, change] of [
    ['no white space after commas', (text: string) => text.replaceAll(', ', ',')],
    ['white space around commas', (text: string) => text.replaceAll(', ', ' \t , ')],
    ['more white space after the scheme', (text: string) => text.replace(' ', '  \t')],
    [
      'another order',
      (text: string) => text.replace(/^(\S+) (\S+), (\S+), (\S+)$/, '$1 $4, $2, $3'),
    ],
  ] as const) {
    it(`takes ${how}`, () => {
      const headers = sign('/b/k').headers.map(([name, value]) =>
        name === 'authorization' ? authorization(change(value)) : ([name, value] as const),
      )
      verify(wire('GET', '/b/k', headers), example, expect)
    })
  }

  for (const [why, change] of [
    ['no Credential', (text: string) => text.replace(/Credential=\S+ /, '')],
    ['no SignedHeaders', (text: string) => text.replace(/SignedHeaders=\S+ /, '')],
    ['no Signature', (text: string) => text.replace(/, Signature=\S+/, '')],
    ['an empty Signature', (text: string) => text.replace(/Signature=\S+/, 'Signature=')],
    ['a duplicate', (text: string) => `${text}, Signature=${'0'.repeat(64)}`],
    ['an extra part', (text: string) => `${text}, Extra=1`],
    ['a trailing comma', (text: string) => `${text},`],
    ['a part without a name', (text: string) => text.replace('Signature=', '')],
    ['names in lower case', (text: string) => text.replace('Credential', 'credential')],
    ['white space before the equals sign', (text: string) => text.replace('=', ' =')],
    ['semicolons for commas', (text: string) => text.replaceAll(', ', '; ')],
    ['a header name in capitals', (text: string) => text.replace('=host', '=Host')],
    ['a header name twice', (text: string) => text.replace('=host', '=host;host')],
    ['an empty header name', (text: string) => text.replace('=host', '=host;')],
    ['no header names', (text: string) => text.replace(/SignedHeaders=\S+,/, 'SignedHeaders=;,')],
  ] as const) {
    it(`refuses ${why}`, () => {
      const request = wire('GET', '/b/k', [...base, authorization(change(right))])
      refuses(request, 'malformed_authorization_header')
    })
  }

  for (const bad of [
    'AKID',
    'AKID/20260101/us-east-1/s3',
    '/20260101/us-east-1/s3/aws4_request',
    'AKID/20260101//s3/aws4_request',
    'AKID/20260101/us-east-1//aws4_request',
    'AKID/2026/us-east-1/s3/aws4_request',
    'AKID/20260101/us-east-1/s3/aws4_Request',
    'AKID/20260101/us-east-1/s3/aws4_request/',
    'AKID/20260102/us-east-1/s3/aws4_request', // not the day of the timestamp
    'AKID/20260101/us-east-1/sts/aws4_request',
    'AKID/20260101/us-east-1/S3/aws4_request',
    `${'A'.repeat(129)}/20260101/us-east-1/s3/aws4_request`,
  ]) {
    it(`refuses the credential ${bad.slice(0, 60)}`, () => {
      const request = wire('GET', '/b/k', [...base, authorization(headerOf({ credential: bad }))])
      refuses(request, 'malformed_authorization_header')
    })
  }

  it('takes an access key id that holds slashes', () => {
    const holder = { accessKeyId: 'team/a/KEY', secret: example.secret }
    const request = wire('GET', '/b/k', [host])
    const target = { region: 'us-east-1', service: 's3' }
    const added = signRequest(request, holder, target, now, emptySha256)
    verify({ ...request, headers: [...request.headers, ...added] }, holder, expect)
  })

  it('takes any region, unless there is only one', () => {
    const strict = { ...expect, region: 'eu-west-1' }
    verify(sign('/b/k'), example, expect)
    verify(sign('/b/k'), example, { ...expect, region: 'us-east-1' })
    assert.throws(
      () => verify(sign('/b/k'), example, strict),
      (error) =>
        refusal('wrong_region')(error) &&
        error instanceof SigV4Error &&
        error.detail['region'] === 'eu-west-1',
    )
  })

  it('refuses S3 Express sessions', () => {
    const express = credential.replace('/s3/', '/s3express/')
    const headers = [...base, authorization(headerOf({ credential: express }))]
    refuses(wire('GET', '/b/k', headers), 'express_session')
  })

  it('refuses a service that the face does not serve, S3 at the STS too', () => {
    const sts = { services: ['sts'], now }
    assert.throws(
      () => verify(sign('/'), example, sts, ''),
      refusal('malformed_authorization_header'),
    )
    assert.throws(() => verify(sign('/'), example, { services: [], now }), SigV4Error)
  })
})

describe('S3 surface, section 4: time', () => {
  function dated(...dates: Headers): WireRequest {
    const others = base.filter(([name]) => name !== 'X-Amz-Date')
    const signedNames = [
      'host',
      'x-amz-content-sha256',
      ...dates.map(([name]) => name.toLowerCase()),
    ]
    const header = headerOf({ names: [...new Set(signedNames)].join(';') })
    return wire('GET', '/b/k', [...others, ...dates, authorization(header)])
  }

  for (const [why, ...dates] of [
    ['no date'],
    ['an empty x-amz-date', ['x-amz-date', '']],
    ['two x-amz-date', ['x-amz-date', timestamp], ['x-amz-date', timestamp]],
    ['an x-amz-date in extended form', ['x-amz-date', '2026-01-01T12:00:00Z']],
    ['an x-amz-date that is no day', ['x-amz-date', '20260230T120000Z']],
    ['an x-amz-date that is no hour', ['x-amz-date', '20260101T240000Z']],
    [
      'a bad x-amz-date beside a good Date',
      ['x-amz-date', 'x'],
      ['Date', 'Thu, 01 Jan 2026 12:00:00 GMT'],
    ],
    ['a Date that is none', ['Date', 'yesterday']],
    ['a Date with another zone', ['Date', 'Thu, 01 Jan 2026 12:00:00 +0100']],
    ['two Dates', ['Date', timestamp], ['Date', timestamp]],
  ] as const satisfies readonly (readonly [string, ...Headers])[]) {
    it(`refuses ${why}`, () => void refuses(dated(...dates), 'missing_date'))
  }

  for (const date of [
    'Thu, 01 Jan 2026 12:00:00 GMT',
    timestamp,
    '2026-01-01T12:00:00Z',
    '2026-01-01T12:00:00.000Z',
  ]) {
    it(`takes Date: ${date}`, () => void refuses(dated(['Date', date]), 'signature_mismatch'))
  }

  it('prefers x-amz-date to Date', () => {
    const request = dated(['Date', 'Thu, 01 Jan 2015 12:00:00 GMT'], ['X-Amz-Date', timestamp])
    refuses(request, 'signature_mismatch')
  })

  for (const [name, instant] of [
    ['fifteen minutes and a second', '20260101T114459Z'],
    ['fifteen minutes and a second ahead', '20260101T121501Z'],
    ['years', '20130524T000000Z'],
  ] as const) {
    it(`refuses a clock that is off by ${name}, before it looks at the scope`, () => {
      const error = refuses(dated(['X-Amz-Date', instant]), 'skewed')
      assert.equal(error.detail['maxAllowedSkewMilliseconds'], 900_000)
    })
  }

  it('refuses everything when our own clock is broken', () => {
    const broken = { services: ['s3'], now: new Date(Number.NaN) }
    assert.throws(() => readAuthentication(sign('/b/k'), broken))
    assert.throws(() => readAuthentication(presign(), broken))
  })
})

describe('S3 surface, section 3: headers that must be signed', () => {
  it('refuses a request that does not sign its host', () => {
    const header = headerOf({ names: 'x-amz-content-sha256;x-amz-date' })
    const error = refuses(wire('GET', '/b/k', [...base, authorization(header)]), 'unsigned_headers')
    assert.deepEqual(error.detail['headersNotSigned'], ['host'])
  })

  for (const name of [
    'x-amz-acl',
    'X-Amz-Meta-A',
    'x-amz-copy-source',
    'X-AMZ-SECURITY-TOKEN',
    'x-amz-',
  ]) {
    it(`refuses ${name} unsigned, in either form`, () => {
      const request = sign('/b/k')
      const added = { ...request, headers: [...request.headers, [name, 'x'] as const] }
      const error = refuses(added, 'unsigned_headers')
      assert.deepEqual(error.detail['headersNotSigned'], [name.toLowerCase()])
      refuses(presign({}, [host, [name, 'x']]), 'unsigned_headers')
    })
  }

  it('takes headers of other kinds unsigned, x-amzn-trace-id among them', () => {
    const request = sign('/b/k')
    const more = [
      ['X-Amzn-Trace-Id', 'Root=1'],
      ['User-Agent', 'x'],
      ['Range', 'bytes=0-1'],
    ] as const
    verify({ ...request, headers: [...request.headers, ...more] }, example, expect)
  })

  it('never fills a signed header that is not there from the query', () => {
    const request = presign({ 'X-Amz-SignedHeaders': 'host;x-amz-acl', 'x-amz-acl': 'private' })
    verify(request, example, expect) // signed as empty
    const value = { ...request, headers: [host, ['x-amz-acl', 'private'] as const] }
    refuses(value, 'signature_mismatch')
  })

  it('refuses a character that is no byte, even where its low byte is what was signed', () => {
    const request = sign('/b/k', [['x-amz-meta-a', 'A']])
    const headers = request.headers.map(
      ([name, value]) => [name, value === 'A' ? '\u0141' : value] as const,
    )
    refuses({ ...request, headers }, 'signature_mismatch')
    refuses({ ...request, method: '\u0147ET' }, 'signature_mismatch')
  })

  it('refuses a second value added to a signed header', () => {
    const request = sign('/b/k', [['x-amz-meta-a', '1']])
    const added = [...request.headers, ['X-Amz-Meta-A', '2'] as const]
    refuses({ ...request, headers: added }, 'signature_mismatch')
  })
})

describe('S3 surface, section 3: the payload line', () => {
  function withPayload(...values: readonly string[]): WireRequest {
    const sent = values.map((value) => ['X-Amz-Content-Sha256', value] as const)
    return wire('PUT', '/b/k', [
      host,
      ['X-Amz-Date', timestamp],
      ...sent,
      authorization(headerOf()),
    ])
  }

  it('refuses an S3 call without x-amz-content-sha256', () => {
    refuses(withPayload(), 'missing_content_sha256')
  })

  for (const bad of [
    '',
    'x',
    emptySha256.toUpperCase(),
    emptySha256.slice(1),
    'unsigned-payload',
    'STREAMING-AWS4-HMAC-SHA256',
    'STREAMING-UNSIGNED-PAYLOAD',
    `${emptySha256} `,
  ]) {
    it(`refuses "${bad}"`, () => {
      const error = refuses(withPayload(bad), 'bad_content_sha256')
      assert.equal(error.detail['argumentName'], 'x-amz-content-sha256')
    })
  }

  for (const name of [
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
  ]) {
    it(`refuses ${name} as not implemented`, () => void refuses(withPayload(name), 'signature_v4a'))
  }

  it('refuses two values', () => {
    refuses(withPayload(emptySha256, 'UNSIGNED-PAYLOAD'), 'bad_content_sha256')
    const request = presign({
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-SignedHeaders': 'host;x-amz-content-sha256',
    })
    const both = { ...request, headers: [host, ['x-amz-content-sha256', emptySha256] as const] }
    refuses(both, 'bad_content_sha256')
  })

  it('takes a presigned hash from the query, then from the header', () => {
    const hash = sha256('body')
    const inQuery = verify(presign({ 'X-Amz-Content-Sha256': hash }, [host], hash), example, expect)
    assert.deepEqual(inQuery.authentication.payload, { kind: 'hash', sha256: hash })
    const signedHeaders = { 'X-Amz-SignedHeaders': 'host;x-amz-content-sha256' }
    const headers = [host, ['x-amz-content-sha256', hash] as const]
    const inHeader = verify(presign(signedHeaders, headers, hash), example, expect)
    assert.deepEqual(inHeader.authentication.payload, { kind: 'hash', sha256: hash })
  })

  it('refuses signed chunks from an anonymous caller, takes unsigned ones', () => {
    const chunked = (mode: string) => wire('PUT', '/b/k', [host, ['x-amz-content-sha256', mode]])
    refuses(chunked('STREAMING-AWS4-HMAC-SHA256-PAYLOAD'), 'streaming_not_allowed')
    refuses(chunked('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'), 'streaming_not_allowed')
    const unsigned = readAuthentication(chunked('STREAMING-UNSIGNED-PAYLOAD-TRAILER'), expect)
    assert.deepEqual(unsigned, { kind: 'anonymous', payload: { kind: 'unsigned-chunks' } })
  })
})

describe('S3 surface, section 5: presigned requests', () => {
  for (const name of [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
  ]) {
    it(`refuses one without ${name}, with an empty one, with two`, () => {
      refuses(presign({ [name]: undefined }), 'malformed_authorization_query')
      refuses(presign({ [name]: '' }), 'malformed_authorization_query')
      const request = presign()
      const twice = `${request.query}&${request.query.split('&').find((pair) => pair.startsWith(name)) ?? ''}`
      refuses({ ...request, query: twice }, 'malformed_authorization_query')
    })
  }

  it('refuses two signatures, and none', () => {
    const request = presign()
    const twice = `${request.query}&X-Amz-Signature=${'0'.repeat(64)}`
    refuses({ ...request, query: twice }, 'malformed_authorization_query')
    const none = request.query.replace(/&X-Amz-Signature=.*/, '')
    refuses({ ...request, query: none }, 'malformed_authorization_query')
  })

  for (const [name, value] of [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA512'],
    ['X-Amz-Expires', '-1'],
    ['X-Amz-Expires', '604801'],
    ['X-Amz-Expires', '1e3'],
    ['X-Amz-Expires', ' 60'],
    ['X-Amz-Expires', '60.0'],
    ['X-Amz-Expires', '9999999999999999999999'],
    ['X-Amz-Date', '2026-01-01T12:00:00Z'],
    ['X-Amz-Date', '20260101'],
    ['X-Amz-Credential', 'AKID'],
    ['X-Amz-Credential', credential.replace('/s3/', '/sts/')],
    ['X-Amz-Credential', credential.replace('20260101', '20260102')],
    ['X-Amz-Credential', `a\n${credential}`],
    ['X-Amz-SignedHeaders', 'host;'],
    ['X-Amz-SignedHeaders', 'Host'],
    ['X-Amz-SignedHeaders', 'host host'],
  ] as const) {
    it(`refuses ${name}=${JSON.stringify(value)}`, () => {
      refuses(presign({ [name]: value }), 'malformed_authorization_query')
    })
  }

  it('takes 0 and 604800 seconds', () => {
    verify(presign({ 'X-Amz-Expires': '0' }), example, expect)
    verify(presign({ 'X-Amz-Expires': '604800' }), example, {
      ...expect,
      now: new Date('2026-01-08T12:00:00Z'),
    })
  })

  it('names the instants when it is too late or too early', () => {
    const at = (time: string) => ({ ...expect, now: new Date(time) })
    assert.throws(
      () => verify(presign(), example, at('2026-01-01T12:10:00.001Z')),
      (error) => {
        assert.ok(error instanceof SigV4Error)
        assert.equal(error.code, 'presigned_expired')
        assert.deepEqual(error.detail, {
          expiresSeconds: 600,
          expires: '2026-01-01T12:10:00.000Z',
          serverTime: '2026-01-01T12:10:00.001Z',
        })
        return true
      },
    )
    const early = at('2026-01-01T11:44:59.999Z')
    assert.throws(() => verify(presign(), example, early), refusal('not_yet_valid'))
  })

  it('refuses any parameter that was added, taken away or changed', () => {
    const request = presign({ versionId: '1' })
    for (const query of [
      `${request.query}&acl`,
      request.query.replace('versionId=1', 'versionId=2'),
      request.query.replace('&versionId=1', ''),
      request.query.replace('versionId=1', 'versionId=1&versionId=1'),
    ]) {
      refuses({ ...request, query }, 'signature_mismatch')
    }
    refuses({ ...request, method: 'DELETE' }, 'signature_mismatch')
  })
})

describe('S3 surface, section 8: session tokens', () => {
  const token = 'TOKEN'

  it('refuses one in the header and one in the query', () => {
    const both = presign(
      { 'X-Amz-Security-Token': token, 'X-Amz-SignedHeaders': 'host;x-amz-security-token' },
      [host, ['x-amz-security-token', token]],
    )
    refuses(both, 'duplicate_token')
    refuses(sign('/b/k?X-Amz-Security-Token=a', [['x-amz-meta-a', '']]), 'ambiguous_authentication')
  })

  it('refuses two in either place', () => {
    const request = sign('/b/k')
    const twice = [
      ['x-amz-security-token', 'a'],
      ['X-Amz-Security-Token', 'a'],
    ] as const
    refuses({ ...request, headers: [...request.headers, ...twice] }, 'duplicate_token')
    const presigned = presign({ 'X-Amz-Security-Token': 'a' })
    const query = `${presigned.query}&X-Amz-Security-Token=b`
    refuses({ ...presigned, query }, 'duplicate_token')
  })

  it('refuses one on an anonymous request', () => {
    refuses(wire('GET', '/b/k', [host, ['x-amz-security-token', token]]), 'token_without_signature')
    refuses(wire('GET', '/b/k?X-Amz-Security-Token=a', [host]), 'token_without_signature')
  })

  it('refuses one that was added to a presigned request', () => {
    const request = presign()
    const query = `${request.query}&X-Amz-Security-Token=${token}`
    refuses({ ...request, query }, 'signature_mismatch')
  })

  it('takes an empty one for none', () => {
    const { authentication } = verify(presign({ 'X-Amz-Security-Token': '' }), example, expect)
    assert.equal(authentication.sessionToken, undefined)
  })

  it('prints as a secret', () => {
    const { authentication } = verify(presign({ 'X-Amz-Security-Token': token }), example, expect)
    assert.ok(!JSON.stringify(authentication).includes(token))
    assert.equal(authentication.sessionToken?.reveal(), token)
  })
})

describe('S3 surface, section 9: a signature that differs', () => {
  it('says what was signed here, and who sent it', () => {
    const wrong = { ...example, secret: new Secret('wrong') }
    const request = sign(
      '/b/k?b=2&a=1',
      [['x-amz-meta-a', 'ä']].map(
        ([name = '', value = '']) => [name, Buffer.from(value).toString('latin1')] as const,
      ),
    )
    assert.throws(
      () => verify(request, wrong, expect),
      (error) => {
        assert.ok(error instanceof SigV4Error)
        assert.equal(error.code, 'signature_mismatch')
        assert.equal(error.detail['accessKeyId'], example.accessKeyId)
        assert.match(String(error.detail['signatureProvided']), /^[0-9a-f]{64}$/)
        assert.match(
          String(error.detail['stringToSign']),
          /^AWS4-HMAC-SHA256\n20260101T120000Z\n20260101\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/,
        )
        const canonical = `GET\n/b/k\na=1&b=2\nhost:s3.example.test\nx-amz-content-sha256:${emptySha256}\nx-amz-date:${timestamp}\nx-amz-meta-a:ä\n\nhost;x-amz-content-sha256;x-amz-date;x-amz-meta-a\n${emptySha256}`
        assert.equal(error.detail['canonicalRequest'], canonical)
        return true
      },
    )
  })

  it('repeats no session token and no customer key', () => {
    const wrong = { ...example, secret: new Secret('wrong') }
    const key = { ...example, sessionToken: new Secret('SECRET-TOKEN') }
    const bare = wire('GET', '/b/k', [
      host,
      ['X-Amz-Server-Side-Encryption-Customer-Key', 'SECRET-KEY'],
    ])
    const added = signRequest(bare, key, { region: 'us-east-1', service: 's3' }, now, emptySha256)
    for (const request of [
      { ...bare, headers: [...bare.headers, ...added] },
      presign({ 'X-Amz-Security-Token': 'SECRET-TOKEN' }),
    ]) {
      assert.throws(
        () => verify(request, wrong, expect),
        (error) => {
          assert.ok(error instanceof SigV4Error)
          assert.equal(error.code, 'signature_mismatch')
          assert.ok(!JSON.stringify([error.message, error.detail]).includes('SECRET'))
          return true
        },
      )
    }
  })

  for (const signature of ['0'.repeat(64), '0'.repeat(63), 'x', 'F'.repeat(64)]) {
    it(`refuses the signature ${signature.slice(0, 8)}… of ${signature.length}`, () => {
      const headers = [...base, authorization(headerOf({ signature }))]
      refuses(wire('GET', '/b/k', headers), 'signature_mismatch')
    })
  }

  it('refuses the right signature in upper case', () => {
    const request = sign('/b/k')
    const headers = request.headers.map(
      ([name, value]) =>
        [
          name,
          name === 'authorization'
            ? value.replace(
                /Signature=.*/,
                (text) => `S${text.slice(1, 10)}${text.slice(10).toUpperCase()}`,
              )
            : value,
        ] as const,
    )
    refuses({ ...request, headers }, 'signature_mismatch')
  })
})

describe('S3 surface, section 3: the path', () => {
  it('takes a client that signs its path as sent, %2F inside a key', () => {
    const target = '/b/a%2Fb'
    const parts = canonicalParts(wire('GET', target, base), names.split(';'), emptySha256)
    const canonical = canonicalRequest({ ...parts, path: target })
    const text = stringToSign(timestamp, scope, canonical)
    const signature = hmac(deriveSigningKey(example.secret, scope), text).toString('hex')
    const header = authorization(headerOf({ signature }))
    verify(wire('GET', target, [...base, header]), example, expect)
    refuses(wire('GET', '/b/a/b', [...base, header]), 'signature_mismatch')
  })

  for (const path of [
    '/b/%',
    '/b/%2',
    '/b/%zz',
    '/b/%C3',
    '/b/%C3%28',
    '/b/%ED%A0%80',
    '/b/\xc3',
    '/b/\u20ac',
  ]) {
    it(`refuses ${JSON.stringify(path)}`, () => {
      refuses(wire('GET', path, [...base, authorization(headerOf())]), 'invalid_uri')
      refuses(wire('GET', `/b?prefix=${path}`, [...base, authorization(headerOf())]), 'invalid_uri')
    })
  }
})

describe('S3 surface, section 12: identity comes from a verified signature only (CVE-2026-41145, CVE-2026-40344, CVE-2025-31489)', () => {
  const chunked: Headers = [
    host,
    ['X-Amz-Date', timestamp],
    ['X-Amz-Content-Sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ['X-Amz-Trailer', 'x-amz-checksum-crc32'],
    ['X-Amz-Decoded-Content-Length', '5'],
  ]
  const query = `X-Amz-Credential=${encodeURIComponent(credential)}`

  it('refuses an upload in unsigned chunks that only names a credential in its query', () => {
    refuses(wire('PUT', `/b/k?${query}`, chunked), 'malformed_authorization_query')
  })

  it('refuses one with all of the query but a signature that fits', () => {
    const all = `X-Amz-Algorithm=AWS4-HMAC-SHA256&${query}&X-Amz-Date=${timestamp}&X-Amz-Expires=60&X-Amz-SignedHeaders=${encodeURIComponent('host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-trailer')}`
    refuses(wire('PUT', `/b/k?${all}`, chunked), 'malformed_authorization_query')
    const forged = `${all}&X-Amz-Signature=${'0'.repeat(64)}`
    refuses(wire('PUT', `/b/k?${forged}`, chunked), 'signature_mismatch')
  })

  it('identifies nobody by a header or by a parameter of another spelling', () => {
    for (const request of [
      wire('PUT', '/b/k', [...chunked, ['X-Amz-Credential', credential]]),
      wire('PUT', `/b/k?${query.toLowerCase()}`, chunked),
      wire('PUT', `/b/k?${query.toUpperCase()}`, chunked),
    ]) {
      assert.throws(() => verify(request, example, expect), UnknownKey)
      const authentication = readAuthentication(request, expect)
      assert.deepEqual(authentication, { kind: 'anonymous', payload: { kind: 'unsigned-chunks' } })
    }
  })

  it('does not compile without the proof', () => {
    const claim: Authentication = readAuthentication(sign('/b/k'), expect)
    assert.ok(claim.kind !== 'anonymous')
    const body = arriving(frame([]))
    // @ts-expect-error a claim is not a proof
    openBody(claim, body, { maxBytes: 10 })
    // @ts-expect-error nobody but verifySignature makes a proof
    openBody({ authentication: claim, signingKey: deriveSigningKey(example.secret, scope) }, body, {
      maxBytes: 10,
    })
  })
})

describe('other services', () => {
  const sts = { services: ['sts'], now }
  const bare = wire('POST', '/', [host, ['content-type', 'application/x-www-form-urlencoded']])

  function signSts(payload: string): WireRequest {
    const added = signRequest(bare, example, { region: 'us-east-1', service: 'sts' }, now, payload)
    return { ...bare, headers: [...bare.headers, ...added] }
  }

  it('takes the hash of the body as received for the payload line', () => {
    verify(signSts(sha256('Action=x')), example, sts, 'Action=x')
  })

  it('refuses a body that is not what was signed', () => {
    assert.throws(
      () => verify(signSts(sha256('Action=x')), example, sts, 'Action=y'),
      refusal('content_sha256_mismatch'),
    )
  })

  it('refuses UNSIGNED-PAYLOAD, for the line is the hash', () => {
    const request = signSts('UNSIGNED-PAYLOAD')
    assert.throws(() => verify(request, example, sts, 'Action=x'), refusal('signature_mismatch'))
  })

  it('refuses chunks', () => {
    const request = signSts('STREAMING-UNSIGNED-PAYLOAD-TRAILER')
    assert.throws(() => readAuthentication(request, sts), refusal('streaming_not_allowed'))
  })

  it('does not go on without the hash of the body', () => {
    const authentication = readAuthentication(signSts(sha256('')), sts)
    assert.ok(authentication.kind !== 'anonymous')
    const signingKey = deriveSigningKey(example.secret, authentication.scope)
    assert.throws(() => verifySignature(bare, authentication, signingKey), TypeError)
  })
})

describe('any input at all', () => {
  const piece = fc.constantFrom(
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    'X-Amz-Credential=',
    encodeURIComponent(credential),
    '&',
    '=',
    '%',
    '%C3',
    '+',
    '/',
    `X-Amz-Date=${timestamp}`,
    'X-Amz-Expires=60',
    'X-Amz-SignedHeaders=host',
    'X-Amz-Signature=',
    '0'.repeat(64),
    'Signature',
    '\xff',
    '\u20ac',
    'a',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
  )
  const value = fc.oneof(
    text,
    fc.constantFrom(
      timestamp,
      emptySha256,
      headerOf(),
      'UNSIGNED-PAYLOAD',
      'Thu, 01 Jan 2026 12:00:00 GMT',
    ),
    text.map((tail) => `AWS4-HMAC-SHA256 ${tail}`),
    text.map((odd) => headerOf({ credential: odd })),
    text.map((odd) => headerOf({ names: odd })),
  )
  const name = fc.oneof(
    fc.constantFrom(
      'Host',
      'Authorization',
      'X-Amz-Date',
      'Date',
      'X-Amz-Content-Sha256',
      'X-Amz-Security-Token',
      'Content-Type',
    ),
    text,
  )
  const request = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'POST', ''),
    path: text,
    query: text,
    headers: fc.array(fc.tuple(name, value), { maxLength: 8 }),
  })

  it('throws nothing but SigV4Error, and identifies nobody', () => {
    fc.assert(
      fc.property(request, (any) => {
        try {
          verify(any, example, expect)
        } catch (error) {
          assert.ok(error instanceof SigV4Error || error instanceof UnknownKey, String(error))
          return
        }
        assert.fail('a random request was verified')
      }),
      { numRuns: 5000 },
    )
  })

  it('verifies what it signed, whatever the path, query and headers hold', () => {
    const path = fc.string({ unit: 'grapheme' }).map((key) => `/${encodeURIComponent(key)}`)
    const word = fc.string({ unit: 'grapheme' }).map(encodeURIComponent)
    const query = fc.array(
      fc.tuple(
        word.map((w) => `q${w}`),
        word,
      ),
      { maxLength: 5 },
    )
    const latin = fc.string({ unit: 'binary' }).map((s) =>
      Buffer.from(s)
        .toString('latin1')
        .replace(/[\r\n\0]/g, ''),
    )
    const metadata = fc.array(
      fc.tuple(fc.constantFrom('x-amz-meta-a', 'X-Amz-Meta-B', 'x-other'), latin),
    )
    fc.assert(
      fc.property(path, query, metadata, (target, pairs, headers) => {
        const text = pairs.map((pair) => pair.join('=')).join('&')
        verify(sign(`${target}?${text}`, headers), example, expect)
      }),
      { numRuns: 1000 },
    )
  })
})
