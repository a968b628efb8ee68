import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aliceKey,
  elementOf,
  get,
  openHouse,
  pluginArn,
  post,
  requestId,
  rootKey,
  signed,
  text,
  uploaderArn,
  webIdentity,
  type Fields,
} from './testing/house.ts'

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const keys =
  '<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret/+key</SecretAccessKey>' +
  '<SessionToken>dps1.sealed/+=&#34;&lt;&gt;</SessionToken>' +
  '<Expiration>2023-11-14T22:13:20Z</Expiration></Credentials>'
const size = '<PackedPolicySize>7</PackedPolicySize>'

function whole(action: string, result: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="${namespace}">` +
    `<${action}Result>${result}</${action}Result>` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`
  )
}

function user(role: string, name: string, id: string): string {
  return (
    `<AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/${role}/${name}</Arn>` +
    `<AssumeRoleId>${id}</AssumeRoleId><AssumedRoleId>${id}</AssumedRoleId></AssumedRoleUser>`
  )
}

const login: Fields = {
  Action: 'AssumeRoleWithLDAPIdentity',
  LDAPUsername: 'ann',
  LDAPPassword: '{}',
}
const custom: Fields = { Action: 'AssumeRoleWithCustomToken', Token: '{}', RoleArn: pluginArn }
const policyText = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
})

function withCertificate(fields: Fields = {}, send = post) {
  const plain = send({ Action: 'AssumeRoleWithCertificate', ...fields }, { secure: true })
  return { ...plain, headers: [...plain.headers, ['Test-Certificate', 'host'] as const] }
}

describe('the documents of MinIO’s own actions (MinIO STS, with the session’s name filled in)', () => {
  it('AssumeRoleWithLDAPIdentity, as form and as query', async () => {
    for (const send of [post, get]) {
      const { face } = openHouse()
      const who = user('ldap=corp', 'uid=ann,dc=example', 'corp:uid=ann,dc=example')
      const expected = whole('AssumeRoleWithLDAPIdentity', who + keys + size)
      assert.equal(text(await face.handle(send(login))), expected)
    }
  })

  it('AssumeRoleWithCertificate, as form and as query', async () => {
    for (const send of [post, get]) {
      const { face } = openHouse()
      const who = user('certificate=tls', 'host', 'tls:host')
      const expected = whole('AssumeRoleWithCertificate', who + keys + size)
      assert.equal(text(await face.handle(withCertificate({}, send))), expected)
    }
  })

  it('AssumeRoleWithCustomToken, as form and as query', async () => {
    for (const send of [post, get]) {
      const { face } = openHouse()
      const who = user('custom=hook', 'alice', 'hook:alice')
      const assumed = '<AssumedUser>custom:alice</AssumedUser>'
      const expected = whole('AssumeRoleWithCustomToken', who + keys + size + assumed)
      assert.equal(text(await face.handle(send(custom))), expected)
    }
  })
})

describe('the documents of AWS', () => {
  const lasting = keys.replace('2023-11-14T22:13:20Z', '2023-11-15T09:13:20Z')

  it('GetSessionToken', async () => {
    const { face } = openHouse()
    const response = await face.handle(signed({ Action: 'GetSessionToken' }, aliceKey))
    assert.equal(text(response), whole('GetSessionToken', lasting))
  })

  it('GetFederationToken', async () => {
    const { face } = openHouse()
    const response = await face.handle(signed({ Action: 'GetFederationToken', Name: 'bob' }))
    const federated =
      '<FederatedUser><Arn>arn:aws:sts::000000000000:federated-user/bob</Arn>' +
      '<FederatedUserId>000000000000:bob</FederatedUserId></FederatedUser>'
    assert.equal(text(response), whole('GetFederationToken', keys + size + federated))
  })

  it('GetAccessKeyInfo, which says the same of every key', async () => {
    const { face } = openHouse()
    for (const AccessKeyId of ['ALICE', 'AKIAIOSFODNN7EXAMPLE']) {
      const response = await face.handle(
        signed({ Action: 'GetAccessKeyInfo', AccessKeyId }, rootKey),
      )
      const expected = whole('GetAccessKeyInfo', '<Account>000000000000</Account>')
      assert.equal(text(response), expected)
    }
  })

  it('GetCallerIdentity says what the others said', async () => {
    const cases = [
      [
        signed({ Action: 'GetSessionToken' }, aliceKey),
        'arn:aws:iam::000000000000:user/alice',
        'alice',
      ],
      [
        signed({ Action: 'GetFederationToken', Name: 'bob' }),
        'arn:aws:sts::000000000000:federated-user/bob',
        '000000000000:bob',
      ],
      [
        signed({ Action: 'AssumeRole', RoleArn: uploaderArn, RoleSessionName: 's1' }, aliceKey),
        'arn:aws:sts::000000000000:assumed-role/uploader/s1',
        'AROAUPLOADER22222222:s1',
      ],
    ] as const
    for (const [call, arn, id] of cases) {
      const { face, issued, keyOf } = openHouse()
      await face.handle(call)
      const [grant] = issued
      assert.ok(grant)
      const me = await face.handle(signed({ Action: 'GetCallerIdentity' }, keyOf(grant)))
      assert.equal(elementOf(me, 'Arn'), arn)
      assert.equal(elementOf(me, 'UserId'), id)
    }
  })
})

