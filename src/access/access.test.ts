import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { openAdministration } from '../admin/index.ts'
import type { Administration, NewAccessKey } from '../admin/index.ts'
import { createMessageSealer, createVault, principalKey } from '../credentials/index.ts'
import type { Credentials, MessageSealer } from '../credentials/index.ts'
import { openCredentialsRoom } from '../credentials/testing/credentials-room.ts'
import type { CredentialsRoom } from '../credentials/testing/credentials-room.ts'
import { janesGrant } from '../credentials/testing/grants.ts'
import { Refusal } from '../errors.ts'
import type { HttpRequest } from '../http.ts'
import { parsePolicy } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { Secret } from '../secret.ts'
import { signRequest } from '../sigv4/index.ts'
import type { ClientKey } from '../sigv4/index.ts'
import { createAccess } from './index.ts'
import type { Access, DenialTrace, KnownCaller } from './index.ts'

const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const root = { accessKeyId: 'ROOTKEY', secretAccessKey: new Secret('the secret of root') }
const s3 = { services: ['s3'] }
const get = [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }]
const put = [{ action: 's3:PutObject', resource: 'arn:aws:s3:::b/k' }]
const allowGet =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'

let room: CredentialsRoom
let admin: Administration
let access: Access
let sealer: MessageSealer
let denials: DenialTrace[]
let roles: Map<string, readonly NamedPolicy[]>

beforeEach(async () => {
  room = await openCredentialsRoom()
  sealer = createMessageSealer(room.ring, { random: randomBytes })
  denials = []
  roles = new Map()
  admin = await openAdministration({
    state: room.state,
    vault: createVault(room.masterKey, randomBytes),
    overlay: { policies: [], users: [], accessKeys: [] },
    rolePolicies: new Set(),
    revokeRole: () => Promise.resolve(),
    revokeProvider: () => Promise.resolve(),
    revokeUser: (name) =>
      room.revocations.revoke({
        principal: principalKey({ kind: 'user', provider: 'internal', subject: name }),
        issuedBefore: room.clock.now(),
        expiresAt: new Date(room.clock.now().getTime() + 86_400_000),
        reason: 'deleted',
      }),
    clock: room.clock.now,
    random: randomBytes,
    onError: () => undefined,
  })
  access = createAccess({
    root,
    directory: admin,
    roles: { policiesOfRole: (arn) => roles.get(arn) },
    sessions: room.sessions,
    sealDenial: (trace) => sealer.seal('denial', trace),
    onDenial: (trace) => denials.push(trace),
    random: randomBytes,
  })
})

afterEach(async () => {
  await admin.close()
  await room.close()
})

function request(headers: HttpRequest['headers'] = [], query = ''): HttpRequest {
  return {
    id: 'ID',
    method: 'GET',
    path: '/b/k',
    query,
    headers: [['host', 'localhost:9000'], ...headers],
    body: (async function* () {})(),
    source: '127.0.0.1',
    secure: false,
    receivedAt: room.clock.now(),
    proceed: () => undefined,
  }
}

function signed(key: ClientKey, service = 's3'): HttpRequest {
  const plain = request()
  const added = signRequest(
    plain,
    key,
    { region: 'us-east-1', service },
    room.clock.now(),
    emptyHash,
  )
  return { ...plain, headers: [...plain.headers, ...added] }
}

const keyOf = (credentials: Credentials): ClientKey => ({
  accessKeyId: credentials.accessKeyId,
  secret: credentials.secretAccessKey,
  sessionToken: credentials.sessionToken,
})

async function refusalOf(use: () => unknown): Promise<Refusal> {
  try {
    await use()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error
  }
  return assert.fail('was let in')
}

const issue = (changes: Parameters<typeof janesGrant>[0] = {}): Credentials =>
  room.sessions.issue(janesGrant({ issuedAt: room.clock.now(), ...changes }))

async function enter(key: ClientKey): Promise<[KnownCaller, HttpRequest]> {
  const made = signed(key)
  return [await access.authenticate(made, s3), made]
}

