import assert from 'node:assert/strict'
import { createHmac, createPublicKey, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import { base64url, createIssuerKey, reuseKey, startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { exchangeToken, s3Client } from './keys.ts'
import { headOf, sendRaw } from './raw/connection.ts'
import type { RawAnswer } from './raw/connection.ts'
import { sha256, signRaw } from './raw/signing.ts'
import { assertUntold } from './traces.ts'

const clientSecret = 'the-secret-of-the-openid-client'
const password = 'root-password-of-this-test'
let idp: OidcIssuer
let stranger: OidcIssuer
/** One that speaks AWS's codes, one that speaks MinIO's. */
let server: DaypassServer
let folded: DaypassServer
const sent: string[] = []

before(async () => {
  idp = await startOidcIssuer({ audience: 'app' })
  stranger = await startOidcIssuer({ audience: 'app' })
  const env = {
    MINIO_ROOT_USER: 'root-user-of-this-test',
    MINIO_ROOT_PASSWORD: password,
    MINIO_IDENTITY_OPENID_CONFIG_URL: idp.configUrl,
    MINIO_IDENTITY_OPENID_CLIENT_ID: 'app',
    MINIO_IDENTITY_OPENID_CLIENT_SECRET: clientSecret,
  }
  server = await startDaypass({ env })
  folded = await startDaypass({ env, config: 'sts: { errors: minio }\n' })
})

after(async () => {
  for (const each of [server, folded]) await each.stop()
  for (const each of [idp, stranger]) await each.close()
})

const now = (): number => Math.floor(Date.now() / 1000)
const claims = (members = {}) => idp.claims({ policy: 'readwrite', ...members })
const good = (): string => idp.token(claims())

type Form = string | readonly (readonly [string, string])[]
const version = ['Version', '2011-06-15'] as const
const webIdentity = ['Action', 'AssumeRoleWithWebIdentity'] as const

function encode(form: Form): string {
  return typeof form === 'string'
    ? form
    : new URLSearchParams(form.map(([...pair]) => pair)).toString()
}

async function post(to: DaypassServer, form: Form, target = '/', more = {}): Promise<RawAnswer> {
  const body = encode(form)
  const head = headOf('POST', target, {
    host: new URL(to.endpoint).host,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body, 'latin1')),
    ...more,
  })
  const answer = await sendRaw(to.endpoint, head, body)
  assert.ok(answer, 'no answer')
  return answer
}

/** Refused as it should be in either dialect, and nothing in the answer that only credentials have. */
async function refused(form: Form, status: number, code: string, minio?: string): Promise<void> {
  const [status2, code2] = minio === undefined ? [400, 'InvalidParameterValue'] : minio.split(' ')
  for (const [to, ...expected] of [
    [server, status, code],
    [folded, Number(status2), code2],
  ] as const) {
    const answer = await post(to, form)
    assert.deepEqual([answer.status, answer.code], expected, answer.body)
    assert.doesNotMatch(answer.body, /SecretAccessKey|SessionToken/)
    assert.equal(answer.headers.get('content-type'), 'application/xml')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
  }
}

function refusedToken(token: string, code = 'InvalidIdentityToken'): Promise<void> {
  if (token.length >= 16) sent.push(token)
  return refused([webIdentity, version, ['WebIdentityToken', token]], 400, code)
}

