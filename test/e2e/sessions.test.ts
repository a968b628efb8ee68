import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { anyRole, assumeRole, exchangeToken, refusalOf, s3Client, stsClient } from './keys.ts'
import type { Keys, SessionKeys } from './keys.ts'
import { daypass } from './programs.ts'
import { assertUntold } from './traces.ts'

const bucket = 'shared'
const userSecret = 'the-secret-of-user-ann'
let people: OidcIssuer
let server: DaypassServer
const seen: SessionKeys[] = []

before(async () => {
  people = await startOidcIssuer({ audience: 'app' })
  server = await startDaypass({
    env: { ANN_SECRET: userSecret },
    config: `
openid: [{ name: people, configUrl: "${people.configUrl}", clientId: app }]
users:
  ann: { policies: [readwrite], accessKeys: [{ accessKeyId: ANNKEY, secretAccessKey: { env: ANN_SECRET } }] }
`,
  })
  await client(server.root).send(new CreateBucketCommand({ Bucket: bucket }))
  await client(server.root).send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'hello' }))
})

after(async () => {
  await server.stop()
  await people.close()
})

const client = (keys: Keys) => s3Client(server.endpoint, keys)
const ann = { accessKeyId: 'ANNKEY', secretAccessKey: userSecret }

async function signIn(sub: string, policy: string, members = {}): Promise<SessionKeys> {
  const token = people.token(people.claims({ sub, policy, ...members }))
  const keys = await exchangeToken(server.endpoint, token)
  seen.push(keys)
  return keys
}

const read = (keys: Keys) => client(keys).send(new GetObjectCommand({ Bucket: bucket, Key: 'k' }))
const write = (keys: Keys) =>
  client(keys).send(new PutObjectCommand({ Bucket: bucket, Key: 'w', Body: 'x' }))

/** Code and status of a read with these keys. */
async function readRefusal(keys: Keys): Promise<string> {
  const { code, status } = await refusalOf(read(keys))
  return `${code} ${status}`
}

async function admin(...args: readonly string[]): Promise<unknown> {
  const { code, out, error } = await daypass(server, ['admin', ...args, '--json'])
  assert.equal(code, 0, error)
  return JSON.parse(out.toString())
}

/** The name of the key that sealed it: the second part of a session token. */
const sealedBy = ({ sessionToken }: SessionKeys): string => sessionToken.split('.')[1] ?? ''

describe('a rotation of the key ring', () => {
  it('ends no session, and seals the next ones with the new key', async () => {
    const before = await signIn('steady', 'readonly')
    await admin('keys', 'rotate')
    await read(before)
    const later = await signIn('steady', 'readonly')
    await read(later)
    assert.notEqual(sealedBy(later), sealedBy(before))
    const ring = (await admin('keys', 'ls')) as { id: string; status: string }[]
    const statusOf = (id: string) => ring.find((key) => key.id === id)?.status
    assert.equal(statusOf(sealedBy(later)), 'active')
    assert.equal(statusOf(sealedBy(before)), 'retiring')
  })
})

describe('a revocation', () => {
  it('ends one session at the next request, and says so', async () => {
    const [leaked, other] = [await signIn('jane', 'readonly'), await signIn('jane', 'readonly')]
    await read(leaked)
    await admin('sessions', 'revoke', '--session', leaked.accessKeyId, '--reason', 'leaked')
    const { code, status, message } = await refusalOf(read(leaked))
    assert.deepEqual([code, status], ['ExpiredToken', 400])
    assert.match(message, /revoked/)
    const asked = stsClient(server.endpoint, leaked).send(new GetCallerIdentityCommand({}))
    assert.equal((await refusalOf(asked)).status, 403)
    await read(other)
  })

  it('ends all sessions of one principal, who may sign in again, and of nobody else', async () => {
    const [old, older] = [await signIn('bob', 'readonly'), await signIn('bob', 'readonly')]
    const namesake = await signIn('bobby', 'readonly')
    await admin('sessions', 'revoke', '--principal', 'people', 'bob')
    assert.equal(await readRefusal(old), 'ExpiredToken 400')
    assert.equal(await readRefusal(older), 'ExpiredToken 400')
    await read(namesake)
    await read(await signIn('bob', 'readonly'))
  })

  it('ends all sessions of one user, whose keys go on', async () => {
    const old = await assumeRole(server.endpoint, ann)
    await read(old)
    await admin('sessions', 'revoke', '--user', 'ann')
    assert.equal(await readRefusal(old), 'ExpiredToken 400')
    await read(ann)
    await read(await assumeRole(server.endpoint, ann))
  })
})

