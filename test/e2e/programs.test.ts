import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { awsCli, startAwsCli } from './clients/aws-cli.ts'
import type { AwsCli } from './clients/aws-cli.ts'
import { boto3, startBoto3 } from './clients/boto3.ts'
import type { Boto3 } from './clients/boto3.ts'
import { curl, curlPath } from './clients/curl.ts'
import { rclone, rcloneClient } from './clients/rclone.ts'
import { s3cmd, s3cmdClient } from './clients/s3cmd.ts'
import { openWorld } from './clients/world.ts'
import type { World } from './clients/world.ts'
import { absence, demandProgram } from './programs.ts'

type Place = Awaited<ReturnType<World['placeFor']>>

let world: World
before(async () => {
  world = await openWorld()
})
after(() => world.close())

const prepare = (Bucket: string, Key: string, Body = 'x') =>
  world.root.send(new PutObjectCommand({ Bucket, Key, Body }))

async function stored(Bucket: string, Key: string): Promise<string> {
  const { Body } = await world.root.send(new GetObjectCommand({ Bucket, Key }))
  return (await Body?.transformToString()) ?? ''
}

async function listed(Bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await world.root.send(new ListObjectsV2Command({ Bucket }))
  return Contents.map(({ Key }) => Key ?? '')
}

/** A directory with these files. */
function plant(dir: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  return dir
}

describe('aws (Debian), with temporary keys', { skip: awsCli.absent }, () => {
  let place: Place
  let aws: AwsCli
  before(async () => {
    place = await world.placeFor('awscli')
    aws = startAwsCli(place)
  })
  after(() => aws.close())
  const run = async (...args: readonly string[]) => (await aws.run(args)).toString()
  const json = async (...args: readonly string[]) => JSON.parse(await run(...args))

  it('syncs a directory there and back, and removes what is gone', async () => {
    const tree = plant(join(place.dir, 'tree'), { a: 'A', 'sub dir/ä+b': 'B', 'sub dir/c': 'C' })
    await run('s3', 'sync', tree, 's3://awscli/sync')
    assert.deepEqual(await listed('awscli'), ['sync/a', 'sync/sub dir/c', 'sync/sub dir/ä+b'])
    rmSync(join(tree, 'a'))
    await run('s3', 'sync', '--delete', tree, 's3://awscli/sync')
    assert.deepEqual(await listed('awscli'), ['sync/sub dir/c', 'sync/sub dir/ä+b'])
    const back = join(place.dir, 'back')
    await run('s3', 'sync', 's3://awscli/sync', back)
    assert.equal(readFileSync(join(back, 'sub dir/ä+b'), 'utf8'), 'B')
    assert.match(await run('s3', 'ls', 's3://awscli/sync/sub dir/'), /\s1 ä\+b\n/)
    await run('s3', 'rm', '--recursive', 's3://awscli/sync')
    assert.deepEqual(await listed('awscli'), [])
  })

  it('moves, and looks at single objects by s3api', async () => {
    await prepare('awscli', 'from', 'moved')
    await run('s3', 'mv', 's3://awscli/from', 's3://awscli/to')
    assert.deepEqual(await listed('awscli'), ['to'])
    const bucket = ['--bucket', 'awscli']
    const range = ['--range', 'bytes=1-3', join(place.dir, 'part')]
    const part = await json('s3api', 'get-object', ...bucket, '--key', 'to', ...range)
    assert.equal(part.ContentRange, 'bytes 1-3/5')
    assert.equal(readFileSync(join(place.dir, 'part'), 'utf8'), 'ove')
    const objects = JSON.stringify({ Objects: [{ Key: 'to' }] })
    const gone = await json('s3api', 'delete-objects', ...bucket, '--delete', objects)
    assert.deepEqual(gone.Deleted, [{ Key: 'to' }])
    assert.deepEqual(await listed('awscli'), [])
  })

  it('gets keys from an id token', async () => {
    const role = ['--role-arn', 'arn:aws:iam::000000000000:role/any', '--role-session-name', 'me']
    const token = ['--web-identity-token', world.tokenOf('awscli')]
    const made = await json('sts', 'assume-role-with-web-identity', ...role, ...token)
    assert.equal(made.SubjectFromWebIdentityToken, 'awscli')
    assert.match(made.Credentials.AccessKeyId, /^ASIA/)
  })
})

describe('s3cmd, with temporary keys', { skip: s3cmdClient.absent }, () => {
  let place: Place
  before(async () => {
    place = await world.placeFor('s3cmd')
  })
  const run = async (...args: readonly string[]) => (await s3cmd(place, args)).toString()

  it('tells about objects and buckets', async () => {
    await prepare('s3cmd', 'told', 'hello\n')
    const object = await run('info', 's3://s3cmd/told')
    assert.match(object, /File size: 6\n/)
    assert.match(object, /MD5 sum: {3}b1946ac92492d2347c6235b4d2611184\n/)
    assert.match(await run('info', 's3://s3cmd'), /Location: {2}us-east-1\n/)
    assert.match(await run('ls'), /s3:\/\/s3cmd\n/)
  })

  it('makes links by SigV2, which are refused', async () => {
    const link = (await run('signurl', 's3://s3cmd/told', '+60')).trim()
    const answer = await fetch(link)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /<Code>InvalidRequest<.*AWS4-HMAC-SHA256/)
  })
})

