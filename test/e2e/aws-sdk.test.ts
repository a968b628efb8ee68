import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { ListObjectsCommandOutput } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { openWorld } from './clients/world.ts'
import type { World } from './clients/world.ts'
import { refusalOf, region, s3Client } from './keys.ts'
import type { SessionKeys } from './keys.ts'
import { until } from './until.ts'

const Bucket = 'sdk'
const partBytes = 5 * 1024 * 1024
let world: World
let client: S3Client
let keys: SessionKeys

before(async () => {
  world = await openWorld()
  keys = (await world.placeFor(Bucket)).keys
  client = s3Client(world.server.endpoint, keys)
})

after(async () => {
  client.destroy()
  await world.close()
})

async function put(Key: string, Body: string | Buffer = 'x', more = {}): Promise<string> {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
  return ETag ?? ''
}

async function textOf(Key: string, more = {}): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }))
  return (await Body?.transformToString()) ?? ''
}

const gone = (Key: string) => refusalOf(textOf(Key)).then(({ code }) => code)

describe('uploads of the AWS SDK', () => {
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    it(`carry ${algorithm} in a header or a trailer, and hear of damage`, async () => {
      const ChecksumAlgorithm = algorithm
      const member = `Checksum${algorithm}` as const
      const body = randomBytes(100_000)
      const whole = await client.send(
        new PutObjectCommand({ Bucket, Key: `sum/${algorithm}`, Body: body, ChecksumAlgorithm }),
      )
      assert.ok(whole[member], 'no checksum in the answer')
      const streamed = await client.send(
        new PutObjectCommand({
          Bucket,
          Key: `sum/${algorithm}`,
          ChecksumAlgorithm,
          ContentLength: body.length,
          Body: Readable.from([body.subarray(0, 4e4), body.subarray(4e4)]),
        }),
      )
      assert.equal(streamed[member], whole[member])
      const get = new GetObjectCommand({
        Bucket,
        Key: `sum/${algorithm}`,
        ChecksumMode: 'ENABLED',
      })
      const got = await client.send(get)
      assert.equal(got[member], whole[member])
      assert.ok(body.equals(Buffer.from((await got.Body?.transformToByteArray()) ?? [])))
      const other = { [member]: wrongDigest(whole[member] ?? '') }
      const damaged = put('sum/damaged', body, { ...other, ChecksumAlgorithm })
      assert.deepEqual(codeAndStatus(await refusalOf(damaged)), ['BadDigest', 400])
      assert.equal(await gone('sum/damaged'), 'NoSuchKey')
    })
  }

  it('go in parts when the length is unknown, and leave nothing when they are aborted', async () => {
    const body = randomBytes(2 * partBytes + 12_345)
    const Body = Readable.from(slices(body, 65_536))
    const done = await new Upload({
      client,
      params: {
        Bucket,
        Key: 'stream',
        Body,
      },
      partSize: partBytes,
    }).done()
    assert.match(done.ETag ?? '', /-3"$/)
    assert.ok(body.equals(await bytesOf('stream')))

    const endless = new Upload({
      client,
      params: {
        Bucket,
        Key: 'aborted',
        Body: Readable.from(forever()),
      },
      partSize: partBytes,
      queueSize: 1,
    })
    endless.on('httpUploadProgress', () => void endless.abort())
    await assert.rejects(endless.done(), { name: 'AbortError' })
    assert.equal(await gone('aborted'), 'NoSuchKey')
    // The library says that it has given up before it tells the server so.
    await until('the upload is aborted', async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
      return Uploads.length === 0
    })
  })

  it('in parts are refused when a part is too small, wrong, missing or in disorder', async () => {
    const target = { Bucket, Key: 'parts' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    const upload = { ...target, UploadId }
    const part = async (PartNumber: number, Body: Buffer) => {
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }))
      return { PartNumber, ETag }
    }
    const complete = (Parts: readonly { PartNumber: number; ETag: string | undefined }[]) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...Parts] } }),
      )
    const [small, big] = [
      await part(1, Buffer.from('small')),
      await part(2, randomBytes(partBytes)),
    ]
    const refused = async (...parts: Parameters<typeof complete>[0]) =>
      (await refusalOf(complete(parts))).code
    assert.equal(await refused(small, big), 'EntityTooSmall')
    assert.equal(await refused(big, small), 'InvalidPartOrder')
    assert.equal(await refused({ ...big, ETag: '"0"' }), 'InvalidPart')
    assert.equal(await refused({ PartNumber: 9, ETag: small.ETag }), 'InvalidPart')
    assert.equal(await gone('parts'), 'NoSuchKey')
    const { Parts = [] } = await client.send(new ListPartsCommand(upload))
    assert.deepEqual(
      Parts.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [
        [1, 5],
        [2, partBytes],
      ],
    )
    await client.send(new AbortMultipartUploadCommand(upload))
    assert.equal(await refused(big), 'NoSuchUpload')
  })

  it('in parts can copy parts from other objects', async () => {
    const body = randomBytes(partBytes + 1000)
    await put('source', body)
    const target = { Bucket, Key: 'composed' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    const CopySource = `${Bucket}/source`
    const ranges = [`bytes=0-${partBytes - 1}`, `bytes=${partBytes}-${body.length - 1}`]
    const Parts = []
    for (const [i, CopySourceRange] of ranges.entries()) {
      const which = { ...target, UploadId, PartNumber: i + 1, CopySource, CopySourceRange }
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(which))
      Parts.push({ PartNumber: i + 1, ETag: CopyPartResult?.ETag })
    }
    await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    )
    assert.ok(body.equals(await bytesOf('composed')))
  })

  it('happen once only when they say so', async () => {
    const IfNoneMatch = '*'
    const racing = Array.from({ length: 8 }, (_, i) => put('once', `writer ${i}`, { IfNoneMatch }))
    const settled = await Promise.allSettled(racing)
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
    const late = await refusalOf(put('once', 'late', { IfNoneMatch }))
    assert.deepEqual(codeAndStatus(late), ['PreconditionFailed', 412])
    const ETag = await put('once', 'known')
    await put('once', 'replaced', { IfMatch: ETag })
    const stale = await refusalOf(put('once', 'stale', { IfMatch: ETag }))
    assert.deepEqual(codeAndStatus(stale), ['PreconditionFailed', 412])
    assert.equal(await textOf('once'), 'replaced')
  })
})

