import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { assumeRole, s3Client } from './keys.ts'
import type { SessionKeys } from './keys.ts'
import { headOf, RawConnection, sendRaw } from './raw/connection.ts'
import type { Headers, RawAnswer } from './raw/connection.ts'
import { sha256, signRaw } from './raw/signing.ts'
import type { Chain } from './raw/signing.ts'
import { assertUntold } from './traces.ts'
import { until } from './until.ts'

const bucket = 'target'
const content = 'not to be seen in any log: 5f2c9a'
let server: DaypassServer
let root: S3Client
let keys: SessionKeys
let host: string
/** Keys of what was rightly stored. */
const rightly: string[] = []

before(async () => {
  server = await startDaypass({ env: { DAYPASS_LOG_LEVEL: 'debug' } })
  root = s3Client(server.endpoint, server.root)
  keys = await assumeRole(server.endpoint, server.root)
  host = new URL(server.endpoint).host
  await root.send(new CreateBucketCommand({ Bucket: bucket }))
})

after(() => server.stop())

type Sending = Readonly<{
  method?: string
  target?: string
  headers?: Headers
  payload?: string
  /** Changes the headers after they have been signed. */
  tamper?: (headers: Headers) => Headers
  body?: Buffer | string
  at?: Date
}>

/** A signed request with any body, or with what the chain of its chunk signatures gives. */
async function send(
  sending: Sending,
  bodyOf?: (chain: Chain) => Buffer | string,
): Promise<RawAnswer | undefined> {
  const { method = 'PUT', target = `/${bucket}/bad`, payload = 'UNSIGNED-PAYLOAD' } = sending
  const { at, tamper = (headers) => headers } = sending
  const headers = { host, ...sending.headers }
  const signed = signRaw({ method, target, headers, payload, keys, ...(at && { at }) })
  const body = bodyOf?.(signed.chain) ?? sending.body ?? ''
  const length = { 'content-length': String(Buffer.byteLength(body, 'latin1')) }
  const head = headOf(method, target, tamper({ ...length, ...signed.headers }))
  return sendRaw(server.endpoint, head, body)
}

async function refused(
  sending: Sending,
  status: number,
  code: string,
  bodyOf?: (chain: Chain) => Buffer | string,
): Promise<void> {
  const answer = await send(sending, bodyOf)
  assert.deepEqual([answer?.status, answer?.code], [status, code], answer?.body)
}

const crc32 = (text: string): string => {
  let crc = ~0
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(~crc)
  return bytes.toString('base64')
}
const length = String(content.length)
const hex = content.length.toString(16)

