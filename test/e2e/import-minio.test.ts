import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { Client as MinioClient } from 'minio'
import { runCli } from '../../src/cli/testing/fake-server.ts'
import { zipOf } from '../../src/cli/testing/zip.ts'
import { serve } from '../../src/main.ts'
import type { RunningServer } from '../../src/main.ts'
import { absence } from './programs.ts'

const zip = '/usr/bin/zip'
const work = mkdtempSync(join(tmpdir(), 'daypass-import-'))

/** Nobody listens there; names of a directory that is away can still have policies. */
const config = `
ldap:
  - name: corp
    servers: ["127.0.0.1:9"]
    insecurePlain: true
    lookupBindDn: cn=lookup,dc=min,dc=io
    lookupBindPassword: { env: LOOKUP }
    userBaseDns: ["ou=people,dc=min,dc=io"]
    userFilter: "(uid=%s)"
`

let server: RunningServer
let count = 0

async function start(t?: TestContext, text?: string): Promise<RunningServer> {
  const dir = join(work, `server-${++count}`)
  const anywhere = '127.0.0.1:0'
  const file = `${dir}.yaml`
  if (text !== undefined) writeFileSync(file, text)
  const made = await serve({
    dir,
    address: anywhere,
    operationsAddress: anywhere,
    env: { DAYPASS_LOG_LEVEL: 'silent', LOOKUP: 'a password' },
    ...(text === undefined ? {} : { config: file }),
  })
  t?.after(() => made.close())
  return made
}

before(async () => {
  server = await start()
  const s3 = s3Of(rootOf(server))
  for (const Bucket of ['alice', 'bob', 'secrets']) {
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Bucket }))
  }
})

after(async () => {
  await server.close()
  rmSync(work, { recursive: true })
})

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string }>

function rootOf({ root }: RunningServer): Keys {
  return { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey.reveal() }
}

function s3Of(credentials: Keys): S3Client {
  const { endpoint } = server
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  })
}

/** What came of a read and of a write: `ok`, or the code of the refusal. */
async function reads(keys: Keys, Bucket: string): Promise<string> {
  return outcome(s3Of(keys).send(new GetObjectCommand({ Bucket, Key: 'k' })))
}

async function writes(keys: Keys, Bucket: string): Promise<string> {
  return outcome(s3Of(keys).send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'x' })))
}

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

type Line = Readonly<{ kind: string; name: string; outcome: string; reason?: string }>
type Imported = Readonly<{ code: number; error: string; whole: boolean; lines: readonly Line[] }>

type Where = Readonly<{ endpoint?: string; to?: RunningServer; keys?: Keys }>

async function daypass(args: readonly string[], { endpoint, to = server, keys }: Where = {}) {
  const { accessKeyId, secretAccessKey } = keys ?? rootOf(to)
  return runCli(args, {
    env: {
      DAYPASS_ENDPOINT: endpoint ?? to.endpoint,
      DAYPASS_ACCESS_KEY: accessKeyId,
      DAYPASS_SECRET_KEY: secretAccessKey,
    },
    clock: () => new Date(),
  })
}

async function importing(
  assets: Assets,
  options: readonly string[] = [],
  where: Where = {},
): Promise<Imported> {
  const args = ['admin', 'import', 'minio', archiveOf(assets), '--json', ...options]
  const { code, out, error } = await daypass(args, where)
  assert.doesNotMatch(out + error, /secret-of/, 'a secret was shown')
  const value = out === '' ? { whole: false, lines: [] } : JSON.parse(out)
  return { code, error, ...value }
}

type Assets = Readonly<Record<string, object>>

function archiveOf(assets: Assets): string {
  const file = join(work, `export-${++count}.zip`)
  const entries = Object.entries(assets).map(([name, value]) => ({
    name: `iam-assets/${name}.json`,
    content: JSON.stringify(value),
  }))
  writeFileSync(file, zipOf(entries))
  return file
}

