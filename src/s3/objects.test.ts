import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'

import { createChecksum } from '../checksums/index.ts'
import type { ChecksumAlgorithm } from '../checksums/index.ts'
import { OriginError } from './origin-error.ts'
import type { Origin } from './origin.ts'
import { openKit, textOf, textsOf } from './testing/kit.ts'
import type { Kit, Received, Sent } from './testing/kit.ts'

let kit: Kit
before(async () => {
  kit = await openKit()
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/ver', { method: 'PUT' })
  await kit.send('/ver?versioning', {
    method: 'PUT',
    body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  })
})
after(async () => {
  assert.deepEqual(kit.faults, [], 'faults of ours')
  await kit.close()
})
beforeEach(() => {
  kit.access.allows = () => true
  kit.access.tags = false
})

const put = (target: string, body: string, headers: Sent['headers'] = {}): Promise<Received> =>
  kit.send(target, { method: 'PUT', body, headers })

async function refused(
  target: string,
  sent: Sent,
  status: number,
  code: string,
): Promise<Received> {
  const received = await kit.send(target, sent)
  assert.equal(received.code, code, `${target} ${JSON.stringify(sent.headers)}`)
  assert.equal(received.status, status)
  return received
}

function digest(algorithm: ChecksumAlgorithm, text: string): string {
  const checksum = createChecksum(algorithm)
  checksum.update(Buffer.from(text))
  return checksum.digest()
}

const md5 = (text: string) => createHash('md5').update(text).digest('base64')