describe('a body whose framing is broken (aws-chunked)', () => {
  const payload = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
  const trailer = `x-amz-checksum-crc32:${crc32(content)}`
  const headers = {
    'x-amz-decoded-content-length': length,
    'x-amz-trailer': 'x-amz-checksum-crc32',
  }
  const whole = `${hex}\r\n${content}\r\n0\r\n${trailer}\r\n\r\n`

  it('is what the good one of this test is not', async () => {
    rightly.push('unsigned')
    const target = `/${bucket}/unsigned`
    const answer = await send({ payload, headers, target, body: whole })
    assert.equal(answer?.status, 200, answer?.body)
  })

  const broken: Readonly<Record<string, string>> = {
    'no framing at all': content,
    nothing: '',
    'a size that is no number': whole.replace(`${hex}\r\n`, 'zz\r\n'),
    'a negative size': whole.replace(`${hex}\r\n`, `-${hex}\r\n`),
    'a size with a sign': whole.replace(`${hex}\r\n`, `+${hex}\r\n`),
    'a size with a prefix': whole.replace(`${hex}\r\n`, `0x${hex}\r\n`),
    'a size of too many digits': whole.replace(`${hex}\r\n`, `${hex.padStart(17, '0')}\r\n`),
    'a size beyond all numbers': whole.replace(`${hex}\r\n`, 'ffffffffffffffff\r\n'),
    'a line that never ends': whole.replace(`${hex}\r\n`, `${hex}${' '.repeat(2000)}\r\n`),
    'an extension': whole.replace(`${hex}\r\n`, `${hex};a=b\r\n`),
    'a signature that nobody asked for': whole.replace(
      `${hex}\r\n`,
      `${hex};chunk-signature=${'0'.repeat(64)}\r\n`,
    ),
    'bare line feeds': whole.replaceAll('\r\n', '\n'),
    'a chunk longer than its size': whole.replace(`${hex}\r\n`, `${(4).toString(16)}\r\n`),
    'a chunk shorter than its size': whole.replace(content, content.slice(1)),
    'no line end after a chunk': whole.replace(`${content}\r\n`, content),
    'no last chunk': `${hex}\r\n${content}\r\n`,
    'two last chunks': whole.replace('0\r\n', '0\r\n0\r\n'),
    'more after the end': `${whole}GET / HTTP/1.1\r\n\r\n`,
    'more chunks than were announced': whole.replace('0\r\n', '1\r\nx\r\n0\r\n'),
    'fewer than were announced': `0\r\n${trailer}\r\n\r\n`,
  }
  for (const [what, body] of Object.entries(broken)) {
    it(`has ${what}, and is refused`, async () => {
      const answer = await send({ payload, headers, body })
      assert.equal(answer?.status, 400, answer?.body)
      assert.match(String(answer?.code), /^(?:IncompleteBody|MalformedTrailerError)$/)
    })
  }

  it('ends in the wrong trailer, and is refused', async () => {
    const end = (line: string) => whole.replace(trailer, line)
    const cases: readonly (readonly [string, string])[] = [
      [end(`x-amz-checksum-crc32:${crc32('else')}`), 'BadDigest'],
      [end('x-amz-checksum-crc32:'), 'BadDigest|MalformedTrailerError|InvalidRequest'],
      [end('x-amz-checksum-crc32c:AAAAAA=='), 'MalformedTrailerError'],
      [whole.replace(`${trailer}\r\n`, ''), 'MalformedTrailerError'],
      [end(`${trailer}\r\nx-amz-meta-evil:1`), 'MalformedTrailerError'],
      [end(`${trailer}\r\n${trailer}`), 'MalformedTrailerError'],
      [end(`${trailer}\r\nx-amz-trailer-signature:${'0'.repeat(64)}`), 'MalformedTrailerError'],
      [end(`${trailer}${' '.repeat(5000)}`), 'IncompleteBody'],
    ]
    for (const [body, codes] of cases) {
      const answer = await send({ payload, headers, body })
      assert.equal(answer?.status, 400, answer?.body)
      assert.match(String(answer?.code), new RegExp(`^(?:${codes})$`), body)
    }
  })

  it('has headers that do not fit it, and is refused', async () => {
    const body = whole
    const fitting = (more: Headers): Sending => {
      const all = Object.entries({ ...headers, ...more }).filter(([, value]) => value !== '')
      return { payload, body, headers: Object.fromEntries(all) }
    }
    const size = 'x-amz-decoded-content-length'
    await refused(fitting({ [size]: '' }), 411, 'MissingContentLength')
    for (const bad of ['-1', '1e2', '0x10', 'many', '99999999999999999999']) {
      await refused(fitting({ [size]: bad }), 411, 'MissingContentLength')
    }
    for (const other of ['0', String(content.length - 1), String(content.length + 1)]) {
      await refused(fitting({ [size]: other }), 400, 'IncompleteBody')
    }
    await refused(fitting({ [size]: String(2 ** 52) }), 400, 'EntityTooLarge')
    await refused(fitting({ 'x-amz-trailer': '' }), 400, 'MalformedTrailerError')
    await refused(fitting({ 'x-amz-trailer': 'x-amz-meta-a' }), 400, 'InvalidRequest')
    await refused(fitting({ 'x-amz-trailer': 'x-amz-checksum-md4' }), 400, 'InvalidRequest')
    const twice = { 'x-amz-checksum-crc32': crc32(content) }
    await refused(fitting(twice), 400, 'InvalidRequest')
    const named = { 'x-amz-sdk-checksum-algorithm': 'SHA256' }
    await refused(fitting(named), 400, 'InvalidRequest')
    await refused({ ...fitting({}), target: `/${bucket}-new` }, 400, 'InvalidRequest')
    await refused({ ...fitting({}), target: `/${bucket}?policy=` }, 400, 'InvalidRequest')
  })

  it('hides behind a name that nobody has signed for, and is refused', async () => {
    // CVE-2026-41145: a credential in the query that was believed without a signature.
    const credential = `X-Amz-Credential=${keys.accessKeyId}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request`
    for (const query of [
      '',
      `?${credential}`,
      `?${credential}&X-Amz-Signature=${'0'.repeat(64)}`,
    ]) {
      const head = headOf('PUT', `/${bucket}/bad${query}`, {
        host,
        'content-length': String(whole.length),
        'x-amz-content-sha256': payload,
        ...headers,
      })
      const answer = await sendRaw(server.endpoint, head, whole)
      assert.ok(answer?.status === 403 || answer?.status === 400, answer?.body)
    }
  })
})

