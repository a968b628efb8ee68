import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { startDirectory } from '../../src/identity/ldap/testing/directory-lab.ts'
import { Workshop, withoutOpenssl } from '../../src/identity/certificate/testing/authority.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { absence, daypass, demandProgram, runProgram } from './programs.ts'

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }>

function keysOf(xml: string): Keys {
  const element = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(xml)?.[1] ?? ''
  const keys = {
    accessKeyId: element('AccessKeyId'),
    secretAccessKey: element('SecretAccessKey'),
    sessionToken: element('SessionToken'),
  }
  assert.match(keys.accessKeyId, /^ASIA/, xml)
  return keys
}

function s3(server: DaypassServer, credentials: Keys | DaypassServer['root']): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
  })
}

async function makeBucket(server: DaypassServer): Promise<void> {
  const root = s3(server, server.root)
  await root.send(new CreateBucketCommand({ Bucket: 'shared' }))
  await root.send(new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'hello' }))
}

async function mayReadOnly(server: DaypassServer, keys: Keys): Promise<void> {
  const client = s3(server, keys)
  await client.send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))
  const put = new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'x' })
  await assert.rejects(client.send(put), { name: 'AccessDenied' })
}

const directory = await startDirectory('slapd')
if (typeof directory === 'string') console.error(`SKIPPED: LDAP: ${directory}`)

describe('AssumeRoleWithLDAPIdentity', { skip: typeof directory === 'string' && directory }, () => {
  let server: DaypassServer
  const value = (name: string): string =>
    typeof directory === 'string' ? '' : directory.value(name)

  before(async () => {
    // MinIO's own variables, as somebody who comes from there has them.
    server = await startDaypass({
      env: {
        MINIO_ROOT_USER: 'admin',
        MINIO_ROOT_PASSWORD: 'a password of root',
        MINIO_IDENTITY_LDAP_SERVER_ADDR: `127.0.0.1:${value('LDAPS_PORT')}`,
        MINIO_IDENTITY_LDAP_TLS_SKIP_VERIFY: 'on',
        MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN: value('LDAP_LOOKUP_DN'),
        MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD: value('LDAP_LOOKUP_PASSWORD'),
        MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN: 'ou=people,dc=daypass,dc=test',
        MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER: '(uid=%s)',
        MINIO_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN: 'ou=groups,dc=daypass,dc=test',
        MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER: '(&(objectClass=groupOfNames)(member=%d))',
      },
    })
    await makeBucket(server)
  })
  after(async () => {
    await server.stop()
    if (typeof directory !== 'string') await directory.down()
  })

  const login = async (name: string, password: string): Promise<Response> =>
    fetch(server.endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithLDAPIdentity',
        Version: '2011-06-15',
        LDAPUsername: name,
        LDAPPassword: password,
      }),
    })
  const admin = async (...words: readonly string[]): Promise<void> => {
    const env = { DAYPASS_ACCESS_KEY: 'admin', DAYPASS_SECRET_KEY: 'a password of root' }
    const { code, error } = await daypass(server, ['admin', ...words], { env })
    assert.equal(code, 0, error)
  }

  it('is refused for a person to whom and to whose groups nothing is attached', async () => {
    const answer = await login('alice', value('LDAP_ALICE'))
    assert.ok(answer.status >= 400 && answer.status < 500)
  })

  it('gives what is attached to a group of the person, and takes it back at once', async () => {
    const readers = 'cn=readers,ou=groups,dc=daypass,dc=test'
    await admin('ldap', 'attach', readers, 'readonly')
    const answer = await login('alice', value('LDAP_ALICE'))
    const keys = keysOf(await answer.text())
    await mayReadOnly(server, keys)
    await admin('ldap', 'detach', readers, 'readonly')
    const get = new GetObjectCommand({ Bucket: 'shared', Key: 'k' })
    await assert.rejects(s3(server, keys).send(get), { name: 'AccessDenied' })
  })

  it('tells nobody whether the name or the password was wrong', async () => {
    const seen = await Promise.all(
      [
        ['nobody', 'x'],
        ['alice', 'wrong'],
        ['*', 'x'],
        ['alice)(uid=*', 'x'],
      ].map(async ([name = '', password = '']) => {
        const answer = await login(name, password)
        return `${answer.status} ${(await answer.text()).replaceAll(/[0-9A-F]{16}/g, 'ID')}`
      }),
    )
    assert.equal(new Set(seen).size, 1, seen.join('\n'))
  })

  it('refuses an empty password', async () => {
    assert.equal((await login('alice', '')).status, 400)
  })
})