describe('authenticate', () => {
  it('knows root, users and sessions by what they signed with', async () => {
    await admin.createUser('alice')
    const key = await admin.createAccessKey('alice')
    const [byRoot] = await enter({ accessKeyId: 'ROOTKEY', secret: root.secretAccessKey })
    const [byUser] = await enter({ accessKeyId: key.accessKeyId, secret: key.secretAccessKey })
    const [bySession] = await enter(keyOf(issue()))
    assert.deepEqual([byRoot.kind, byUser.kind, bySession.kind], ['root', 'user', 'session'])
    assert.equal((await access.authenticate(request(), s3)).kind, 'anonymous')
  })

  it('refuses a wrong secret for each of them, expired or revoked sessions alike', async () => {
    const credentials = issue()
    room.clock.advance(2 * 3_600_000)
    for (const accessKeyId of ['ROOTKEY', credentials.accessKeyId]) {
      const wrong = { ...keyOf(credentials), accessKeyId, secret: new Secret('wrong') }
      if (accessKeyId === 'ROOTKEY') Reflect.deleteProperty(wrong, 'sessionToken')
      const refusal = await refusalOf(() => access.authenticate(signed(wrong), s3))
      assert.equal(refusal.code, 'signature_mismatch')
    }
  })

  it('refuses a session of another key, without its token, expired, revoked', async () => {
    const credentials = issue()
    const other = issue()
    const code = async (key: ClientKey): Promise<string> =>
      (await refusalOf(() => access.authenticate(signed(key), s3))).code
    const { sessionToken: _token, ...bare } = keyOf(credentials)
    assert.equal(await code(bare), 'token_missing')
    assert.equal(await code({ ...bare, sessionToken: other.sessionToken }), 'token_invalid')
    room.clock.advance(1000)
    await room.revocations.revoke({
      session: other.accessKeyId,
      issuedBefore: room.clock.now(),
      expiresAt: new Date(room.clock.now().getTime() + 86_400_000),
      reason: 'lost',
    })
    assert.equal(await code(keyOf(other)), 'session_revoked')
    room.clock.advance(3_600_000)
    assert.equal(await code(keyOf(credentials)), 'token_expired')
  })

  it('refuses keys that are unknown, switched off, or of a disabled user, with one and the same answer', async () => {
    await admin.createUser('alice')
    const key = await admin.createAccessKey('alice')
    const client = { accessKeyId: key.accessKeyId, secret: key.secretAccessKey }
    const messages = new Set<string>()
    const refused = async (given: ClientKey): Promise<void> => {
      const refusal = await refusalOf(() => access.authenticate(signed(given), s3))
      assert.equal(refusal.code, 'access_key_unknown')
      messages.add(refusal.message)
    }
    await refused({ ...client, accessKeyId: 'AKIANOBODY' })
    await admin.setAccessKeyStatus(key.accessKeyId, 'Inactive')
    await refused(client)
    await admin.setAccessKeyStatus(key.accessKeyId, 'Active')
    await admin.setUserStatus('alice', 'disabled')
    await refused(client)
    assert.equal(messages.size, 1)
  })

  it('refuses a session token beside a long-lived key or without a signature', async () => {
    const { sessionToken } = issue()
    const withRoot = { accessKeyId: 'ROOTKEY', secret: root.secretAccessKey, sessionToken }
    assert.equal(
      (await refusalOf(() => access.authenticate(signed(withRoot), s3))).code,
      'token_invalid',
    )
    const bare = request([['x-amz-security-token', sessionToken.reveal()]])
    assert.ok(await refusalOf(() => access.authenticate(bare, s3)))
    const inQuery = request([], `X-Amz-Security-Token=${encodeURIComponent(sessionToken.reveal())}`)
    assert.ok(await refusalOf(() => access.authenticate(inQuery, s3)))
  })

  it('refuses a signature for another service', async () => {
    const key = { accessKeyId: 'ROOTKEY', secret: root.secretAccessKey }
    await refusalOf(() => access.authenticate(signed(key, 'sts'), s3))
  })

  it('never identifies by a credential whose signature was not checked (CVE-2026-41145)', async () => {
    const claims = [
      ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
      ['x-amz-date', '20260101T120000Z'],
    ] as const
    const query = 'X-Amz-Credential=ROOTKEY%2F20260101%2Fus-east-1%2Fs3%2Faws4_request'
    await refusalOf(() => access.authenticate(request(claims, query), s3))
  })
})