describe('reads of the AWS SDK', () => {
  it('take ranges, and conditions', async () => {
    const ETag = await put('range', '0123456789')
    assert.equal(await textOf('range', { Range: 'bytes=2-4' }), '234')
    assert.equal(await textOf('range', { Range: 'bytes=-3' }), '789')
    assert.deepEqual(codeAndStatus(await refusalOf(textOf('range', { Range: 'bytes=99-' }))), [
      'InvalidRange',
      416,
    ])
    const unchanged = await refusalOf(textOf('range', { IfNoneMatch: ETag }))
    assert.equal(unchanged.status, 304)
    const changed = await refusalOf(textOf('range', { IfMatch: '"other"' }))
    assert.deepEqual(codeAndStatus(changed), ['PreconditionFailed', 412])
  })

  it('bring back metadata, headers and tags', async () => {
    const given = {
      ContentType: 'text/plain; charset=utf-8',
      ContentEncoding: 'identity',
      ContentDisposition: 'attachment; filename="a b"',
      CacheControl: 'no-cache',
      Metadata: { purpose: 'a test', 'upper-case': 'Stays' },
    }
    await put('described', 'x', { ...given, Tagging: 'colour=blue&size=1%2B2' })
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'described' }))
    for (const [name, value] of Object.entries(given)) {
      assert.deepEqual(head[name as keyof typeof given], value)
    }
    const tags = () => client.send(new GetObjectTaggingCommand({ Bucket, Key: 'described' }))
    assert.deepEqual((await tags()).TagSet, [
      { Key: 'colour', Value: 'blue' },
      { Key: 'size', Value: '1+2' },
    ])
    const TagSet = [{ Key: 'only', Value: 'this' }]
    const Tagging = { TagSet }
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'described', Tagging }))
    assert.deepEqual((await tags()).TagSet, TagSet)
  })

  it('know the attributes of an object in parts', async () => {
    const ObjectAttributes = ['ETag', 'ObjectSize', 'ObjectParts', 'Checksum'] as const
    const Body = Readable.from(slices(randomBytes(partBytes + 1), 65_536))
    await new Upload({
      client,
      params: {
        Bucket,
        Key: 'attributes',
        Body,
      },
      partSize: partBytes,
    }).done()
    const found = await client.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'attributes',
        ObjectAttributes: [...ObjectAttributes],
      }),
    )
    assert.equal(found.ObjectSize, partBytes + 1)
    assert.equal(found.ObjectParts?.TotalPartsCount, 2)
    assert.ok(found.Checksum?.ChecksumType)
  })

  it('page through listings of both versions, with folders', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `page/${i % 2 === 0 ? `dir${i}/k` : `k${i}`}`)
    for (const name of names) await put(name)
    const seen: string[] = []
    const wanted = { Bucket, Prefix: 'page/', Delimiter: '/' }
    for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { ...wanted })) {
      assert.ok((page.KeyCount ?? 0) <= 2)
      seen.push(...entriesOf(page))
    }
    const expected = names.map((name) => name.replace(/\/k$/, '/'))
    assert.deepEqual(seen.toSorted(), expected.toSorted())
    const first = await client.send(new ListObjectsCommand({ ...wanted, MaxKeys: 3 }))
    assert.equal(first.IsTruncated, true)
    const rest = await client.send(new ListObjectsCommand({ ...wanted, Marker: first.NextMarker }))
    assert.equal(rest.IsTruncated, false)
    const both = [first, rest].flatMap(entriesOf)
    assert.deepEqual(both.toSorted(), expected.toSorted())
  })

  it('see of all buckets those that the policy lets them see', async () => {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}))
    assert.deepEqual(
      Buckets.map(({ Name }) => Name),
      [Bucket],
    )
    await client.send(new HeadBucketCommand({ Bucket }))
    assert.equal(
      (await refusalOf(client.send(new HeadBucketCommand({ Bucket: 'closed' })))).status,
      403,
    )
    const location = await client.send(new GetBucketLocationCommand({ Bucket }))
    assert.equal(location.LocationConstraint ?? '', '')
  })
})