describe('a body in signed chunks', () => {
  const plain = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const trailing = `${plain}-TRAILER`
  const sized = { 'x-amz-decoded-content-length': length }
  const headers = { ...sized, 'x-amz-trailer': 'x-amz-checksum-crc32' }
  const line = `x-amz-checksum-crc32:${crc32(content)}`
  const half = content.slice(0, 10)
  const rest = content.slice(10)

  const chunk = (data: string, signature: string) =>
    `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}\r\n`
  const last = (signature: string) => `0;chunk-signature=${signature}\r\n`
  const chunks = (chain: Chain) =>
    chunk(half, chain.chunk(half)) + chunk(rest, chain.chunk(rest)) + last(chain.chunk(''))
  const withTrailer = (chain: Chain) =>
    `${chunks(chain)}${line}\r\nx-amz-trailer-signature:${chain.trailer(line)}\r\n\r\n`

  it('is taken when all signatures are right', async () => {
    rightly.push('signed', 'signed-trailer')
    const one = { payload: plain, headers: sized, target: `/${bucket}/signed` }
    assert.equal((await send(one, (chain) => `${chunks(chain)}\r\n`))?.status, 200)
    const two = { payload: trailing, headers, target: `/${bucket}/signed-trailer` }
    assert.equal((await send(two, withTrailer))?.status, 200)
  })

  it('is refused when one is wrong, missing, or of another place in the chain', async () => {
    const sending = { payload: plain, headers: sized }
    const zeros = '0'.repeat(64)
    const wrong = [403, 'SignatureDoesNotMatch'] as const
    await refused(sending, ...wrong, (c) => `${chunk(content, zeros)}${last(c.chunk(content))}\r\n`)
    await refused(sending, ...wrong, (c) => `${chunk(content, c.chunk(content))}${last(zeros)}\r\n`)
    await refused(sending, ...wrong, (c) => {
      const [first, second] = [c.chunk(half), c.chunk(rest)]
      return `${chunk(rest, second)}${chunk(half, first)}${last(c.chunk(''))}\r\n`
    })
    await refused(sending, ...wrong, (c) => `${chunks(c).replace(half, half.toUpperCase())}\r\n`)
    const broken = [400, 'IncompleteBody'] as const
    await refused(sending, ...broken, (c) => chunk(content, c.chunk(content)))
    await refused(sending, ...broken, () => `${hex}\r\n${content}\r\n0\r\n\r\n`)
    await refused(sending, ...broken, (c) =>
      `${chunks(c)}\r\n`.replace('chunk-signature', 'signature'),
    )
  })

  it('is refused when its trailer is wrong or has a wrong signature', async () => {
    const sending = { payload: trailing, headers }
    const other = `x-amz-checksum-crc32:${crc32('else')}`
    await refused(sending, 400, 'BadDigest', (c) => {
      const body = chunks(c)
      return `${body}${other}\r\nx-amz-trailer-signature:${c.trailer(other)}\r\n\r\n`
    })
    await refused(sending, 403, 'SignatureDoesNotMatch', (c) => withTrailer(c).replace(line, other))
    const unsigned = (c: Chain) => `${chunks(c)}${line}\r\n\r\n`
    const answer = await send(sending, unsigned)
    assert.ok(answer?.status === 400 || answer?.status === 403, answer?.body)
  })
})