/** Signed with a secret, as if the server had one for that. */
function hmacToken(secret: string | Buffer, kid: string): string {
  const header = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid }))
  const text = `${header}.${base64url(JSON.stringify(claims()))}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

describe('a token that proves nothing', () => {
  it('is what the good one of this test is not', async () => {
    for (const to of [server, folded]) {
      const keys = await exchangeToken(to.endpoint, good())
      sent.push(keys.sessionToken, keys.secretAccessKey)
      await s3Client(to.endpoint, keys).send(new ListBucketsCommand({}))
    }
  })

  it('may be no token at all', async () => {
    for (const garbage of ['garbage', 'a.b.c', '..', '{}', 'a.b', `${good()}.x`, 'é.é.é']) {
      await refusedToken(garbage)
    }
    await refusedToken(randomBytes(3000).toString('base64url'))
    await refusedToken(`${good()}${'A'.repeat(20_000)}`)
    await refused([webIdentity, version], 400, 'MissingParameter')
    await refused([webIdentity, version, ['WebIdentityToken', '']], 400, 'MissingParameter')
  })

  it('may be signed by nobody', async () => {
    const [, body = '', signature = ''] = good().split('.')
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = base64url(JSON.stringify({ alg, typ: 'JWT', kid: idp.signingKey.kid }))
      await refusedToken(`${header}.${body}.`)
      await refusedToken(`${header}.${body}.${signature}`)
    }
    const [header = ''] = good().split('.')
    await refusedToken(`${header}.${body}.`)
  })

  it('may be signed with what everybody knows, or what the client knows', async () => {
    const { kid, privateKey, jwk } = idp.signingKey
    const publicKey = createPublicKey(privateKey)
    const secrets = [
      clientSecret,
      '',
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      String(jwk.n),
      Buffer.from(String(jwk.n), 'base64url'),
      JSON.stringify(jwk),
      password,
    ]
    for (const secret of secrets) {
      for (const name of [kid, 'app']) await refusedToken(hmacToken(secret, name))
    }
  })

  it('may be signed by another key, also one that it brings along', async () => {
    const other = createIssuerKey()
    const { kid } = idp.signingKey
    await refusedToken(idp.token(claims(), { key: other }))
    await refusedToken(idp.token(claims(), { key: reuseKey(other, { kid }) }))
    const header = { jwk: other.jwk, kid, jku: `${stranger.issuer}/jwks`, x5u: stranger.issuer }
    await refusedToken(idp.token(claims(), { key: other, header }))
    const [head = '', , signature = ''] = good().split('.')
    await refusedToken(`${head}.${base64url(JSON.stringify(claims({ sub: 'root' })))}.${signature}`)
    assert.equal(stranger.requests.size, 0, 'the server went where the token sent it')
  })

  it('may be of another issuer, or for another audience', async () => {
    await refusedToken(stranger.token(stranger.claims({ policy: 'readwrite' })))
    for (const iss of ['https://example.com', `${idp.issuer}/`, '', undefined, 5, [idp.issuer]]) {
      await refusedToken(idp.token(claims({ iss })))
    }
    for (const aud of [
      'other',
      '',
      [],
      undefined,
      ['other'],
      { app: true },
      'app2',
      'APP',
      'ap,app',
    ]) {
      await refusedToken(idp.token(claims({ aud })))
    }
  })

  it('may be of another time', async () => {
    await refusedToken(idp.token(claims({ exp: now() - 60 })), 'ExpiredTokenException')
    await refusedToken(idp.token(claims({ exp: 0 })), 'ExpiredTokenException')
    await refusedToken(idp.token(claims({ nbf: now() + 120 })))
    for (const exp of [undefined, String(now() + 300), null, 1e300, -1.5]) {
      const error = await post(server, [
        webIdentity,
        version,
        ['WebIdentityToken', idp.token(claims({ exp }))],
      ])
      assert.equal(error.status, 400, String(exp))
      assert.match(String(error.code), /^(?:InvalidIdentityToken|ExpiredTokenException)$/)
    }
  })

  it('may say two things at once, or nothing', async () => {
    const text = JSON.stringify(claims())
    for (const payload of [
      text.replace('{', '{"sub":"eve",'),
      `${text}{}`,
      `[${text}]`,
      'null',
      '"text"',
      '{"iss":',
      String.raw`${text.slice(0, -1)},"sub2":"\ud800"}`,
      text.replace('alice', String.raw`\ud800`),
    ]) {
      await refusedToken(idp.token(payload))
    }
    for (const header of [
      { crit: ['exp'] },
      { zip: 'DEF' },
      { typ: 'logout+jwt' },
      { b64: false },
    ]) {
      await refusedToken(idp.token(claims(), { header }))
    }
    for (const sub of [undefined, '', 5, ['alice']]) await refusedToken(idp.token(claims({ sub })))
  })
})

describe('a form that makes no sense', () => {
  const token = (): readonly [string, string] => ['WebIdentityToken', good()]

  it('may lack what is needed, or ask for what there is not', async () => {
    await refused([webIdentity, token()], 400, 'MissingParameter', '400 MissingParameter')
    const old = ['Version', '2010-05-08'] as const
    await refused([webIdentity, old, token()], 400, 'MissingParameter', '400 MissingParameter')
    await refused([version, token()], 400, 'MissingAction')
    await refused([['Action', 'AssumeRoleWithSAML'], version], 400, 'InvalidAction')
    await refused([['Action', 'assumerolewithwebidentity'], version, token()], 400, 'InvalidAction')
    await refused([['Action', 'AssumeRole'], version], 403, 'MissingAuthenticationToken')
    await refused([['Action', '__proto__'], version], 400, 'InvalidAction')
  })

  it('may say something twice', async () => {
    const form = encode([webIdentity, version, token()])
    const other = encode([token()])
    await refused(`${form}&${other}`, 400, 'InvalidParameterValue')
    await refused(`${form}&Action=AssumeRole`, 400, 'InvalidParameterValue')
    await refused(`${form}&%41ction=AssumeRoleWithWebIdentity`, 400, 'InvalidParameterValue')
    const split = await post(server, form, '/?Action=GetCallerIdentity&Version=2011-06-15')
    assert.deepEqual([split.status, split.code], [400, 'InvalidParameterValue'])
    const policy = await post(server, form, '/?Policy=%7B%7D')
    assert.deepEqual([policy.status, policy.code], [400, 'MalformedPolicyDocument'])
  })

  it('may be badly encoded, or have too many parts', async () => {
    const form = encode([webIdentity, version, token()])
    for (const bad of ['%', '%z1', '%4', '%ff', '%c0%80', '%ed%a0%80', '\xff']) {
      await refused(`${form}&RoleSessionName=${bad}`, 400, 'InvalidParameterValue')
      await refused(`${form}&${bad}=x`, 400, 'InvalidParameterValue')
    }
    await refused(`${form}${'&a'.repeat(300)}`, 400, 'InvalidParameterValue')
  })

  it('may ask for times, roles or policies that cannot be', async () => {
    const form = [webIdentity, version, token()]
    for (const seconds of ['abc', '-900', '899', '9e2', '900.0', '0x384', ' 900', '9'.repeat(30)]) {
      await refused([...form, ['DurationSeconds', seconds]], 400, 'InvalidParameterValue')
    }
    for (const [policy, code] of [
      ['{', 'MalformedPolicyDocument'],
      ['{}', 'MalformedPolicyDocument'],
      ['[]', 'MalformedPolicyDocument'],
      ['{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}', 'MalformedPolicyDocument'],
      [JSON.stringify({ Version: '2012-10-17', Id: 'x'.repeat(3000), Statement: [] }), ''],
    ] as const) {
      const answer = await post(server, [...form, ['Policy', policy]])
      assert.equal(answer.status, 400, policy.slice(0, 60))
      assert.match(String(answer.code), code === '' ? /Policy/ : new RegExp(`^${code}$`))
    }
  })

  it('may be too large: it is refused before it has come, whatever it says of its length', async () => {
    const large = `Action=AssumeRoleWithWebIdentity&Version=2011-06-15&x=${'x'.repeat(65_536)}`
    await refused(large, 413, 'RequestEntityTooLarge')
    const fits = large.slice(0, 65_536)
    const exact = await post(server, fits)
    assert.deepEqual([exact.status, exact.code], [400, 'MissingParameter'])
    const announced = { 'content-length': String(2 ** 40) }
    const early = await post(server, 'Action=', '/', announced)
    assert.deepEqual([early.status, early.code], [413, 'RequestEntityTooLarge'])
    const { host } = new URL(server.endpoint)
    const type = 'application/x-www-form-urlencoded'
    const head = headOf('POST', '/', { host, 'content-type': type, 'transfer-encoding': 'chunked' })
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    const endless = await sendRaw(server.endpoint, head, chunk.repeat(5))
    assert.deepEqual([endless?.status, endless?.code], [413, 'RequestEntityTooLarge'])
  })

  it('may be signed wrongly', async () => {
    const { host } = new URL(server.endpoint)
    const body = 'Action=AssumeRole&Version=2011-06-15'
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' }
    const sign = (secretAccessKey: string, payload: string, service: 's3' | 'sts', at?: Date) =>
      signRaw({
        method: 'POST',
        target: '/',
        headers,
        service,
        payload,
        keys: {
          accessKeyId: 'root-user-of-this-test',
          secretAccessKey,
        },
        ...(at && { at }),
      }).headers
    const late = new Date(Date.now() - 20 * 60_000)
    const right = sha256(body)
    for (const [signed, status, code] of [
      [sign('wrong', right, 'sts'), 403, 'SignatureDoesNotMatch'],
      [sign(password, right, 's3'), 400, 'IncompleteSignature'],
      [sign(password, sha256('another body'), 'sts'), 400, 'InvalidParameterValue'],
      [sign(password, right, 'sts', late), 403, 'RequestTimeTooSkewed'],
    ] as const) {
      const answer = await post(server, body, '/', signed)
      assert.deepEqual([answer.status, answer.code], [status, code], answer.body)
    }
    assert.equal((await post(server, body, '/', sign(password, right, 'sts'))).status, 200)
  })
})

describe('after all that', () => {
  it('both servers run, give the good their keys, and have told nobody a secret', async () => {
    for (const to of [server, folded]) {
      assert.equal(to.process.exitCode, null)
      await exchangeToken(to.endpoint, good())
      assertUntold(to, [...sent, clientSecret, password])
      assert.doesNotMatch(to.output(), /"level":50/)
    }
  })
})
