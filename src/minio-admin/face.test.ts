import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { createAccess } from '../access/index.ts'
import { CredentialsError } from '../credentials/index.ts'
import { directoryOf, policy } from '../grants/testing/desk.ts'
import type { HttpRequest } from '../http.ts'
import { Secret } from '../secret.ts'
import { signRequest } from '../sigv4/index.ts'
import type { ClientKey } from '../sigv4/index.ts'
import { createMinioAdminFace } from './index.ts'

const now = new Date('2026-03-01T12:00:00Z')
const keyOf = (accessKeyId: string): ClientKey => ({
  accessKeyId,
  secret: new Secret(`secret of ${accessKeyId}`),
})
const root = keyOf('ROOT')

const may = (...Action: readonly string[]) => [
  policy('p', { Effect: 'Allow', Action, Resource: '*' }),
]
const users = {
  BROKER: may('admin:GetPolicy', 'admin:ServerInfo'),
  READER: may('s3:*', 'iam:*'),
  BARRED: [
    ...may('admin:*'),
    policy('no', { Effect: 'Deny', Action: ['admin:GetPolicy'], Resource: '*' }),
  ],
}

const readonly = policy('readonly', {
  Effect: 'Allow',
  Action: ['s3:GetObject'],
  Resource: ['arn:aws:s3:::*'],
})
const faults: unknown[] = []

function world() {
  const base = directoryOf({ users, policies: [readonly, { name: 'bad', policy: broken }] })
  const directory = {
    ...base,
    findAccessKey: (id: string) =>
      Object.hasOwn(users, id)
        ? ({
            accessKeyId: id,
            secretAccessKey: keyOf(id).secret,
            user: id,
            status: 'Active',
            createdAt: now,
            managedBy: 'api',
          } as const)
        : undefined,
    findUser: (name: string) =>
      Object.hasOwn(users, name)
        ? { status: 'enabled', createdAt: now, tags: new Map() }
        : undefined,
  }
  const access = createAccess({
    root: { accessKeyId: root.accessKeyId, secretAccessKey: root.secret },
    directory: directory as unknown as Parameters<typeof createAccess>[0]['directory'],
    roles: { policiesOfRole: () => undefined },
    sessions: {
      open: () => {
        throw new CredentialsError('token_invalid', 'There are no sessions in this test')
      },
      assertLive: () => undefined,
    },
    sealDenial: () => 'sealed',
    onDenial: () => undefined,
    region: 'eu-west-1',
    random: randomBytes,
  })
  return createMinioAdminFace({
    findPolicy: (name) => directory.findPolicy(name),
    region: 'eu-west-1',
    authenticate: (request) =>
      access.authenticate(request, { services: ['s3'], anyRegion: true, emptyRegion: true }),
    authorize: (caller, request, asked) => access.authorize(caller, request, [asked]),
    logFault: (_, error) => faults.push(error),
  })
}

const broken = { kind: 'broken', problem: 'it does not parse' } as const

type Signing = Partial<Readonly<{ region: string; service: string; at: Date }>>

async function ask(target: string, key?: ClientKey, signing: Signing = {}) {
  const [path = '', query = ''] = target.split('?', 2)
  const headers = [['host', 'daypass.test']] as const
  const unsigned = { method: 'GET', path: `/minio/admin/v3/${path}`, query, headers }
  const scope = { region: signing.region ?? '', service: signing.service ?? 's3' }
  const sha256 = createHash('sha256').update('').digest('hex')
  const signed = key ? signRequest(unsigned, key, scope, signing.at ?? now, sha256) : []
  const request: HttpRequest = {
    ...unsigned,
    id: '0123456789ABCDEF',
    headers: [...headers, ...signed],
    body: Readable.from([]),
    source: '192.0.2.7',
    secure: true,
    receivedAt: now,
    proceed: () => undefined,
  }
  const { status, headers: answered, body } = await world().handle(request)
  assert.equal(answered['content-type'], 'application/json')
  assert.ok(typeof body === 'string')
  return { status, value: JSON.parse(body) as Record<string, unknown> }
}

