import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'

import { createChecksum } from '../checksums/index.ts'
import { openKit, textOf, textsOf } from './testing/kit.ts'
import type { Kit, Received, Sent } from './testing/kit.ts'

let kit: Kit
before(async () => {
  kit = await openKit()
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/bkt/source', { method: 'PUT', body: '0123456789' })
})
after(async () => {
  assert.deepEqual(kit.faults, [], 'faults of ours')
  await kit.close()
})

const mebibyte = 1024 * 1024
const first = Buffer.alloc(5 * mebibyte, 'a')
const last = Buffer.from('the end')

const create = async (headers: Record<string, string> = {}): Promise<string> => {
  const created = await kit.send('/bkt/big?uploads', { method: 'POST', headers })
  assert.equal(created.status, 200, created.text)
  return textOf(created.text, 'UploadId') ?? ''
}
const upload = (
  id: string,
  number: number | string,
  body: Uint8Array | string,
  headers: Sent['headers'] = {},
) => kit.send(`/bkt/big?partNumber=${number}&uploadId=${id}`, { method: 'PUT', body, headers })

type Part = Readonly<{ number: number | string; etag?: string; extra?: string }>

function complete(
  id: string,
  parts: readonly Part[],
  headers: Record<string, string> = {},
): Promise<Received> {
  const rows = parts.map(
    ({ number, etag, extra = '' }) =>
      `<Part><PartNumber>${number}</PartNumber>${etag === undefined ? '' : `<ETag>${etag}</ETag>`}${extra}</Part>`,
  )
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows.join('')}</CompleteMultipartUpload>`
  return kit.send(`/bkt/big?uploadId=${id}`, { method: 'POST', body, headers })
}

async function uploadBoth(id: string): Promise<readonly Part[]> {
  const one = await upload(id, 1, first)
  const two = await upload(id, 7, last)
  return [
    { number: 1, etag: one.headers['etag'] ?? '' },
    { number: 7, etag: two.headers['etag'] ?? '' },
  ]
}

describe('multipart uploads (S3 surface, section 19)', () => {
  it('become one object with the metadata of their beginning, read by part too', async () => {
    const id = await create({
      'x-amz-meta-n': 'v',
      'content-type': 'text/plain',
      'x-amz-tagging': 'a=1',
    })
    const parts = await uploadBoth(id)
    assert.equal((await kit.send('/bkt/big')).code, 'NoSuchKey')
    const done = await complete(id, parts)
    assert.equal(done.status, 200, done.text)
    const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()
    const etag = `${createHash('md5').update(md5(first)).update(md5(last)).digest('hex')}-2`
    assert.equal(textOf(done.text, 'ETag'), `&quot;${etag}&quot;`)
    assert.equal(textOf(done.text, 'Location'), 'http://localhost:9000/bkt/big')
    const got = await kit.send('/bkt/big')
    assert.equal(got.headers['etag'], `"${etag}"`)
    assert.equal(got.headers['x-amz-meta-n'], 'v')
    assert.ok(got.bytes.equals(Buffer.concat([first, last])))
    const part = await kit.send('/bkt/big?partNumber=7')
    assert.equal(part.status, 206)
    assert.equal(part.text, 'the end')
    assert.equal(part.headers['x-amz-mp-parts-count'], '2')
    assert.equal(
      part.headers['content-range'],
      `bytes ${first.length}-${first.length + 6}/${first.length + 7}`,
    )
    const head = await kit.send('/bkt/big?partNumber=7', { method: 'HEAD' })
    assert.equal(head.headers['content-range'], part.headers['content-range'])
    assert.equal((await kit.send('/bkt/big?partNumber=2')).code, 'InvalidPartNumber')
    assert.equal((await complete(id, parts)).text, done.text)
    const attributes = await kit.send('/bkt/big?attributes', {
      headers: { 'x-amz-object-attributes': 'ObjectParts', 'x-amz-max-parts': '1' },
    })
    assert.equal(textOf(attributes.text, 'PartsCount'), '2')
    assert.equal(textOf(attributes.text, 'IsTruncated'), 'true')
  })

  it('refuse lists that are empty, unordered, untrue or too small in the middle', async () => {
    const id = await create()
    const [one, two] = await uploadBoth(id)
    assert.ok(one && two)
    const codes = async (parts: readonly Part[]) => (await complete(id, parts)).code
    assert.equal(await codes([]), 'MalformedXML')
    assert.equal(await codes([{ number: 1 }]), 'MalformedXML')
    assert.equal(await codes([{ number: 'x', etag: '"a"' }]), 'MalformedXML')
    assert.equal(await codes([two, one]), 'InvalidPartOrder')
    assert.equal(await codes([one, one]), 'InvalidPartOrder')
    assert.equal(await codes([one, { ...two, etag: '"0"' }]), 'InvalidPart')
    assert.equal(await codes([{ ...one, number: 2 }]), 'InvalidPart')
    const small = await upload(id, 2, 'small')
    const tooSmall = await complete(id, [{ number: 2, etag: small.headers['etag'] ?? '' }, two])
    assert.equal(tooSmall.code, 'EntityTooSmall')
    assert.equal(textOf(tooSmall.text, 'PartNumber'), '2')
    assert.equal(
      (await complete(id, [one, two], { 'x-amz-mp-object-size': '5' })).code,
      'InvalidRequest',
    )
    assert.equal(
      (await kit.send(`/bkt/big?uploadId=${id}`, { method: 'POST' })).code,
      'MalformedXML',
    )
    assert.equal((await complete(id, [one, two])).status, 200)
  })

  it('refuse bad part numbers, unknown uploads, and uploads of another key', async () => {
    const id = await create()
    for (const bad of ['0', '10001', 'x', '', '1.5', '-1']) {
      assert.equal((await upload(id, bad, 'x')).code, 'InvalidArgument', bad)
    }
    const unknown = await upload('unknown', 1, 'x')
    assert.equal(unknown.code, 'NoSuchUpload')
    assert.equal(unknown.proceeded, false)
    assert.equal((await upload('', 1, 'x')).code, 'NoSuchUpload')
    assert.equal((await upload('%C3%A4', 1, 'x')).code, 'NoSuchUpload')
    const elsewhere = await kit.send(`/bkt/other?partNumber=1&uploadId=${id}`, {
      method: 'PUT',
      body: 'x',
    })
    assert.equal(elsewhere.code, 'NoSuchUpload')
  })

  it('are gone after an abort', async () => {
    const id = await create()
    await upload(id, 1, 'x')
    const abort = () => kit.send(`/bkt/big?uploadId=${id}`, { method: 'DELETE' })
    assert.equal((await abort()).status, 204)
    assert.equal((await abort()).code, 'NoSuchUpload')
    assert.equal((await upload(id, 2, 'x')).code, 'NoSuchUpload')
    assert.equal((await kit.send(`/bkt/big?uploadId=${id}`)).code, 'NoSuchUpload')
  })

  it('list their parts and themselves', async () => {
    const id = await create({ 'x-amz-checksum-algorithm': 'CRC32C' })
    for (const number of [1, 3, 5]) await upload(id, number, `part ${number}`)
    const listed = await kit.send(`/bkt/big?uploadId=${id}&max-parts=2`)
    assert.deepEqual(textsOf(listed.text, 'PartNumber'), ['1', '3'])
    assert.equal(textOf(listed.text, 'IsTruncated'), 'true')
    assert.equal(textOf(listed.text, 'NextPartNumberMarker'), '3')
    assert.equal(textOf(listed.text, 'ChecksumAlgorithm'), 'CRC32C')
    assert.ok(textOf(listed.text, 'ChecksumCRC32C'))
    const rest = await kit.send(`/bkt/big?uploadId=${id}&part-number-marker=3`)
    assert.deepEqual(textsOf(rest.text, 'PartNumber'), ['5'])
    assert.equal((await kit.send(`/bkt/big?uploadId=${id}&max-parts=x`)).code, 'InvalidArgument')
    const uploads = await kit.send('/bkt?uploads&prefix=big')
    assert.ok(textsOf(uploads.text, 'UploadId').includes(id))
    assert.equal(textOf((await kit.send('/bkt?uploads&prefix=x')).text, 'UploadId'), undefined)
  })

  it('check each part, and the whole, by the algorithm of their beginning', async () => {
    const crc = (bytes: Uint8Array) => {
      const checksum = createChecksum('CRC32')
      checksum.update(bytes)
      return checksum.digest()
    }
    const id = await create({
      'x-amz-checksum-algorithm': 'CRC32',
      'x-amz-checksum-type': 'FULL_OBJECT',
    })
    const sum = { 'x-amz-checksum-crc32': crc(last) }
    assert.equal((await upload(id, 1, 'other', sum)).code, 'BadDigest')
    assert.equal(
      (await upload(id, 1, last, { 'x-amz-checksum-sha1': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })).code,
      'InvalidRequest',
    )
    const part = await upload(id, 1, last, sum)
    assert.equal(part.headers['x-amz-checksum-crc32'], sum['x-amz-checksum-crc32'])
    const parts = [{ number: 1, etag: part.headers['etag'] ?? '' }]
    assert.equal(
      (await complete(id, parts, { 'x-amz-checksum-crc32': 'AAAAAA==' })).code,
      'BadDigest',
    )
    const done = await complete(id, parts, { ...sum, 'x-amz-checksum-type': 'FULL_OBJECT' })
    assert.equal(textOf(done.text, 'ChecksumCRC32'), crc(last))
    assert.equal(textOf(done.text, 'ChecksumType'), 'FULL_OBJECT')
    const head = await kit.send('/bkt/big', {
      method: 'HEAD',
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    })
    assert.equal(head.headers['x-amz-checksum-crc32'], crc(last))
  })

  it('refuse checksum choices that do not exist', async () => {
    const bad = [
      { 'x-amz-checksum-algorithm': 'MD5' },
      { 'x-amz-checksum-type': 'FULL_OBJECT' },
      { 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' },
      { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' },
      { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'OTHER' },
    ]
    for (const headers of bad) {
      const refused = await kit.send('/bkt/big?uploads', { method: 'POST', headers })
      assert.equal(refused.code, 'InvalidRequest', JSON.stringify(headers))
    }
  })

  it('copy parts, and refuse ranges that are not in the source', async () => {
    const id = await create()
    const copy = (headers: Record<string, string>) =>
      kit.send(`/bkt/big?partNumber=1&uploadId=${id}`, {
        method: 'PUT',
        headers: { 'x-amz-copy-source': '/bkt/source', ...headers },
      })
    for (const range of ['bytes=5-10', 'bytes=5-', 'bytes=-5', 'bytes=6-5', '0-5', '']) {
      const refused = await copy({ 'x-amz-copy-source-range': range })
      assert.equal(refused.code, 'InvalidArgument', range)
    }
    const copied = await copy({ 'x-amz-copy-source-range': 'bytes=2-4' })
    assert.equal(
      textOf(copied.text, 'ETag'),
      `&quot;${createHash('md5').update('234').digest('hex')}&quot;`,
    )
    assert.equal((await copy({ 'x-amz-copy-source-if-match': '"x"' })).code, 'PreconditionFailed')
  })

  it('complete on conditions', async () => {
    const id = await create()
    const part = await upload(id, 1, 'x')
    const parts = [{ number: 1, etag: part.headers['etag'] ?? '' }]
    await kit.send('/bkt/big', { method: 'PUT', body: 'there' })
    assert.equal((await complete(id, parts, { 'if-none-match': '*' })).code, 'PreconditionFailed')
    assert.equal((await kit.send('/bkt/big')).text, 'there')
  })
})

describe('copies (S3 surface, section 20)', () => {
  const copy = (target: string, source: string, headers: Sent['headers'] = {}) =>
    kit.send(target, { method: 'PUT', headers: { 'x-amz-copy-source': source, ...headers } })

  before(() =>
    kit.send('/bkt/from', {
      method: 'PUT',
      body: 'source',
      headers: { 'x-amz-meta-a': '1', 'x-amz-tagging': 't=1', 'content-type': 'text/x' },
    }),
  )

  it('take metadata and tags along, or replace them', async () => {
    const copied = await copy('/bkt/to', 'bkt/from')
    assert.ok(textOf(copied.text, 'LastModified'))
    const same = await kit.send('/bkt/to')
    assert.equal(same.text, 'source')
    assert.equal(same.headers['x-amz-meta-a'], '1')
    assert.equal(same.headers['content-type'], 'text/x')
    assert.equal(same.headers['x-amz-tagging-count'], '1')
    await copy('/bkt/to', '/bkt/from', {
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-tagging-directive': 'REPLACE',
      'x-amz-meta-b': '2',
    })
    const replaced = await kit.send('/bkt/to')
    assert.equal(replaced.headers['x-amz-meta-a'], undefined)
    assert.equal(replaced.headers['x-amz-meta-b'], '2')
    assert.equal(replaced.headers['x-amz-tagging-count'], undefined)
  })

  it('refuse an object onto itself with nothing changed, and allow a change', async () => {
    assert.equal((await copy('/bkt/from', '/bkt/from')).code, 'InvalidRequest')
    assert.equal((await copy('/bkt/from', 'bkt%2Ffrom')).code, 'InvalidRequest')
    const changed = await copy('/bkt/from', '/bkt/from', {
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-meta-mtime': '5',
    })
    assert.equal(changed.status, 200)
    assert.equal((await kit.send('/bkt/from')).headers['x-amz-meta-mtime'], '5')
  })

  it('refuse sources that are malformed, missing, or changed', async () => {
    const expected: readonly (readonly [string, string])[] = [
      ['', 'InvalidArgument'],
      ['bkt', 'InvalidArgument'],
      ['/bkt/', 'InvalidArgument'],
      ['bkt/%zz', 'InvalidArgument'],
      ['bkt/a%00', 'InvalidArgument'],
      ['B/k', 'InvalidBucketName'],
      ['bkt/from?versionId=', 'InvalidArgument'],
      ['bkt/from?versionId=nope', 'NoSuchVersion'],
      ['bkt/none', 'NoSuchKey'],
      ['nowhere/k', 'NoSuchBucket'],
      ['arn:aws:s3:us-east-1:1:accesspoint/x/object/k', 'NotImplemented'],
    ]
    for (const [source, code] of expected)
      assert.equal((await copy('/bkt/x', source)).code, code, source)
    const missing = await copy('/bkt/x', 'nowhere/k')
    assert.equal(textOf(missing.text, 'BucketName'), 'nowhere')
    assert.equal(textOf((await copy('/bkt/x', 'bkt/none')).text, 'Key'), 'none')
    for (const name of ['if-match', 'if-unmodified-since']) {
      const value = name === 'if-match' ? '"x"' : 'Thu, 01 Jan 2015 00:00:00 GMT'
      const refused = await copy('/bkt/x', 'bkt/from', { [`x-amz-copy-source-${name}`]: value })
      assert.equal(refused.status, 412)
    }
    const any = await copy('/bkt/x', 'bkt/from', { 'x-amz-copy-source-if-none-match': '*' })
    assert.equal(any.status, 412)
    assert.equal(
      (await copy('/bkt/x', 'bkt/from', { 'x-amz-metadata-directive': 'OTHER' })).code,
      'InvalidArgument',
    )
    assert.equal((await kit.send('/bkt/x')).code, 'NoSuchKey')
  })
})