describe('what sessions have in common', () => {
  it('ends them: a policy, a provider; by a time, those before it alone', async () => {
    const old = await signIn('olga', 'readonly')
    await setTimeout(1100)
    const before = new Date().toISOString()
    await setTimeout(1100)
    const young = await signIn('olga', 'readonly')
    const wide = await signIn('olga', 'readwrite')
    await admin('sessions', 'revoke', '--policy', 'readonly', '--before', before)
    assert.equal(await readRefusal(old), 'ExpiredToken 400')
    await read(young)
    await admin('sessions', 'revoke', '--policy', 'readonly')
    assert.equal(await readRefusal(young), 'ExpiredToken 400')
    await read(wide)
    await admin('sessions', 'revoke', '--provider', 'people')
    assert.equal(await readRefusal(wide), 'ExpiredToken 400')
    await read(await assumeRole(server.endpoint, ann))
    await read(await signIn('olga', 'readonly'))
  })
})

describe('a session token', () => {
  it('has to be there, whole, of this server, and of this key', async () => {
    const keys = await signIn('jane', 'readonly')
    const { accessKeyId, secretAccessKey, sessionToken } = keys
    assert.equal(await readRefusal({ accessKeyId, secretAccessKey }), 'InvalidAccessKeyId 403')
    const other = await signIn('jane', 'readwrite')
    const [version = '', ring = '', sealed = ''] = sessionToken.split('.')
    const flipped = `${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`
    for (const wrong of [
      other.sessionToken,
      `${version}.${ring}.${flipped}`,
      `${version}.${ring}.${sealed.slice(0, -4)}`,
      `${version}.abcdefghij234567.${sealed}`,
      `dps9.${ring}.${sealed}`,
      'garbled',
      'eyJhbGciOiJIUzUxMiJ9.e30.c2lnbmF0dXJl',
    ]) {
      assert.equal(await readRefusal({ ...keys, sessionToken: wrong }), 'InvalidToken 400', wrong)
    }
    assert.equal(await readRefusal({ ...ann, sessionToken }), 'InvalidToken 400')
    assert.equal(await readRefusal({ ...server.root, sessionToken }), 'InvalidToken 400')
    const wrongSecret = { ...keys, secretAccessKey: 'wrong' }
    assert.equal(await readRefusal(wrongSecret), 'SignatureDoesNotMatch 403')
    await read(keys)
  })

  it('ends with the id token that it was given for', async () => {
    const exp = Math.floor(Date.now() / 1000) + 4
    const keys = await signIn('hasty', 'readwrite', { exp })
    await read(keys)
    await setTimeout(exp * 1000 - Date.now() + 50)
    assert.equal(await readRefusal(keys), 'ExpiredToken 400')
    const wrongSecret = { ...keys, secretAccessKey: 'wrong' }
    assert.equal(await readRefusal(wrongSecret), 'SignatureDoesNotMatch 403')
    const put = await refusalOf(write(keys))
    assert.equal(put.code, 'ExpiredToken')
    const asked = stsClient(server.endpoint, keys).send(new GetCallerIdentityCommand({}))
    assert.equal((await refusalOf(asked)).code.replace('Exception', ''), 'ExpiredToken')
  })
})

describe('a change of a policy', () => {
  it('acts on the next request of a session that lives', async () => {
    const file = join(server.dir, 'policy.json')
    const allow = (Action: string) => {
      const statement = { Effect: 'Allow', Action, Resource: 'arn:aws:s3:::shared/*' }
      writeFileSync(file, JSON.stringify({ Version: '2012-10-17', Statement: [statement] }))
      return admin('policy', 'put', 'changing', file)
    }
    await allow('s3:GetObject')
    const keys = await signIn('jane', 'changing')
    await read(keys)
    assert.equal((await refusalOf(write(keys))).code, 'AccessDenied')
    await allow('s3:PutObject')
    await write(keys)
    assert.equal(await readRefusal(keys), 'AccessDenied 403')
    await admin('policy', 'rm', 'changing')
    assert.equal((await refusalOf(write(keys))).code, 'AccessDenied')
  })
})

