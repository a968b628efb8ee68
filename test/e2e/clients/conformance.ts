import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { anyKeys, plainKeys } from './odd-keys.ts'
import type { ClientKind, StoreClient } from './store-client.ts'

export type Bench = Readonly<{
  kind: ClientKind
  client: StoreClient
  /** Where the client may do everything; no other client works there. */
  bucket: string
  /** Where it may do nothing; holds the one object `secret`. */
  forbidden: string
  /** Looks at what is stored, past the client under test. */
  root: S3Client
  /** For files. */
  dir: string
  skip(why: string): void
}>

/** What every S3 client does with this server, whoever wrote it. */
export const conformance: ReadonlyMap<string, (bench: Bench) => Promise<void>> = new Map([
  ['stores every byte there is, over what was there, and reads it back', everyByte],
  ['stores an empty object', empty],
  ['sends a large object in parts', large],
  ['carries odd keys as they are', oddKeys],
  ['lists what is under a prefix and nothing beside it', listing],
  ['copies inside the store', copying],
  ['removes an object, after which it is missing', removal],
  ['is refused outside of its policy, and changes and learns nothing there', forbidden],
  ['hands out a link that works for anybody, and for this object only', linking],
  ['makes a bucket and removes it', bucketLife],
])

async function everyByte({ client, bucket, root }: Bench): Promise<void> {
  const body = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256))
  await prepare(root, bucket, 'bytes', 'was there before')
  await client.put(bucket, 'bytes', body)
  assert.ok(body.equals(await stored(root, bucket, 'bytes')), 'stored something else')
  assert.ok(body.equals(await client.get(bucket, 'bytes')), 'read something else')
}

async function empty({ client, bucket, root }: Bench): Promise<void> {
  await client.put(bucket, 'empty', Buffer.alloc(0))
  assert.equal((await stored(root, bucket, 'empty')).length, 0)
  assert.equal((await client.get(bucket, 'empty')).length, 0)
}

async function large({ client, bucket, root }: Bench): Promise<void> {
  const body = randomBytes(12 * 1024 * 1024 + 1)
  await client.put(bucket, 'large', body)
  const head = await root.send(new HeadObjectCommand({ Bucket: bucket, Key: 'large' }))
  assert.match(head.ETag ?? '', /^"[0-9a-f]{32}-[1-9]"$/, 'it did not come in parts')
  assert.equal(sha256(await stored(root, bucket, 'large')), sha256(body))
  assert.equal(sha256(await client.get(bucket, 'large')), sha256(body))
}

async function oddKeys({ kind, client, bucket, root, dir }: Bench): Promise<void> {
  const keys = (kind.keys === 'any' ? anyKeys : plainKeys).map((key) => `odd/${key}`)
  const [before, after] = [join(dir, 'before'), join(dir, 'after')]
  if (client.upload && client.download) {
    for (const key of keys) await writeWhole(join(before, key.slice(4)), contentOf(key))
    await client.upload(before, bucket, 'odd/')
    await client.download(bucket, 'odd/', after)
  } else {
    for (const key of keys) await client.put(bucket, key, contentOf(key))
  }
  for (const key of keys) {
    const read = client.download ? readFile(join(after, key.slice(4))) : client.get(bucket, key)
    assert.deepEqual(await read, contentOf(key), key)
  }
  assert.deepEqual((await listed(root, bucket, 'odd/')).toSorted(), keys.toSorted())
  assert.deepEqual((await client.list(bucket, 'odd/')).toSorted(), keys.toSorted())
}

const contentOf = (key: string): Buffer => Buffer.from(`content of ${key}`)

async function listing({ client, bucket, root }: Bench): Promise<void> {
  const inside = ['a', 'b/c', 'b/d/e', 'z']
  for (const key of ['in', 'inner', 'in-between']) await prepare(root, bucket, key)
  for (const key of inside) await prepare(root, bucket, `in/${key}`)
  const found = await client.list(bucket, 'in/')
  assert.deepEqual(
    found.toSorted(),
    inside.map((key) => `in/${key}`),
  )
  assert.deepEqual(await client.list(bucket, 'nothing/here/'), [])
}

async function copying({ client, bucket, root }: Bench): Promise<void> {
  await prepare(root, bucket, 'from here+ä', 'to be copied')
  await client.copy(bucket, 'from here+ä', 'to there+ü')
  assert.equal((await stored(root, bucket, 'to there+ü')).toString(), 'to be copied')
  assert.equal((await stored(root, bucket, 'from here+ä')).toString(), 'to be copied')
}

async function removal({ kind, client, bucket, root }: Bench): Promise<void> {
  await prepare(root, bucket, 'gone')
  await client.remove(bucket, 'gone')
  assert.deepEqual(await listed(root, bucket, 'gone'), [])
  await assert.rejects(client.get(bucket, 'gone'), says(kind.missing))
}

async function forbidden({ kind, client, forbidden, root }: Bench): Promise<void> {
  const denied = says(kind.denied)
  await assert.rejects(client.put(forbidden, 'mine', Buffer.from('x')), denied)
  await assert.rejects(client.get(forbidden, 'secret'), denied)
  await assert.rejects(client.list(forbidden, ''), denied)
  await assert.rejects(client.remove(forbidden, 'secret'), denied)
  assert.deepEqual(await listed(root, forbidden, ''), ['secret'])
}

async function linking({ client, bucket, root, skip }: Bench): Promise<void> {
  if (!client.linkTo) return skip('it can only sign links in the old way, SigV2')
  const key = 'linked to/ä+b'
  await prepare(root, bucket, key, 'for anybody')
  const link = await client.linkTo(bucket, key)
  assert.equal(await (await fetch(link)).text(), 'for anybody')
  const elsewhere = new URL(link)
  elsewhere.pathname = `/${bucket}/bytes`
  const refused = await fetch(elsewhere)
  assert.equal(refused.status, 403)
  assert.match(await refused.text(), /<Code>SignatureDoesNotMatch</)
  assert.equal((await fetch(link, { method: 'DELETE' })).status, 403)
}

async function bucketLife({ client, bucket, root }: Bench): Promise<void> {
  const fresh = `${bucket}-fresh`
  await client.makeBucket(fresh)
  await prepare(root, fresh, 'k')
  await assert.rejects(client.removeBucket(fresh), says(/BucketNotEmpty|not empty/))
  await root.send(new DeleteObjectCommand({ Bucket: fresh, Key: 'k' }))
  await client.removeBucket(fresh)
  await assert.rejects(listed(root, fresh, ''), { name: 'NoSuchBucket' })
}

/** Some clients put the code in a member of its own. */
function says(words: RegExp): (error: unknown) => boolean {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    assert.match(`${code} ${String(error)}`, words)
    return true
  }
}

async function prepare(root: S3Client, Bucket: string, Key: string, Body = 'x'): Promise<void> {
  await root.send(new PutObjectCommand({ Bucket, Key, Body }))
}

async function stored(root: S3Client, Bucket: string, Key: string): Promise<Buffer> {
  const { Body } = await root.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

/** Up to a thousand. */
async function listed(root: S3Client, Bucket: string, Prefix: string): Promise<readonly string[]> {
  const { Contents = [] } = await root.send(new ListObjectsV2Command({ Bucket, Prefix }))
  return Contents.map(({ Key }) => Key ?? '')
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex')