describe('authenticateForm', () => {
  const policy = Buffer.from('{"expiration":"2026-01-02T00:00:00Z","conditions":[]}').toString(
    'base64',
  )

  function form(accessKeyId: string, secret: Secret, more: Record<string, string> = {}) {
    const chain = ['20260101', 'us-east-1', 's3', 'aws4_request']
    const signingKey = chain.reduce<string | Buffer>(
      (key, part) => createHmac('sha256', key).update(part).digest(),
      `AWS4${secret.reveal()}`,
    )
    return new Map(
      Object.entries({
        policy,
        'x-amz-credential': `${accessKeyId}/${chain.join('/')}`,
        'x-amz-date': '20260101T120000Z',
        'x-amz-signature': createHmac('sha256', signingKey).update(policy).digest('hex'),
        ...more,
      }),
    )
  }

  it('knows who signed the policy, sessions included', async () => {
    const byRoot = await access.authenticateForm(form('ROOTKEY', root.secretAccessKey), request())
    assert.equal(byRoot.kind, 'root')
    const made = issue()
    const token = { 'x-amz-security-token': made.sessionToken.reveal() }
    const fields = form(made.accessKeyId, made.secretAccessKey, token)
    assert.equal((await access.authenticateForm(fields, request())).kind, 'session')
    room.clock.advance(3_600_000)
    const refusal = await refusalOf(() => access.authenticateForm(fields, request()))
    assert.equal(refusal.code, 'token_expired')
  })

  it('refuses another policy under the same signature, and a form without its fields', async () => {
    const fields = form('ROOTKEY', root.secretAccessKey)
    fields.set('policy', `${policy}AA`)
    assert.equal(
      (await refusalOf(() => access.authenticateForm(fields, request()))).code,
      'signature_mismatch',
    )
    await refusalOf(() => access.authenticateForm(new Map(), request()))
  })
})

