import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aliceKey,
  bobKey,
  elementOf,
  get,
  openHouse,
  post,
  request,
  requestId,
  roleArn,
  rootKey,
  sign,
  signed,
  text,
  token,
  webIdentity,
} from './testing/house.ts'

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'
const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
const credentials =
  '<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret/+key</SecretAccessKey>' +
  '<SessionToken>dps1.sealed/+=&#34;&lt;&gt;</SessionToken>' +
  '<Expiration>2023-11-14T22:13:20Z</Expiration></Credentials><PackedPolicySize>7</PackedPolicySize>'

function user(role: string, name: string, id: string): string {
  const arn = `arn:aws:sts::000000000000:assumed-role/${role}/${name}`
  return (
    `<AssumedRoleUser><Arn>${arn}</Arn><AssumeRoleId>${id}</AssumeRoleId>` +
    `<AssumedRoleId>${id}</AssumedRoleId></AssumedRoleUser>`
  )
}

describe('success documents (AWS STS API reference; MinIO for order and namespace)', () => {
  it('AssumeRole, byte for byte', async () => {
    const { face } = openHouse()
    const fields = {
      Action: 'AssumeRole',
      RoleSessionName: 'upload',
      RoleArn: 'arn:xxx:xxx:xxx:xxxx',
    }
    const response = await face.handle(signed(fields, aliceKey))
    assert.equal(response.status, 200)
    assert.equal(
      text(response),
      `${prolog}<AssumeRoleResponse xmlns="${namespace}"><AssumeRoleResult>` +
        user('user=alice', 'upload', 'internal:alice') +
        `${credentials}</AssumeRoleResult>${metadata}</AssumeRoleResponse>`,
    )
  })

  it('AssumeRoleWithWebIdentity, byte for byte', async () => {
    const { face } = openHouse()
    const claims = { policy: 'readonly', aud: ['app', 'other'] }
    const response = await face.handle(post(webIdentity(claims)))
    assert.equal(
      text(response),
      `${prolog}<AssumeRoleWithWebIdentityResponse xmlns="${namespace}">` +
        `<AssumeRoleWithWebIdentityResult>${user('openid=dex', 'alice', 'dex:alice')}` +
        `<Audience>app</Audience>${credentials}<Provider>https://idp.example.com</Provider>` +
        '<SubjectFromWebIdentityToken>alice</SubjectFromWebIdentityToken>' +
        `</AssumeRoleWithWebIdentityResult>${metadata}</AssumeRoleWithWebIdentityResponse>`,
    )
  })

  it('AssumeRoleWithClientGrants, byte for byte', async () => {
    const { face } = openHouse()
    const fields = { Action: 'AssumeRoleWithClientGrants', Token: token() }
    const response = await face.handle(post(fields))
    assert.equal(
      text(response),
      `${prolog}<AssumeRoleWithClientGrantsResponse xmlns="${namespace}">` +
        `<AssumeRoleWithClientGrantsResult>${user('openid=dex', 'alice', 'dex:alice')}` +
        `${credentials}<Provider>https://idp.example.com</Provider>` +
        '<SubjectFromToken>alice</SubjectFromToken>' +
        `</AssumeRoleWithClientGrantsResult>${metadata}</AssumeRoleWithClientGrantsResponse>`,
    )
  })

  it('GetCallerIdentity, byte for byte', async () => {
    const { face } = openHouse()
    const response = await face.handle(signed({ Action: 'GetCallerIdentity' }, rootKey))
    assert.equal(
      text(response),
      `${prolog}<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult>` +
        '<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId>' +
        `<Account>000000000000</Account></GetCallerIdentityResult>${metadata}</GetCallerIdentityResponse>`,
    )
  })

  it('are sent with these headers, and are kept by nobody', async () => {
    const { face } = openHouse({ region: 'eu-west-1' })
    const response = await face.handle(post(webIdentity({ policy: 'readonly', aud: 'Zoë' })))
    assert.deepEqual(response.headers, {
      'content-type': 'application/xml',
      'content-length': String(Buffer.byteLength(text(response))),
      'x-amz-request-id': requestId,
      server: 'Daypass',
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-xss-protection': '1; mode=block',
      'x-amz-bucket-region': 'eu-west-1',
    })
    const secure = await face.handle(post(webIdentity(), { secure: true }))
    assert.match(secure.headers['strict-transport-security'] ?? '', /max-age=31536000/)
  })
})

