import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  createIssuerKey,
  signToken,
  startOidcIssuer,
  type OidcIssuer,
} from '../../test/fakes/oidc-issuer.ts'
import { Secret } from '../secret.ts'
import {
  createFetchText,
  createOpenIdVerifier,
  IdentityError,
  type IdentityErrorCode,
  type IdentityEvent,
  type OpenIdVerifier,
} from './index.ts'

const first = createIssuerKey('RS256', 'first')
const second = createIssuerKey('RS256', 'second')
const discoveryPath = '/.well-known/openid-configuration'

describe('the keys of a provider', () => {
  let time: number
  let issuer: OidcIssuer
  let verifier: OpenIdVerifier
  let events: IdentityEvent[]
  let timeoutMs: number
  let traffic: { now: number; most: number }

  beforeEach(async () => {
    time = Date.parse('2026-03-01T12:00:00Z')
    events = []
    timeoutMs = 5000
    traffic = { now: 0, most: 0 }
    const fetch = createFetchText()
    issuer = await startOidcIssuer({ now: clock, key: first })
    verifier = createOpenIdVerifier({
      clock,
      log: (event) => events.push(event),
      providers: [
        { name: 'a', configUrl: issuer.configUrl, clientId: 'daypass', mode: { kind: 'claim' } },
      ],
      async fetch(url, request) {
        traffic.now += 1
        traffic.most = Math.max(traffic.most, traffic.now)
        try {
          return await fetch(url, { ...request, timeoutMs })
        } finally {
          traffic.now -= 1
        }
      },
    })
  })
  afterEach(() => issuer.close())

  const clock = () => new Date(time)
  const pass = (seconds: number) => (time += seconds * 1000)
  const verify = (key = first) =>
    verifier.verify(
      { kind: 'web-identity', token: new Secret(signToken(issuer.claims(), key)) },
      clock(),
    )
  const asked = (path: string) => issuer.requests.get(path) ?? 0
  const status = () => {
    const [only] = verifier.status()
    assert.ok(only)
    return only
  }
  const settled = async () => {
    while (traffic.now > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  it('are not fetched before somebody needs them', () => {
    assert.equal(issuer.requests.size, 0)
    assert.equal(status().ready, false)
    assert.equal(status().keys, 0)
  })

  it('are fetched once for a herd of a hundred', async () => {
    await Promise.all(Array.from({ length: 100 }, () => verify()))
    assert.equal(asked(discoveryPath), 1)
    assert.equal(asked('/jwks'), 1)
    assert.equal(traffic.most, 1)
  })

  it('show in the status', async () => {
    await verify()
    assert.deepEqual(status(), {
      provider: 'a',
      mode: 'claim',
      issuer: issuer.issuer,
      ready: true,
      keys: 1,
      fetchedAt: clock(),
      nextRefreshAt: new Date(time + 480_000),
    })
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['provider_keys_loaded'],
    )
  })

  it('serve ten minutes, and are fetched anew in the background before', async () => {
    await verify()
    pass(479)
    await verify()
    await settled()
    assert.equal(asked('/jwks'), 1)
    pass(1)
    await verify()
    await settled()
    assert.equal(asked('/jwks'), 2)
    assert.equal(asked(discoveryPath), 2)
  })

  it('are waited for when their life is over', async () => {
    await verify()
    pass(600)
    issuer.publish(second.jwk)
    await refuses(verify(first), 'token_signature')
    await verify(second)
    assert.equal(asked('/jwks'), 2)
  })

  it('are fetched at once for an unknown kid', async () => {
    await verify()
    issuer.publish(first.jwk, second.jwk)
    pass(10)
    await Promise.all(Array.from({ length: 20 }, () => verify(second)))
    assert.equal(asked('/jwks'), 2)
    assert.equal(asked(discoveryPath), 1)
    await verify(first)
  })

  it('are fetched for garbage once in ten seconds at most', async () => {
    await verify()
    const garbage = () => verify(createIssuerKey('ES256'))
    for (let second = 0; second < 40; second += 1) {
      pass(1)
      await Promise.all(Array.from({ length: 5 }, () => refuses(garbage(), 'token_signature')))
    }
    assert.equal(asked('/jwks'), 1 + 4)
    assert.equal(asked(discoveryPath), 1)
    assert.equal(traffic.most, 1)
  })

  it('include the discovery document, garbage or not, once it is old', async () => {
    await verify()
    for (let minutes = 0; minutes < 20; minutes += 1) {
      pass(60)
      await refuses(verify(second), 'token_signature')
    }
    await settled()
    assert.equal(asked(discoveryPath), 3)
  })

  it('serve for a day while the provider is away, and nobody waits', async () => {
    await verify()
    await issuer.goAway()
    pass(600)
    await verify()
    pass(86_399 - 600)
    await verify()
    await settled()
    assert.equal(status().ready, true)
    assert.match(status().error ?? '', /ECONNREFUSED/)
    pass(1)
    await refuses(verify(), 'provider_unavailable')
    assert.equal(status().ready, false)
  })

  it('are no reason to blame a token while the provider is away', async () => {
    await verify()
    await issuer.goAway()
    pass(10)
    await refuses(verify(second), 'provider_unavailable')
    await refuses(verify(second), 'provider_unavailable')
    await verify(first)
  })

  it('are looked for again when the provider was down at start', async () => {
    await issuer.goAway()
    await refuses(verify(), 'provider_unavailable')
    await issuer.comeBack()
    await refuses(verify(), 'provider_unavailable')
    pass(1)
    await verify()
    assert.equal(status().error, undefined)
  })

  it('are looked for less and less often while it is down', async () => {
    issuer.answer(discoveryPath, (_, response) => response.writeHead(503).end())
    for (let second = 0; second < 120; second += 1) {
      await refuses(verify(), 'provider_unavailable')
      pass(1)
    }
    assert.equal(asked(discoveryPath), 1 + 4 + 6) // at 0, 1, 3, 7, 15, then every 15 s
    assert.match(status().error ?? '', /status 503/)
  })

  it('are gone when the provider publishes none', async () => {
    await verify()
    issuer.publish()
    pass(600)
    await refuses(verify(), 'token_signature')
    assert.equal(status().ready, false)
  })

  it('survive one that does not decode, and that is told', async () => {
    issuer.publish({ kty: 'RSA', n: 'AA', e: 'AQAB', kid: 'broken' }, first.jwk)
    await verify()
    assert.match(JSON.stringify(events), /provider_key_skipped.*broken/)
  })

  it('are not fresh for ever when the clock is set back', async () => {
    await verify()
    pass(-3600)
    await verify()
    assert.equal(asked('/jwks'), 2)
  })

  it('are fetched without any token once started, and no more once closed', async () => {
    verifier.start()
    verifier.start()
    await until(() => status().ready)
    pass(480)
    await until(() => asked('/jwks') === 2)
    await settled()
    verifier.close()
    pass(480)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    assert.equal(asked('/jwks'), 2)
  })

  const discovery = () => ({ issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/jwks` })
  const bad: [string, (issuer: OidcIssuer) => void][] = [
    ['never answers', ({ answer }) => answer(discoveryPath, () => {})],
    [
      'never ends its answer',
      ({ answer }) => answer(discoveryPath, (_, response) => response.write('{')),
    ],
    [
      'redirects',
      (at) =>
        at.answer(discoveryPath, (_, response) =>
          response.writeHead(302, { location: `${at.issuer}/jwks` }).end(),
        ),
    ],
    [
      'answers without end',
      ({ answerJson }) => answerJson(discoveryPath, { a: 'x'.repeat(300_000) }),
    ],
    [
      'answers with a page',
      ({ answer }) => answer(discoveryPath, (_, response) => response.end('<html>')),
    ],
    ['answers with a list', ({ answerJson }) => answerJson(discoveryPath, [discovery()])],
    [
      'answers with 404',
      ({ answer }) => answer(discoveryPath, (_, response) => response.writeHead(404).end('{}')),
    ],
    [
      'names no issuer',
      ({ answerJson }) => answerJson(discoveryPath, { ...discovery(), issuer: '' }),
    ],
    [
      'speaks for another issuer',
      ({ answerJson }) =>
        answerJson(discoveryPath, { ...discovery(), issuer: 'https://a.example' }),
    ],
    ['names no keys', ({ answerJson }) => answerJson(discoveryPath, { issuer: issuer.issuer })],
    [
      'keeps its keys in a file',
      ({ answerJson }) =>
        answerJson(discoveryPath, { ...discovery(), jwks_uri: 'file:///etc/passwd' }),
    ],
    [
      'sends us elsewhere in the clear',
      ({ answerJson }) =>
        answerJson(discoveryPath, { ...discovery(), jwks_uri: 'http://169.254.169.254/' }),
    ],
    [
      'has no key set',
      ({ answer }) => answer('/jwks', (_, response) => response.writeHead(500).end()),
    ],
    ['has a broken key set', ({ answerJson }) => answerJson('/jwks', { keys: 5 })],
    [
      'redirects for its keys',
      (at) =>
        at.answer('/jwks', (_, response) =>
          response.writeHead(307, { location: at.configUrl }).end(),
        ),
    ],
    ['hangs with its keys', ({ answer }) => answer('/jwks', () => {})],
    ['cuts off its keys', ({ answer }) => answer('/jwks', (request) => request.socket.destroy())],
  ]
  for (const [name, breakIt] of bad) {
    it(`are not had from a provider that ${name}`, async () => {
      timeoutMs = 100
      breakIt(issuer)
      await refuses(verify(), 'provider_unavailable')
      assert.equal(status().ready, false)
      assert.equal(events[0]?.kind, 'provider_unavailable')
    })
  }

  it('of one provider do not wait for another one that hangs', async () => {
    const other = await startOidcIssuer({ now: clock, key: second })
    other.answer(discoveryPath, () => {})
    const both = createOpenIdVerifier({
      clock,
      providers: [issuer, other].map(({ configUrl }, index) => ({
        name: `provider-${index}`,
        configUrl,
        clientId: 'daypass',
        mode: { kind: 'claim' },
      })),
    })
    both.start()
    const token = new Secret(issuer.token())
    assert.ok(await both.verify({ kind: 'web-identity', token }, clock()))
    assert.deepEqual(
      both.status().map(({ ready }) => ready),
      [true, false],
    )
    both.close()
    await other.close()
  })
})

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it never came')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function refuses(verified: Promise<unknown>, code: IdentityErrorCode): Promise<void> {
  await assert.rejects(verified, (error) => {
    assert.ok(error instanceof IdentityError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}