describe('a plain body', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('base64')

  it('that is not what was signed or said is refused', async () => {
    const body = content
    await refused({ body, payload: sha256('another') }, 400, 'XAmzContentSHA256Mismatch')
    const says = (headers: Headers) => ({ body, headers })
    await refused(says({ 'content-md5': md5('another') }), 400, 'BadDigest')
    for (const bad of ['short', `${md5(body)}=`, '!'.repeat(24), '']) {
      await refused(says({ 'content-md5': bad }), 400, 'InvalidDigest')
    }
    await refused(says({ 'x-amz-checksum-crc32': crc32('another') }), 400, 'BadDigest')
    await refused(says({ 'x-amz-checksum-crc32': 'AAAA' }), 400, 'InvalidRequest')
    await refused(says({ 'x-amz-checksum-crc99': 'AAAAAA==' }), 400, 'InvalidRequest')
    const both = { 'x-amz-checksum-crc32': crc32(body), 'x-amz-checksum-crc32c': 'AAAAAA==' }
    await refused(says(both), 400, 'InvalidRequest')
  })

  it('of a kind that does not exist is refused', async () => {
    const body = content
    for (const payload of ['garbage', 'unsigned-payload', sha256(body).toUpperCase(), '']) {
      const answer = await send({ body, payload })
      assert.equal(answer?.status, 400, answer?.body)
      assert.match(String(answer?.code), /^Invalid(?:Argument|Request)$/)
    }
    const elliptic = 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'
    await refused({ body, payload: elliptic }, 501, 'NotImplemented')
  })

  it('of a length that is missing or a lie is refused', async () => {
    const unsized = (headers: Headers): Headers => {
      const { 'content-length': _, ...others } = headers
      return { ...others, 'transfer-encoding': 'chunked' }
    }
    const framed = `${hex}\r\n${content}\r\n0\r\n\r\n`
    await refused({ tamper: unsized, body: framed }, 411, 'MissingContentLength')
    const more = (headers: Headers) => ({ ...headers, 'content-length': String(6 * 1024 ** 4) })
    await refused({ tamper: more, body: content }, 400, 'EntityTooLarge')
    // Two readers could see two different ends of such a request, so the parser takes none of them.
    for (const lie of ['-1', '1, 2', '0x10', `${length}a`]) {
      const tamper = (headers: Headers) => ({ ...headers, 'content-length': lie })
      assert.equal((await send({ tamper, body: content }))?.status, 400)
    }
    const tamper = (headers: Headers) => ({ ...headers, 'transfer-encoding': 'chunked' })
    assert.equal((await send({ tamper, body: framed }))?.status, 400)
  })

  it('that stops halfway leaves nothing, however it ends', async () => {
    const target = `/${bucket}/halfway`
    const unfinished = () => readdirSync(join(server.dir, 'tmp')).length
    for (const payload of ['UNSIGNED-PAYLOAD', sha256(content)]) {
      for (const end of ['hangUp', 'close'] as const) {
        const { headers } = signRaw({ method: 'PUT', target, keys, headers: { host }, payload })
        const connection = await RawConnection.open(server.endpoint)
        const said = { 'content-length': String(4 * 1024 * 1024), ...headers }
        connection.send(headOf('PUT', target, said), randomBytes(1024 * 1024))
        await until('the file is there', () => unfinished() > 0)
        connection[end]()
        await until('it is gone', () => unfinished() === 0)
      }
    }
  })
})