describe('a call may come', () => {
  it('as form or as query, by POST or GET, on any path, signed or not', async () => {
    const fields = webIdentity()
    const form = new URLSearchParams({ ...fields, Version: '2011-06-15' }).toString()
    const ways = [
      post(fields),
      post(fields, { path: '/any/path' }),
      get(fields),
      get(fields, { method: 'POST' }),
      signed(fields, aliceKey),
      request({ text: form.replace(/&?Action=[^&]*/, ''), query: `Action=${fields.Action}` }),
      request({ method: 'POST', query: form.replaceAll('+', '%20'), headers: [] }),
    ]
    const { face } = openHouse()
    for (const way of ways) {
      assert.ok(face.accepts(way))
      assert.equal((await face.handle(way)).status, 200)
    }
  })

  it('with the token in either parameter, `Token` first', async () => {
    const { face } = openHouse()
    for (const Action of ['AssumeRoleWithWebIdentity', 'AssumeRoleWithClientGrants']) {
      for (const name of ['Token', 'WebIdentityToken']) {
        const response = await face.handle(post({ Action, [name]: token() }))
        assert.equal(response.status, 200)
      }
      const both = { Action, Token: token({ refuse: 'token_expired' }), WebIdentityToken: token() }
      assert.equal((await face.handle(post(both))).status, 400)
    }
  })

  it('with parameters that nobody knows, which add nothing', async () => {
    const { face, issued } = openHouse()
    const unknown = {
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'root',
      ExternalId: 'x',
      SourceIdentity: 'root',
      TokenRevokeType: 't',
    }
    assert.equal((await face.handle(post(webIdentity(undefined, unknown)))).status, 200)
    assert.equal(issued[0]?.tags.size, 0)
    assert.equal(issued[0]?.sourceIdentity, undefined)
  })

  it('with a role ARN, a session name, a duration and a policy', async () => {
    const { face, issued } = openHouse()
    const Policy =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'
    const wishes = { RoleArn: roleArn, RoleSessionName: 's1', DurationSeconds: '900', Policy }
    const response = await face.handle(post(webIdentity({}, wishes)))
    assert.equal(elementOf(response, 'Expiration'), '2023-11-14T21:28:20Z')
    const [grant] = issued
    assert.deepEqual(grant?.source, { kind: 'role', arn: roleArn, name: 'okta' })
    assert.equal(grant?.sessionName, 's1')
    assert.equal(grant?.sessionPolicies.length, 1)
  })

  it('over and over: nothing of one call is left for the next', async () => {
    const { face, issued } = openHouse()
    await face.handle(post(webIdentity(undefined, { RoleSessionName: 'first' })))
    await face.handle(post(webIdentity()))
    assert.deepEqual(
      issued.map(({ sessionName }) => sessionName),
      ['first', 'alice'],
    )
  })
})

describe('GetCallerIdentity', () => {
  it('tells users and sessions who they are, and needs no right', async () => {
    const { face, issued, keyOf } = openHouse()
    await face.handle(post(webIdentity()))
    const [grant] = issued
    assert.ok(grant)
    const expected = [
      [aliceKey, 'arn:aws:iam::000000000000:user/alice', 'alice'],
      [bobKey, 'arn:aws:iam::000000000000:user/bob', 'bob'],
      [keyOf(grant), 'arn:aws:sts::000000000000:assumed-role/openid=dex/alice', 'dex:alice'],
    ] as const
    for (const [key, arn, userId] of expected) {
      const response = await face.handle(signed({ Action: 'GetCallerIdentity' }, key))
      assert.equal(elementOf(response, 'Arn'), arn)
      assert.equal(elementOf(response, 'UserId'), userId)
    }
  })

  it('says the name that the answer to AssumeRole gave', async () => {
    const { face, issued, keyOf } = openHouse()
    const assumed = await face.handle(signed({ Action: 'AssumeRole' }, aliceKey))
    const [grant] = issued
    assert.ok(grant)
    const response = await face.handle(signed({ Action: 'GetCallerIdentity' }, keyOf(grant)))
    assert.equal(elementOf(response, 'Arn'), elementOf(assumed, 'Arn'))
    assert.equal(elementOf(response, 'UserId'), elementOf(assumed, 'AssumedRoleId'))
  })
})

