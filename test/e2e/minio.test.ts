import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs'
import { CopyDestinationOptions, CopySourceOptions } from 'minio'
import type { Client } from 'minio'
import { minioClient, namesOf } from './clients/minio.ts'
import { closedBucket, openWorld } from './clients/world.ts'
import type { World } from './clients/world.ts'
import { region } from './keys.ts'

const bucket = 'minio-features'
let world: World
let client: Client
let dir: string

before(async () => {
  world = await openWorld()
  const place = await world.placeFor(bucket)
  client = minioClient(place.endpoint, place.keys)
  dir = place.dir
})

after(() => world.close())

const read = async (key: string): Promise<string> => text(await client.getObject(bucket, key))

/** The code that the server gave. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => assert.fail('was allowed'),
    (thrown: unknown) => thrown,
  )
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

describe('uploads of the minio package', () => {
  it('stream, with metadata, and of unknown length', async () => {
    const body = randomBytes(300_000)
    const pieces = [body.subarray(0, 100_000), body.subarray(100_000)]
    await client.putObject(bucket, 'stream', Readable.from(pieces), body.length, { colour: 'blue' })
    const found = await client.statObject(bucket, 'stream')
    assert.equal(found.size, body.length)
    assert.equal(found.metaData['colour'], 'blue')
    assert.ok(body.equals(await buffer(await client.getObject(bucket, 'stream'))))
    await client.putObject(bucket, 'unknown', Readable.from(pieces))
    assert.ok(body.equals(await buffer(await client.getObject(bucket, 'unknown'))))
  })

  it('of a file go in parts, and come back as a file', async () => {
    const body = randomBytes(12 * 1024 * 1024)
    writeFileSync(join(dir, 'file'), body)
    const { etag } = await client.fPutObject(bucket, 'file', join(dir, 'file'))
    assert.match(etag, /^[0-9a-f]{32}-3$/)
    await client.fGetObject(bucket, 'file', join(dir, 'back'))
    assert.ok(body.equals(readFileSync(join(dir, 'back'))))
    const part = await client.getPartialObject(bucket, 'file', 6_000_000, 1000)
    assert.ok(body.subarray(6_000_000, 6_001_000).equals(await buffer(part)))
  })

  it('that were begun and left are found and removed', async () => {
    await client.initiateNewMultipartUpload(bucket, 'left behind', {})
    const left = async () => {
      const found: string[] = []
      for await (const { key } of client.listIncompleteUploads(bucket, '', true)) found.push(key)
      return found
    }
    assert.deepEqual(await left(), ['left behind'])
    await client.removeIncompleteUpload(bucket, 'left behind')
    assert.deepEqual(await left(), [])
  })

  it('compose objects of others, and copy', async () => {
    const head = randomBytes(5 * 1024 * 1024)
    await client.putObject(bucket, 'part one', head)
    await client.putObject(bucket, 'part two', 'tail')
    const sources = ['part one', 'part two'].map(
      (Object) => new CopySourceOptions({ Bucket: bucket, Object }),
    )
    const target = new CopyDestinationOptions({ Bucket: bucket, Object: 'composed' })
    await client.composeObject(target, sources)
    const whole = Buffer.concat([head, Buffer.from('tail')])
    assert.ok(whole.equals(await buffer(await client.getObject(bucket, 'composed'))))
  })
})

describe('lists and removals of the minio package', () => {
  it('list by both versions of the call, flat and by folder', async () => {
    const names = ['list/a', 'list/b/c', 'list/b/d', 'list/ä +&<']
    for (const name of names) await client.putObject(bucket, name, 'x')
    const flat = [
      client.listObjects(bucket, 'list/', true),
      client.listObjectsV2(bucket, 'list/', true),
    ]
    for (const listing of flat)
      assert.deepEqual((await namesOf(listing)).toSorted(), names.toSorted())
    for (const listing of [
      client.listObjects(bucket, 'list/'),
      client.listObjectsV2(bucket, 'list/'),
    ]) {
      const found: string[] = []
      for await (const item of listing) found.push(item.name ?? item.prefix ?? '')
      assert.deepEqual(found.toSorted(), ['list/a', 'list/b/', 'list/ä +&<'].toSorted())
    }
    // An addition of MinIO's own to the call, which is not served (S3 surface, section 16.3).
    const extended = namesOf(client.extensions.listObjectsV2WithMetadata(bucket, 'list/', true))
    assert.equal(await codeOf(extended), 'NotImplemented')
    const removed = await client.removeObjects(bucket, [...names, 'list/never was'])
    assert.deepEqual(removed.filter(Boolean), [])
    assert.deepEqual(await namesOf(client.listObjectsV2(bucket, 'list/', true)), [])
  })

  it('see the own buckets only', async () => {
    assert.equal(await client.bucketExists(bucket), true)
    assert.equal(await client.bucketExists('minio-features-none'), false)
    const buckets = await client.listBuckets()
    assert.deepEqual(
      buckets.map(({ name }) => name),
      [bucket],
    )
  })

  it('tag objects, and read and write the bucket policy', async () => {
    await client.putObject(bucket, 'tagged', 'x')
    await client.setObjectTagging(bucket, 'tagged', { colour: 'blue' })
    assert.deepEqual(await client.getObjectTagging(bucket, 'tagged'), [
      { Key: 'colour', Value: 'blue' },
    ])
    assert.equal(await codeOf(client.getBucketPolicy(bucket)), 'NoSuchBucketPolicy')
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${bucket}/tagged`,
    }
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    const link = `${world.server.endpoint}/${bucket}/tagged`
    assert.equal((await fetch(link)).status, 403)
    await client.setBucketPolicy(bucket, policy)
    assert.deepEqual(JSON.parse(await client.getBucketPolicy(bucket)), JSON.parse(policy))
    assert.equal((await fetch(link)).status, 200)
    await client.setBucketPolicy(bucket, '')
    assert.equal((await fetch(link)).status, 403)
  })
})

describe('links and forms of the minio package', () => {
  it('write and read by link', async () => {
    const to = await client.presignedPutObject(bucket, 'by link', 60)
    assert.equal((await fetch(to, { method: 'PUT', body: 'linked' })).status, 200)
    const headers = { 'response-content-type': 'text/x-test' }
    const from = await client.presignedGetObject(bucket, 'by link', 60, headers)
    const got = await fetch(from)
    assert.equal(got.headers.get('content-type'), 'text/x-test')
    assert.equal(await got.text(), 'linked')
    assert.equal((await fetch(to, { method: 'GET' })).status, 403)
  })

  /** As a browser would send it. */
  async function post(
    fields: Readonly<Record<string, unknown>>,
    content: string,
    target = bucket,
  ): Promise<Response> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, String(value))
    form.append('file', new Blob([content]), 'file.txt')
    return fetch(`${world.server.endpoint}/${target}`, { method: 'POST', body: form })
  }

  async function signedForm(key: string): Promise<Record<string, unknown>> {
    const policy = client.newPostPolicy()
    policy.setBucket(bucket)
    policy.setKey(key)
    policy.setExpires(new Date(Date.now() + 60_000))
    policy.setContentType('text/plain')
    policy.setContentLengthRange(1, 10)
    return (await client.presignedPostPolicy(policy)).formData
  }

  it('upload by a form, within what its policy allows', async () => {
    const fields = await signedForm('by form')
    const stored = await post(fields, 'formed')
    assert.equal(stored.status, 204, await stored.text())
    assert.equal(await read('by form'), 'formed')
    const refusals: readonly [Promise<Response>, number, string][] = [
      [post(fields, 'more than ten'), 400, 'EntityTooLarge'],
      [post(fields, ''), 400, 'EntityTooSmall'],
      [post({ ...fields, key: 'elsewhere' }, 'x'), 403, 'AccessDenied'],
      [post({ ...fields, 'Content-Type': 'text/html' }, 'x'), 403, 'AccessDenied'],
      [post({ ...fields, 'x-amz-acl': 'private' }, 'x'), 403, 'AccessDenied'],
      [post(fields, 'x', closedBucket), 403, 'AccessDenied'],
      [post({ ...fields, 'x-amz-signature': '0'.repeat(64) }, 'x'), 403, 'SignatureDoesNotMatch'],
    ]
    for (const [sent, status, code] of refusals) {
      const answer = await sent
      assert.match(await answer.text(), new RegExp(`<Code>${code}<`))
      assert.equal(answer.status, status, code)
    }
    assert.equal(await read('by form'), 'formed')
    assert.equal(await codeOf(client.statObject(bucket, 'elsewhere')), 'NotFound')
  })
})

