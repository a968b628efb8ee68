import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
import { s3Client, stsClient, type SessionKeys } from './keys.ts'
import { daypass } from './programs.ts'
import { auditText } from './traces.ts'
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

const region = 'eu-central-7'

/** Root makes a bucket with two objects in it. */
async function fill(server: DaypassServer): Promise<void> {
  const s3 = s3Client(server.endpoint, server.root, { region })
  const Bucket = 'data'
  await s3.send(new CreateBucketCommand({ Bucket }))
  for (const Key of ['in/a', 'out/a'])
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
}

/** What keys may do, by trying it. */
function tries(server: DaypassServer, keys: SessionKeys) {
  const s3 = s3Client(server.endpoint, keys, { region })
  const tried = (promise: Promise<unknown>) =>
    promise.then(
      () => 'yes',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    )
  const Bucket = 'data'
  return {
    // A body that nobody reads keeps its connection.
    read: (Key: string) =>
      tried(
        s3
          .send(new GetObjectCommand({ Bucket, Key }))
          .then(({ Body }) => Body?.transformToString()),
      ),
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
    region,
    regionPolicy: 'strict',
    policies: {
      broker: policy({
        Effect: 'Allow',
        Action: ['admin:GetPolicy', 'admin:ServerInfo', 's3:*'],
        Resource: all,
      }),
      shop: policy({
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: ['arn:aws:s3:::data/*'],
      }),
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
    await fill(server)
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

  it('gives keys that do what the bound policy allows, and nothing else', async (t) => {
    const { read, write, remove, list } = tries(server, await issueFrom(t, target(), bound('shop')))
    assert.deepEqual(
      [await read('in/a'), await write('in/b'), await remove('in/a'), await list()],
      ['yes', 'yes', 'AccessDenied', 'AccessDenied'],
    )
  })

  it("narrows them by the caller's policy, which adds nothing", async (t) => {
    const sessionPolicy = allow('s3:*', ['arn:aws:s3:::data/in/*', 'arn:aws:s3:::data'])
    const scene = { ...bound('shop'), request: { sessionPolicy } }
    const { read, write, remove, list } = tries(server, await issueFrom(t, target(), scene))
    assert.deepEqual(
      [
        await read('in/a'),
        await read('out/a'),
        await write('out/b'),
        await remove('in/a'),
        await list(),
      ],
      ['yes', 'AccessDenied', 'AccessDenied', 'AccessDenied', 'AccessDenied'],
    )
  })

  it('heeds what any bound policy denies, by name or in the binding itself', async (t) => {
    const named = tries(server, await issueFrom(t, target(), bound('shop', 'no-out')))
    assert.deepEqual([await named.read('in/a'), await named.read('out/a')], ['yes', 'AccessDenied'])
    const Resource = ['arn:aws:s3:::data/in/*']
    const documents = [documentOf({ Effect: 'Deny', Action: ['s3:PutObject'], Resource })]
    const scene = { bindings: [{ policies: ['shop'] }, { documents }] }
    const own = tries(server, await issueFrom(t, target(), scene))
    assert.deepEqual([await own.read('in/a'), await own.write('in/a')], ['yes', 'AccessDenied'])
  })

  it('goes no further than the ceiling of the tenant', async (t) => {
    const scene = { ...bound('readwrite'), tenant: { ceiling: allow('s3:GetObject', all) } }
    const { read, write } = tries(server, await issueFrom(t, target(), scene))
    assert.deepEqual([await read('in/a'), await write('in/a')], ['yes', 'AccessDenied'])
  })

  it('gives no keys for what is missing, is too long, or leads to another tenant', async (t) => {
    await refuses(
      issueFrom(t, target(), bound('shop', 'gone')),
      'no_policy',
      /"gone" of binding daypass/,
    )
    const small = target({ maxPolicyBytes: 100 })
    await refuses(
      issueFrom(t, small, bound('shop')),
      'session_policy_too_large',
      new RegExp(bindingName),
    )
    const skipping = target({ missingPolicy: 'skip' })
    const { read } = tries(server, await issueFrom(t, skipping, bound('shop', 'gone')))
    assert.equal(await read('in/a'), 'yes')
  })

  it('works with a broker that is no root: its own rights bound what it hands out', async (t) => {
    for (const [accessKeyId, secret] of Object.entries(brokerKeys)) {
      const credentials = () =>
        Promise.resolve({ accessKeyId, secretAccessKey: new Secret(secret) })
      const { read, list } = tries(
        server,
        await issueFrom(t, target({ credentials }), bound('shop')),
      )
      assert.deepEqual([await read('in/a'), await list()], ['yes', 'AccessDenied'])
    }
    const accessKeyId = 'BROKERKEY1'
    const wrong = () =>
      Promise.resolve({ accessKeyId, secretAccessKey: new Secret('not the secret') })
    await refuses(
      issueFrom(t, target({ credentials: wrong }), bound('shop')),
      'target_refused',
      /log/,
    )
  })

  it('follows a broker whose key is exchanged, from one call to the next', async (t) => {
    let accessKeyId: keyof typeof brokerKeys = 'BROKERKEY1'
    const credentials = () =>
      Promise.resolve({ accessKeyId, secretAccessKey: new Secret(brokerKeys[accessKeyId]) })
    const targets = createTargets({
      targetOf: () => target({ credentials }),
      clock: () => new Date(),
      random: randomBytes,
      log: () => undefined,
    })
    t.after(() => targets.close())
    await targets.issue(boundGrant(bound('shop')))
    accessKeyId = 'BROKERKEY2'
    await targets.issue(boundGrant(bound('shop')))
  })

  it('finds the region out, and is refused by a strict server for a wrong one', async (t) => {
    await issueFrom(t, target(), bound('shop'))
    await refuses(
      issueFrom(t, target({ region: 'us-east-1' }), bound('shop')),
      'target_refused',
      /log/,
    )
  })

  it('leaves no secret and no policy of the tenant in what it says', async (t) => {
    const credentials = () =>
      Promise.resolve({ accessKeyId: 'BROKERKEY1', secretAccessKey: new Secret('not the secret') })
    const error: unknown = await issueFrom(t, target({ credentials }), bound('shop')).catch(
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ExchangeError)
    assert.doesNotMatch(
      JSON.stringify([error.message, error.detail]),
      /not the secret|signature we/i,
    )
  })

  it(
    'is reached by TLS under the authority that the tenant names, and no other',
    { skip: withoutOpenssl() },
    async (t) => {
      const certificates = new Workshop()
      t.after(() => certificates.close())
      certificates.make('ca', { extensions: 'ca' })
      certificates.make('stranger', { extensions: 'ca' })
      certificates.make('tenant', { by: 'ca', extensions: ['subjectAltName=IP:127.0.0.1'] })
      const tls = {
        certFile: certificates.file('tenant.pem'),
        keyFile: certificates.file('tenant.key'),
      }
      const secure = await startDaypass({ config: JSON.stringify({ tls }) })
      t.after(() => secure.stop())
      const reached = (name: string) =>
        target({
          endpoint: secure.endpoint,
          credentials: () =>
            Promise.resolve({
              accessKeyId: secure.root.accessKeyId,
              secretAccessKey: new Secret(secure.root.secretAccessKey),
            }),
          ca: () => Promise.resolve(certificates.text(`${name}.pem`)),
        })
      assert.match(secure.endpoint, /^https:/)
      await issueFrom(t, reached('ca'), bound('readonly'))
      await refuses(
        issueFrom(t, reached('stranger'), bound('readonly')),
        'target_unavailable',
        /try again/,
      )
    },
  )
})

describe('a tenant whose servers share keys with the operator', () => {
  const [first, second] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'] as const
  const texts: Record<string, string> = { [first]: newKey(), [second]: newKey() }
  let dir: string
  let server: DaypassServer

  function newKey(): string {
    return randomBytes(32).toString('base64')
  }

  function mount(active: string, ...ids: readonly string[]): void {
    for (const name of readdirSync(dir)) rmSync(join(dir, name))
    writeFileSync(join(dir, 'active'), active)
    for (const id of ids) writeFileSync(join(dir, id), texts[id] ?? '')
  }

  const sealedBy = (active: string, ...ids: readonly string[]): Target => ({
    kind: 'gateway',
    tenant: 'store/main',
    findPolicy: () => undefined,
    asksTenant: true,
    sessionKeys: (): Promise<SharedSessionKeys> =>
      Promise.resolve({
        active,
        keys: new Map(ids.map((id) => [id, Buffer.from(texts[id] ?? '', 'base64')])),
      }),
  })

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'daypass-shared-keys-'))
    mount(first, first)
    server = await startDaypass({
      config: JSON.stringify({ region }),
      env: { DAYPASS_SHARED_SESSION_KEYS_DIR: dir, DAYPASS_TENANT_NAME: 'store/main' },
    })
    await fill(server)
  })
  after(async () => {
    await server.stop()
    rmSync(dir, { recursive: true })
  })

  const issue = (t: TestContext, scene?: Scene) => issueFrom(t, sealedBy(first, first), scene)
  const admin = async (...words: readonly string[]) => {
    const { code, error } = await daypass(server, ['admin', ...words])
    assert.equal(code, 0, error)
  }

  it('honours what bindings gave: policies by name, documents, and what the caller left out', async (t) => {
    const { read, write } = tries(server, await issue(t))
    assert.deepEqual([await read('in/a'), await write('in/a')], ['yes', 'AccessDenied'])
    const documents = [allow('s3:PutObject', 'arn:aws:s3:::data/in/*')]
    const sessionPolicy = allow('s3:*', 'arn:aws:s3:::data/in/*')
    const scene = { bindings: [{}, { documents }], request: { sessionPolicy } }
    const both = tries(server, await issue(t, scene))
    assert.deepEqual(
      [await both.read('in/a'), await both.read('out/a'), await both.write('in/a')],
      ['yes', 'AccessDenied', 'yes'],
    )
  })

  it('looks policies up when they are used: one that is gone denies everything', async (t) => {
    const file = join(dir, '.policy.json')
    writeFileSync(file, allow('s3:*', all))
    await admin('policy', 'put', 'passing', file)
    const { read } = tries(server, await issue(t, { bindings: [{ policies: ['passing'] }] }))
    await until('the policy counts', async () => (await read('in/a')) === 'yes')
    await admin('policy', 'rm', 'passing')
    await until('it counts no more', async () => (await read('in/a')) === 'AccessDenied')
  })

  it('knows whose session it is, and says so to the caller, in denials and in their explanation', async (t) => {
    const keys = await issue(t)
    const who = await stsClient(server.endpoint, keys).send(new GetCallerIdentityCommand({}))
    assert.equal(who.Arn, 'arn:aws:sts::000000000000:assumed-role/kubernetes=local/shop-web')
    assert.equal(who.UserId, 'local:system:serviceaccount:shop:web')
    const s3 = s3Client(server.endpoint, keys, { region })
    const body = new PutObjectCommand({ Bucket: 'data', Key: 'no', Body: 'x' })
    const refused: unknown = await s3.send(body).catch((error: unknown) => error)
    const sealed = (refused as { EncodedAuthorizationMessage?: string }).EncodedAuthorizationMessage
    const explained = await daypass(server, ['explain', sealed ?? ''])
    const words = explained.out.toString()
    assert.match(
      words,
      /service account shop\/web of Kubernetes cluster "local"; binding/,
      explained.error,
    )
    assert.match(words, /; binding daypass\.dev\/Binding\/store\/b0 gave policy "readonly"\n/)
    assert.match(words, /kubernetes-pod-name=web-1/)
    assert.match(auditText(server), /"kind":"denial".*system:serviceaccount:shop:web/)
  })

  it('is not fooled by keys of another tenant, or of nobody', async (t) => {
    const { read } = tries(server, await issue(t, { tenant: { name: 'other' } }))
    assert.equal(await read('in/a'), 'InvalidToken')
    texts['cccccccccccccccc'] = newKey()
    const stranger = sealedBy('cccccccccccccccc', 'cccccccccccccccc')
    assert.equal(await tries(server, await issueFrom(t, stranger)).read('in/a'), 'InvalidToken')
  })

  it('lets keys be exchanged without ending a session', async (t) => {
    const before = tries(server, await issue(t))
    assert.equal(await before.read('in/a'), 'yes')
    mount(second, first, second)
    const { read } = tries(server, await issueFrom(t, sealedBy(second, first, second)))
    assert.deepEqual([await read('in/a'), await before.read('in/a')], ['yes', 'yes'])
    mount(second, second)
    await until('the old key is gone', async () => (await before.read('in/a')) === 'InvalidToken')
    assert.equal(await read('in/a'), 'yes')
    mount(first, first)
    await until('it is back', async () => (await before.read('in/a')) === 'yes')
  })

  it('ends sessions by account, by binding and by cluster, and those of nobody else', async (t) => {
    const ways: readonly (readonly string[])[] = [
      ['--principal', 'local', 'system:serviceaccount:shop:web'],
      ['--binding', bindingName],
      ['--cluster', 'local'],
    ]
    for (const way of ways) {
      const mine = tries(server, await issue(t))
      const others = tries(server, await issue(t, { serviceAccount: 'cron' }))
      assert.deepEqual([await mine.read('in/a'), await others.read('in/a')], ['yes', 'yes'])
      await admin('sessions', 'revoke', ...way)
      await until('it is revoked', async () => (await mine.read('in/a')) === 'ExpiredToken')
      const spared = way[0] === '--principal'
      assert.equal(await others.read('in/a'), spared ? 'yes' : 'ExpiredToken')
      assert.equal(await tries(server, await issue(t)).read('in/a'), 'yes', 'a new one works')
    }
  })

  it('does not start with half of the settings, or with a folder that is none', async () => {
    const start = (env: Record<string, string>) => startDaypass({ env })
    await assert.rejects(start({ DAYPASS_SHARED_SESSION_KEYS_DIR: dir }), /DAYPASS_TENANT_NAME/)
    await assert.rejects(start({ DAYPASS_TENANT_NAME: 'store/main' }), /SHARED_SESSION_KEYS_DIR/)
    const DAYPASS_TENANT_NAME = 'store/main'
    const nowhere = join(dir, 'nowhere')
    await assert.rejects(
      start({ DAYPASS_SHARED_SESSION_KEYS_DIR: nowhere, DAYPASS_TENANT_NAME }),
      /sharedSessionKeys\.dir.*cannot be read/,
    )
    await assert.rejects(
      start({ DAYPASS_SHARED_SESSION_KEYS_DIR: dir, DAYPASS_TENANT_NAME: 'store' }),
      /NAMESPACE\/NAME/,
    )
  })
})