/** What Go's policy package writes: lists everywhere. */
const policy = (action: string, resource: string, Effect = 'Allow'): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect, Action: [action], Resource: [resource] }],
})
const user = (name: string, status = 'enabled'): object => ({
  secretKey: `secret-of-${name}`,
  status,
})
const keyOf = (name: string): Keys => ({ accessKeyId: name, secretAccessKey: `secret-of-${name}` })
const group = (...members: readonly string[]): object => ({
  version: 1,
  status: 'enabled',
  members,
  updatedAt: '2024-04-23T21:34:43.815519816Z',
})
const mapped = (text: string): object => ({
  version: 0,
  policy: text,
  updatedAt: '2024-04-23T21:34:43.815519816Z',
})
const account = (accessKey: string, parent: string, more: object = {}): object => ({
  parent,
  accessKey,
  secretKey: `secret-of-${accessKey}`,
  groups: null,
  claims: { accessKey, parent, 'sa-policy': 'inherited-policy' },
  sessionPolicy: null,
  status: 'on',
  name: '',
  description: '',
  expiration: '1970-01-01T00:00:00Z',
  ...more,
})
const narrowed = (parent: string, sessionPolicy: unknown): object => ({
  claims: { parent, 'sa-policy': 'embedded-policy' },
  sessionPolicy,
})

function remarks(imported: Imported): readonly (readonly [string, string])[] {
  return imported.lines.flatMap(({ kind, name, reason }) =>
    reason === undefined ? [] : [[`${kind} ${name}`, reason] as const],
  )
}

function assertRemarks(imported: Imported, expected: readonly (readonly [string, RegExp])[]): void {
  const found = remarks(imported)
  assert.deepEqual(
    found.map(([what]) => what),
    expected.map(([what]) => what),
    JSON.stringify(found, null, 1),
  )
  for (const [index, [, words]] of expected.entries()) assert.match(found[index]?.[1] ?? '', words)
  assert.equal(imported.code, expected.length === 0 ? 0 : 5, imported.error)
}

const home: Assets = {
  policies: {
    home: policy('s3:*', 'arn:aws:s3:::${aws:username}*'),
    'no-secrets': policy('s3:*', 'arn:aws:s3:::secrets/*', 'Deny'),
    readonly: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['s3:GetObject', 's3:GetBucketLocation'],
          Resource: ['arn:aws:s3:::*'],
        },
      ],
    },
  },
  users: { alice: user('alice'), bob: user('bob', 'disabled') },
  groups: { staff: group('alice', 'bob') },
  user_mappings: { alice: mapped('home,readonly'), bob: mapped('home') },
  group_mappings: { staff: mapped('no-secrets') },
  svcaccts: {
    BACKUPJOB: account('BACKUPJOB', 'alice', {
      ...narrowed('alice', policy('s3:GetObject', 'arn:aws:s3:::*')),
      name: 'backup',
      description: 'every night',
      expiration: '2099-01-01T00:00:00Z',
    }),
    SLEEPING: account('SLEEPING', 'alice', { status: 'off' }),
    WHOLE: account('WHOLE', 'alice'),
  },
}