describe('daypass explain', () => {
  /** What an administrator reads, from the whole answer as it was pasted. */
  async function explain(answer: string): Promise<string> {
    const { code, out, error } = await daypass(server, ['explain', '-'], { input: answer })
    assert.equal(code, 0, error)
    return out.toString()
  }

  it('tells why an S3 request was denied: who, which policies, what is missing', async () => {
    const keys = await signIn('jane', 'readonly')
    const command = new DeleteObjectCommand({ Bucket: bucket, Key: 'k' })
    const denied = await fetch(await getSignedUrl(client(keys), command), { method: 'DELETE' })
    assert.equal(denied.status, 403)
    const text = await explain(await denied.text())
    assert.match(text, /people/)
    assert.match(text, /jane/)
    assert.match(text, /policy "readonly"/)
    assert.match(text, /Missing: s3:DeleteObject on arn:aws:s3:::shared\/k/)
  })

  it('tells why a proven caller got no keys, and nobody but administrators reads it', async () => {
    const token = people.token(people.claims({ sub: 'nobody-yet', policy: 'not-there' }))
    const call = new AssumeRoleWithWebIdentityCommand({
      RoleArn: anyRole,
      RoleSessionName: 'me',
      WebIdentityToken: token,
    })
    const { code, message } = await refusalOf(stsClient(server.endpoint).send(call))
    assert.equal(code, 'AccessDenied')
    const text = await explain(message)
    assert.match(text, /nobody-yet/)
    assert.match(text, /not-there/)
    assert.match(text, /AssumeRoleWithWebIdentity/)
    const keys = await signIn('jane', 'readwrite')
    const env = {
      DAYPASS_ACCESS_KEY: keys.accessKeyId,
      DAYPASS_SECRET_KEY: keys.secretAccessKey,
      DAYPASS_SESSION_TOKEN: keys.sessionToken,
    }
    const refused = await daypass(server, ['explain', '-'], { input: message, env })
    assert.equal(refused.code, 4)
    assert.doesNotMatch(refused.out.toString(), /nobody-yet/)
  })
})

describe('the ways to the STS', () => {
  const parameters = (action = 'AssumeRoleWithWebIdentity'): string =>
    new URLSearchParams({
      Action: action,
      Version: '2011-06-15',
      WebIdentityToken: people.token(people.claims({ policy: 'readonly' })),
    }).toString()
  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  /** The name of the answer's document and its code. */
  async function ask(path: string, init?: RequestInit): Promise<string> {
    const answer = await fetch(server.endpoint + path, init)
    const text = await answer.text()
    const [, root] = /<([A-Z]\w+)/.exec(text) ?? []
    const [, code = ''] = /<Code>(\w+)</.exec(text) ?? []
    return `${answer.status} ${root} ${code}`.trim()
  }
  const issued = '200 AssumeRoleWithWebIdentityResponse'
  const post = (body: string, headers = form) => ({ method: 'POST', headers, body })

  it('are a form, or a query by GET or POST', async () => {
    assert.equal(await ask('/', post(parameters())), issued)
    assert.equal(await ask(`/?${parameters()}`), issued)
    assert.equal(await ask(`/?${parameters()}`, { method: 'POST' }), issued)
    assert.equal(await ask(`/?${parameters()}`, post('')), issued)
    const typed = { 'content-type': 'Application/X-WWW-Form-URLencoded; charset=utf-8' }
    assert.equal(await ask('/', post(parameters(), typed)), issued)
    const grants = await ask('/', post(parameters('AssumeRoleWithClientGrants')))
    assert.equal(grants, '200 AssumeRoleWithClientGrantsResponse')
    const [action = '', ...others] = parameters().split('&')
    assert.equal(await ask(`/?${action}`, post(others.join('&'))), issued)
  })

  it('are any path that is not that of a bucket', async () => {
    for (const path of [
      '/sts',
      '/sts/',
      '/a/b/c',
      '//',
      '/minio/admin',
      '/no-such-bucket/k',
      '/%2e%2e',
    ]) {
      assert.equal(await ask(path, post(parameters())), issued, path)
    }
    const refusedByS3 = /^(?:4\d\d|501) Error /
    assert.match(await ask(`/${bucket}`, post(parameters())), refusedByS3)
    assert.match(await ask(`/${bucket}/k`, post(parameters())), refusedByS3)
    assert.match(await ask(`/${bucket}/k?${parameters()}`), refusedByS3)
  })

  it('are no other method, and no other type', async () => {
    for (const method of ['PUT', 'DELETE']) {
      assert.match(await ask(`/?${parameters()}`, { method }), /^4\d\d Error /)
    }
    const json = { 'content-type': 'application/json' }
    assert.match(await ask('/', post(parameters(), json)), /^4\d\d Error /)
    assert.equal(await ask('/'), '403 Error AccessDenied')
  })
})

describe('after all that', () => {
  it('no secret of a session stands anywhere', () => {
    const secrets = seen.flatMap((keys) => [keys.secretAccessKey, keys.sessionToken])
    assert.ok(secrets.length > 20)
    assertUntold(server, [...secrets, userSecret, server.root.secretAccessKey])
  })
})
