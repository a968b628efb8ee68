import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts'
import { startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { minioClient } from './clients/minio.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { anyRole, exchangeToken, refusalOf, s3Client, sessionKeys, stsClient } from './keys.ts'
import type { Keys } from './keys.ts'

describe("MinIO's environment, unchanged", () => {
  const root = { accessKeyId: 'minioadmin', secretAccessKey: 'a-password-of-minio' }
  const prefix = 'MINIO_IDENTITY_OPENID'
  let idp: OidcIssuer
  let partners: OidcIssuer
  let server: DaypassServer

  before(async () => {
    idp = await startOidcIssuer({ audience: 'minio-app' })
    partners = await startOidcIssuer({ audience: 'partner-app' })
    server = await startDaypass({
      env: {
        MINIO_ROOT_USER: root.accessKeyId,
        MINIO_ROOT_PASSWORD: root.secretAccessKey,
        [`${prefix}_CONFIG_URL`]: idp.configUrl,
        [`${prefix}_CLIENT_ID`]: 'minio-app',
        [`${prefix}_CLIENT_SECRET`]: 'secret-of-the-client',
        [`${prefix}_CLAIM_NAME`]: 'minio_policy',
        [`${prefix}_SCOPES`]: 'openid,profile',
        [`${prefix}_CONFIG_URL_PARTNERS`]: partners.configUrl,
        [`${prefix}_CLIENT_ID_PARTNERS`]: 'partner-app',
        [`${prefix}_ROLE_POLICY_PARTNERS`]: 'readonly, diagnostics',
        MINIO_SITE_REGION: 'eu-test-1',
        MINIO_BROWSER: 'off',
      },
    })
    await client(root).send(new CreateBucketCommand({ Bucket: 'shared' }))
    await client(root).send(new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'hello' }))
  })

  after(async () => {
    await server.stop()
    for (const issuer of [idp, partners]) await issuer.close()
  })

  const client = (keys: Keys) => s3Client(server.endpoint, keys)
  const write = (keys: Keys) =>
    client(keys).send(new PutObjectCommand({ Bucket: 'shared', Key: 'w', Body: 'x' }))
  const read = (keys: Keys) =>
    client(keys).send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))

  it('makes the root key, which no file holds and no line shows', async () => {
    const buckets = await minioClient(server.endpoint, root).listBuckets()
    assert.equal(buckets.length, 1)
    assert.ok(!server.output().includes(root.secretAccessKey))
    const wrong = { ...root, secretAccessKey: 'another password' }
    const refused = await refusalOf(client(wrong).send(new ListBucketsCommand({})))
    assert.equal(refused.code, 'SignatureDoesNotMatch')
  })

  it('makes a provider whose claim names the policies', async () => {
    const token = (members: object) => idp.token(idp.claims({ ...members }))
    const keys = await exchangeToken(server.endpoint, token({ minio_policy: ['readwrite'] }))
    await write(keys)
    const other = exchangeToken(server.endpoint, token({ policy: 'readwrite' }))
    assert.equal((await refusalOf(other)).code, 'AccessDenied')
  })

  it('makes a further provider with a role of its own, whose ARN is as MinIO makes it', async () => {
    const roleArn = /partners, client partner-app, role (\S+)/.exec(server.output())?.[1] ?? ''
    assert.match(roleArn, /^arn:minio:iam:eu-test-1::role\/[\w-]{27}$/)
    const token = partners.token(partners.claims({ minio_policy: 'consoleAdmin' }))
    const ask = (RoleArn: string) =>
      stsClient(server.endpoint).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn,
          RoleSessionName: 'me',
          WebIdentityToken: token,
        }),
      )
    const keys = sessionKeys((await ask(roleArn)).Credentials)
    await read(keys)
    assert.equal((await refusalOf(write(keys))).code, 'AccessDenied')
    assert.match((await refusalOf(ask(anyRole))).code, /^InvalidIdentityToken/)
  })
})