describe('what mc exported', () => {
  it('is read as zip packs it', { skip: absence(zip) }, async () => {
    const dir = join(work, 'packed')
    mkdirSync(join(dir, 'iam-assets'), { recursive: true })
    for (const [name, value] of Object.entries(home)) {
      writeFileSync(join(dir, 'iam-assets', `${name}.json`), JSON.stringify(value))
    }
    execFileSync(zip, ['-q', '-r', 'export.zip', 'iam-assets'], { cwd: dir })
    const args = ['admin', 'import', 'minio', join(dir, 'export.zip'), '--dry-run', '--json']
    const { code, out, error } = await daypass(args)
    assert.equal(code, 0, error)
    assert.equal(
      JSON.parse(out).lines.filter((line: Line) => line.kind === 'service account').length,
      3,
    )
  })

  it('works as before, with the same keys', async () => {
    const args = ['admin', 'import', 'minio', archiveOf(home)]
    const dry = await daypass([...args, '--dry-run'])
    assert.equal(dry.code, 0, dry.error)
    assert.match(dry.out, /nothing was changed/i)
    assert.equal(await reads(keyOf('alice'), 'alice'), 'InvalidAccessKeyId')
    const { code, out, error } = await daypass(args)
    assert.equal(code, 0, error)
    assert.match(out, /Nothing stayed behind/)
  })

  it('lets a user do what it could do, and no more', async () => {
    const alice = keyOf('alice')
    assert.equal(await reads(alice, 'alice'), 'ok')
    assert.equal(await writes(alice, 'alice'), 'ok', 'by ${aws:username}')
    assert.equal(await reads(alice, 'bob'), 'ok')
    assert.equal(await writes(alice, 'bob'), 'AccessDenied')
    assert.equal(await reads(alice, 'secrets'), 'AccessDenied', 'by the Deny of its group')
    const wrong = { ...alice, secretAccessKey: 'another secret' }
    assert.equal(await reads(wrong, 'alice'), 'SignatureDoesNotMatch')
  })

  it('lets the client of MinIO in', async () => {
    const { hostname, port } = new URL(server.endpoint)
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = keyOf('WHOLE')
    const client = new MinioClient({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      accessKey,
      secretKey,
      region: 'us-east-1',
    })
    const chunks: Buffer[] = []
    for await (const chunk of await client.getObject('alice', 'k')) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), 'alice')
    await assert.rejects(client.putObject('bob', 'new', 'x'), /Access Denied/)
  })

  it('keeps a service account within its own policy', async () => {
    assert.equal(await reads(keyOf('BACKUPJOB'), 'alice'), 'ok')
    assert.equal(await writes(keyOf('BACKUPJOB'), 'alice'), 'AccessDenied')
    assert.equal(await reads(keyOf('BACKUPJOB'), 'secrets'), 'AccessDenied')
    assert.equal(
      await outcome(s3Of(keyOf('BACKUPJOB')).send(new ListBucketsCommand({}))),
      'AccessDenied',
    )
  })

  it('lets no session out of a service account that is narrowed or ends', async () => {
    const assume = (credentials: Keys): Promise<string> => {
      const sts = new STSClient({
        endpoint: server.endpoint,
        region: 'us-east-1',
        credentials,
        maxAttempts: 1,
      })
      const RoleArn = 'arn:aws:iam::000000000000:role/any'
      return outcome(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' })))
    }
    assert.equal(await assume(keyOf('BACKUPJOB')), 'AccessDenied')
    assert.equal(await assume(keyOf('alice')), 'ok')
  })

  it('keeps those out that were off, until they are switched on', async () => {
    assert.equal(await reads(keyOf('bob'), 'bob'), 'InvalidAccessKeyId')
    assert.equal(await reads(keyOf('SLEEPING'), 'alice'), 'InvalidAccessKeyId')
    assert.equal((await daypass(['admin', 'user', 'enable', 'bob'])).code, 0)
    assert.equal(await reads(keyOf('bob'), 'bob'), 'ok')
    assert.equal((await daypass(['admin', 'user', 'disable', 'bob'])).code, 0)
  })

  it('changes nothing when it is imported again', async () => {
    const again = await importing(home)
    assert.equal(again.code, 0, again.error)
    assert.deepEqual([...new Set(again.lines.map(({ outcome }) => outcome))], ['unchanged'])
  })

  it('shows what is known of a service account, but its secret', async () => {
    const { out } = await daypass(['admin', 'accesskey', 'get', 'BACKUPJOB', '--json'])
    const key = JSON.parse(out)
    assert.equal(key.name, 'backup')
    assert.equal(key.description, 'every night')
    assert.equal(key.expiresAt, '2099-01-01T00:00:00Z')
    assert.equal(key.policy.Statement[0].Action, 's3:GetObject')
    assert.doesNotMatch(out, /secret-of/)
  })

  it('is nobody’s to import but who may', async () => {
    const denied = await importing(home, [], { keys: keyOf('alice') })
    assert.equal(denied.code, 4)
    assert.match(denied.error, /stopped in the middle/)
  })
})