describe('the STS helper of the minio package', () => {
  it('gets keys by AssumeRole, narrowed by a session policy', async () => {
    const { accessKeyId, secretAccessKey } = world.server.root
    const provider = new AssumeRoleProvider({
      stsEndpoint: world.server.endpoint,
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
      durationSeconds: 900,
      region,
      policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['s3:GetObject'],
            Resource: [`arn:aws:s3:::${bucket}/narrow`],
          },
        ],
      }),
    })
    const found = await provider.getCredentials()
    const narrow = minioClient(world.server.endpoint, {
      accessKeyId: found.getAccessKey(),
      secretAccessKey: found.getSecretKey(),
      sessionToken: found.getSessionToken() ?? '',
    })
    await client.putObject(bucket, 'narrow', 'seen')
    assert.equal(await text(await narrow.getObject(bucket, 'narrow')), 'seen')
    assert.equal(await codeOf(narrow.putObject(bucket, 'narrow', 'x')), 'AccessDenied')
    assert.equal(await codeOf(narrow.getObject(bucket, 'stream')), 'AccessDenied')
  })

  it('is told why it gets none', async () => {
    const { accessKeyId } = world.server.root
    const provider = new AssumeRoleProvider({
      stsEndpoint: world.server.endpoint,
      accessKey: accessKeyId,
      secretKey: 'wrong',
      region,
    })
    await assert.rejects(provider.getCredentials(), /SignatureDoesNotMatch/)
  })
})