describe('authorize', () => {
  it('goes by the policies that bind now: an edit, a removal, a disabled user act at once', async () => {
    await admin.createPolicy('p', allowGet)
    const [caller, made] = await enter(keyOf(issue({ source: { kind: 'policies', names: ['p'] } })))
    assert.ok(access.isAllowed(caller, made, get))
    await admin.updatePolicy('p', allowGet.replace('Allow', 'Deny'))
    assert.ok(!access.isAllowed(caller, made, get))
    await admin.updatePolicy('p', allowGet)
    assert.ok(access.isAllowed(caller, made, get))
    await admin.deletePolicy('p')
    assert.ok(!access.isAllowed(caller, made, get))
  })

  it('denies everything when one of several named policies is gone: what it denied is not known', async () => {
    const source = { kind: 'policies', names: ['readwrite', 'gone'] } as const
    const [caller, made] = await enter(keyOf(issue({ source })))
    assert.ok(!access.isAllowed(caller, made, get))
  })

  it('lets a session policy narrow root, and a broken one shut everything', async () => {
    const principal = { ...janesGrant().principal, kind: 'root' as const }
    const rootSession = (sessionPolicies: readonly (readonly string[])[]) =>
      enter(keyOf(issue({ principal, source: { kind: 'root' }, sessionPolicies })))
    const [free, one] = await rootSession([])
    assert.ok(access.isAllowed(free, one, put))
    const [narrowed, two] = await rootSession([[allowGet]])
    assert.ok(access.isAllowed(narrowed, two, get))
    assert.ok(!access.isAllowed(narrowed, two, put))
    const [broken, three] = await rootSession([['{"Version":"2012-10-17"}']])
    assert.ok(!access.isAllowed(broken, three, get))
    const [twice, four] = await rootSession([[allowGet], [allowGet.replace('Get', 'Put')]])
    assert.ok(!access.isAllowed(twice, four, get), 'layers intersect')
  })

  it('resolves a role when it is used', async () => {
    const arn = 'arn:minio:iam:::role/x'
    const [caller, made] = await enter(
      keyOf(issue({ source: { kind: 'role', arn, name: 'keycloak' } })),
    )
    assert.ok(!access.isAllowed(caller, made, get), 'no such role')
    const readonly = admin.findPolicy('readonly')
    roles.set(arn, readonly ? [readonly] : [])
    assert.ok(access.isAllowed(caller, made, get))
    roles.set(arn, [])
    assert.ok(!access.isAllowed(caller, made, get), 'a role without policies')
  })

  it('resolves a role of the directory when it is used, and not one made again under its name', async () => {
    const trustPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
    })
    const made = await admin.createRole({ name: 'uploader', trustPolicy })
    const { arn, id } = made
    const source = { kind: 'role', arn, name: 'uploader', id } as const
    const [caller, asked] = await enter(keyOf(issue({ source })))
    assert.ok(!access.isAllowed(caller, asked, get), 'nothing is attached')
    await admin.attachPolicy({ kind: 'role', name: 'uploader' }, 'readwrite')
    assert.ok(access.isAllowed(caller, asked, put))
    await admin.putInlinePolicy(
      { kind: 'role', name: 'uploader' },
      'no',
      allowGet.replace('Allow', 'Deny'),
    )
    assert.ok(!access.isAllowed(caller, asked, get))
    await admin.deleteInlinePolicy({ kind: 'role', name: 'uploader' }, 'no')
    await admin.createPolicy('get', allowGet)
    await admin.setBoundary({ kind: 'role', name: 'uploader' }, 'get')
    assert.ok(access.isAllowed(caller, asked, get) && !access.isAllowed(caller, asked, put))
    await admin.deleteRole('uploader', 'cascade')
    assert.ok(!access.isAllowed(caller, asked, get))
    await admin.createRole({ name: 'uploader', trustPolicy })
    await admin.attachPolicy({ kind: 'role', name: 'uploader' }, 'readwrite')
    assert.ok(!access.isAllowed(caller, asked, get))
  })

  it('resolves what is attached to a person and its groups when it is used', async () => {
    const user = 'uid=ann,dc=example'
    const group = 'cn=devs,dc=example'
    const principal = {
      ...janesGrant().principal,
      kind: 'ldap' as const,
      subject: user,
      groups: [group],
    }
    const [caller, made] = await enter(keyOf(issue({ principal, source: { kind: 'ldap', user } })))
    assert.ok(!access.isAllowed(caller, made, get))
    await admin.attachPrincipalPolicy({ kind: 'ldap-group', name: group }, 'readonly')
    assert.ok(access.isAllowed(caller, made, get) && !access.isAllowed(caller, made, put))
    await admin.attachPrincipalPolicy({ kind: 'ldap-user', name: user }, 'readwrite')
    assert.ok(access.isAllowed(caller, made, put))
    await admin.detachPrincipalPolicy({ kind: 'ldap-user', name: user }, 'readwrite')
    await admin.detachPrincipalPolicy({ kind: 'ldap-group', name: group }, 'readonly')
    assert.ok(!access.isAllowed(caller, made, get))
  })

  it('holds users, and the sessions that they made, under their boundary', async () => {
    await admin.createPolicy('get', allowGet)
    await admin.createUser('alice', { permissionsBoundary: 'get' })
    await admin.attachUserPolicy('alice', 'readwrite')
    const key = await admin.createAccessKey('alice')
    const principal = { ...janesGrant().principal, kind: 'user' as const, subject: 'alice' }
    const session = keyOf(issue({ principal, source: { kind: 'user', name: 'alice' } }))
    for (const client of [{ accessKeyId: key.accessKeyId, secret: key.secretAccessKey }, session]) {
      const [caller, made] = await enter(client)
      assert.ok(access.isAllowed(caller, made, get) && !access.isAllowed(caller, made, put))
    }
    await admin.updatePolicy('get', allowGet.replace('Allow', 'Deny'))
    const [caller, made] = await enter(session)
    assert.ok(!access.isAllowed(caller, made, get))
  })

  it('holds everybody but the root key under the ceiling of the tenant', async () => {
    const bounded = createAccess({
      root,
      directory: admin,
      roles: { policiesOfRole: () => undefined },
      tenantCeiling: ['readonly'],
      sessions: room.sessions,
      sealDenial: () => '',
      onDenial: () => undefined,
      random: randomBytes,
    })
    const principal = { ...janesGrant().principal, kind: 'root' as const }
    const sessions = [
      issue({ source: { kind: 'policies', names: ['readwrite'] } }),
      issue({ principal, source: { kind: 'root' } }),
    ]
    for (const credentials of sessions) {
      const made = signed(keyOf(credentials))
      const caller = await bounded.authenticate(made, s3)
      assert.ok(bounded.isAllowed(caller, made, get) && !bounded.isAllowed(caller, made, put))
    }
    const made = signed({ accessKeyId: 'ROOTKEY', secret: root.secretAccessKey })
    assert.ok(bounded.isAllowed(await bounded.authenticate(made, s3), made, put))
  })

  it('unites the named policies of a session with the document beside them, and goes by what they say now', async () => {
    await admin.createPolicy('named', allowGet)
    const source = { kind: 'policies', names: ['readwrite'] } as const
    const [narrow, one] = await enter(keyOf(issue({ source, sessionPolicyNames: [['named']] })))
    assert.ok(access.isAllowed(narrow, one, get) && !access.isAllowed(narrow, one, put))
    const sessionPolicies = [[allowGet.replace('GetObject', 'PutObject')]]
    const [both, two] = await enter(
      keyOf(issue({ source, sessionPolicies, sessionPolicyNames: [['named']] })),
    )
    assert.ok(access.isAllowed(both, two, get) && access.isAllowed(both, two, put))
    const [layered, three] = await enter(
      keyOf(issue({ source, sessionPolicies, sessionPolicyNames: [[], ['named']] })),
    )
    assert.ok(!access.isAllowed(layered, three, get) && !access.isAllowed(layered, three, put))
    await admin.deletePolicy('named')
    for (const [caller, made] of [
      [narrow, one],
      [both, two],
    ] as const) {
      assert.ok(!access.isAllowed(caller, made, get))
    }
  })

  it('lets each kind of principal be named by its own keys, and by no other kind’s', async () => {
    const claims = new Map<string, string | readonly string[]>([
      ['sub', 'x'],
      ['username', 'x'],
      ['cn', 'x'],
      ['san_dns', ['x']],
    ])
    const keysOf = {
      'web-identity': ['jwt:sub'],
      'custom-token': ['jwt:sub'],
      ldap: ['ldap:username', 'ldap:user'],
      certificate: ['cert:cn', 'cert:san_dns'],
      user: [],
    } as const
    const all = new Set(Object.values(keysOf).flat())
    for (const name of all) {
      const Condition = { StringEquals: { [name]: 'x' } }
      const Statement = { Effect: 'Allow', Action: 's3:*', Resource: '*', Condition }
      await admin.createPolicy('p', JSON.stringify({ Version: '2012-10-17', Statement }))
      for (const [kind, keys] of Object.entries(keysOf)) {
        const principal = {
          ...janesGrant().principal,
          kind: kind as keyof typeof keysOf,
          subject: 'x',
          claims,
        }
        const source = { kind: 'policies', names: ['p'] } as const
        const [caller, made] = await enter(keyOf(issue({ principal, source })))
        const own = (keys as readonly string[]).includes(name)
        assert.equal(access.isAllowed(caller, made, get), own, `${kind} ${name}`)
      }
      await admin.deletePolicy('p')
    }
  })

  it('tells in a denial what a session was made from', async () => {
    const lineage = {
      parentAccessKeyId: 'ASIAP',
      ancestors: [
        {
          accessKeyId: 'ASIAP',
          sealingKey: 'k',
          issuedAt: room.clock.now(),
          source: { kind: 'user', name: 'alice' },
        },
      ],
    } as const
    const [caller, made] = await enter(keyOf(issue({ lineage, sourceIdentity: 'ann' })))
    await refusalOf(() =>
      access.authorize(caller, made, [{ action: 'iam:ListUsers', resource: '*' }]),
    )
    const details =
      denials[0]?.steps.map(({ step, detail }) => `${step}: ${detail}`).join('\n') ?? ''
    assert.match(details, /chain: made from session ASIAP: the policies that user alice has now/)
    assert.match(details, /source identity: ann/)
    assert.match(details, /tags: team=blue/)
  })

  it('does not revive the sessions of a user that was deleted and made again', async () => {
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
    const principal = {
      ...janesGrant().principal,
      kind: 'user' as const,
      provider: 'internal',
      subject: 'alice',
    }
    const credentials = issue({ principal, source: { kind: 'user', name: 'alice' } })
    const [caller, made] = await enter(keyOf(credentials))
    assert.ok(access.isAllowed(caller, made, put))
    room.clock.advance(5000)
    await admin.deleteUser('alice')
    assert.ok(!access.isAllowed(caller, made, put))
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
    assert.ok(!access.isAllowed(caller, made, put))
    const refusal = await refusalOf(() => access.authenticate(signed(keyOf(credentials)), s3))
    assert.equal(refusal.code, 'session_revoked')
  })

  it('takes a user that was made again within the same second for another one, too', async () => {
    await admin.createUser('alice')
    const principal = {
      ...janesGrant().principal,
      kind: 'user' as const,
      provider: 'internal',
      subject: 'alice',
    }
    const [caller, made] = await enter(
      keyOf(issue({ principal, source: { kind: 'user', name: 'alice' } })),
    )
    await admin.attachUserPolicy('alice', 'readwrite')
    assert.ok(access.isAllowed(caller, made, put))
    room.clock.advance(1)
    await admin.deleteUser('alice')
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
    assert.ok(!access.isAllowed(caller, made, put))
  })

  it('binds the sessions of a user by what a bucket policy says of the user', async () => {
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
    const principal = {
      ...janesGrant().principal,
      kind: 'user' as const,
      provider: 'internal',
      subject: 'alice',
    }
    const [caller, made] = await enter(
      keyOf(issue({ principal, source: { kind: 'user', name: 'alice' } })),
    )
    const denyAlice = parsePolicy(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}',
      'bucket',
    )
    const bucketPolicy = { name: 'b', policy: denyAlice }
    assert.ok(access.isAllowed(caller, made, get))
    assert.ok(
      !access.isAllowed(caller, made, [
        { ...get[0], action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', bucketPolicy },
      ]),
    )
  })

  it('takes nothing of a header or a query for an identity fact', async () => {
    await admin.createUser('alice')
    await admin.createPolicy(
      'p',
      allowGet.replace(
        '"Resource":"*"',
        '"Resource":"*","Condition":{"StringEquals":{"aws:username":"bob"}}',
      ),
    )
    await admin.attachUserPolicy('alice', 'p')
    const key = await admin.createAccessKey('alice')
    const [caller, made] = await enter({
      accessKeyId: key.accessKeyId,
      secret: key.secretAccessKey,
    })
    const spoofed = {
      ...made,
      query: 'username=bob&aws:username=bob',
      headers: [...made.headers, ['Username', 'bob'], ['aws:username', 'bob']] as const,
    }
    assert.ok(!access.isAllowed(caller, spoofed, get))
  })

  it('opens a bucket to everybody no further than the ceiling of the tenant', async () => {
    await admin.createPolicy('ceiling', allowGet)
    const bound = createAccess({
      root,
      directory: admin,
      roles: { policiesOfRole: () => undefined },
      tenantCeiling: ['ceiling'],
      sessions: room.sessions,
      sealDenial: () => '',
      onDenial: () => undefined,
      random: randomBytes,
    })
    const everybody = parsePolicy(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}',
      'bucket',
    )
    const bucketPolicy = { name: 'b', policy: everybody }
    const ask = async (which: Access, accesses: typeof get) => {
      const made = request()
      const caller = await which.authenticate(made, s3)
      return which.isAllowed(
        caller,
        made,
        accesses.map((each) => ({ ...each, bucketPolicy })),
      )
    }
    assert.ok(await ask(access, put))
    assert.ok(!(await ask(bound, put)))
    assert.ok(await ask(bound, get))
    await admin.deletePolicy('ceiling')
    assert.ok(!(await ask(bound, get)))
  })

  it('refuses an empty list, and a caller that nobody has proven', async () => {
    const [caller, made] = await enter({ accessKeyId: 'ROOTKEY', secret: root.secretAccessKey })
    assert.ok(!access.isAllowed(caller, made, []))
    assert.throws(() => access.isAllowed({ ...caller }, made, get), /never authenticated/)
  })

  it('seals the whole trace into a denial, and tells of it once', async () => {
    const [caller, made] = await enter(
      keyOf(issue({ source: { kind: 'policies', names: ['readonly'] } })),
    )
    const refusal = await refusalOf(() => access.authorize(caller, made, put))
    assert.equal(refusal.code, 'access_denied')
    const { decisionId, encodedMessage } = refusal.detail
    const opened = sealer.open('denial', String(encodedMessage)) as DenialTrace
    assert.equal(opened.decisionId, decisionId)
    assert.deepEqual(
      opened.steps.map(({ step }) => step),
      ['token check', 'mapping', 'tags'],
    )
    assert.match(JSON.stringify(opened.decision), /s3:PutObject/)
    assert.match(JSON.stringify(opened.decision), /readonly/)
    assert.equal(denials.length, 1)
  })

  it('says when object tags have to be fetched', async () => {
    const [plain] = await enter(keyOf(issue()))
    assert.equal(access.readsObjectTags(plain), false)
    await admin.createPolicy(
      'tags',
      allowGet.replace(
        '"Resource":"*"',
        '"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}',
      ),
    )
    const [reading] = await enter(keyOf(issue({ source: { kind: 'policies', names: ['tags'] } })))
    assert.equal(access.readsObjectTags(reading), true)
  })
})