describe('a role of the directory', () => {
  it('is taken by every proof that it trusts, and its name is in the answer', async () => {
    const ways = [
      signed({ Action: 'AssumeRole', RoleArn: uploaderArn }, aliceKey),
      signed({ Action: 'AssumeRole', RoleArn: uploaderArn }, rootKey),
      post(webIdentity({}, { RoleArn: uploaderArn })),
      post({ ...login, LDAPUsername: 'bob', RoleArn: uploaderArn }),
      withCertificate({ RoleArn: uploaderArn }),
      post({ ...custom, RoleArn: uploaderArn }),
    ]
    for (const way of ways) {
      const { face, issued } = openHouse()
      const response = await face.handle(way)
      assert.equal(response.status, 200, text(response))
      assert.match(elementOf(response, 'Arn') ?? '', /:assumed-role\/uploader\//)
      assert.equal(issued[0]?.source.kind === 'role' && issued[0].source.id, 'AROAUPLOADER22222222')
    }
  })

  it('is taken by a session, which goes on under the new name', async () => {
    const { face, issued, keyOf, events } = openHouse()
    await face.handle(post(webIdentity()))
    const [first] = issued
    assert.ok(first)
    const call = { Action: 'AssumeRole', RoleArn: uploaderArn, RoleSessionName: 's2' }
    const response = await face.handle(signed(call, keyOf(first)))
    assert.equal(elementOf(response, 'AssumedRoleId'), 'AROAUPLOADER22222222:s2')
    assert.equal(issued[1]?.lineage.parentAccessKeyId, 'ASIA1')
    assert.equal(issued[1]?.principal.subject, 'alice')
    const last = events.at(-1)
    assert.ok(last?.outcome === 'issued' && last.parentAccessKeyId === 'ASIA1')
  })

  it('gets tags, transitive tags, source identity and session policies from the call', async () => {
    const { face, issued } = openHouse()
    const call = {
      Action: 'AssumeRole',
      RoleArn: uploaderArn,
      SourceIdentity: 'ann',
      Policy: policyText,
      'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/readonly',
      'PolicyArns.member.2.arn': 'arn:aws:iam::aws:policy/writeonly',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'blue',
      'Tags.member.10.Key': 'last',
      'Tags.member.2.Key': 'empty',
      'Tags.member.2.Value': '',
      'TransitiveTagKeys.member.1': 'team',
    }
    const response = await face.handle(signed(call, aliceKey))
    assert.equal(response.status, 200, text(response))
    const [grant] = issued
    assert.deepEqual(
      [...(grant?.tags ?? [])],
      [
        ['team', 'blue'],
        ['empty', ''],
        ['last', ''],
      ],
    )
    assert.deepEqual(grant?.transitiveTagKeys, ['team'])
    assert.equal(grant?.sourceIdentity, 'ann')
    assert.deepEqual(grant?.sessionPolicyNames, [['readonly', 'writeonly']])
    assert.equal(grant?.sessionPolicies[0]?.length, 1)
  })
})

describe('the Policy of a caller', () => {
  it('narrows on every action: nobody believes in a restriction that is not there', async () => {
    const more = { Policy: policyText }
    const ways = [
      post({ ...login, ...more }),
      withCertificate(more),
      withCertificate(more, get),
      post({ ...custom, ...more }),
      get({ ...custom, ...more }),
      signed({ Action: 'GetSessionToken', ...more }, aliceKey),
      signed({ Action: 'GetFederationToken', Name: 'bob', ...more }),
      post(webIdentity(undefined, more)),
      signed({ Action: 'AssumeRole', ...more }, aliceKey),
    ]
    for (const way of ways) {
      const { face, issued } = openHouse()
      const response = await face.handle(way)
      assert.equal(response.status, 200, text(response))
      assert.equal(issued[0]?.sessionPolicies[0]?.length, 1)
    }
  })
})

describe('what is told of a login', () => {
  it('is the name, and never the password', async () => {
    const { face, events, log } = openHouse()
    const LDAPPassword = '{"note":"hunter2"}'
    await face.handle(post({ ...login, LDAPPassword }))
    await face.handle(post({ ...login, LDAPUsername: 'bob', LDAPPassword }))
    assert.deepEqual(
      events.map(({ proof }) => proof),
      [
        { kind: 'login', username: 'ann' },
        { kind: 'login', username: 'bob' },
      ],
    )
    assert.ok(!JSON.stringify([events, log]).includes('hunter2'))
  })
})