describe('changes by the AWS SDK', () => {
  it('copy with new metadata, and refuse a copy onto itself that changes nothing', async () => {
    await put('original', 'text', { Metadata: { is: 'old' } })
    const CopySource = `${Bucket}/original`
    const onto = (Key: string, more = {}) =>
      client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...more }))
    await onto('copied', { MetadataDirective: 'REPLACE', Metadata: { is: 'new' } })
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'copied' }))
    assert.deepEqual(head.Metadata, { is: 'new' })
    assert.equal((await refusalOf(onto('original'))).code, 'InvalidRequest')
    const foreign = onto('stolen', { CopySource: 'closed/secret' })
    assert.deepEqual(codeAndStatus(await refusalOf(foreign)), ['AccessDenied', 403])
    const hidden = onto('stolen', { CopySource: 'closed%2Fsecret' })
    assert.deepEqual(codeAndStatus(await refusalOf(hidden)), ['AccessDenied', 403])
    assert.equal(await gone('stolen'), 'NoSuchKey')
  })

  it('delete many at once, and keep what they may not delete', async () => {
    const Keys = ['many/1', 'many/2', 'many/ä &<>']
    for (const key of Keys) await put(key)
    const Objects = [...Keys, 'many/never was'].map((Key) => ({ Key }))
    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    assert.equal(answer.Deleted?.length, 4)
    const left = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'many/' }))
    assert.equal(left.KeyCount, 0)
    const closed = { Bucket: 'closed', Delete: { Objects: [{ Key: 'secret' }] } }
    const refused = await client.send(new DeleteObjectsCommand(closed))
    assert.deepEqual(
      refused.Errors?.map(({ Key, Code }) => [Key, Code]),
      [['secret', 'AccessDenied']],
    )
  })

  it('keep old versions once versioning is on', async () => {
    const { bucket } = await world.placeFor(`${Bucket}-versions`)
    const where = { Bucket: bucket, Key: 'k' }
    await client.send(new PutObjectCommand({ ...where, Body: 'before' }))
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }))
    const { VersionId } = await client.send(new PutObjectCommand({ ...where, Body: 'one' }))
    await client.send(new PutObjectCommand({ ...where, Body: 'two' }))
    const away = await client.send(new DeleteObjectCommand(where))
    assert.equal(away.DeleteMarker, true)
    assert.equal((await refusalOf(client.send(new GetObjectCommand(where)))).code, 'NoSuchKey')
    const old = await client.send(new GetObjectCommand({ ...where, VersionId }))
    assert.equal(await old.Body?.transformToString(), 'one')
    const all = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }))
    assert.equal(all.Versions?.length, 3)
    assert.equal(all.DeleteMarkers?.length, 1)
    assert.equal(all.Versions?.at(-1)?.VersionId, 'null')
    await client.send(new DeleteObjectCommand({ ...where, VersionId: away.VersionId }))
    const back = await client.send(new GetObjectCommand(where))
    assert.equal(await back.Body?.transformToString(), 'two')
  })

  it('open objects to everybody by a bucket policy, and no more than it says', async () => {
    await put('public/a', 'for all')
    await put('private', 'for me')
    const statement = {
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/public/*`,
    }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    const at = (path: string, init?: RequestInit) =>
      fetch(`${world.server.endpoint}/${Bucket}${path}`, init)
    assert.equal(await (await at('/public/a')).text(), 'for all')
    for (const answer of [
      at('/private'),
      at('/public/../private'),
      at('?list-type=2'),
      at('/public/b', { method: 'PUT', body: 'x' }),
      at('/public/a', { method: 'DELETE' }),
    ]) {
      assert.equal((await answer).status, 403)
    }
    assert.equal(await textOf('public/a'), 'for all')
  })
})

describe('presigned requests of the AWS SDK', () => {
  it('read, write and remove without keys, and only what was signed', async () => {
    const sign = (command: GetObjectCommand | PutObjectCommand | DeleteObjectCommand) =>
      getSignedUrl(client, command, { expiresIn: 60 })
    const where = { Bucket, Key: 'signed/ä+ b' }
    const link = await sign(new PutObjectCommand({ ...where, ContentType: 'text/plain' }))
    const sent = await fetch(link, {
      method: 'PUT',
      body: 'by link',
      headers: { 'content-type': 'text/plain' },
    })
    assert.equal(sent.status, 200, await sent.text())
    const get = await sign(new GetObjectCommand({ ...where, ResponseContentType: 'text/x-test' }))
    const got = await fetch(get)
    assert.equal(got.headers.get('content-type'), 'text/x-test')
    assert.equal(await got.text(), 'by link')
    const tampered = await fetch(get.replace('text%2Fx-test', 'text%2Fhtml'))
    assert.equal(tampered.status, 403)
    const remove = await sign(new DeleteObjectCommand(where))
    assert.equal((await fetch(remove, { method: 'GET' })).status, 403)
    assert.equal((await fetch(remove, { method: 'DELETE' })).status, 204)
    assert.equal((await fetch(get)).status, 404)
  })

  it('are judged by what the signer may do, and refused without the session token', async () => {
    const secret = new GetObjectCommand({ Bucket: 'closed', Key: 'secret' })
    const denied = await fetch(await getSignedUrl(client, secret))
    assert.equal(denied.status, 403)
    assert.match(await denied.text(), /<Code>AccessDenied</)
    await put('signed/k')
    const url = new URL(
      await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'signed/k' })),
    )
    url.searchParams.delete('X-Amz-Security-Token')
    const bare = await fetch(url)
    assert.equal(bare.status, 403)
    assert.match(await bare.text(), /<Code>InvalidAccessKeyId</)
  })
})

describe('addresses of the AWS SDK', () => {
  it('may be virtual hosts: the bucket in the host name', async () => {
    const { port } = new URL(world.server.endpoint)
    const hosts: string[] = []
    const agent = new Agent({
      lookup(host, options, done) {
        hosts.push(host)
        const found = { address: '127.0.0.1', family: 4 }
        if (options.all) done(null, [found])
        else done(null, found.address, found.family)
      },
    })
    const hosted = new S3Client({
      endpoint: `http://s3.localhost:${port}`,
      region,
      credentials: keys,
      requestHandler: { httpAgent: agent },
    })
    const where = { Bucket, Key: 'virtual//host/ä' }
    await hosted.send(new PutObjectCommand({ ...where, Body: 'hosted' }))
    assert.deepEqual(new Set(hosts), new Set([`${Bucket}.s3.localhost`]))
    assert.equal(await textOf(where.Key), 'hosted')
    const got = await hosted.send(new GetObjectCommand(where))
    assert.equal(await got.Body?.transformToString(), 'hosted')
    const list = await hosted.send(new ListObjectsV2Command({ Bucket, Prefix: 'virtual/' }))
    assert.equal(list.KeyCount, 1)
    const { Buckets = [] } = await hosted.send(new ListBucketsCommand({}))
    assert.ok(Buckets.some(({ Name }) => Name === Bucket))
    const closed = new GetObjectCommand({ Bucket: 'closed', Key: 'secret' })
    assert.equal((await refusalOf(hosted.send(closed))).code, 'AccessDenied')
    hosted.destroy()
    agent.destroy()
  })
})

describe('sizes of keys', () => {
  it('of 1024 bytes are the longest; longer ones, and control characters, are refused', async () => {
    const longest = ['k'.repeat(1024), '😀'.repeat(256), 'ä'.repeat(512)]
    for (const key of longest) {
      await put(key, `of ${key}`)
      assert.equal(await textOf(key), `of ${key}`)
    }
    const tooLong = await refusalOf(put(`${'k'.repeat(1024)}ä`))
    assert.deepEqual(codeAndStatus(tooLong), ['KeyTooLongError', 400])
    for (const key of ['tab\there', 'line\nbreak', 'nul\0', 'del\u007f', 'esc\u001b[31m']) {
      assert.deepEqual(codeAndStatus(await refusalOf(put(key))), ['InvalidArgument', 400])
    }
  })
})

const codeAndStatus = ({ code, status }: { code: string; status: number | undefined }) => [
  code,
  status,
]

/** Keys and folders of one page. */
function entriesOf({ Contents = [], CommonPrefixes = [] }: ListObjectsCommandOutput): string[] {
  return [...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix)].map(
    String,
  )
}

async function bytesOf(Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

/** As long as the right one, and wrong. */
function wrongDigest(right: string): string {
  const bytes = Buffer.from(right, 'base64')
  return Buffer.from(bytes.map((byte) => byte ^ 1)).toString('base64')
}

function* slices(body: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

async function* forever(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(65_536)
}
