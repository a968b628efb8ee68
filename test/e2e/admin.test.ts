import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  paginateListUsers,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { serve } from '../../src/main.ts'
import type { RunningServer } from '../../src/main.ts'

const cli = resolve(import.meta.dirname, '../../src/cli/daypass.ts')
const awsCli = '/usr/bin/aws'
const dir = mkdtempSync(join(tmpdir(), 'daypass-admin-'))
const secretsSeen: string[] = []
let server: RunningServer

before(async () => {
  const env = { DAYPASS_LOG_LEVEL: 'error' }
  const anywhere = '127.0.0.1:0'
  server = await serve({ dir, address: anywhere, operationsAddress: anywhere, env })
  await s3(rootKeys()).send(new CreateBucketCommand({ Bucket: 'shared' }))
})

after(async () => {
  await server.close()
  rmSync(dir, { recursive: true })
})

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>

function rootKeys(): Keys {
  const { accessKeyId, secretAccessKey } = server.root
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal() }
}

function settings(credentials: Keys) {
  return { endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
}

const iam = (keys = rootKeys()): IAMClient => new IAMClient(settings(keys))
const sts = (keys: Keys): STSClient => new STSClient(settings(keys))
const s3 = (keys: Keys): S3Client => new S3Client({ ...settings(keys), forcePathStyle: true })

type Ran = Readonly<{ code: number; out: string; error: string }>

/** Another program, and what came of it; never throws. */
function execute(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { promise, resolve: ended } = Promise.withResolvers<Ran>()
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 }
  execFile(program, [...args], options, (problem, out, error) => {
    const code = typeof problem?.code === 'number' ? problem.code : problem ? -1 : 0
    ended({ code, out, error })
  })
  return promise
}

/** The real command line, with the root key of the directory unless other keys are given. */
function daypass(args: readonly string[], keys?: Keys): Promise<Ran> {
  const env = { DAYPASS_ENDPOINT: server.endpoint, DAYPASS_DIR: dir }
  const own = keys && {
    DAYPASS_ACCESS_KEY: keys.accessKeyId,
    DAYPASS_SECRET_KEY: keys.secretAccessKey,
    DAYPASS_SESSION_TOKEN: keys.sessionToken ?? '',
  }
  return execute(process.execPath, [cli, ...args], { ...env, ...own })
}

async function daypassJson(args: readonly string[]): Promise<Record<string, string>> {
  const { code, out, error } = await daypass([...args, '--json'])
  assert.equal(code, 0, error)
  return JSON.parse(out)
}

async function makeUser(name: string, ...policies: readonly string[]): Promise<Keys> {
  await daypassJson(['admin', 'user', 'add', name])
  for (const policy of policies) await daypassJson(['admin', 'user', 'attach', name, policy])
  const { accessKeyId = '', secretAccessKey = '' } = await daypassJson([
    'admin',
    'accesskey',
    'add',
    name,
  ])
  secretsSeen.push(secretAccessKey)
  return { accessKeyId, secretAccessKey }
}

async function assumeRole(keys: Keys): Promise<Keys> {
  const RoleArn = 'arn:aws:iam::000000000000:role/any'
  const { Credentials } = await sts(keys).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }),
  )
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
  secretsSeen.push(SecretAccessKey, SessionToken)
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

const document = (resource: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: resource }],
  })

