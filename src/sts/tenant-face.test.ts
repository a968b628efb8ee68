import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ExchangeError, type ExchangeRequest, type Issued } from '../exchange.ts'
import type { Grant } from '../grants/index.ts'
import type { HttpRequest } from '../http.ts'
import { Secret } from '../secret.ts'
import { createTenantStsFace, type StsEvent } from './index.ts'
import { elementOf, now, request, requestId, stream, text, type Fields } from './testing/house.ts'

const token = 'eyJhbGciOi.pod.token'

/** The face over an exchange that gives to whoever comes, and remembers what it was asked. */
function openFace(refuse?: ExchangeError | Error) {
  const asked: ExchangeRequest[] = []
  const log: StsEvent[] = []
  const face = createTenantStsFace({
    exchange: {
      async exchange(question) {
        asked.push(question)
        if (refuse) throw refuse
        return issued
      },
    },
    limits: { maxBodyBytes: 65_536, bodyTimeoutMs: 50 },
    log: (event) => log.push(event),
  })
  const tokens = () =>
    asked.map(({ evidence }) =>
      evidence.kind === 'service-account' ? evidence.token.reveal() : evidence.kind,
    )
  return { face, asked, log, tokens, tenants: () => asked.map(({ grant }) => grant.tenant) }
}

const issued = {
  grant: {
    principal: {
      kind: 'service-account',
      provider: 'local',
      issuer: 'https://kubernetes.default.svc',
      subject: 'system:serviceaccount:shop:web',
      displayName: 'shop/web',
      groups: [],
      claims: new Map([['aud', ['sts.min.io']]]),
    },
    source: { kind: 'binding', bindings: ['b'], names: ['readonly'], documents: [] },
    sessionName: 'shop-web',
  } as unknown as Grant,
  credentials: {
    accessKeyId: 'ASIA1',
    secretAccessKey: new Secret('secret/+key'),
    sessionToken: new Secret('dps2.sealed<&'),
    expiresAt: now,
    packedPolicySize: 7,
  },
} satisfies Issued

const fields = { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: token }
const encode = (members: Fields) =>
  new URLSearchParams({ Version: '2011-06-15', ...members }).toString()
const form = (path: string, members: Fields = fields, parts: Partial<HttpRequest> = {}) =>
  request({ path, text: encode(members), ...parts })
const octets = [['Content-Type', 'application/octet-stream']] as const

