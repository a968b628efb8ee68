import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { CreateBucketCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { ExchangeError } from '../../src/exchange.ts'
import { Workshop, withoutOpenssl } from '../../src/identity/certificate/testing/authority.ts'
import { Secret } from '../../src/secret.ts'
import { createTargets } from '../../src/targets/index.ts'
import type { AssumeRoleTarget, SharedSessionKeys, Target } from '../../src/targets/index.ts'
import {
  allow,
  bindingName,
  boundGrant,
  documentOf,
  type Scene,
} from '../../src/targets/testing/bound.ts'
import { startDaypass, type DaypassServer } from './daypass-server.ts'
import { refusalOf, s3Client, stsClient, type SessionKeys } from './keys.ts'
import { daypass } from './programs.ts'
import { until } from './until.ts'

const all = ['arn:aws:s3:::*']

async function issueFrom(t: TestContext, target: Target, scene?: Scene): Promise<SessionKeys> {
  const targets = createTargets({
    targetOf: () => target,
    clock: () => new Date(),
    random: randomBytes,
    log: () => undefined,
  })
  t.after(() => targets.close())
  const given = await targets.issue(boundGrant(scene))
  return {
    accessKeyId: given.accessKeyId,
    secretAccessKey: given.secretAccessKey.reveal(),
    sessionToken: given.sessionToken.reveal(),
  }
}

/** Root makes a bucket with two objects in it. */
async function fill(server: DaypassServer, Bucket: string): Promise<void> {
  const s3 = s3Client(server.endpoint, server.root)
  await s3.send(new CreateBucketCommand({ Bucket }))
  for (const Key of ['in/a', 'out/a']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
}

/** What keys may do, by trying it. */
function tries(server: DaypassServer, keys: SessionKeys) {
  const s3 = s3Client(server.endpoint, keys)
  const tried = (promise: Promise<unknown>) =>
    promise.then(
      () => 'yes',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    )
  const Bucket = 'data'
  return {
    read: (Key: string) => tried(s3.send(new GetObjectCommand({ Bucket, Key }))),
    write: (Key: string) => tried(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))),
    remove: (Key: string) => tried(s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    list: () => tried(s3.send(new ListObjectsV2Command({ Bucket }))),
  }
}

describe('a tenant that is reached by its own STS, as MinIO is', () => {
  const brokerKeys = {
    BROKERKEY1: 'the first secret of the broker',
    BROKERKEY2: 'the second secret of the broker',
  }
  const policy = (...statements: readonly object[]) => ({
    Version: '2012-10-17',
    Statement: statements,
  })
  const config = JSON.stringify({
    region: 'eu-central-7',
    regionPolicy: 'strict',
    policies: {
      broker: policy({
        Effect: 'Allow',
        Action: ['admin:GetPolicy', 'admin:ServerInfo', 's3:*'],
        Resource: all,
      }),
      shop: policy({ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::data/*'] }),
      'no-out': policy({ Effect: 'Deny', Action: ['s3:*'], Resource: ['arn:aws:s3:::data/out/*'] }),
    },
    users: {
      broker: {
        policies: ['broker'],
        accessKeys: Object.keys(brokerKeys).map((accessKeyId) => ({
          accessKeyId,
          secretAccessKey: { env: accessKeyId },
        })),
      },
    },
  })
  let server: DaypassServer

  before(async () => {
    server = await startDaypass({ config, env: brokerKeys })
    await fill({ ...server }, 'data').catch(async () => undefined)
  })
  after(() => server.stop())

  function target(settings: Partial<AssumeRoleTarget> = {}): AssumeRoleTarget {
    return {
      kind: 'assume-role',
      tenant: 'store/main',
      endpoint: server.endpoint,
      dialect: 'minio',
      ca: () => Promise.resolve(undefined),
      maxPolicyBytes: 2048,
      credentials: () =>
        Promise.resolve({
          accessKeyId: server.root.accessKeyId,
          secretAccessKey: new Secret(server.root.secretAccessKey),
        }),
      findPolicy: () => undefined,
      asksTenant: true,
      missingPolicy: 'fail',
      ...settings,
    }
  }

  const bound = (...policies: string[]): Scene => ({ bindings: [{ policies }] })
  const refuses = (promise: Promise<unknown>, code: string, words: RegExp) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof ExchangeError, String(error))
      assert.equal(error.code, code)
      assert.match(error.message, words)
      return true
    })
})
