import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { fromTokenFile } from '@aws-sdk/credential-providers'
import { startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'

const region = 'us-east-1'
const policy = (actions: string, resources: string): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ${actions}, Resource: ${resources} }] }`

let idp: OidcIssuer
let roleIdp: OidcIssuer
let absentIdp: OidcIssuer
let server: DaypassServer

before(async () => {
  idp = await startOidcIssuer({ audience: 'app' })
  roleIdp = await startOidcIssuer({ audience: 'role-app' })
  absentIdp = await startOidcIssuer({ audience: 'absent-app' })
  await absentIdp.goAway()
  server = await startDaypass({
    config: `
openid:
  - { name: people, configUrl: "${idp.configUrl}", clientId: app }
  - { name: machines, configUrl: "${roleIdp.configUrl}", clientId: role-app, rolePolicy: [lister] }
  - { name: absent, configUrl: "${absentIdp.configUrl}", clientId: absent-app }
policies:
  lister: ${policy('["s3:ListBucket", "s3:GetObject"]', '["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"]')}
  home: ${policy('"s3:*"', '["arn:aws:s3:::shared/home/${jwt:sub}/*"]')}
`,
  })
  await s3(server.root).send(new CreateBucketCommand({ Bucket: 'shared' }))
  await s3(server.root).send(new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'hello' }))
})

after(async () => {
  await server.stop()
  await Promise.all([idp, roleIdp, absentIdp].map((issuer) => issuer.close()))
})

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>

function s3(credentials: Keys): S3Client {
  return new S3Client({ endpoint: server.endpoint, region, credentials, forcePathStyle: true })
}

const sts = (credentials?: Keys): STSClient =>
  new STSClient({
    endpoint: server.endpoint,
    region,
    credentials: credentials ?? { accessKeyId: 'none', secretAccessKey: 'none' },
  })

const noRole = 'arn:aws:iam::000000000000:role/any'

async function exchange(
  token: string,
  more: Partial<ConstructorParameters<typeof AssumeRoleWithWebIdentityCommand>[0]> = {},
): Promise<Keys> {
  const answer = await sts().send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: noRole,
      RoleSessionName: 'me',
      WebIdentityToken: token,
      ...more,
    }),
  )
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials ?? {}
  assert.ok(AccessKeyId && SecretAccessKey && SessionToken)
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

async function errorOf(
  promise: Promise<unknown>,
): Promise<Error & { $metadata?: { httpStatusCode?: number } }> {
  return promise.then(
    () => assert.fail('was allowed'),
    (error: unknown) => error as Error,
  )
}

describe('from an id token to objects, with the AWS SDK', () => {
  it('gives what the policy claim names, and nothing more', async () => {
    const keys = await exchange(idp.token(idp.claims({ sub: 'jane', policy: 'home, readonly' })))
    const client = s3(keys)
    await client.send(new PutObjectCommand({ Bucket: 'shared', Key: 'home/jane/a', Body: 'mine' }))
    const got = await client.send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))
    assert.equal(await got.Body?.transformToString(), 'hello')
    const elsewhere = new PutObjectCommand({ Bucket: 'shared', Key: 'home/bob/a', Body: 'x' })
    assert.equal((await errorOf(client.send(elsewhere))).name, 'AccessDenied')
    const away = new DeleteObjectCommand({ Bucket: 'shared', Key: 'k' })
    assert.equal((await errorOf(client.send(away))).name, 'AccessDenied')
  })

  it('narrows by the session policy, and never widens', async () => {
    const wide =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    const keys = await exchange(idp.token(idp.claims({ policy: 'readonly' })), { Policy: wide })
    const put = new PutObjectCommand({ Bucket: 'shared', Key: 'x', Body: 'x' })
    assert.equal((await errorOf(s3(keys).send(put))).name, 'AccessDenied')
    const none = wide.replace('"Allow"', '"Deny"')
    const closed = await exchange(idp.token(idp.claims({ policy: 'readwrite' })), { Policy: none })
    const get = new GetObjectCommand({ Bucket: 'shared', Key: 'k' })
    assert.equal((await errorOf(s3(closed).send(get))).name, 'AccessDenied')
  })

  it('goes by the role when the role ARN names one', async () => {
    const roleArn = /machines, client role-app, role (\S+)/.exec(server.output())?.[1]
    assert.ok(roleArn)
    const keys = await exchange(roleIdp.token(roleIdp.claims({ policy: 'consoleAdmin' })), {
      RoleArn: roleArn,
    })
    const list = await s3(keys).send(new ListObjectsV2Command({ Bucket: 'shared' }))
    assert.ok((list.KeyCount ?? 0) > 0)
    const put = new PutObjectCommand({ Bucket: 'shared', Key: 'x', Body: 'x' })
    assert.equal((await errorOf(s3(keys).send(put))).name, 'AccessDenied')
    const crossed = exchange(idp.token(idp.claims({ policy: 'readwrite' })), { RoleArn: roleArn })
    await assert.rejects(crossed)
  })

  it('works through the default credential chain: token file, role ARN, STS endpoint', async () => {
    const file = join(server.dir, 'token.jwt')
    writeFileSync(file, idp.token(idp.claims({ policy: 'readonly' })))
    process.env['AWS_ENDPOINT_URL_STS'] = server.endpoint
    process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = file
    process.env['AWS_ROLE_ARN'] = noRole
    try {
      const client = new S3Client({ endpoint: server.endpoint, region, forcePathStyle: true })
      const got = await client.send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))
      assert.equal(await got.Body?.transformToString(), 'hello')
      const provider = fromTokenFile({ clientConfig: { endpoint: server.endpoint, region } })
      assert.ok((await provider()).sessionToken)
    } finally {
      for (const name of ['AWS_ENDPOINT_URL_STS', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']) {
        Reflect.deleteProperty(process.env, name)
      }
      rmSync(file)
    }
  })

  it('never outlives the token', async () => {
    const expiresAt = Math.floor(Date.now() / 1000) + 1200
    const answer = await sts().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: noRole,
        RoleSessionName: 'me',
        WebIdentityToken: idp.token(idp.claims({ policy: 'readonly', exp: expiresAt })),
        DurationSeconds: 3600,
      }),
    )
    assert.equal(answer.Credentials?.Expiration?.getTime(), expiresAt * 1000)
  })

  it('tells the caller who it is', async () => {
    const keys = await exchange(idp.token(idp.claims({ sub: 'jane', policy: 'readonly' })))
    const identity = await sts(keys).send(new GetCallerIdentityCommand({}))
    assert.match(identity.Arn ?? '', /^arn:aws:sts::000000000000:assumed-role\/openid=people\/me$/)
  })
})

describe('refusals', () => {
  it('of tokens, by the finer AWS codes', async () => {
    const now = Math.floor(Date.now() / 1000)
    const cases: readonly (readonly [string, string])[] = [
      ['garbage', 'InvalidIdentityToken'],
      [idp.token(idp.claims({ policy: 'readonly', exp: now - 100 })), 'ExpiredTokenException'],
      [idp.token(idp.claims({ policy: 'readonly', aud: 'other' })), 'InvalidIdentityToken'],
      [idp.token(idp.claims({ policy: 'readonly', iss: 'https://other' })), 'InvalidIdentityToken'],
    ]
    for (const [token, code] of cases) {
      const error = await errorOf(exchange(token))
      // The SDK calls the wire's InvalidIdentityToken InvalidIdentityTokenException.
      assert.equal(error.name.replace(/Exception$/, ''), code.replace(/Exception$/, ''))
      assert.equal(error.$metadata?.httpStatusCode, 400)
    }
  })

  it('of a token without a policy that exists', async () => {
    for (const claim of [undefined, '', 'nonsense', [], 5, { a: 1 }]) {
      await assert.rejects(exchange(idp.token(idp.claims({ policy: claim }))))
    }
  })

  it('of one provider that is away leave the others alone, and end when it comes back', async () => {
    await assert.rejects(exchange(absentIdp.token(absentIdp.claims({ policy: 'readonly' }))))
    await exchange(idp.token(idp.claims({ policy: 'readonly' })))
    const ready = await fetch(`${server.operationsEndpoint}/ready`)
    assert.equal(ready.status, 200)
    await absentIdp.comeBack()
    const deadline = Date.now() + 30_000
    const token = absentIdp.token(absentIdp.claims({ policy: 'readonly' }))
    const tried = (): Promise<boolean> =>
      exchange(token).then(
        () => true,
        () => false,
      )
    while (!(await tried())) {
      assert.ok(Date.now() < deadline, 'never came back')
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  })
})

describe('AssumeRole by a key', () => {
  it('gives root a session that its policy narrows', async () => {
    const answer = await sts(server.root).send(
      new AssumeRoleCommand({
        RoleArn: noRole,
        RoleSessionName: 'me',
        DurationSeconds: 900,
        Policy:
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::shared/*"}]}',
      }),
    )
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {}
    const keys = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    }
    await s3(keys).send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))
    assert.equal((await errorOf(s3(keys).send(new ListBucketsCommand({})))).name, 'AccessDenied')
    const again = new AssumeRoleCommand({ RoleArn: noRole, RoleSessionName: 'me' })
    assert.equal((await errorOf(sts(keys).send(again))).name, 'AccessDenied')
  })

  it('refuses a wrong secret', async () => {
    const wrong = { ...server.root, secretAccessKey: 'wrong' }
    const call = new AssumeRoleCommand({ RoleArn: noRole, RoleSessionName: 'me' })
    assert.equal((await errorOf(sts(wrong).send(call))).$metadata?.httpStatusCode, 403)
  })
})

describe('what is kept', () => {
  it('is an audit record of each exchange and denial, without a secret', async () => {
    const token = idp.token(idp.claims({ sub: 'audited', policy: 'readonly' }))
    const keys = await exchange(token)
    await errorOf(s3(keys).send(new DeleteObjectCommand({ Bucket: 'shared', Key: 'k' })))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const [file = ''] = readdirSync(join(server.dir, 'audit'))
    const text = readFileSync(join(server.dir, 'audit', file), 'utf8')
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.ok(records.some((record) => record['accessKeyId'] === keys.accessKeyId))
    assert.ok(records.some((record) => record['kind'] === 'denial'))
    const signature = token.split('.')[2] ?? ''
    const secrets = [
      keys.secretAccessKey,
      keys.sessionToken ?? '',
      signature,
      server.root.secretAccessKey,
    ]
    for (const secret of secrets) {
      assert.ok(!text.includes(secret), 'a secret stands in the audit')
      assert.ok(!server.output().includes(secret), 'a secret stands in the log')
    }
  })

  it('is counted', async () => {
    const text = await (await fetch(`${server.operationsEndpoint}/metrics`)).text()
    assert.match(
      text,
      /daypass_exchanges_total\{action="sts:AssumeRoleWithWebIdentity",outcome="issued"\} \d+/,
    )
    assert.match(text, /daypass_requests_total\{face="s3",operation="GetObject",status="200"\} \d+/)
    assert.match(text, /daypass_policy_denials_total\{principal="session"\} \d+/)
    assert.match(text, /daypass_signing_keys\{status="active"\} 1/)
    assert.match(text, /daypass_provider_ready\{provider="people"\} 1/)
    assert.match(text, /daypass_revocations_fresh 1/)
  })
})