describe('DecodeAuthorizationMessage', () => {
  const decode = (EncodedMessage: string) => ({
    Action: 'DecodeAuthorizationMessage',
    EncodedMessage,
  })

  it('opens, for root and for whom a policy allows it, what a denial carried', async () => {
    const { face } = openHouse()
    const denied = await face.handle(signed({ Action: 'AssumeRole' }, bobKey))
    assert.equal(elementOf(denied, 'Code'), 'AccessDenied')
    const message = elementOf(denied, 'Message') ?? ''
    const sealed = /Encoded authorization failure message: (\S+)$/.exec(message)?.[1] ?? ''
    for (const key of [rootKey, aliceKey]) {
      const response = await face.handle(signed(decode(sealed), key))
      const decoded = (elementOf(response, 'DecodedMessage') ?? '').replaceAll('&#34;', '"')
      const trace = JSON.parse(decoded)
      assert.equal(trace.decisionId, requestId)
      assert.equal(trace.principal.subject, 'bob')
      assert.equal(trace.trace.at(-1).outcome, 'refused')
    }
  })

  it('is refused to all others', async () => {
    const { face } = openHouse()
    const response = await face.handle(signed(decode('x'), bobKey))
    assert.equal(response.status, 403)
    assert.equal(elementOf(response, 'Code'), 'AccessDenied')
    const anonymous = await face.handle(post(decode('x')))
    assert.equal(elementOf(anonymous, 'Code'), 'MissingAuthenticationToken')
  })
})

describe('what is told of a call', () => {
  it('is its action and outcome, and never a secret', async () => {
    const { face, log, events } = openHouse()
    await face.handle(post(webIdentity({ policy: 'readonly' })))
    await face.handle(post(webIdentity({ refuse: 'token_expired' })))
    await face.handle(signed({ Action: 'AssumeRole' }, aliceKey))
    assert.deepEqual(
      log.map(({ action, status, code }) => [action, status, code]),
      [
        ['AssumeRoleWithWebIdentity', 200, undefined],
        ['AssumeRoleWithWebIdentity', 400, 'ExpiredTokenException'],
        ['AssumeRole', 200, undefined],
      ],
    )
    await face.handle(post(webIdentity({ policy: 'readonly' }, { DurationSeconds: '1' })))
    assert.deepEqual(log.at(-1)?.detail, { parameter: 'DurationSeconds' })
    await face.handle(signed({ Action: 'AssumeRole' }, { ...aliceKey, secret: bobKey.secret }))
    assert.equal(log.at(-1)?.detail, undefined, 'what was signed is no log’s business')
    const told = JSON.stringify([log, events])
    for (const secret of ['secret/+key', 'dps1.sealed', token(), 'alice-secret-key']) {
      assert.ok(!told.includes(secret) && !told.includes(JSON.stringify(secret).slice(1, -1)))
    }
  })
})

describe('a signed query', () => {
  it('is refused when it holds a plus sign, which its signature reads in two ways', async () => {
    const { face } = openHouse()
    const query = 'Action=AssumeRole&Version=2011-06-15&RoleSessionName=a+b'
    const plain = request({ query, headers: [['Host', 'sts.example.com']] })
    const response = await face.handle(sign(plain, '', aliceKey))
    assert.equal(elementOf(response, 'Code'), 'InvalidParameterValue')
    const encoded = { ...plain, query: query.replace('+', '%2B') }
    const good = await face.handle(sign({ ...encoded, body: request({}).body }, '', aliceKey))
    assert.equal(good.status, 200)
  })
})