describe('POST /sts/NAMESPACE (MinIO Operator)', () => {
  it('takes a form, with and without a trailing slash, and with the name of a tenant', async () => {
    const { face, tenants } = openFace()
    for (const path of ['/sts/store', '/sts/store/', '/sts/store/main', '/sts/store/main/']) {
      assert.equal(face.accepts({ path }), true)
      const answer = await face.handle(form(path))
      assert.equal(answer.status, 200, path)
      assert.equal(elementOf(answer, 'AccessKeyId'), 'ASIA1')
      assert.equal(elementOf(answer, 'SessionToken'), 'dps2.sealed&lt;&amp;')
      assert.equal(elementOf(answer, 'Expiration'), '2023-11-14T21:13:20Z')
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
    assert.deepEqual(tenants(), [
      { namespace: 'store', name: undefined },
      { namespace: 'store', name: undefined },
      { namespace: 'store', name: 'main' },
      { namespace: 'store', name: 'main' },
    ])
  })

  it('takes everything in the query, with an empty body of whatever type', async () => {
    const { face, tokens } = openFace()
    const query = encode(fields)
    for (const headers of [[], octets] as const) {
      const answer = await face.handle(request({ path: '/sts/store', query, headers }))
      assert.equal(answer.status, 200)
    }
    assert.deepEqual(tokens(), [token, token])
  })

  it('takes the form before the query, but for what proves and narrows', async () => {
    const { face, asked } = openFace()
    const call = (query: string, more: Fields = {}) =>
      face.handle(form('/sts/store', { ...fields, ...more }, { query }))
    const query = 'Action=AssumeRole&Version=1&DurationSeconds=x'
    assert.equal((await call(query, { DurationSeconds: '900' })).status, 200)
    assert.equal(asked[0]?.grant.durationSeconds, 900)
    assert.equal((await call('Policy=a', { Policy: 'b' })).status, 400)
    assert.equal((await call('WebIdentityToken=other')).status, 400)
    assert.equal((await call('Action=a&Action=b', { Action: '' })).status, 400)
    assert.equal(asked.length, 1)
  })

  it('trims the token that was read from a file', async () => {
    const { face, tokens } = openFace()
    await face.handle(form('/sts/store', { ...fields, WebIdentityToken: `${token}\n` }))
    assert.deepEqual(tokens(), [token])
  })

  it('takes no path for the name of another tenant, however it is written', async () => {
    const { face, asked } = openFace()
    const paths = [
      '/sts/',
      '/sts//',
      '/sts/%2F',
      '/sts/%2Fstore',
      '/sts/store%2Fmain',
      '/sts/a+b',
      '/sts/..',
      '/sts/../store',
      '/sts//store',
      '/sts/store//main',
      '/sts/store/main/more',
      '/sts/Store',
      '/sts/-store',
      '/sts/store.',
      `/sts/${'a'.repeat(64)}`,
      '/sts/store;x',
      '/sts/st\u00f6re',
    ]
    for (const path of paths) {
      const answer = await face.handle(form(path))
      assert.equal(answer.status, 400, path)
      assert.equal(elementOf(answer, 'Code'), 'InvalidParameterValue', path)
    }
    assert.deepEqual(asked, [])
  })

  it('says what is missing, with the codes of the MinIO Operator', async () => {
    const { face, asked } = openFace()
    const wrong: readonly (readonly [Fields, number, string])[] = [
      [{ ...fields, Version: '2012-10-17' }, 400, 'MissingParameter'],
      [{ WebIdentityToken: token }, 400, 'InvalidParameterValue'],
      [{ ...fields, Action: 'assumerolewithwebidentity' }, 400, 'InvalidParameterValue'],
      [{ ...fields, Action: 'AssumeRole' }, 400, 'InvalidParameterValue'],
      [{ Action: fields.Action }, 400, 'MissingParameter'],
      [{ ...fields, WebIdentityToken: ' \n' }, 400, 'MissingParameter'],
      [{ ...fields, DurationSeconds: 'abc' }, 400, 'InvalidParameterValue'],
    ]
    for (const [members, status, code] of wrong) {
      const answer = await face.handle(form('/sts/store', members))
      assert.deepEqual([answer.status, elementOf(answer, 'Code')], [status, code])
      assert.equal(elementOf(answer, 'RequestId'), requestId)
    }
    assert.deepEqual(asked, [])
  })

  it('refuses two tokens, a body that is too large, late or not a form', async () => {
    const { face, asked } = openFace()
    const twice = `${encode(fields)}&WebIdentityToken=other`
    const hang = async function* () {
      yield Buffer.from('Version=2011-06-15')
      await new Promise((resume) => setTimeout(resume, 200))
    }
    const answers = [
      await face.handle(request({ path: '/sts/store', text: twice })),
      await face.handle(form('/sts/store', fields, { query: 'WebIdentityToken=other' })),
      await face.handle(request({ path: '/sts/store', text: 'Version=%zz' })),
      await face.handle(request({ path: '/sts/store', body: stream('a'.repeat(65_537)) })),
      await face.handle(request({ path: '/sts/store', body: hang() })),
      await face.handle(request({ path: '/sts/store', text: encode(fields), headers: octets })),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 413, 408, 400],
    )
    assert.deepEqual(asked, [])
  })

  it('is for POST alone, and says so', async () => {
    const { face } = openFace()
    for (const method of ['GET', 'PUT', 'OPTIONS', 'HEAD']) {
      const answer = await face.handle(form('/sts/store', fields, { method }))
      assert.deepEqual([answer.status, answer.headers['allow']], [405, 'POST'])
    }
  })

  it('hands on what narrows, names and shortens, and nothing that describes the caller', async () => {
    const { face, asked } = openFace()
    const wishes = {
      RoleArn: 'arn:aws:iam::111111111:dummyroot',
      RoleSessionName: 'optional-name',
      DurationSeconds: '25536',
      Policy: '{"Version":"2012-10-17"}',
      WebIdentityAccessToken: 'x',
      TokenRevokeType: 'y',
      'Tags.member.1.Key': 'kubernetes-namespace',
      'Tags.member.1.Value': 'kube-system',
      SourceIdentity: 'root',
    }
    const answer = await face.handle(form('/sts/store', { ...fields, ...wishes }))
    assert.equal(answer.status, 200, text(answer))
    const { grant } = asked[0] ?? {}
    assert.equal(grant?.action, 'sts:AssumeRoleWithWebIdentity')
    assert.equal(grant.sessionPolicy, wishes.Policy)
    assert.equal(grant.durationSeconds, 25_536)
    assert.deepEqual(
      [grant.tags, grant.sourceIdentity, grant.externalId],
      [undefined, undefined, undefined],
    )
  })

  it('says when to come again, and keeps what broke to itself', async () => {
    const away = new ExchangeError('cluster_unavailable', 'away', {
      detail: { retryAfterSeconds: 2 },
    })
    const answer = await openFace(away).face.handle(form('/sts/store'))
    assert.deepEqual(
      [answer.status, answer.headers['retry-after'], elementOf(answer, 'Code')],
      [503, '2', 'IDPCommunicationError'],
    )
    const { face, log } = openFace(new Error('password=hunter2'))
    const broken = await face.handle(form('/sts/store'))
    assert.equal(broken.status, 500)
    assert.ok(!text(broken).includes('hunter2'))
    assert.ok(log[0]?.error instanceof Error)
  })
})