describe('@aws-sdk/client-iam against the running server', () => {
  it('is refused with a wrong secret, and as a user without permission', async () => {
    const wrong = iam({ ...rootKeys(), secretAccessKey: 'wrong' })
    await assert.rejects(wrong.send(new GetUserCommand({})), { name: 'SignatureDoesNotMatch' })
    const keys = await makeUser('sdk-stranger', 'readwrite')
    const create = new CreateUserCommand({ UserName: 'sdk-eve' })
    await assert.rejects(iam(keys).send(create), (error: Error) => {
      assert.equal(error.name, 'AccessDenied')
      assert.match(error.message, /iam:CreateUser on arn:aws:iam::000000000000:user\/sdk-eve/)
      return true
    })
    const missing = new GetUserCommand({ UserName: 'sdk-eve' })
    await assert.rejects(iam().send(missing), { name: 'NoSuchEntityException' })
  })

  it('leads a user, its key and its policy from birth to death', async () => {
    const client = iam()
    const UserName = 'sdk-ann'
    const { User } = await client.send(new CreateUserCommand({ UserName }))
    assert.equal(User?.Arn, `arn:aws:iam::000000000000:user/${UserName}`)
    assert.ok(User?.CreateDate instanceof Date)
    await assert.rejects(client.send(new CreateUserCommand({ UserName })), {
      name: 'EntityAlreadyExistsException',
    })

    const made = await client.send(new CreateAccessKeyCommand({ UserName }))
    const { AccessKeyId = '', SecretAccessKey = '' } = made.AccessKey ?? {}
    secretsSeen.push(SecretAccessKey)
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
    const listed = await client.send(new ListAccessKeysCommand({ UserName }))
    assert.deepEqual(
      listed.AccessKeyMetadata?.map((key) => [key.AccessKeyId, key.Status]),
      [[AccessKeyId, 'Active']],
    )

    const PolicyName = 'sdk-policy'
    const malformed = new CreatePolicyCommand({ PolicyName, PolicyDocument: '{"Statement":[]}' })
    await assert.rejects(client.send(malformed), { name: 'MalformedPolicyDocumentException' })
    const PolicyDocument = document('arn:aws:s3:::sdk/*')
    const { Policy } = await client.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))
    const PolicyArn = Policy?.Arn ?? ''
    await client.send(new AttachUserPolicyCommand({ UserName, PolicyArn }))
    const attached = await client.send(new ListAttachedUserPoliciesCommand({ UserName }))
    assert.deepEqual(attached.AttachedPolicies, [{ PolicyName, PolicyArn }])
    await assert.rejects(client.send(new DeletePolicyCommand({ PolicyArn })), {
      name: 'DeleteConflictException',
    })

    const replaced = document('arn:aws:s3:::sdk2/*')
    const change = { PolicyArn, PolicyDocument: replaced, SetAsDefault: true }
    await client.send(new CreatePolicyVersionCommand(change))
    const now = await client.send(new GetPolicyCommand({ PolicyArn }))
    assert.equal(now.Policy?.AttachmentCount, 1)
    const VersionId = now.Policy?.DefaultVersionId ?? ''
    const version = await client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }))
    const text = decodeURIComponent(version.PolicyVersion?.Document ?? '')
    assert.deepEqual(JSON.parse(text), JSON.parse(replaced))

    await sts(keys).send(new GetCallerIdentityCommand({}))
    const inactive = { UserName, AccessKeyId, Status: 'Inactive' } as const
    await client.send(new UpdateAccessKeyCommand(inactive))
    await assert.rejects(sts(keys).send(new GetCallerIdentityCommand({})))

    const conflict = { name: 'DeleteConflictException' }
    await assert.rejects(client.send(new DeleteUserCommand({ UserName })), conflict)
    await client.send(new DetachUserPolicyCommand({ UserName, PolicyArn }))
    await assert.rejects(client.send(new DeletePolicyCommand({ PolicyArn })), conflict)
    await client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v1' }))
    await client.send(new DeletePolicyCommand({ PolicyArn }))
    await assert.rejects(client.send(new DeleteUserCommand({ UserName })), conflict)
    await client.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))
    await client.send(new DeleteUserCommand({ UserName }))
    await assert.rejects(client.send(new DeleteUserCommand({ UserName })), {
      name: 'NoSuchEntityException',
    })
  })

  it('pages through all users', async () => {
    const client = iam()
    const names = Array.from({ length: 7 }, (_, index) => `sdk-page-${index}`)
    for (const UserName of names) await client.send(new CreateUserCommand({ UserName }))
    const seen: string[] = []
    for await (const page of paginateListUsers({ client, pageSize: 2 }, {})) {
      assert.ok((page.Users?.length ?? 0) <= 2)
      for (const { UserName = '' } of page.Users ?? []) seen.push(UserName)
    }
    assert.deepEqual(
      seen.filter((name) => name.startsWith('sdk-page-')),
      names,
    )
    assert.equal(new Set(seen).size, seen.length)
  })

  it('survives many administrators at once: exactly one makes the user', async () => {
    const client = iam()
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => client.send(new CreateUserCommand({ UserName: 'sdk-race' }))),
    )
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  })
})

describe(
  'aws iam (Debian) against the running server',
  { skip: !existsSync(awsCli) && `${awsCli} is not installed` },
  () => {
    const aws = (keys: Keys, ...args: readonly string[]): Promise<Ran> =>
      execute(awsCli, ['--endpoint-url', server.endpoint, '--output', 'json', 'iam', ...args], {
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        HOME: dir,
      })

    it('is refused as a stranger, and makes users and policies as root', async () => {
      const stranger = await aws({ ...rootKeys(), accessKeyId: 'nobody' }, 'list-users')
      assert.match(stranger.error, /InvalidClientTokenId/)
      const made = await aws(rootKeys(), 'create-user', '--user-name', 'cli-ann')
      assert.equal(JSON.parse(made.out).User.UserName, 'cli-ann')
      const again = await aws(rootKeys(), 'create-user', '--user-name', 'cli-ann')
      assert.match(again.error, /EntityAlreadyExists/)
      const policy = [
        '--policy-name',
        'cli-policy',
        '--policy-document',
        document('arn:aws:s3:::cli/*'),
      ]
      const { out } = await aws(rootKeys(), 'create-policy', ...policy)
      const arn = JSON.parse(out).Policy.Arn
      const version = await aws(
        rootKeys(),
        'get-policy-version',
        '--policy-arn',
        arn,
        '--version-id',
        'v1',
      )
      assert.equal(
        JSON.parse(version.out).PolicyVersion.Document.Statement[0].Resource,
        'arn:aws:s3:::cli/*',
      )
    })
  },
)

