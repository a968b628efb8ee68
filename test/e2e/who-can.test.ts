import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { daypass } from './programs.ts'

type Found = Readonly<{ kind: string; name: string; takenBy: readonly string[]; reason: string }>

describe('who-can and explain, of buckets with policies', () => {
  let server: DaypassServer

  before(async () => {
    server = await startDaypass()
    const s3 = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: server.root,
      forcePathStyle: true,
    })
    await s3.send(new CreateBucketCommand({ Bucket: 'photos' }))
    for (const Key of ['public/k', 'private/k']) {
      await s3.send(new PutObjectCommand({ Bucket: 'photos', Key, Body: 'x' }))
    }
    const allow = (who: unknown, folder: string) => statement('Allow', who, folder)
    const Statement = [
      allow('*', 'public'),
      allow({ AWS: [user('ann')] }, 'private'),
      statement('Deny', { AWS: [user('bob')] }, 'private'),
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'photos', Policy }))
    for (const name of ['ann', 'bob', 'eve']) await admin('user', 'add', name)
    for (const name of ['bob', 'eve']) await admin('user', 'attach', name, 'readwrite')
  })
  after(() => server.stop())

  const user = (name: string): string => `arn:aws:iam::000000000000:user/${name}`
  const statement = (Effect: string, Principal: unknown, folder: string) => ({
    Effect,
    Principal,
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::photos/${folder}/*`,
  })
  const run = async (...words: readonly string[]): Promise<string> => {
    const { code, out, error } = await daypass(server, words)
    assert.equal(code, 0, error)
    return out.toString()
  }
  const admin = (...words: readonly string[]): Promise<string> => run('admin', ...words)
  const whoCan = async (key: string): Promise<readonly Found[]> => {
    const resource = `arn:aws:s3:::photos/${key}`
    return JSON.parse(await run('who-can', 's3:GetObject', resource, '--json')) as Found[]
  }
  const explain = async (name: string, key: string) => {
    const words = ['--action', 's3:GetObject', '--resource', `arn:aws:s3:::photos/${key}`]
    return run('explain', '--principal', `user/${name}`, ...words)
  }

  it('name whom the bucket lets in, and not whom it refuses', async () => {
    const found = await whoCan('private/k')
    assert.deepEqual(
      found.map(({ kind, name }) => `${kind} ${name}`),
      ['user ann', 'user eve'],
    )
    assert.match(found[0]?.reason ?? '', /bucket policy of photos/)
    assert.match(await explain('ann', 'private/k'), /^Allowed: .*bucket policy of photos/)
    assert.match(await explain('bob', 'private/k'), /^Denied: .*bucket policy of photos/)
  })

  it('name everyone where the bucket is open to everyone', async () => {
    const found = await whoCan('public/k')
    assert.deepEqual(
      found.map(({ kind, name }) => `${kind} ${name}`),
      ['everyone *', 'user ann', 'user bob', 'user eve'],
    )
    const open = await fetch(`${server.endpoint}/photos/public/k`)
    assert.equal(open.status, 200)
    assert.equal((await fetch(`${server.endpoint}/photos/private/k`)).status, 403)
  })

  it('go by identities alone for buckets that are not there, or have no policy', async () => {
    const none = ['who-can', 's3:GetObject', 'arn:aws:s3:::elsewhere/k', '--json']
    const found = JSON.parse(await run(...none)) as Found[]
    assert.deepEqual(
      found.map(({ name }) => name),
      ['bob', 'eve'],
    )
  })
})