const curl = '/usr/bin/curl'

describe('AssumeRoleWithCertificate', { skip: withoutOpenssl() || absence(curl) }, () => {
  const workshop = new Workshop()
  let server: DaypassServer

  before(async () => {
    workshop.make('ca', { extensions: 'ca' })
    workshop.make('server', {
      by: 'ca',
      subject: '/CN=localhost',
      extensions: ['subjectAltName=IP:127.0.0.1'],
    })
    workshop.make('backup', { by: 'ca', subject: '/CN=backup', extensions: 'client' })
    workshop.make('other', { by: 'ca', subject: '/CN=other', extensions: 'client' })
    server = await startDaypass({
      env: { NODE_EXTRA_CA_CERTS: workshop.file('ca.pem') },
      config: `
tls: { certFile: ${workshop.file('server.pem')}, keyFile: ${workshop.file('server.key')} }
certificates:
  caFiles: [${workshop.file('ca.pem')}]
  rules: [{ cn: backup, policies: [readonly] }]
`,
    })
  })
  after(async () => {
    await server.stop()
    workshop.close()
  })

  const ask = (name: string | undefined): Promise<string> => {
    const own =
      name === undefined
        ? []
        : ['--cert', workshop.file(`${name}.pem`), '--key', workshop.file(`${name}.key`)]
    const url = `${server.endpoint}/?Action=AssumeRoleWithCertificate&Version=2011-06-15`
    const words = ['-sS', '--cacert', workshop.file('ca.pem'), ...own, '-X', 'POST', url]
    return demandProgram(curl, words).then((out) => out.toString())
  }

  it('gives what the rule says', async () => {
    const keys = keysOf(await ask('backup'))
    const words = [
      '-sS',
      '--cacert',
      workshop.file('ca.pem'),
      '--aws-sigv4',
      'aws:amz:us-east-1:s3',
      '--user',
      `${keys.accessKeyId}:${keys.secretAccessKey}`,
      '-H',
      `x-amz-security-token: ${keys.sessionToken}`,
      '-H',
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
      '-X',
      'PUT',
      `${server.endpoint}/bucket`,
    ]
    const { out } = await runProgram(curl, words)
    assert.match(out.toString(), /AccessDenied/)
  })

  it('refuses a certificate that no rule names, and no certificate', async () => {
    assert.match(await ask('other'), /<Code>(InvalidClientCertificate|AccessDenied)</)
    assert.match(await ask(undefined), /<Code>MissingParameter</)
  })
})

describe('AssumeRoleWithCustomToken', () => {
  let plugin: Server
  let server: DaypassServer

  before(async () => {
    plugin = createServer((request, response) => {
      const token = new URL(request.url ?? '/', 'http://plugin').searchParams.get('token')
      const knows = token === 'a token of alice'
      response.writeHead(knows ? 200 : 403, { 'content-type': 'application/json' })
      const answer = knows
        ? { user: 'alice', maxValiditySeconds: 3600, claims: {} }
        : { reason: 'never heard of it' }
      response.end(JSON.stringify(answer))
    })
    plugin.listen(0, '127.0.0.1')
    await once(plugin, 'listening')
    const address = plugin.address()
    assert.ok(typeof address === 'object' && address !== null)
    server = await startDaypass({
      env: {
        MINIO_IDENTITY_PLUGIN_URL: `http://127.0.0.1:${address.port}/auth`,
        MINIO_IDENTITY_PLUGIN_ROLE_POLICY: 'readonly',
        MINIO_IDENTITY_PLUGIN_ROLE_ID: 'people',
      },
    })
    await makeBucket(server)
  })
  after(async () => {
    await server.stop()
    plugin.close()
    plugin.closeAllConnections()
  })

  const ask = (token: string): Promise<string> => {
    const parameters = new URLSearchParams({
      Action: 'AssumeRoleWithCustomToken',
      Version: '2011-06-15',
      Token: token,
      RoleArn: 'arn:minio:iam:::role/idmp-people',
    })
    return fetch(`${server.endpoint}/?${parameters.toString()}`, { method: 'POST' }).then((got) =>
      got.text(),
    )
  }

  it('gives the policies of the plugin’s role', async () => {
    await mayReadOnly(server, keysOf(await ask('a token of alice')))
  })

  it('is refused when the plugin says no', async () => {
    assert.match(await ask('another token'), /<Code>AccessDenied</)
  })
})