describe("MinIO's info-canned-policy (operator-sts.md sections 4.2 and 5.4)", () => {
  it('tells the document of a policy under its name, to whoever may', async () => {
    for (const key of [root, keyOf('BROKER')]) {
      const { status, value } = await ask('info-canned-policy?name=readonly&v=2', key)
      assert.equal(status, 200)
      assert.equal(value['PolicyName'], 'readonly')
      assert.deepEqual(value['Policy'], {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::*' }],
      })
    }
  })

  it('tells the bare document to who asks in the old way', async () => {
    const { value } = await ask('info-canned-policy?name=readonly', root)
    assert.equal(value['Version'], '2012-10-17')
  })

  it('takes a signature for any region, or for none, as MinIO does', async () => {
    for (const region of ['', 'us-east-1', 'eu-west-1']) {
      const { status } = await ask('info-canned-policy?name=readonly&v=2', root, { region })
      assert.equal(status, 200)
    }
  })

  it('has no policy that does not exist, has no name, or does not parse', async () => {
    for (const query of ['name=none&v=2', 'name=&v=2', 'v=2', 'name=bad&v=2']) {
      const { status, value } = await ask(`info-canned-policy?${query}`, root)
      assert.equal(status, 404)
      assert.equal(value['Code'], 'XMinioAdminNoSuchPolicy')
      assert.equal(value['RequestId'], '0123456789ABCDEF')
    }
  })
})

describe("MinIO's info", () => {
  it('tells mode and region', async () => {
    const { status, value } = await ask('info?metrics=false', keyOf('BROKER'))
    assert.equal(status, 200)
    assert.deepEqual(value, { mode: 'online', region: 'eu-west-1' })
  })
})

describe('who may not ask', () => {
  const refused: Readonly<
    Record<string, readonly [ClientKey | undefined, Signing, number, string]>
  > = {
    'nobody: unsigned': [undefined, {}, 403, 'AccessDenied'],
    'whose policies give s3 and iam alone': [keyOf('READER'), {}, 403, 'AccessDenied'],
    'who signed for another service': [
      root,
      { service: 'sts' },
      400,
      'AuthorizationHeaderMalformed',
    ],
    'who signed an hour ago': [
      root,
      { at: new Date(now.getTime() - 3_600_000) },
      403,
      'RequestTimeTooSkewed',
    ],
    'whose key is not known': [keyOf('NOBODY'), {}, 403, 'InvalidAccessKeyId'],
    'whose secret is another': [
      { ...root, secret: new Secret('another one') },
      {},
      403,
      'SignatureDoesNotMatch',
    ],
    'whose token is none of ours': [
      { ...keyOf('ASIAAAAAAAAAAAAAAAAA'), sessionToken: new Secret('x') },
      {},
      403,
      'InvalidTokenId',
    ],
  }
  for (const [who, [key, signing, status, code]] of Object.entries(refused)) {
    for (const target of ['info-canned-policy?name=readonly&v=2', 'info']) {
      it(`${who}: ${target}`, async () => {
        const answer = await ask(target, key, signing)
        assert.deepEqual([answer.status, answer.value['Code']], [status, code])
        assert.equal(answer.value['Policy'], undefined)
        assert.equal(answer.value['region'], undefined)
      })
    }
  }

  it('an explicit deny of one question leaves the other', async () => {
    const denied = await ask('info-canned-policy?name=readonly&v=2', keyOf('BARRED'))
    assert.equal(denied.status, 403)
    assert.equal((await ask('info', keyOf('BARRED'))).status, 200)
  })

  it('any of this is no fault of ours', () => assert.deepEqual(faults, []))
})

describe('which requests are for this face', () => {
  const face = world()
  it('are GETs of the two paths, and nothing near them', () => {
    const accepted = (method: string, path: string) => face.accepts({ method, path })
    assert.ok(accepted('GET', '/minio/admin/v3/info'))
    assert.ok(accepted('GET', '/minio/admin/v3/info-canned-policy'))
    for (const path of ['/minio/admin/v3/info/', '/minio/admin/v3/add-user', '/minio/x', '/info']) {
      assert.ok(!accepted('GET', path), path)
    }
    assert.ok(!accepted('PUT', '/minio/admin/v3/info'))
  })
})