describe('rclone, with temporary keys', { skip: rcloneClient.absent }, () => {
  it('copies, compares, syncs and purges whole directories', async () => {
    const place = await world.placeFor('rclone')
    const large = randomBytes(6 * 1024 * 1024).toString('latin1')
    const tree = plant(join(place.dir, 'tree'), { a: 'A', 'sub dir/ä+b': 'B', large })
    await rclone(place, ['copy', tree, 'store:rclone/tree'])
    await rclone(place, ['check', '--download', tree, 'store:rclone/tree'])
    assert.match(
      (await rclone(place, ['ls', 'store:rclone'])).toString(),
      / 1 tree\/sub dir\/ä\+b\n/,
    )
    rmSync(join(tree, 'a'))
    await rclone(place, ['sync', tree, 'store:rclone/tree'])
    assert.deepEqual(await listed('rclone'), ['tree/large', 'tree/sub dir/ä+b'])
    await rclone(place, ['purge', 'store:rclone/tree'])
    assert.deepEqual(await listed('rclone'), [])
  })
})

describe('boto3, with temporary keys', { skip: boto3.absent }, () => {
  let place: Place
  let python: Boto3
  before(async () => {
    place = await world.placeFor('boto3')
    python = startBoto3(place)
  })
  after(() => python.close())

  it('removes many at once, and lists versions where there is one of each', async () => {
    for (const key of ['v/1', 'v/ä &<>']) await prepare('boto3', key)
    const versions = await python.call('list_versions', { bucket: 'boto3' })
    assert.deepEqual(versions, [
      ['v/1', 'null'],
      ['v/ä &<>', 'null'],
    ])
    const keys = ['v/1', 'v/ä &<>', 'v/never was']
    const removed = await python.call('remove_all', { bucket: 'boto3', keys })
    assert.deepEqual(removed, [keys, []])
    assert.deepEqual(await listed('boto3'), [])
  })

  it('signs forms for browsers', async () => {
    const fields = { 'x-amz-meta-by': 'form' }
    const conditions = [fields, ['content-length-range', 1, 10]]
    const made = await python.call('form', { bucket: 'boto3', key: 'formed', fields, conditions })
    const { url, fields: signed } = made as { url: string; fields: Record<string, string> }
    const send = (content: string) => {
      const form = new FormData()
      for (const [name, value] of Object.entries(signed)) form.append(name, value)
      form.append('file', new Blob([content]))
      return fetch(url, { method: 'POST', body: form })
    }
    assert.equal((await send('by form')).status, 204)
    assert.equal(await stored('boto3', 'formed'), 'by form')
    assert.equal((await send('more than ten')).status, 400)
  })

  it('gets keys from an id token, and knows who it is', async () => {
    assert.match(String(await python.call('who')), /:assumed-role\/openid=people\/me$/)
    const token = world.tokenOf('boto3')
    assert.match(String(await python.call('web_identity', { token })), /^ASIA/)
    await assert.rejects(python.call('web_identity', { token: 'bad.bad' }), /InvalidIdentityToken/)
  })
})

describe('curl', { skip: absence(curlPath) }, () => {
  it('signs PUT, GET and DELETE by itself, with temporary keys', async () => {
    const place = await world.placeFor('curl')
    const s3 = (target: string, args: readonly string[] = []) =>
      // This release does not send the header by itself, without which an S3 request is refused.
      curl(place, 's3', target, ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', ...args])
    writeFileSync(join(place.dir, 'file'), 'by curl')
    await s3('/curl/dir/a%20b', ['--upload-file', 'file'])
    assert.equal((await s3('/curl/dir/a%20b')).toString(), 'by curl')
    assert.match((await s3('/curl?list-type=2&prefix=dir')).toString(), /<Key>dir\/a b<\/Key>/)
    await assert.rejects(s3('/closed/secret'), /<Code>AccessDenied</)
    await s3('/curl/dir/a%20b', ['-X', 'DELETE'])
    assert.deepEqual(await listed('curl'), [])
    const bare = curl(place, 's3', '/curl')
    await assert.rejects(bare, /<Code>InvalidRequest<.*x-amz-content-sha256/)
  })

  it('exchanges an id token by the STS form, and asks who it is with the keys', async () => {
    const place = await world.placeFor('curl-sts')
    const form = [
      '--data',
      'Action=AssumeRoleWithWebIdentity',
      '--data',
      'Version=2011-06-15',
      '--data-urlencode',
      'WebIdentityToken@-',
    ]
    const quiet = ['--silent', '--show-error', '--fail-with-body', place.endpoint]
    const answer = await demandProgram(curlPath, [...quiet, ...form], {
      input: world.tokenOf('curl-sts'),
    })
    assert.match(answer.toString(), /<AccessKeyId>ASIA[A-Z2-7]{16}<\/AccessKeyId>/)
    const ask = ['--data', 'Action=GetCallerIdentity&Version=2011-06-15']
    const who = await curl(place, 'sts', '/', ask)
    assert.match(who.toString(), /<Arn>arn:aws:sts::000000000000:assumed-role\/openid=people\/me</)
  })
})