describe('the ceiling of the configuration', () => {
  it('binds users whatever their policies say, and not the root key', async () => {
    const server = await startDaypass({
      env: { ALICE_SECRET: 'a long enough secret' },
      config: `
ceiling: [readonly]
users:
  alice: { policies: [readwrite], accessKeys: [{ accessKeyId: ALICEKEY, secretAccessKey: { env: ALICE_SECRET } }] }
`,
    })
    try {
      await makeBucket(server)
      const alice = s3(server, { accessKeyId: 'ALICEKEY', secretAccessKey: 'a long enough secret' })
      await alice.send(new GetObjectCommand({ Bucket: 'shared', Key: 'k' }))
      const put = new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'x' })
      await assert.rejects(alice.send(put), { name: 'AccessDenied' })
    } finally {
      await server.stop()
    }
  })
})

describe('roles with trust policies', () => {
  it('are taken by whom they trust, and by nobody else, with the aws command', async (context) => {
    const aws = '/usr/bin/aws'
    if (absence(aws)) return context.skip(String(absence(aws)))
    const server = await startDaypass()
    const trust = (user: string): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::000000000000:user/${user}` },
            Action: 'sts:AssumeRole',
          },
        ],
      })
    const call = async (keys: DaypassServer['root'], ...words: readonly string[]) => {
      const env = {
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      }
      return runProgram(aws, ['--endpoint-url', server.endpoint, '--output', 'json', ...words], {
        env,
      })
    }
    try {
      const file = `${server.dir}.trust.json`
      writeFileSync(file, trust('alice'))
      const users: Record<string, DaypassServer['root']> = {}
      for (const name of ['alice', 'bob']) {
        await call(server.root, 'iam', 'create-user', '--user-name', name)
        const made = await call(server.root, 'iam', 'create-access-key', '--user-name', name)
        const { AccessKey } = JSON.parse(made.out.toString()) as {
          AccessKey: { AccessKeyId: string; SecretAccessKey: string }
        }
        users[name] = {
          accessKeyId: AccessKey.AccessKeyId,
          secretAccessKey: AccessKey.SecretAccessKey,
        }
      }
      const create = ['create-role', '--role-name', 'reader', '--assume-role-policy-document']
      const made = await call(server.root, 'iam', ...create, `file://${file}`)
      assert.equal(made.code, 0, made.error)
      const attach = ['attach-role-policy', '--role-name', 'reader', '--policy-arn']
      await call(server.root, 'iam', ...attach, 'arn:aws:iam::aws:policy/readonly')
      const assume = (name: string) =>
        call(
          users[name] ?? server.root,
          'sts',
          'assume-role',
          '--role-session-name',
          'me',
          '--role-arn',
          'arn:aws:iam::000000000000:role/reader',
        )
      const taken = await assume('alice')
      assert.equal(taken.code, 0, taken.error)
      assert.match(taken.out.toString(), /assumed-role\/reader\/me/)
      const refused = await assume('bob')
      assert.notEqual(refused.code, 0)
      assert.match(refused.error, /AccessDenied/)
    } finally {
      await server.stop()
    }
  })
})