describe('a signature or a header that is wrong', () => {
  const now = (): string => new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '')

  it('is refused with the code that tells the client what to mend', async () => {
    const set = (name: string, value: string | undefined) => (headers: Headers) => {
      const changed = Object.entries({ ...headers, [name]: value ?? '' })
      return Object.fromEntries(changed.filter(([, text]) => text !== ''))
    }
    const change = (from: RegExp | string, to: string) => (headers: Headers) => ({
      ...headers,
      authorization: String(headers['authorization']).replace(from, to),
    })
    const cases: readonly (readonly [(headers: Headers) => Headers, number, string])[] = [
      [change(/Signature=.{64}/, `Signature=${'0'.repeat(64)}`), 403, 'SignatureDoesNotMatch'],
      [change(/Signature=.*/, 'Signature=00'), 403, 'SignatureDoesNotMatch'],
      [change(/Signature=.*/, ''), 400, 'AuthorizationHeaderMalformed'],
      [change(/Credential=[^/]*/, 'Credential=ASIAAAAAAAAAAAAAAAAA'), 400, 'InvalidToken'],
      [change(/Credential=[^/]*/, 'Credential=nobody'), 403, 'InvalidAccessKeyId'],
      [change('/s3/', '/ec2/'), 400, 'AuthorizationHeaderMalformed'],
      [change('aws4_request', 'aws5_request'), 400, 'AuthorizationHeaderMalformed'],
      [change('Credential=', 'Credential=x, Credential='), 400, 'AuthorizationHeaderMalformed'],
      [change('host;', ''), 403, 'AccessDenied'],
      [change(/^AWS4-HMAC-SHA256/, 'AWS4-ECDSA-P256-SHA256'), 501, 'NotImplemented'],
      [set('authorization', 'AWS key:c2lnbmF0dXJl'), 400, 'InvalidRequest'],
      [set('authorization', 'Bearer eyJhbGciOiJub25lIn0.e30.'), 400, 'InvalidArgument'],
      [set('authorization', 'Basic dXNlcjpwYXNz'), 400, 'InvalidArgument'],
      [set('authorization', 'AWS4-HMAC-SHA256'), 400, 'AuthorizationHeaderMalformed'],
      [set('x-amz-meta-added', 'later'), 403, 'AccessDenied'],
      [set('x-amz-acl', 'public-read'), 403, 'AccessDenied'],
      [set('x-amz-date', undefined), 403, 'AccessDenied'],
      [set('x-amz-date', 'yesterday'), 403, 'AccessDenied'],
      [set('x-amz-content-sha256', undefined), 400, 'InvalidRequest'],
      [set('x-amz-security-token', undefined), 403, 'InvalidAccessKeyId'],
      [set('x-amz-security-token', 'garbled'), 400, 'InvalidToken'],
      [set('x-amz-security-token', `${keys.sessionToken}A`), 400, 'InvalidToken'],
    ]
    for (const [tamper, status, code] of cases) {
      await refused({ tamper, body: content }, status, code)
    }
    const late = new Date(Date.now() - 16 * 60_000)
    await refused({ at: late, body: content }, 403, 'RequestTimeTooSkewed')
    const early = new Date(Date.now() + 16 * 60_000)
    await refused({ at: early, body: content }, 403, 'RequestTimeTooSkewed')
    const both = `/${bucket}/bad?X-Amz-Signature=00`
    await refused({ target: both, body: content }, 400, 'InvalidArgument')
    const old = `/${bucket}/bad?AWSAccessKeyId=x&Expires=1&Signature=y`
    const v2 = await sendRaw(server.endpoint, headOf('GET', old, { host }))
    assert.deepEqual([v2?.status, v2?.code], [400, 'InvalidRequest'])
    const token = { host, 'x-amz-security-token': keys.sessionToken }
    const bare = await sendRaw(server.endpoint, headOf('GET', `/${bucket}`, token))
    assert.deepEqual([bare?.status, bare?.code], [403, 'AccessDenied'])
  })

  it('may stand there twice, of which neither is believed', async () => {
    const twice = async (line: string) => {
      const target = `/${bucket}/unsigned`
      const sign = signRaw({ method: 'GET', target, headers: { host }, keys, payload: sha256('') })
      const head = headOf('GET', target, sign.headers)
      const answer = await sendRaw(server.endpoint, `${head.slice(0, -2)}${line}\r\n\r\n`)
      return [answer?.status, answer?.code]
    }
    assert.deepEqual(await twice('authorization: AWS4-HMAC-SHA256 x'), [400, 'InvalidArgument'])
    assert.deepEqual(await twice('x-amz-security-token: other'), [400, 'InvalidArgument'])
    assert.deepEqual(await twice('x-amz-date: 20200101T000000Z'), [403, 'AccessDenied'])
    const other = await twice('x-amz-content-sha256: UNSIGNED-PAYLOAD')
    assert.ok(other[0] === 400 || other[0] === 403, String(other))
    const elsewhere = await twice('host: elsewhere')
    assert.ok(elsewhere[0] === 400 || elsewhere[0] === 403, String(elsewhere))
  })

  it('is refused before a client that waits for a word sends its body', async () => {
    const target = `/${bucket}/bad`
    const payload = 'UNSIGNED-PAYLOAD'
    const wrong = { ...keys, secretAccessKey: 'wrong' }
    const headers = { host, expect: '100-continue', 'content-length': '1000000' }
    const sign = signRaw({ method: 'PUT', target, headers, keys: wrong, payload })
    const connection = await RawConnection.open(server.endpoint)
    connection.send(headOf('PUT', target, sign.headers))
    assert.equal((await connection.answer())?.code, 'SignatureDoesNotMatch')
    assert.equal(await connection.answer(), undefined, 'the connection stays open')
  })

  it('is told in headers where there is no body', async () => {
    const answer = await send({ method: 'HEAD', target: '/closed-to-all', payload: sha256('') })
    assert.equal(answer?.status, 404)
    assert.equal(answer?.headers.get('x-amz-error-code'), 'NoSuchBucket')
    assert.equal(answer?.body, '')
  })

  it('may be a link whose form is bad or whose time has passed', async () => {
    const link = {
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${keys.accessKeyId}/${now().slice(0, 8)}/us-east-1/s3/aws4_request`,
      'X-Amz-Date': now(),
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Security-Token': keys.sessionToken,
      'X-Amz-Signature': '0'.repeat(64),
    }
    const ask = async (changes: Readonly<Record<string, string>>) => {
      const query = new URLSearchParams({ ...link, ...changes })
      for (const [name, value] of Object.entries(changes)) if (value === '') query.delete(name)
      const answer = await fetch(`${server.endpoint}/${bucket}/k?${query.toString()}`)
      return [answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1]]
    }
    const malformed = [400, 'AuthorizationQueryParametersError']
    assert.deepEqual(await ask({ 'X-Amz-Expires': '604801' }), malformed)
    assert.deepEqual(await ask({ 'X-Amz-Expires': '-1' }), malformed)
    assert.deepEqual(await ask({ 'X-Amz-Expires': '' }), malformed)
    assert.deepEqual(await ask({ 'X-Amz-Date': 'now' }), malformed)
    assert.deepEqual(await ask({ 'X-Amz-Signature': '' }), malformed)
    assert.deepEqual(await ask({ 'X-Amz-Algorithm': 'none' }), malformed)
    assert.deepEqual(await ask({}), [403, 'SignatureDoesNotMatch'])
    const passed = { 'X-Amz-Date': '20200101T000000Z' }
    const credential = { 'X-Amz-Credential': link['X-Amz-Credential'].replace(/\d{8}/, '20200101') }
    assert.deepEqual(await ask({ ...passed, ...credential }), [403, 'AccessDenied'])
  })
})

describe('a path that is odd', () => {
  it('is refused when it is no text, or has characters that no key may have', async () => {
    for (const [key, code] of [
      ['nul%00', 'InvalidArgument'],
      ['line%0Afeed', 'InvalidArgument'],
      ['return%0D', 'InvalidArgument'],
      ['tab%09', 'InvalidArgument'],
      ['del%7F', 'InvalidArgument'],
      ['bad%', 'InvalidURI'],
      ['bad%zz', 'InvalidURI'],
      ['bad%4', 'InvalidURI'],
      ['latin1%FC', 'InvalidURI'],
      ['overlong%C0%AF', 'InvalidURI'],
      ['surrogate%ED%A0%80', 'InvalidURI'],
      ['k'.repeat(1025), 'KeyTooLongError'],
    ] as const) {
      await refused({ target: `/${bucket}/${key}`, body: content }, 400, code)
    }
  })

  it('is refused when it names no bucket that could be', async () => {
    for (const name of [
      '..',
      '.',
      'A',
      'UPPER',
      'a',
      'a_b',
      'a..b',
      '192.168.0.1',
      'xn--a',
      '%20%20%20',
    ]) {
      await refused({ target: `/${name}/k`, body: content }, 400, 'InvalidBucketName')
      await refused({ target: `/${name}` }, 400, 'InvalidBucketName')
    }
    await refused({ target: `//${bucket}/k`, body: content }, 400, 'InvalidBucketName')
    await refused({ target: '/nowhere-to-be-found/k', body: content }, 404, 'NoSuchBucket')
    await refused({ target: `/%2e%2e/${bucket}/k`, body: content }, 400, 'InvalidBucketName')
  })

  it('means the same key to the signature, the policy and the store', async () => {
    const at = (path: string, method = 'GET') => send({ method, target: `/${bucket}/${path}` })
    // An encoded slash is a slash: it was signed as one.
    rightly.push('odd/slash', 'odd/', 'odd/../up', 'odd//two')
    for (const key of ['odd%2Fslash', 'odd/', 'odd/../up', 'odd//two']) {
      const stored = await send({ target: `/${bucket}/${key}`, body: key })
      assert.equal(stored?.status, 200, stored?.body)
    }
    assert.equal((await at('odd/slash'))?.body, 'odd%2Fslash')
    assert.equal((await at('odd/'))?.body, 'odd/')
    assert.equal((await at('odd'))?.code, 'NoSuchKey')
    assert.equal((await at('odd/../up'))?.body, 'odd/../up')
    assert.equal((await at('odd/%2E%2E/up'))?.body, 'odd/../up')
    assert.equal((await at('up'))?.code, 'NoSuchKey')
    assert.equal((await at('odd/two'))?.code, 'NoSuchKey')
    const slash = await send({ method: 'GET', target: `/${bucket}/?list-type=2&prefix=odd` })
    assert.equal(slash?.status, 200)
    assert.match(slash?.body ?? '', /<Name>target<\/Name>/)
  })

  it('may ask for what nobody serves, and then nothing happens', async () => {
    await refused(
      { method: 'DELETE', target: `/${bucket}/unsigned?annotation=` },
      501,
      'NotImplemented',
    )
    await refused(
      { method: 'PUT', target: `/${bucket}/bad?append=`, body: content },
      501,
      'NotImplemented',
    )
    await refused({ method: 'PATCH', target: `/${bucket}/bad` }, 405, 'MethodNotAllowed')
    await refused(
      { target: `/${bucket}/bad?partNumber=1&partNumber=2`, body: content },
      400,
      'InvalidArgument',
    )
    await refused(
      { target: `/${bucket}/bad?partNumber=x&uploadId=y`, body: content },
      400,
      'InvalidArgument',
    )
    await refused(
      { target: `/${bucket}/bad?partNumber=1&uploadId=y`, body: content },
      404,
      'NoSuchUpload',
    )
    const meta = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`x-amz-meta-${i}`, 'm'.repeat(100)]),
    )
    await refused({ headers: meta, body: content }, 400, 'MetadataTooLarge')
  })
})

