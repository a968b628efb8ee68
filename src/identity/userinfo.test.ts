import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createIssuerKey, startOidcIssuer, type OidcIssuer } from '../../test/fakes/oidc-issuer.ts'
import { Secret } from '../secret.ts'
import {
  createFetchText,
  createOpenIdVerifier,
  IdentityError,
  type IdentityErrorCode,
  type OpenIdVerifier,
} from './index.ts'

const key = createIssuerKey('ES256')

describe('claims from userinfo (OpenID Connect Core section 5.3)', () => {
  let issuer: OidcIssuer
  let verifier: OpenIdVerifier
  let timeoutMs: number
  const fetch = createFetchText()

  beforeEach(async () => {
    timeoutMs = 5000
    issuer = await startOidcIssuer({ key })
    issuer.answerJson('/userinfo', { sub: 'alice', groups: ['admins'], email: 'a@b.example' })
    const { configUrl } = issuer
    verifier = createOpenIdVerifier({
      clock: () => new Date(),
      fetch: (url, request) => fetch(url, { ...request, timeoutMs }),
      providers: [
        { name: 'a', configUrl, clientId: 'daypass', claimUserinfo: true, mode: { kind: 'claim' } },
      ],
    })
  })
  afterEach(() => issuer.close())

  const verify = (accessToken: string | undefined = 'access', members: object = {}) =>
    verifier.verify(
      {
        kind: 'web-identity',
        token: new Secret(issuer.token({ ...issuer.claims(), ...members })),
        ...(accessToken !== 'none' && { accessToken: new Secret(accessToken) }),
      },
      new Date(),
    )

  it('are asked for as MinIO asks', async () => {
    const seen: [string | undefined, IncomingHttpHeaders, string][] = []
    issuer.answer('/userinfo', (request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        seen.push([request.method, request.headers, body])
        response.end('{"sub":"alice"}')
      })
    })
    await verify('abc.DEF-123_~+/==')
    const [[method, headers, body] = []] = seen
    assert.equal(method, 'POST')
    assert.equal(headers?.authorization, 'Bearer abc.DEF-123_~+/==')
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(body, '')
  })

  it('are added', async () => {
    const principal = await verify()
    assert.deepEqual(principal?.groups, ['admins'])
    assert.equal(principal?.displayName, 'a@b.example')
    assert.equal(principal.claims.get('email'), 'a@b.example')
  })

  it('never override what the token says, and never speak of the token', async () => {
    const foreign = { groups: ['admins'], iss: 'b', aud: 'b', azp: 'b', exp: 9e9, nbf: 1, jti: 'b' }
    issuer.answerJson('/userinfo', { sub: 'alice', ...foreign, policy: 'consoleAdmin' })
    const principal = await verify('access', { groups: [], policy: null })
    assert.deepEqual(principal?.groups, [])
    assert.equal(principal?.issuer, issuer.issuer)
    assert.equal(principal.jti, undefined)
    assert.equal(principal.claims.get('policy'), null)
    assert.equal(principal.claims.get('azp'), undefined)
    assert.equal(principal.claims.get('aud'), 'daypass')
    assert.ok((principal.expiresAt?.getTime() ?? Infinity) < Date.now() + 301_000)
  })

  it('are not asked for before the token is proven', async () => {
    await refuses(verify('access', { aud: 'other', azp: 'other' }), 'token_audience')
    await refuses(verify('access', { exp: 1 }), 'token_expired')
    assert.equal(issuer.requests.get('/userinfo'), undefined)
  })

  const tokens = new Map([
    ['none', 'none'],
    ['an empty one', ''],
    ['one with a line feed', 'abc\r\nx-admin: 1'],
    ['one with a space', 'abc def'],
    ['one with other letters', 'äöü'],
    ['one without end', 'x'.repeat(20_000)],
  ])
  for (const [name, token] of tokens) {
    it(`need an access token, not ${name}`, async () => {
      await refuses(verify(token), 'userinfo_rejected')
      assert.equal(issuer.requests.get('/userinfo'), undefined)
    })
  }

  const answers = new Map<string, [unknown, IdentityErrorCode]>([
    ['another sub', [{ sub: 'bob', groups: ['admins'] }, 'userinfo_rejected']],
    ['a sub in another case', [{ sub: 'Alice' }, 'userinfo_rejected']],
    ['no sub', [{ groups: ['admins'] }, 'userinfo_rejected']],
    ['a sub in a list', [{ sub: ['alice'] }, 'userinfo_rejected']],
    ['a list', [[{ sub: 'alice' }], 'provider_unavailable']],
    ['null', [null, 'provider_unavailable']],
    ['64 KiB', [{ sub: 'alice', a: 'x'.repeat(70_000) }, 'provider_unavailable']],
  ])
  for (const [name, [answer, code]] of answers) {
    it(`are not taken from an answer of ${name}`, async () => {
      issuer.answerJson('/userinfo', answer)
      await refuses(verify(), code)
    })
  }

  const statuses = new Map<number, IdentityErrorCode>([
    [201, 'userinfo_rejected'],
    [302, 'userinfo_rejected'],
    [401, 'userinfo_rejected'],
    [403, 'userinfo_rejected'],
    [429, 'provider_unavailable'],
    [500, 'provider_unavailable'],
    [503, 'provider_unavailable'],
  ])
  for (const [status, code] of statuses) {
    it(`are not taken from an answer with status ${status}`, async () => {
      issuer.answer('/userinfo', (_, response) =>
        response.writeHead(status, { location: issuer.configUrl }).end('{"sub":"alice"}'),
      )
      await refuses(verify(), code)
      assert.equal(issuer.requests.get('/.well-known/openid-configuration'), 1)
    })
  }

  it('are not taken from what is no JSON, is doubled, hangs or breaks off', async () => {
    issuer.answer('/userinfo', (_, response) => response.end('sub=alice'))
    await refuses(verify(), 'provider_unavailable')
    issuer.answer('/userinfo', (_, response) => response.end('{"sub":"bob","sub":"alice"}'))
    await refuses(verify(), 'provider_unavailable')
    issuer.answer('/userinfo', (request) => request.socket.destroy())
    await refuses(verify(), 'provider_unavailable')
    issuer.answer('/userinfo', () => {})
    timeoutMs = 100
    await refuses(verify(), 'provider_unavailable')
  })

  it('are not had from a provider without the endpoint', async () => {
    const jwks = { issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/jwks` }
    issuer.answerJson('/.well-known/openid-configuration', jwks)
    await refuses(verify(), 'provider_unavailable')
  })

  it('leave the access token out of every refusal', async () => {
    issuer.answerJson('/userinfo', { sub: 'bob' })
    await verify('the-access-token').catch((error: IdentityError) => {
      const text = JSON.stringify([error.message, error.detail, String(error.cause), error.stack])
      assert.ok(!text.includes('the-access-token'))
    })
  })
})

async function refuses(verified: Promise<unknown>, code: IdentityErrorCode): Promise<void> {
  await assert.rejects(verified, (error) => {
    assert.ok(error instanceof IdentityError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}