describe('what is here already, and different', () => {
  const other = { ...home, users: { alice: { ...user('alice'), secretKey: 'secret-of-another' } } }

  it('stays, and is reported', async () => {
    assertRemarks(await importing({ users: other.users }), [['user alice', /another secret/]])
    assert.equal(await reads(keyOf('alice'), 'alice'), 'ok')
  })

  it('may be more than there was: that stays, and is said', async () => {
    await daypass(['admin', 'user', 'attach', 'alice', 'diagnostics'])
    await daypass(['admin', 'group', 'add', 'extra'])
    await daypass(['admin', 'group', 'join', 'extra', 'alice'])
    const { code, out } = await daypass(['admin', 'import', 'minio', archiveOf(home)])
    assert.equal(code, 0)
    assert.match(out, /user mapping +alice +has besides here: diagnostics/)
    assert.match(out, /membership +alice +is besides here in: extra/)
  })

  it('holds back whatever would come with it', async () => {
    const more = { MORE: account('MORE', 'alice') }
    assertRemarks(await importing({ users: other.users, svcaccts: more }), [
      ['user alice', /another secret/],
      ['service account MORE', /no user that was carried over/],
    ])
    assert.equal(await reads(keyOf('MORE'), 'alice'), 'InvalidAccessKeyId')
  })

  it('is replaced when that is asked for', async () => {
    const replaced = await importing({ users: other.users }, ['--replace'])
    assert.equal(replaced.code, 0, replaced.error)
    assert.deepEqual(replaced.lines, [{ kind: 'user', name: 'alice', outcome: 'replaced' }])
    assert.equal(await reads(keyOf('alice'), 'alice'), 'SignatureDoesNotMatch')
    await importing({ users: home['users'] ?? {} }, ['--replace'])
    assert.equal(await reads(keyOf('alice'), 'alice'), 'ok')
  })

  it('may be a person of that name who has come here in another way', async () => {
    await daypass(['admin', 'user', 'add', 'carol'])
    await daypass(['admin', 'accesskey', 'add', 'carol'])
    assertRemarks(await importing({ users: { carol: user('carol') } }), [
      ['user carol', /is it the same\? --replace says so/],
    ])
    assert.equal(await reads(keyOf('carol'), 'alice'), 'InvalidAccessKeyId')
  })

  it('may be a key of somebody else, which is never taken from them', async () => {
    const taken = { WHOLE: account('WHOLE', 'dave') }
    const imported = await importing(
      { users: { dave: user('dave'), BACKUPJOB: user('BACKUPJOB') }, svcaccts: taken },
      ['--replace'],
    )
    assertRemarks(imported, [
      ['user BACKUPJOB', /belongs to another user/],
      ['service account WHOLE', /belongs to another user/],
    ])
  })

  it('may be the state of a user, which an administrator has chosen', async () => {
    const users = { bob: user('bob') }
    assertRemarks(await importing({ users }), [['user bob', /enabled in the archive/]])
    assert.equal(await reads(keyOf('bob'), 'bob'), 'InvalidAccessKeyId')
  })

  it('may be a policy: whoever had it must not get what is here, nor go without it', async () => {
    await importing({ policies: { shared: policy('s3:*', 'arn:aws:s3:::*') } })
    const imported = await importing({
      policies: { shared: policy('s3:PutObject', 'arn:aws:s3:::secrets/*', 'Deny') },
      users: { erin: user('erin') },
      groups: { press: group('erin') },
      user_mappings: { erin: mapped('readwrite') },
      group_mappings: { press: mapped('shared') },
    })
    assertRemarks(imported, [
      ['policy shared', /--replace/],
      ['group mapping press', /policy "shared" here is another one/],
      ['user erin', /its key was held back, since policy "shared" here is another one/],
    ])
    assert.equal(await reads(keyOf('erin'), 'alice'), 'InvalidAccessKeyId')
  })
})