describe('daypass admin against the running server', () => {
  it('says its version', async () => {
    const { code, out } = await daypass(['--version'])
    assert.equal(code, 0)
    assert.match(out, /^\d+\.\d+\.\d+\n$/)
  })

  it('is denied to a user, with a reason that root can read', async () => {
    const keys = await makeUser('plain', 'readonly')
    const denied = await daypass(['admin', 'user', 'add', 'eve'], keys)
    assert.equal(denied.code, 4)
    const file = join(dir, 'denied.txt')
    writeFileSync(file, denied.error)
    const explained = await daypass(['explain', `@${file}`])
    assert.equal(explained.code, 0, explained.error)
    assert.match(explained.out, /Missing: iam:CreateUser on arn:aws:iam::000000000000:user\/eve/)
    assert.match(explained.out, /policy "readonly"/)
    assert.equal((await daypass(['explain', `@${file}`], keys)).code, 4, 'the user may not read it')
    const forged = `dpm1.abcdefghij234567.${'A'.repeat(200)}`
    assert.equal((await daypass(['explain', forged])).code, 1)
  })

  it('replaces a policy with effect on live sessions', async () => {
    const file = join(dir, 'policy.json')
    writeFileSync(
      file,
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
      }),
    )
    await daypassJson(['admin', 'policy', 'put', 'switch', file])
    const session = await assumeRole(await makeUser('switched', 'switch', 'readwrite'))
    const put = new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'x' })
    await assert.rejects(s3(session).send(put), { name: 'AccessDenied' })
    writeFileSync(file, document('arn:aws:s3:::shared/*'))
    await daypassJson(['admin', 'policy', 'put', 'switch', file])
    await s3(session).send(put)
  })

  it('ends one session and leaves the others', async () => {
    const keys = await makeUser('leaky', 'readwrite')
    const [leaked, other] = [await assumeRole(keys), await assumeRole(keys)]
    await s3(leaked).send(new ListBucketsCommand({}))
    await daypassJson([
      'admin',
      'sessions',
      'revoke',
      '--session',
      leaked.accessKeyId,
      '--reason',
      'leaked',
    ])
    await assert.rejects(s3(leaked).send(new ListBucketsCommand({})), { name: 'ExpiredToken' })
    await s3(other).send(new ListBucketsCommand({}))
  })

  it('ends all sessions of a user, and lets the user begin again', async () => {
    const keys = await makeUser('again', 'readwrite')
    const old = await assumeRole(keys)
    await daypassJson(['admin', 'sessions', 'revoke', '--user', 'again'])
    await assert.rejects(s3(old).send(new ListBucketsCommand({})), { name: 'ExpiredToken' })
    await s3(await assumeRole(keys)).send(new ListBucketsCommand({}))
  })

  it('disables and deletes a user with its sessions', async () => {
    const keys = await makeUser('leaver', 'readwrite')
    const session = await assumeRole(keys)
    const put = new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'x' })
    await s3(session).send(put)
    await daypassJson(['admin', 'user', 'disable', 'leaver'])
    await assert.rejects(sts(keys).send(new GetCallerIdentityCommand({})))
    await assert.rejects(s3(session).send(put), { name: 'ExpiredToken' })
    await daypassJson(['admin', 'user', 'enable', 'leaver'])
    await assert.rejects(s3(session).send(put), { name: 'ExpiredToken' }, 'it does not come back')
    await sts(keys).send(new GetCallerIdentityCommand({}))
    await daypassJson(['admin', 'user', 'rm', 'leaver'])
    await assert.rejects(sts(keys).send(new GetCallerIdentityCommand({})))
    await daypassJson(['admin', 'user', 'add', 'leaver'])
    await assert.rejects(s3(session).send(new ListBucketsCommand({})), { name: 'ExpiredToken' })
  })

  it('rotates the key ring without ending a session', async () => {
    const session = await assumeRole(await makeUser('steady', 'readwrite'))
    for (let turn = 0; turn < 3; turn++) {
      await daypassJson(['admin', 'keys', 'rotate'])
      await s3(session).send(new ListBucketsCommand({}))
    }
  })

  it('leaves no secret in the audit, and every change on record', () => {
    const audit = readdirSync(join(dir, 'audit'))
      .map((file) => readFileSync(join(dir, 'audit', file), 'utf8'))
      .join('')
    assert.ok(secretsSeen.length > 5)
    for (const secret of [...secretsSeen, rootKeys().secretAccessKey]) {
      assert.ok(!audit.includes(secret), 'a secret is in the audit')
    }
    const outcomes = audit
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ kind, action }) => kind === 'admin' && action === 'RevokeSessions')
      .map(({ outcome }) => outcome)
    assert.deepEqual(outcomes.slice(0, 2), ['started', 'done'])
  })
})

describe('daypass server, when it cannot start', () => {
  it('says why without a stack, and ends with exit code 1', async () => {
    const busy = new URL(server.endpoint).host
    const args = [
      cli,
      'server',
      join(dir, 'second'),
      '--address',
      busy,
      '--operations-address',
      '127.0.0.1:0',
    ]
    const { code, error } = await execute(process.execPath, args, {})
    assert.equal(code, 1)
    assert.match(error, /could not start.*is taken by another program/)
    assert.doesNotMatch(error, /\n\s+at /)
  })
})