describe('what is no HTTP', () => {
  it('is answered with 400 or 431 and a closed door', async () => {
    const garbage: readonly (readonly [Buffer | string, number])[] = [
      ['\r\n\r\nGARBAGE\r\n\r\n', 400],
      ['GET\r\n\r\n', 400],
      ['GET / HTTP/9.9\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nhost: ${host}\r\nbad header\r\n\r\n`, 400],
      [`GET / HTTP/1.1\r\nhost: ${host}\r\na: b\0c\r\n\r\n`, 400],
      [`GET /${bucket}/\xc3\xbc HTTP/1.1\r\nhost: ${host}\r\n\r\n`, 400],
      [`GET /${bucket}/a b HTTP/1.1\r\nhost: ${host}\r\n\r\n`, 400],
      [`GET /${bucket}/\0 HTTP/1.1\r\nhost: ${host}\r\n\r\n`, 400],
      [`GET / HTTP/1.1\r\nhost: ${host}\r\na: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
      [`GET /${'x'.repeat(40_000)} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, 431],
      [Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), 400],
      [`GET / HTTP/1.1\r\nhost: ${host}\r\nexpect: a miracle\r\n\r\n`, 417],
    ]
    for (const [bytes, status] of garbage) {
      const answer = await sendRaw(server.endpoint, bytes)
      assert.equal(answer?.status, status, JSON.stringify(bytes.toString('latin1').slice(0, 50)))
    }
  })
})

describe('after all that', () => {
  it('nothing is stored but what was right, in no bucket but the one', async () => {
    const all = await root.send(new ListObjectVersionsCommand({ Bucket: bucket }))
    assert.deepEqual(
      (all.Versions ?? []).map(({ Key }) => Key ?? '').toSorted(),
      rightly.toSorted(),
    )
    const { Uploads = [] } = await root.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    assert.deepEqual(Uploads, [])
    assert.deepEqual(readdirSync(join(server.dir, 'tmp')), [])
  })

  it('the server runs, and has told nobody a secret', () => {
    assert.equal(server.process.exitCode, null)
    const { secretAccessKey } = server.root
    assertUntold(server, [keys.secretAccessKey, keys.sessionToken, secretAccessKey, content])
    assert.doesNotMatch(server.output(), /"level":50/, 'a fault of ours')
  })
})