describe('policies that are not what they were', () => {
  it('refused here, and perhaps denying: nobody gets past them meanwhile', async () => {
    const odd = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: ['s3:NoSuchThing'], Resource: ['no arn'] }],
    }
    const assets = {
      policies: { odd, all: policy('s3:*', 'arn:aws:s3:::*') },
      users: { frank: user('frank') },
      user_mappings: { frank: mapped('all,odd') },
    }
    const expected = [['policy odd', /denies everything stands in its place/]] as const
    assertRemarks(await importing(assets), expected)
    assert.equal(await reads(keyOf('frank'), 'alice'), 'AccessDenied')
    assertRemarks(await importing(assets), expected)
    const file = join(work, 'odd.json')
    writeFileSync(file, JSON.stringify(policy('s3:*', 'arn:aws:s3:::secrets/*', 'Deny')))
    assert.equal((await daypass(['admin', 'policy', 'put', 'odd', file])).code, 0)
    assert.equal(await reads(keyOf('frank'), 'alice'), 'ok')
    assertRemarks(await importing(assets), [['policy odd', /was left as it is/]])
    assert.equal(await reads(keyOf('frank'), 'alice'), 'ok')
  })

  it('refused here, and only allowing: their holders have less', async () => {
    const odd = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 7 }] }
    const imported = await importing({
      policies: { 'odd-allow': odd, gets: policy('s3:GetObject', 'arn:aws:s3:::*') },
      users: { gina: user('gina') },
      user_mappings: { gina: mapped('odd-allow,gets,never-was') },
    })
    assertRemarks(imported, [
      ['policy odd-allow', /its document is refused here: .*Action/],
      ['user mapping gina', /"odd-allow" was not carried over/],
      ['user mapping gina', /"never-was" is not in the archive/],
    ])
    assert.equal(await reads(keyOf('gina'), 'alice'), 'ok')
    assert.equal(await writes(keyOf('gina'), 'alice'), 'AccessDenied')
  })

  it('the same, yet with another meaning: it is said, and nothing stays behind', async () => {
    const policies = { listing: policy('s3:*', 'arn:aws:s3:::alice/*') }
    assertRemarks(await importing({ policies }), [])
    const { code, out } = await daypass(['admin', 'import', 'minio', archiveOf({ policies })])
    assert.equal(code, 0)
    assert.match(
      out,
      /worth a look:\n.*\npolicy +listing +"arn:aws:s3:::alice\/\*" covers the bucket/,
    )
  })

  it('under a name that is none here, or built in with another document: under another name', async () => {
    const imported = await importing({
      policies: {
        'my policy': policy('s3:GetObject', 'arn:aws:s3:::alice/*'),
        writeonly: policy('s3:GetObject', 'arn:aws:s3:::bob/*'),
      },
      users: { hugo: user('hugo') },
      groups: { 'my group': group('hugo') },
      user_mappings: { hugo: mapped('writeonly') },
      group_mappings: { 'my group': mapped('my policy') },
    })
    assertRemarks(imported, [
      ['policy my policy', /is called "my-policy-minio" here/],
      ['policy writeonly', /is called "writeonly-minio" here/],
      ['group my group', /is called "my-group-minio" here/],
    ])
    assert.equal(await reads(keyOf('hugo'), 'alice'), 'ok')
    assert.equal(await reads(keyOf('hugo'), 'bob'), 'ok')
    assert.equal(await writes(keyOf('hugo'), 'bob'), 'AccessDenied')
  })
})