describe('a key that is less than its user', () => {
  const narrow = { policy: allowGet }
  const clientOf = async (wish: NewAccessKey): Promise<ClientKey> => {
    const key = await admin.createAccessKey('alice', wish)
    return { accessKeyId: key.accessKeyId, secret: key.secretAccessKey }
  }

  beforeEach(async () => {
    await admin.createUser('alice')
    await admin.attachUserPolicy('alice', 'readwrite')
  })

  it('does what both its own policy and those of the user allow, and nothing else', async () => {
    const [caller, made] = await enter(await clientOf(narrow))
    assert.equal(access.isAllowed(caller, made, get), true)
    assert.equal(access.isAllowed(caller, made, put), false)
    const [other] = await enter(await clientOf({}))
    assert.equal(access.isAllowed(other, made, put), true)
    await admin.detachUserPolicy('alice', 'readwrite')
    assert.equal(access.isAllowed(caller, made, get), false)
  })

  it('gets nothing past its policy from a bucket either', async () => {
    const [caller, made] = await enter(await clientOf(narrow))
    const policy = parsePolicy(
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}',
      'bucket',
    )
    const bucketPolicy = { name: 'bucket', policy }
    const [access1] = put
    assert.ok(access1)
    assert.equal(access.isAllowed(caller, made, [{ ...access1, bucketPolicy }]), false)
  })

  it('may do nothing once its stored policy is broken', async () => {
    const client = await clientOf(narrow)
    const key = `admin/accesskey/${client.accessKeyId}`
    const entry = await room.state.get(key)
    const value = JSON.stringify({ ...JSON.parse(entry?.value ?? ''), policy: '' })
    await room.state.commit([], [{ kind: 'put', key, value }])
    await admin.createUser('bob')
    const [caller, made] = await enter(client)
    assert.equal(access.isAllowed(caller, made, get), false)
  })

  it('is no key any more from its end on, with the answer that unknown ones get', async () => {
    const end = new Date(room.clock.now().getTime() + 60_000)
    const client = await clientOf({ expiresAt: end })
    const [caller] = await enter(client)
    assert.deepEqual(caller.identity.kind === 'user' && caller.identity.limits, { expiresAt: end })
    room.clock.advance(60_000)
    const refusal = await refusalOf(() => access.authenticate(signed(client), s3))
    assert.equal(refusal.code, 'access_key_unknown')
  })

  it('says in a denial that it is narrowed', async () => {
    const [caller, made] = await enter(await clientOf(narrow))
    await refusalOf(() => access.authorize(caller, made, put))
    assert.match(JSON.stringify(denials[0]?.steps), /narrowed by a policy of its own/)
    assert.match(JSON.stringify(denials[0]?.decision), /access key policy/)
  })
})