describe('GET /credentials/NAMESPACE (AWS SDKs, container credentials)', () => {
  const ask = (authorization: string | undefined, parts: Partial<HttpRequest> = {}) =>
    request({
      method: 'GET',
      path: '/credentials/store',
      headers: authorization === undefined ? [] : [['Authorization', authorization]],
      ...parts,
    })

  it('answers what the SDKs read, for a token with and without Bearer', async () => {
    const { face, tokens } = openFace()
    for (const authorization of [token, `Bearer ${token}`, `bearer  ${token}`, `${token}\n`]) {
      const answer = await face.handle(ask(authorization))
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.deepEqual(JSON.parse(text(answer)), {
        AccessKeyId: 'ASIA1',
        SecretAccessKey: 'secret/+key',
        Token: 'dps2.sealed<&',
        Expiration: '2023-11-14T21:13:20Z',
      })
    }
    assert.deepEqual(tokens(), [token, token, token, token])
  })

  it('refuses in the form that the SDKs read', async () => {
    const denied = new ExchangeError('no_policy', 'No binding')
    const answer = await openFace(denied).face.handle(ask(token))
    assert.equal(answer.status, 403)
    assert.deepEqual(JSON.parse(text(answer)), { code: 'AccessDenied', message: 'No binding' })
    assert.equal(answer.headers['content-length'], String(Buffer.byteLength(text(answer))))
    const { face, asked } = openFace()
    const statuses = [
      await face.handle(ask(undefined)),
      await face.handle(ask('Bearer ')),
      await face.handle(ask(token, { method: 'POST' })),
      await face.handle(ask(token, { path: '/credentials/%2F' })),
      await face.handle(ask(token, { path: '/credentials/' })),
    ].map(({ status }) => status)
    assert.deepEqual(statuses, [400, 400, 405, 400, 400])
    const headers = [token, 'Bearer other'].map((value) => ['authorization', value] as const)
    assert.equal((await face.handle(ask(undefined, { headers }))).status, 400)
    assert.deepEqual(asked, [])
  })
})