describe('what this server has no place for', () => {
  it('is told: names, secrets, groups that are off, strangers', async () => {
    const assets = {
      users: {
        'a user': user('a user'),
        ines: { secretKey: 'short', status: 'enabled' },
        'jo@example.org': user('jo@example.org'),
      },
      groups: { off: { ...group('jo@example.org', 'nobody'), status: 'disabled' } },
      policies: { reads: policy('s3:GetObject', 'arn:aws:s3:::*') },
      group_mappings: { off: mapped('reads'), gone: mapped('reads') },
      user_mappings: { nobody: mapped('reads') },
    }
    assertRemarks(await importing(assets), [
      ['group mapping off', /the group is disabled/],
      ['membership nobody in off', /no user of this name/],
      ['group mapping gone', /no group of this name/],
      ['user a user', /A user name has/],
      ['user ines', /A secret access key has 8 to 128/],
      ['user jo@example.org', /is disabled here, since its group "off" was/],
      ['user mapping nobody', /no user of this name/],
    ])
    assert.equal(await reads(keyOf('jo@example.org'), 'alice'), 'InvalidAccessKeyId')
    assert.equal((await daypass(['admin', 'user', 'enable', 'jo@example.org'])).code, 0)
    assert.equal(await reads(keyOf('jo@example.org'), 'alice'), 'AccessDenied')
    const again = await importing(assets)
    assert.ok(
      remarks(again).every(([what]) => what !== 'user jo@example.org'),
      'it was enabled on purpose',
    )
  })

  it('is a membership too many: the key is held back, for a Deny may be missing', async () => {
    const names = Array.from({ length: 51 }, (_, n) => `g${n}`)
    const imported = await importing({
      users: { kim: user('kim') },
      groups: Object.fromEntries(names.map((name) => [name, group('kim')])),
      svcaccts: { KIMSJOB: account('KIMSJOB', 'kim') },
    })
    assertRemarks(imported, [
      ['membership kim in g9', /at most 50 groups/],
      ['user kim', /held back, since it could not be put into group "g9"/],
      ['service account KIMSJOB', /held back like the key of its user/],
    ])
    assert.equal(await reads(keyOf('kim'), 'alice'), 'InvalidAccessKeyId')
  })

  it('is a service account that is over, unbounded by mistake, or of nobody here', async () => {
    const dn = 'uid=dillon,ou=people,DC=min,DC=io'
    const imported = await importing({
      users: { lea: user('lea') },
      svcaccts: {
        ASIAABCDEFGHIJKLMNOP: account('ASIAABCDEFGHIJKLMNOP', 'lea'),
        BROKEN: account('BROKEN', 'lea', narrowed('lea', { Version: '', Statement: null })),
        EMPTY: account('EMPTY', 'lea', narrowed('lea', {})),
        LDAPJOB: account('LDAPJOB', dn),
        LOST: account('LOST', 'lea', narrowed('lea', null)),
        OIDCJOB: account('OIDCJOB', 'hash', { claims: { sub: 'x', iss: 'https://idp' } }),
        OVER: account('OVER', 'lea', { expiration: '2020-01-01T00:00:00Z' }),
        ROOTJOB: account('ROOTJOB', 'minioadmin'),
        'site-replicator-0': account('site-replicator-0', 'minioadmin'),
      },
    })
    assertRemarks(imported, [
      ['service account LOST', /the archive does not hold it/],
      ['service account ASIAABCDEFGHIJKLMNOP', /ASIA/],
      ['service account BROKEN', /MalformedPolicyDocument/],
      ['service account EMPTY', /MalformedPolicyDocument/],
      ['service account LDAPJOB', /of a directory; make a user for it here/],
      ['service account OIDCJOB', /OpenID provider; make a user/],
      ['service account OVER', /it expired at 2020/],
      ['service account ROOTJOB', /is it MinIO's root/],
      ['service account site-replicator-0', /replication/],
    ])
    const { out } = await daypass(['admin', 'accesskey', 'ls', 'lea', '--json'])
    assert.deepEqual(
      JSON.parse(out).map((key: { accessKeyId: string }) => key.accessKeyId),
      ['lea'],
    )
  })

  it('is given to whom --parent says', async () => {
    const dn = 'uid=dillon,ou=people,DC=min,DC=io'
    const assets = {
      svcaccts: { LDAPJOB: account('LDAPJOB', dn), ROOTJOB: account('ROOTJOB', 'minioadmin') },
    }
    const none = await importing(assets, ['--parent', 'minioadmin=mike', `${dn}=mike`])
    assertRemarks(none, [
      ['service account LDAPJOB', /there is no such user here/],
      ['service account ROOTJOB', /there is no such user here/],
    ])
    await daypass(['admin', 'user', 'add', 'mike'])
    await daypass(['admin', 'user', 'attach', 'mike', 'readonly'])
    const given = await importing(assets, ['--parent', 'minioadmin=mike', `${dn}=mike`])
    assertRemarks(given, [])
    assert.equal(await reads(keyOf('ROOTJOB'), 'alice'), 'ok')
    assert.equal(await writes(keyOf('LDAPJOB'), 'alice'), 'AccessDenied')
    for (const wrong of ['mike', '=mike', 'root=']) {
      assert.equal((await importing(assets, ['--parent', wrong])).code, 2)
    }
  })
})

describe('policies of people of a directory', () => {
  const reading = { policies: { reads: policy('s3:GetObject', 'arn:aws:s3:::*') } }
  const ldap: Assets = {
    ...reading,
    stsuser_mappings: {
      'uid=Dillon,ou=people,DC=min,DC=io': mapped('reads'),
      'hash-of-a-token': mapped('reads'),
    },
    group_mappings: { 'cn=project.c,ou=groups,DC=min,DC=io': mapped('reads') },
  }
  const stranger = ['LDAP mapping hash-of-a-token', /at each login/] as const

  it('wait for a directory', async () => {
    assertRemarks(await importing(ldap), [
      stranger,
      ['LDAP mapping uid=Dillon,ou=people,DC=min,DC=io', /is the directory in the configuration/],
      ['LDAP mapping cn=project.c,ou=groups,DC=min,DC=io', /is the directory in the configuration/],
    ])
  })

  it('are carried over once it is configured, be it away', async (t) => {
    const to = await start(t, config)
    assertRemarks(await importing(ldap, [], { to }), [stranger])
    const again = await importing(ldap, [], { to })
    assertRemarks(again, [stranger])
    assert.ok(again.lines.every(({ outcome }) => outcome === 'unchanged' || outcome === 'left'))
    const { out } = await daypass(['admin', 'ldap', 'ls', '--json'], { to })
    assert.match(out, /uid=dillon/)
    assert.match(out, /cn=project\.c/)
  })

  it('stay behind together when one that denies cannot come', async (t) => {
    const to = await start(t, config)
    const deny = policy('s3:*', 'arn:aws:s3:::secrets/*', 'Deny')
    const imported = await importing(
      {
        policies: { ...reading.policies, deny },
        stsuser_mappings: { 'uid=ann,ou=people,dc=min,dc=io': mapped('reads') },
        group_mappings: { [`cn=${'x'.repeat(800)},dc=io`]: mapped('deny') },
      },
      [],
      { to },
    )
    assert.equal(imported.code, 5)
    assert.deepEqual(
      imported.lines.filter(({ kind }) => kind === 'LDAP mapping').map(({ outcome }) => outcome),
      ['left', 'left'],
    )
    assert.match(remarks(imported).at(-1)?.[1] ?? '', /may deny something/)
    assert.equal((await daypass(['admin', 'ldap', 'ls', '--json'], { to })).out.trim(), '[]')
  })
})

describe('a run that breaks off', () => {
  it('leaves nobody with more than they had, and is simply repeated', async (t) => {
    const to = await start(t)
    const assets: Assets = {
      policies: {
        most: policy('s3:*', 'arn:aws:s3:::*'),
        'not-all': policy('s3:*', 'arn:aws:s3:::secrets/*', 'Deny'),
      },
      users: { nina: user('nina'), olaf: user('olaf', 'disabled') },
      groups: { team: group('nina', 'olaf') },
      user_mappings: { nina: mapped('most'), olaf: mapped('most,not-all') },
      group_mappings: { team: mapped('not-all') },
      svcaccts: { NINASJOB: account('NINASJOB', 'nina') },
    }
    let broken = 0
    for (let calls = 1; ; calls++) {
      const proxy = await brokenProxy(t, to, calls)
      const { code, error } = await importing(assets, [], { to, endpoint: proxy })
      const keys = JSON.parse((await daypass(['admin', 'accesskey', 'ls', '--json'], { to })).out)
      for (const { user: owner } of keys) {
        const got = JSON.parse(
          (await daypass(['admin', 'user', 'get', owner, '--json'], { to })).out,
        )
        assert.deepEqual(got.groups, ['team'], `after ${calls} calls`)
        assert.equal(got.status, owner === 'nina' ? 'enabled' : 'disabled', `after ${calls} calls`)
        const expected = owner === 'nina' ? ['most'] : ['most', 'not-all']
        assert.deepEqual(new Set(got.policies), new Set(expected), `after ${calls} calls`)
      }
      if (code === 0) break
      broken++
      assert.equal(code, 3)
      assert.match(error, /stopped in the middle.*\n.*run it again/)
    }
    assert.ok(broken > 10, `only ${broken} runs broke off`)
    const last = await importing(assets, [], { to })
    assert.deepEqual([...new Set(last.lines.map(({ outcome }) => outcome))], ['unchanged'])
  })
})

/** Stands before the server and hangs up after so many calls. */
async function brokenProxy(t: TestContext, to: RunningServer, calls: number): Promise<string> {
  let left = calls
  const proxy = createServer((incoming, outgoing) => {
    if (left-- <= 0) return void incoming.socket.destroy()
    const { method, url, headers } = incoming
    const { hostname, port } = new URL(to.endpoint)
    const onward = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  proxy.listen(0, '127.0.0.1', resolve)
  await promise
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const address = proxy.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}