describe('writing (S3 surface, sections 15 and 19)', () => {
  it('brings back body, metadata and headers as they were sent', async () => {
    const headers = {
      'content-type': 'text/plain',
      'content-encoding': 'aws-chunked,gzip',
      'cache-control': 'no-cache',
      'content-disposition': 'attachment',
      'content-language': 'de',
      expires: 'Thu, 01 Jan 2099 00:00:00 GMT',
      'x-amz-meta-Name': 'Grüße',
      'x-amz-meta-__proto__': 'x',
      'x-amz-storage-class': 'STANDARD_IA',
    }
    await put('/bkt/meta', 'body', headers)
    const got = await kit.send('/bkt/meta')
    assert.equal(got.text, 'body')
    assert.equal(got.headers['content-type'], 'text/plain')
    assert.equal(got.headers['content-encoding'], 'gzip')
    assert.equal(got.headers['cache-control'], 'no-cache')
    assert.equal(got.headers['x-amz-meta-name'], 'Grüße')
    assert.equal(got.headers['x-amz-meta-__proto__'], 'x')
    assert.equal(got.headers['x-amz-storage-class'], 'STANDARD_IA')
    assert.equal(got.headers['expires'], 'Thu, 01 Jan 2099 00:00:00 GMT')
    assert.equal(got.headers['x-amz-version-id'], undefined)
  })

  it('keeps keys that look like paths apart', async () => {
    const keys = ['../x', 'x', './x', '/x', '//x', 'x/', 'x/../x', 'ü', '%2F', 'a+b', '\'&<>"']
    const path = (key: string) => `/bkt/k${encodeURIComponent(key).replaceAll('%2F', '/')}`
    for (const key of keys) await put(path(key), `body of ${key}`)
    for (const key of keys) assert.equal((await kit.send(path(key))).text, `body of ${key}`, key)
  })

  it('refuses control characters in keys, and stores nothing', async () => {
    for (const key of ['%00', 'a%00b', 'a%0D%0Ab', '%7F']) {
      await refused(`/bkt/${key}`, { method: 'PUT', body: 'x' }, 400, 'InvalidArgument')
    }
    await refused(`/bkt/${'x'.repeat(1025)}`, { method: 'PUT', body: 'x' }, 400, 'KeyTooLongError')
    await refused('/bkt/%ff', { method: 'PUT', body: 'x', anonymous: true }, 400, 'InvalidURI')
  })

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    it(`checks and keeps ${algorithm}`, async () => {
      const header = `x-amz-checksum-${algorithm.toLowerCase()}`
      const stored = await put('/bkt/sum', 'summed', { [header]: digest(algorithm, 'summed') })
      assert.equal(stored.status, 200)
      assert.equal(stored.headers[header], digest(algorithm, 'summed'))
      const got = await kit.send('/bkt/sum', { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
      assert.equal(got.headers[header], digest(algorithm, 'summed'))
      assert.equal(got.headers['x-amz-checksum-type'], 'FULL_OBJECT')
      const wrong = { [header]: digest(algorithm, 'other') }
      await refused('/bkt/bad', { method: 'PUT', body: 'x', headers: wrong }, 400, 'BadDigest')
      await refused(
        '/bkt/bad',
        { method: 'PUT', body: 'x', headers: { [header]: 'AA' } },
        400,
        'InvalidRequest',
      )
      await refused('/bkt/bad', {}, 404, 'NoSuchKey')
    })
  }

  it('computes CRC64NVME when the client sends nothing', async () => {
    const stored = await put('/bkt/sum', 'plain')
    assert.equal(stored.headers['x-amz-checksum-crc64nvme'], digest('CRC64NVME', 'plain'))
  })

  it('refuses what cannot be checked', async () => {
    const bad: readonly (readonly [Record<string, string>, string])[] = [
      [{ 'content-md5': md5('other') }, 'BadDigest'],
      [{ 'content-md5': 'not base64' }, 'InvalidDigest'],
      [{ 'content-md5': '' }, 'InvalidDigest'],
      [{ 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' }, 'InvalidRequest'],
      [
        {
          'x-amz-checksum-crc32': digest('CRC32', 'x'),
          'x-amz-checksum-sha1': digest('SHA1', 'x'),
        },
        'InvalidRequest',
      ],
      [{ 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
      [
        { 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': digest('CRC32', 'x') },
        'InvalidRequest',
      ],
      [{ 'x-amz-trailer': 'x-amz-checksum-crc32' }, 'InvalidRequest'],
    ]
    for (const [headers, code] of bad) {
      await refused('/bkt/bad', { method: 'PUT', body: 'x', headers }, 400, code)
    }
    await refused('/bkt/bad', {}, 404, 'NoSuchKey')
  })

  it('refuses a body that is not what was signed, short, long, or without length', async () => {
    const chunks = async function* (...texts: string[]) {
      for (const text of texts) yield Buffer.from(text)
    }
    const put = (body: AsyncIterable<Uint8Array>, headers: Sent['headers']) => ({
      method: 'PUT',
      body,
      ...(headers === undefined ? {} : { headers }),
    })
    await refused('/bkt/bad', put(chunks('abc'), {}), 411, 'MissingContentLength')
    await refused('/bkt/bad', put(chunks('abc'), { 'content-length': '4' }), 400, 'IncompleteBody')
    await refused(
      '/bkt/bad',
      put(chunks('abc', 'def'), { 'content-length': '4' }),
      400,
      'IncompleteBody',
    )
    await refused(
      '/bkt/bad',
      put(chunks('abc'), { 'content-length': 'abc' }),
      411,
      'MissingContentLength',
    )
    const broken = async function* () {
      yield Buffer.from('ab')
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    }
    await refused('/bkt/bad', put(broken(), { 'content-length': '4' }), 400, 'IncompleteBody')
    await refused('/bkt/bad', {}, 404, 'NoSuchKey')
  })

  it('refuses an object beyond the limit before a byte of it is read', async () => {
    const endless = async function* () {
      yield await Promise.reject(new Error('read'))
    }
    const sent = {
      method: 'PUT',
      body: endless(),
      headers: { 'content-length': `${5 * 1024 ** 3 + 1}` },
    }
    const received = await refused('/bkt/bad', sent, 400, 'EntityTooLarge')
    assert.equal(received.close, true)
    assert.equal(received.proceeded, false)
  })

  it('does not ask for a body before the permission', async () => {
    kit.access.allows = () => false
    const sent = { method: 'PUT', body: 'x', headers: { expect: '100-continue' } }
    const received = await refused('/bkt/bad', sent, 403, 'AccessDenied')
    assert.equal(received.proceeded, false)
    assert.equal(received.close, true)
  })

  it('refuses what it would not do: encryption, locks, appending, access lists', async () => {
    const bad: readonly (readonly [string, string, number, string])[] = [
      ['x-amz-server-side-encryption', 'AES256', 501, 'NotImplemented'],
      ['x-amz-server-side-encryption-customer-algorithm', 'AES256', 501, 'NotImplemented'],
      ['x-amz-object-lock-mode', 'GOVERNANCE', 501, 'NotImplemented'],
      ['x-amz-object-lock-legal-hold', 'ON', 501, 'NotImplemented'],
      ['x-amz-write-offset-bytes', '3', 501, 'NotImplemented'],
      ['x-amz-acl', 'public-read', 400, 'AccessControlListNotSupported'],
      ['x-amz-grant-read', 'id=x', 400, 'AccessControlListNotSupported'],
      ['x-amz-storage-class', 'GOLD', 400, 'InvalidStorageClass'],
      ['x-amz-website-redirect-location', 'javascript:x', 400, 'InvalidArgument'],
      ['x-amz-tagging', 'a=1&a=2', 400, 'InvalidTag'],
      ['x-amz-tagging', 'aws:x=1', 400, 'InvalidTag'],
      ['x-amz-tagging', 'a=%zz', 400, 'InvalidArgument'],
      ['x-amz-tagging', '=1', 400, 'InvalidTag'],
      ['x-amz-tagging', `${'a'.repeat(129)}=1`, 400, 'InvalidTag'],
      [
        'x-amz-tagging',
        Array.from({ length: 11 }, (_, n) => `k${n}=v`).join('&'),
        400,
        'InvalidTag',
      ],
      ['x-amz-meta-big', 'x'.repeat(2049), 400, 'MetadataTooLarge'],
      ['if-modified-since', 'Thu, 01 Jan 2099 00:00:00 GMT', 501, 'NotImplemented'],
      ['if-match', '"a", "b"', 501, 'NotImplemented'],
    ]
    for (const [name, value, status, code] of bad) {
      await refused(
        '/bkt/bad',
        { method: 'PUT', body: 'x', headers: { [name]: value } },
        status,
        code,
      )
    }
    await refused('/bkt/bad', {}, 404, 'NoSuchKey')
  })

  it('writes on conditions', async () => {
    const first = await put('/bkt/cond', 'one', { 'if-none-match': '*' })
    assert.equal(first.status, 200)
    await refused(
      '/bkt/cond',
      { method: 'PUT', body: 'two', headers: { 'if-none-match': '*' } },
      412,
      'PreconditionFailed',
    )
    await refused(
      '/bkt/cond',
      { method: 'PUT', body: 'two', headers: { 'if-match': '"0"' } },
      412,
      'PreconditionFailed',
    )
    assert.equal(
      (await put('/bkt/cond', 'two', { 'if-match': first.headers['etag'] ?? '' })).status,
      200,
    )
    await refused(
      '/bkt/nothing',
      { method: 'PUT', body: 'x', headers: { 'if-match': '"0"' } },
      404,
      'NoSuchKey',
    )
  })

  it('lets exactly one of many racing creators win', async () => {
    const racers = Array.from({ length: 8 }, (_, n) =>
      put('/bkt/race', `racer ${n}`, { 'if-none-match': '*' }),
    )
    const statuses = (await Promise.all(racers)).map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 200).length, 1)
    assert.ok(statuses.every((status) => [200, 409, 412].includes(status)))
  })

  it('refuses a header that is there twice, since two readers could differ', async () => {
    const received = await kit.send('/bkt/twice', {
      method: 'PUT',
      body: 'x',
      headers: { 'x-amz-storage-class': 'STANDARD', 'X-Amz-Storage-Class': 'STANDARD_IA' },
    })
    assert.equal(received.code, 'InvalidArgument')
    await refused('/bkt?prefix=a&prefix=b', {}, 400, 'InvalidArgument')
  })
})

describe('reading (S3 surface, section 18)', () => {
  before(() => put('/bkt/read', '0123456789'))

  it('sends ranges', async () => {
    const ranges: readonly (readonly [string, string, string])[] = [
      ['bytes=0-0', '0', 'bytes 0-0/10'],
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=-99', '0123456789', 'bytes 0-9/10'],
      ['bytes=5-999', '56789', 'bytes 5-9/10'],
      ['bytes=0-', '0123456789', 'bytes 0-9/10'],
    ]
    for (const [range, text, contentRange] of ranges) {
      const got = await kit.send('/bkt/read', { headers: { range } })
      assert.equal(got.status, 206, range)
      assert.equal(got.text, text, range)
      assert.equal(got.headers['content-range'], contentRange)
      const head = await kit.send('/bkt/read', { method: 'HEAD', headers: { range } })
      assert.equal(head.headers['content-length'], got.headers['content-length'])
      assert.equal(head.headers['content-range'], contentRange)
      assert.equal(head.status, 206)
    }
  })

  it('ignores several ranges and bad ones', async () => {
    for (const range of [
      'bytes=0-1,4-5',
      'bytes=4-2',
      'bytes=a-b',
      'items=0-1',
      'bytes=-',
      'bytes',
    ]) {
      const got = await kit.send('/bkt/read', { headers: { range } })
      assert.equal(got.status, 200, range)
      assert.equal(got.text, '0123456789')
    }
  })

  it('refuses ranges that begin past the end', async () => {
    const received = await refused(
      '/bkt/read',
      { headers: { range: 'bytes=10-' } },
      416,
      'InvalidRange',
    )
    assert.equal(textOf(received.text, 'ActualObjectSize'), '10')
    assert.equal(textOf(received.text, 'RangeRequested'), 'bytes=10-')
    await refused(
      '/bkt/read',
      { method: 'HEAD', headers: { range: 'bytes=10-' } },
      416,
      'InvalidRange',
    )
    await refused('/bkt/read', { headers: { range: 'bytes=-0' } }, 416, 'InvalidRange')
    await put('/bkt/zero', '')
    await refused('/bkt/zero', { headers: { range: 'bytes=0-' } }, 416, 'InvalidRange')
    assert.equal((await kit.send('/bkt/zero')).headers['content-length'], '0')
  })

  it('sends no checksum with a part of the bytes', async () => {
    const headers = { range: 'bytes=0-1', 'x-amz-checksum-mode': 'ENABLED' }
    const got = await kit.send('/bkt/read', { headers })
    assert.equal(
      Object.keys(got.headers).some((name) => name.startsWith('x-amz-checksum')),
      false,
    )
  })

  it('reads on conditions', async () => {
    const { headers } = await kit.send('/bkt/read', { method: 'HEAD' })
    const etag = headers['etag'] ?? ''
    const past = 'Thu, 01 Jan 2015 00:00:00 GMT'
    const expected: readonly (readonly [Record<string, string>, number])[] = [
      [{ 'if-match': etag }, 200],
      [{ 'if-match': '*' }, 200],
      [{ 'if-match': '"x"' }, 412],
      [{ 'if-none-match': etag }, 304],
      [{ 'if-none-match': `"x", W/${etag}` }, 304],
      [{ 'if-none-match': '"x"' }, 200],
      [{ 'if-unmodified-since': past }, 412],
      [{ 'if-match': etag, 'if-unmodified-since': past }, 200],
      [{ 'if-modified-since': past }, 200],
      [{ 'if-none-match': '"x"', 'if-modified-since': headers['last-modified'] ?? '' }, 200],
      [{ 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }, 200],
      [{ 'if-modified-since': 'nonsense' }, 200],
    ]
    for (const [conditions, status] of expected) {
      for (const method of ['GET', 'HEAD']) {
        const got = await kit.send('/bkt/read', { method, headers: conditions })
        assert.equal(got.status, status, `${method} ${JSON.stringify(conditions)}`)
        if (status !== 304) continue
        assert.equal(got.text, '')
        assert.equal(got.headers['etag'], etag)
        assert.ok(got.headers['last-modified'])
      }
    }
  })

  it('sends the whole object when the range is of another one', async () => {
    const stale = { range: 'bytes=0-1', 'if-range': '"other"' }
    const got = await kit.send('/bkt/read', { headers: stale })
    assert.equal(got.status, 200)
    assert.equal(got.text, '0123456789')
    const etag = got.headers['etag'] ?? ''
    assert.equal(
      (await kit.send('/bkt/read', { headers: { range: 'bytes=0-1', 'if-range': etag } })).text,
      '01',
    )
  })

  it('overrides headers for who has signed, and lets no line break through', async () => {
    const target = '/bkt/read?response-content-type=text%2Fx&response-content-disposition=%C3%A4'
    const got = await kit.send(target)
    assert.equal(got.headers['content-type'], 'text/x')
    assert.equal(got.headers['content-disposition'], 'Ã¤')
    await refused(target, { anonymous: true }, 400, 'InvalidRequest')
    await refused('/bkt/read?response-expires=x%0D%0ASet-Cookie:a', {}, 400, 'InvalidArgument')
  })

  it('counts tags only for who may read them', async () => {
    await put('/bkt/tags', 'x', { 'x-amz-tagging': 'a=1&b=2' })
    assert.equal((await kit.send('/bkt/tags')).headers['x-amz-tagging-count'], '2')
    kit.access.allows = ({ action }) => action !== 's3:GetObjectTagging'
    assert.equal((await kit.send('/bkt/tags')).headers['x-amz-tagging-count'], undefined)
  })

  it('refuses bad part numbers and versions', async () => {
    await refused('/bkt/read?partNumber=0', {}, 400, 'InvalidArgument')
    await refused('/bkt/read?partNumber=x', {}, 400, 'InvalidArgument')
    await refused(
      '/bkt/read?partNumber=1',
      { headers: { range: 'bytes=0-1' } },
      400,
      'InvalidRequest',
    )
    await refused('/bkt/read?partNumber=2', {}, 416, 'InvalidPartNumber')
    await refused('/bkt/read?partNumber=2', { method: 'HEAD' }, 416, 'InvalidPartNumber')
    await refused('/bkt/read?versionId=', {}, 400, 'InvalidArgument')
    const whole = await kit.send('/bkt/read?partNumber=1')
    assert.equal(whole.status, 206)
    assert.equal(whole.text, '0123456789')
  })

  it('describes attributes as asked', async () => {
    const got = await kit.send('/bkt/read?attributes', {
      headers: { 'x-amz-object-attributes': 'ETag,ObjectSize, Checksum,StorageClass' },
    })
    assert.equal(textOf(got.text, 'ObjectSize'), '10')
    assert.equal(textOf(got.text, 'StorageClass'), 'STANDARD')
    assert.equal(textOf(got.text, 'ETag'), '781e5e245d69b566979b86e28d23f2c7')
    assert.ok(textOf(got.text, 'ChecksumCRC64NVME'))
    for (const names of ['', 'Nothing', 'ETag,Nothing']) {
      await refused(
        '/bkt/read?attributes',
        { headers: { 'x-amz-object-attributes': names } },
        400,
        'InvalidArgument',
      )
    }
    await refused('/bkt/read?attributes', {}, 400, 'InvalidArgument')
  })
})

describe('versions and deletion (S3 surface, section 21)', () => {
  it('deletes what is not there with success', async () => {
    assert.equal((await kit.send('/bkt/none', { method: 'DELETE' })).status, 204)
  })

  it('puts a delete marker on top, and brings the version below it back', async () => {
    const stored = await put('/ver/k', 'one')
    const versionId = stored.headers['x-amz-version-id'] ?? ''
    assert.notEqual(versionId, '')
    const deleted = await kit.send('/ver/k', { method: 'DELETE' })
    const marker = deleted.headers['x-amz-version-id'] ?? ''
    assert.equal(deleted.headers['x-amz-delete-marker'], 'true')
    const latest = await refused('/ver/k', {}, 404, 'NoSuchKey')
    assert.equal(latest.headers['x-amz-delete-marker'], 'true')
    const byId = await refused(`/ver/k?versionId=${marker}`, {}, 405, 'MethodNotAllowed')
    assert.equal(byId.headers['x-amz-delete-marker'], 'true')
    assert.equal(byId.headers['allow'], 'DELETE')
    const copy = (source: string): Sent => ({
      method: 'PUT',
      headers: { 'x-amz-copy-source': source },
    })
    await refused('/bkt/copied', copy('ver/k'), 404, 'NoSuchKey')
    await refused('/bkt/copied', copy(`ver/k?versionId=${marker}`), 400, 'InvalidRequest')
    assert.equal((await kit.send(`/ver/k?versionId=${versionId}`)).text, 'one')
    await kit.send(`/ver/k?versionId=${marker}`, { method: 'DELETE' })
    assert.equal((await kit.send('/ver/k')).text, 'one')
    await refused('/ver/k?versionId=nonsense', {}, 404, 'NoSuchVersion')
  })

  it('deletes on conditions', async () => {
    await put('/bkt/del', 'x')
    const wrong = { method: 'DELETE', headers: { 'if-match': '"0"' } }
    await refused('/bkt/del', wrong, 412, 'PreconditionFailed')
    const size = { method: 'DELETE', headers: { 'x-amz-if-match-size': '2' } }
    await refused('/bkt/del', size, 412, 'PreconditionFailed')
    await refused(
      '/bkt/del',
      { method: 'DELETE', headers: { 'x-amz-if-match-size': '-1' } },
      400,
      'InvalidArgument',
    )
    await refused(
      '/bkt/del',
      { method: 'DELETE', headers: { 'if-none-match': '*' } },
      501,
      'NotImplemented',
    )
    assert.equal((await kit.send('/bkt/del')).text, 'x')
  })
})

describe('DeleteObjects', () => {
  const send = (body: string, headers: Record<string, string> = { 'content-md5': md5(body) }) => ({
    method: 'POST',
    body,
    headers,
  })

  it('deletes many, and is silent when asked', async () => {
    await put('/bkt/d1', 'x')
    const keys = '<Object><Key>d1</Key></Object><Object><Key>d2&amp;</Key></Object>'
    const loud = await kit.send('/bkt?delete', send(`<Delete>${keys}</Delete>`))
    assert.deepEqual(textsOf(loud.text, 'Key'), ['d1', 'd2&amp;'])
    const quiet = await kit.send('/bkt?delete', send(`<Delete><Quiet>true</Quiet>${keys}</Delete>`))
    assert.deepEqual(textsOf(quiet.text, 'Key'), [])
    await refused('/bkt/d1', {}, 404, 'NoSuchKey')
  })

  it('deletes many at a time, and lists them in the order of the request', async () => {
    let running = 0
    let most = 0
    const origin: Origin = {
      async handle(operation, request) {
        most = Math.max(most, (running += operation === 'DeleteObject' ? 1 : 0))
        try {
          return await kit.origin.handle(operation, request)
        } finally {
          running -= operation === 'DeleteObject' ? 1 : 0
        }
      },
      close: () => Promise.resolve(),
    }
    const counting = await openKit({ origin })
    const keys = Array.from({ length: 600 }, (_, i) => `many/${i}`)
    const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`
    const { text } = await counting.send('/bkt?delete', send(body))
    await counting.close()
    assert.deepEqual(textsOf(text, 'Key'), keys)
    // One after the other, each would wait for a sync of its own.
    assert.ok(most >= 100, `${most} at a time`)
  })

  it('takes a CRC for its integrity, and demands some', async () => {
    const body = '<Delete><Object><Key>x</Key></Object></Delete>'
    const crc = { 'x-amz-checksum-crc32': digest('CRC32', body) }
    assert.equal((await kit.send('/bkt?delete', send(body, crc))).status, 200)
    await refused('/bkt?delete', send(body, {}), 400, 'InvalidRequest')
    await refused('/bkt?delete', send(body, { 'content-md5': md5('other') }), 400, 'BadDigest')
  })

  it('refuses no key, too many keys, and other documents', async () => {
    const many = `<Delete>${'<Object><Key>x</Key></Object>'.repeat(1001)}</Delete>`
    for (const body of [
      '<Delete/>',
      many,
      '<Deleted><Object><Key>x</Key></Object></Deleted>',
      '<Delete><Object/></Delete>',
      'x',
      '',
    ]) {
      await refused('/bkt?delete', send(body), 400, 'MalformedXML')
    }
    const huge = `<Delete>${' '.repeat(2 * 1024 * 1024)}</Delete>`
    await refused('/bkt?delete', send(huge), 400, 'MaxMessageLengthExceeded')
  })

  it('refuses an impossible key by itself', async () => {
    const body = `<Delete><Object><Key>a&#x9;b</Key></Object><Object><Key>ok</Key></Object></Delete>`
    const received = await kit.send('/bkt?delete', send(body))
    assert.equal(received.status, 200)
    assert.deepEqual(textsOf(received.text, 'Code'), ['InvalidArgument'])
    assert.match(received.text, /<Deleted><Key>ok<\/Key>/)
  })
})

describe('a disk that fails', () => {
  it('is told to the client as a passing state, and to our log as what it is', async () => {
    const cause = new Error('EIO')
    const origin: Origin = {
      handle(operation, request) {
        if (operation !== 'DeleteObject') return kit.origin.handle(operation, request)
        throw new OriginError('unavailable', 'Try again.', { cause })
      },
      close: () => Promise.resolve(),
    }
    const failing = await openKit({ origin })
    const gone = await failing.send('/bkt/k', { method: 'DELETE' })
    assert.equal(gone.status, 503)
    assert.equal(gone.headers['retry-after'], '1')
    assert.doesNotMatch(gone.text, /EIO/)
    const body = '<Delete><Object><Key>k</Key></Object></Delete>'
    const headers = { 'content-md5': md5(body) }
    const many = await failing.send('/bkt?delete', { method: 'POST', body, headers })
    assert.deepEqual(textsOf(many.text, 'Code'), ['ServiceUnavailable'])
    const causes = failing.faults.map((fault) => fault instanceof Error && fault.cause)
    assert.deepEqual(causes, [cause, cause])
    await failing.close()
  })
})

describe('tags and access lists', () => {
  const tagging = (...pairs: readonly (readonly [string, string])[]) =>
    `<Tagging><TagSet>${pairs.map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`).join('')}</TagSet></Tagging>`

  it('replaces, reads and removes tags', async () => {
    await put('/bkt/tagged', 'x', { 'x-amz-tagging': 'old=1' })
    assert.equal((await put('/bkt/tagged?tagging', tagging(['new', 'ü 1']))).status, 200)
    assert.match(
      (await kit.send('/bkt/tagged?tagging')).text,
      /<Tag><Key>new<\/Key><Value>ü 1<\/Value><\/Tag>/,
    )
    assert.equal((await kit.send('/bkt/tagged?tagging', { method: 'DELETE' })).status, 204)
    assert.deepEqual(textsOf((await kit.send('/bkt/tagged?tagging')).text, 'Key'), [])
  })

  it('refuses bad tags', async () => {
    const target = '/bkt/tagged?tagging'
    const bad = [tagging(['a', '1'], ['a', '2']), tagging(['aws:a', '1']), tagging(['', '1'])]
    const codes = await Promise.all(bad.map(async (body) => (await put(target, body)).code))
    assert.deepEqual(codes, ['InvalidTag', 'InvalidTag', 'InvalidTag'])
    assert.equal((await put(target, '<Tagging/>')).code, 'MalformedXML')
    assert.equal((await put(target, '')).code, 'MalformedXML')
    await refused('/bkt/none?tagging', {}, 404, 'NoSuchKey')
  })

  it('answers and takes the one access list that there is', async () => {
    const acl = await kit.send('/bkt?acl')
    assert.equal(textOf(acl.text, 'Permission'), 'FULL_CONTROL')
    const back = acl.text.replace(/ xmlns:xsi="[^"]*" xsi:type="[^"]*"/, '')
    assert.equal((await put('/bkt?acl', back)).status, 200)
    assert.equal((await put('/bkt/read?acl', back)).status, 200)
    const foreign = back.replace(/<ID>[^<]*<\/ID>/g, '<ID>somebody</ID>')
    assert.equal((await put('/bkt?acl', foreign)).code, 'AccessControlListNotSupported')
    await refused(
      '/bkt/read?acl',
      { method: 'PUT', headers: { 'x-amz-acl': 'public-read' } },
      400,
      'AccessControlListNotSupported',
    )
  })
})
