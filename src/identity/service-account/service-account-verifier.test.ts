import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startOidcIssuer, type OidcIssuer } from '../../../test/fakes/oidc-issuer.ts'
import { startKube, type KubeLab } from '../../../test/labs/kube-lab.ts'
import { Secret } from '../../secret.ts'
import { createFetchText, type FetchText } from '../fetch-text.ts'
import { IdentityError } from '../identity-error.ts'
import { createServiceAccountVerifier } from './service-account-verifier.ts'
import type { Cluster, TokenReview, TokenReviewer } from './settings.ts'

const audience = 'sts.min.io'
const account = 'system:serviceaccount:shop:web'
const code = (expected: string) => ({ name: 'IdentityError', code: expected })
const evidence = (token: string) => ({ kind: 'service-account', token: new Secret(token) }) as const

/** An API server that gives the answers that it is told to, and counts the questions. */
function reviewer(answer: () => Partial<TokenReview> | Error) {
  const asked: string[][] = []
  const port: TokenReviewer = {
    async review(_token, audiences) {
      asked.push([...audiences])
      await new Promise((resume) => setImmediate(resume))
      const given = answer()
      if (given instanceof Error) throw given
      const none = { authenticated: false, audiences: [], username: '', uid: '', groups: [] }
      return { ...none, extra: new Map(), ...given }
    },
  }
  return { asked, port }
}

const good = { authenticated: true, audiences: [audience], username: account, uid: 'u1' }

describe('a service account, proven by a cluster that signs (authentication.k8s.io/v1)', () => {
  let issuer: OidcIssuer
  let now = new Date()

  before(async () => {
    issuer = await startOidcIssuer({ audience, now: () => now })
  })
  after(() => issuer.close())

  const claims = (members: Record<string, unknown> = {}) =>
    issuer.claims({
      sub: account,
      aud: [audience],
      'kubernetes.io': {
        namespace: 'shop',
        pod: { name: 'web-1', uid: 'p1' },
        serviceaccount: { name: 'web', uid: 'u1' },
      },
      ...members,
    })
  const cluster = (settings: Partial<Cluster> = {}): Cluster => ({
    name: 'local',
    audiences: [audience],
    mode: 'both',
    configUrl: issuer.configUrl,
    fetch: createFetchText(),
    cacheSeconds: 5,
    ...settings,
  })
  const verifierOf = (...clusters: readonly Cluster[]) =>
    createServiceAccountVerifier({ clusters, clock: () => now })

  it('knows namespace, name, pod and node, and takes no claim of the token for them', async () => {
    const { port } = reviewer(() => ({
      ...good,
      extra: new Map([
        ['authentication.kubernetes.io/pod-name', ['web-1']],
        ['authentication.kubernetes.io/node-name', ['node-7']],
      ]),
    }))
    const token = issuer.token(
      claims({ namespace: 'kube-system', serviceaccount: 'admin', node: 'mine', cluster: 'other' }),
    )
    const principal = await verifierOf(cluster({ reviewer: port })).verify(evidence(token), now)
    assert.ok(principal)
    assert.equal(principal.kind, 'service-account')
    assert.equal(principal.subject, account)
    assert.equal(principal.provider, 'local')
    const { claims: known } = principal
    assert.deepEqual(
      ['namespace', 'serviceaccount', 'cluster', 'pod', 'pod_uid', 'node'].map((name) =>
        known.get(name),
      ),
      ['shop', 'web', 'local', 'web-1', 'p1', 'node-7'],
    )
    const { port: silent } = reviewer(() => good)
    const without = await verifierOf(cluster({ reviewer: silent })).verify(evidence(token), now)
    assert.equal(without?.claims.get('node'), undefined)
  })

  it('demands the audience of the API server, and compares it in the answer', async () => {
    const { port, asked } = reviewer(() => ({ ...good, audiences: ['https://kubernetes'] }))
    const verifier = verifierOf(cluster({ reviewer: port }))
    await assert.rejects(verifier.verify(evidence(issuer.token(claims())), now), {
      ...code('token_audience'),
      message: /project one with audience sts\.min\.io/,
    })
    assert.deepEqual(asked, [[audience]])
    for (const audiences of [undefined, []]) {
      const old = reviewer(() => ({
        authenticated: true,
        username: account,
        ...(audiences && { audiences }),
      }))
      const question = verifierOf(cluster({ reviewer: old.port })).verify(
        evidence(issuer.token(claims())),
        now,
      )
      await assert.rejects(question, code('token_audience'))
    }
  })

  it('takes an answer without `authenticated` for a no', async () => {
    const { port } = reviewer(() => ({ ...good, authenticated: false }))
    const question = verifierOf(cluster({ reviewer: port })).verify(
      evidence(issuer.token(claims())),
      now,
    )
    await assert.rejects(question, code('token_signature'))
  })

  it('never asks the API server about what the published keys refuse', async () => {
    const { port, asked } = reviewer(() => good)
    const verifier = verifierOf(cluster({ reviewer: port }))
    const stranger = await startOidcIssuer()
    const seconds = Math.floor(now.getTime() / 1000)
    const refused: readonly (readonly [string, string])[] = [
      ['token_malformed', 'garbage'],
      ['token_malformed', 'x'.repeat(20_000)],
      ['token_issuer', stranger.token()],
      ['token_signature', issuer.token(claims(), { key: stranger.signingKey })],
      ['token_audience', issuer.token(claims({ aud: ['https://kubernetes.default.svc'] }))],
      ['token_audience', issuer.token(claims({ aud: [] }))],
      ['token_expired', issuer.token(claims({ exp: seconds - 1 }))],
      ['token_claims', issuer.token(claims({ exp: undefined }))],
      ['token_not_yet_valid', issuer.token(claims({ nbf: seconds + 600 }))],
    ]
    try {
      for (const [expected, token] of refused) {
        await assert.rejects(verifier.verify(evidence(token), now), code(expected), expected)
      }
      assert.deepEqual(asked, [])
    } finally {
      await stranger.close()
    }
  })

  it('takes nobody for a service account whose name merely looks like one', async () => {
    const subjects = [
      'shop:web',
      'system:serviceaccount:shop',
      'system:serviceaccount:shop:',
      'system:serviceaccount::web',
      'system:serviceaccount:shop:web:x',
      'system:serviceaccount:Shop:web',
      'system:serviceaccount:shop:we/b',
      'system:node:web',
      ' system:serviceaccount:shop:web',
    ]
    for (const sub of subjects) {
      const { port } = reviewer(() => ({ ...good, username: sub }))
      const token = issuer.token(claims({ sub, 'kubernetes.io': undefined }))
      const question = verifierOf(cluster({ reviewer: port })).verify(evidence(token), now)
      await assert.rejects(question, code('token_claims'), sub)
    }
    const two = issuer.token(claims({ 'kubernetes.io': { namespace: 'bank' } }))
    const { port } = reviewer(() => good)
    await assert.rejects(
      verifierOf(cluster({ reviewer: port })).verify(evidence(two), now),
      code('token_claims'),
    )
  })

  it('refuses a token of which its cluster names another subject', async () => {
    const { port } = reviewer(() => ({ ...good, username: 'system:serviceaccount:shop:other' }))
    const question = verifierOf(cluster({ reviewer: port })).verify(
      evidence(issuer.token(claims())),
      now,
    )
    await assert.rejects(question, code('token_claims'))
  })

  it('asks once for many at once, and again after the stated seconds', async () => {
    let answer: Partial<TokenReview> = good
    const { port, asked } = reviewer(() => answer)
    const verifier = verifierOf(cluster({ reviewer: port }))
    const token = issuer.token(claims())
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(evidence(token), now)))
    await verifier.verify(evidence(token), new Date(now.getTime() + 4999))
    assert.equal(asked.length, 1)
    answer = { authenticated: false }
    const later = new Date(now.getTime() + 5000)
    await assert.rejects(verifier.verify(evidence(token), later), code('token_signature'))
    assert.equal(asked.length, 2)
    await assert.rejects(verifier.verify(evidence(token), now), code('token_signature'))
  })

  it('asks once about a token that is refused, too, and again after the stated seconds', async () => {
    let answer: Partial<TokenReview> | Error = { authenticated: false }
    const { port, asked } = reviewer(() => answer)
    const verifier = verifierOf(cluster({ reviewer: port }))
    const gone = evidence(issuer.token(claims({ sub: account })))
    for (let i = 0; i < 20; i += 1)
      await assert.rejects(verifier.verify(gone, now), code('token_signature'))
    assert.equal(asked.length, 1)
    // That nobody answered is no answer to remember.
    answer = new Error('connection refused')
    const later = new Date(now.getTime() + 5000)
    await assert.rejects(verifier.verify(gone, later), code('cluster_unavailable'))
    answer = good
    assert.equal((await verifier.verify(gone, later))?.subject, account)
    assert.equal(asked.length, 3)
  })

  it('lets no refused tokens push out the good ones', async () => {
    let answer: Partial<TokenReview> = good
    const { port, asked } = reviewer(() => answer)
    const verifier = verifierOf(cluster({ reviewer: port, mode: 'tokenReview' }))
    const welcome = evidence(issuer.token(claims()))
    await verifier.verify(welcome, now)
    answer = { authenticated: false }
    for (let i = 0; i < 1100; i += 1) {
      const refused = verifier.verify(evidence(issuer.token(claims({ jti: `${i}` }))), now)
      await assert.rejects(refused, code('token_signature'))
    }
    const count = asked.length
    assert.equal((await verifier.verify(welcome, now))?.subject, account)
    assert.equal(asked.length, count)
  })

  it('remembers no token beyond its end', async () => {
    const { port } = reviewer(() => good)
    const verifier = verifierOf(cluster({ reviewer: port }))
    const exp = Math.floor(now.getTime() / 1000) + 2
    const token = issuer.token(claims({ exp }))
    await verifier.verify(evidence(token), now)
    await assert.rejects(
      verifier.verify(evidence(token), new Date(exp * 1000)),
      code('token_expired'),
    )
  })

  it('says that it may be tried again when the API server is away, and lets nobody in', async () => {
    const { port } = reviewer(() => new Error('connection refused'))
    const verifier = verifierOf(cluster({ reviewer: port }))
    await assert.rejects(
      verifier.verify(evidence(issuer.token(claims())), now),
      (error: unknown) => {
        assert.ok(error instanceof IdentityError)
        assert.equal(error.code, 'cluster_unavailable')
        assert.equal(error.detail['retryAfterSeconds'], 2)
        return true
      },
    )
  })

  it('bounds how many questions are under way', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const port: TokenReviewer = {
      async review() {
        await held
        return { groups: [], extra: new Map(), ...good }
      },
    }
    const verifier = verifierOf(cluster({ reviewer: port }))
    const one = async (jti: number) =>
      verifier.verify(evidence(issuer.token(claims({ jti: `${jti}` }))), now)
    const answers = Promise.allSettled(Array.from({ length: 140 }, (_, index) => one(index)))
    await new Promise((resume) => setTimeout(resume, 300))
    release()
    const refused = (await answers).filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 12)
  })

  it('tells clusters that share an issuer apart by their keys', async () => {
    const twin = await startOidcIssuer({ audience })
    twin.answerJson('/.well-known/openid-configuration', {
      issuer: issuer.issuer,
      jwks_uri: `${twin.issuer}/jwks`,
    })
    const verifier = verifierOf(
      cluster({ name: 'twin', mode: 'jwks', configUrl: twin.configUrl }),
      cluster({ mode: 'jwks' }),
    )
    try {
      const ours = await verifier.verify(evidence(issuer.token(claims())), now)
      const theirs = await verifier.verify(
        evidence(issuer.token(claims(), { key: twin.signingKey })),
        now,
      )
      assert.deepEqual([ours?.provider, theirs?.provider], ['local', 'twin'])
    } finally {
      await twin.close()
    }
  })

  it('shows a token to no cluster that publishes the keys of another one', async () => {
    const shown: string[] = []
    const portOf = (name: string, answer: () => Partial<TokenReview> | Error): TokenReviewer => {
      const { port } = reviewer(answer)
      return {
        review(token, audiences) {
          shown.push(name)
          return port.review(token, audiences)
        },
      }
    }
    const home = (answer: () => Partial<TokenReview> | Error) =>
      cluster({ reviewer: portOf('home', answer) })
    const bad = (mode: Cluster['mode']) =>
      cluster({ name: 'bad', mode, reviewer: portOf('bad', () => good) })
    const token = evidence(issuer.token(claims()))
    const away = () => new Error('down')
    for (const mode of ['both', 'tokenReview'] as const) {
      const gone = verifierOf(home(away), bad(mode)).verify(token, now)
      await assert.rejects(gone, code('cluster_unavailable'))
      const refused = verifierOf(
        home(() => ({ authenticated: false })),
        bad(mode),
      )
      await assert.rejects(refused.verify(token, now), code('token_signature'))
      // Without keys nobody can tell whose it is, but that our own cluster has not said no.
      const blind = verifierOf({ ...home(away), mode: 'tokenReview' }, bad(mode))
      await assert.rejects(blind.verify(token, now), code('cluster_unavailable'))
    }
    assert.deepEqual(new Set(shown), new Set(['home']))
    shown.length = 0
    const elsewhere = { ...home(() => good), issuer: 'https://elsewhere.example' }
    const later = cluster({ name: 'good', reviewer: portOf('good', () => good) })
    const verifier = verifierOf(elsewhere, bad('both'), later)
    await assert.rejects(verifier.verify(token, now), /"bad", "good" publish the same issuer/)
    assert.deepEqual(shown, [])
  })

  it('takes no groups from a cluster but those of its service accounts', async () => {
    const groups = [
      'system:serviceaccounts',
      'system:serviceaccounts:shop',
      'system:serviceaccounts:kube-system',
      'system:masters',
      'engineers',
    ]
    const { port } = reviewer(() => ({ ...good, groups }))
    const token = evidence(issuer.token(claims()))
    const principal = await verifierOf(cluster({ reviewer: port })).verify(token, now)
    assert.deepEqual(principal?.groups, groups.slice(0, 2))
  })

  it('lets one cluster that is away harm no other one', async () => {
    const away = await startOidcIssuer({ audience })
    await away.close()
    const verifier = verifierOf(
      cluster({ name: 'away', mode: 'jwks', configUrl: away.configUrl }),
      cluster({ mode: 'jwks' }),
    )
    assert.equal((await verifier.verify(evidence(issuer.token(claims())), now))?.provider, 'local')
    const theirs = away.token(away.claims({ sub: account }))
    await assert.rejects(verifier.verify(evidence(theirs), now), code('cluster_unavailable'))
  })

  it('refuses settings that would trust too much', () => {
    const wrong: readonly Partial<Cluster>[] = [
      { audiences: [] },
      { audiences: [''] },
      { mode: 'both' },
      { mode: 'tokenReview' },
      { mode: 'jwks', cacheSeconds: 61 },
      { mode: 'jwks', name: '' },
    ]
    for (const settings of wrong) assert.throws(() => verifierOf(cluster(settings)), TypeError)
    assert.throws(() => verifierOf(cluster({ mode: 'jwks' }), cluster({ mode: 'jwks' })), TypeError)
  })

  it('judges no other kind of evidence', async () => {
    const verifier = verifierOf(cluster({ mode: 'jwks' }))
    const other = { kind: 'web-identity', token: new Secret(issuer.token(claims())) } as const
    assert.equal(await verifier.verify(other, now), undefined)
  })
})

describe('a service account, proven by a real API server', () => {
  let lab: KubeLab | string = 'not started'

  before(async () => {
    lab = await startKube()
  })
  after(async () => {
    if (typeof lab !== 'string') await lab.down()
  })

  function settings(server: KubeLab, mode: Cluster['mode']): Cluster {
    const fetch: FetchText = async (url) => {
      const path = url.endsWith('jwks') ? '/openid/v1/jwks' : '/.well-known/openid-configuration'
      const { status, body } = await server.ask(path)
      return { status, headers: {}, body: JSON.stringify(body) }
    }
    return {
      name: 'local',
      audiences: [audience],
      mode,
      configUrl: `${server.url}/.well-known/openid-configuration`,
      fetch,
      cacheSeconds: 0,
      reviewer: {
        async review(token, audiences) {
          const spec = { token: token.reveal(), audiences }
          const answer = await server.ask('/apis/authentication.k8s.io/v1/tokenreviews', {
            method: 'POST',
            body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec },
          })
          const status = answer.body['status'] as {
            authenticated?: boolean
            audiences?: string[]
            user?: { username?: string; uid?: string; groups?: string[] }
          }
          return {
            authenticated: status.authenticated === true,
            audiences: status.audiences ?? [],
            username: status.user?.username ?? '',
            uid: status.user?.uid ?? '',
            groups: status.user?.groups ?? [],
            extra: new Map(),
          }
        },
      },
    }
  }

  for (const mode of ['tokenReview', 'both', 'jwks'] as const) {
    it(`takes a token of TokenRequest, and none for another audience (${mode})`, async (t) => {
      if (typeof lab === 'string') return t.skip(lab)
      const namespace = `shop-${mode.toLowerCase()}`
      await lab.createNamespace(namespace)
      await lab.createServiceAccount(namespace, 'web')
      const verifier = createServiceAccountVerifier({
        clusters: [settings(lab, mode)],
        clock: () => new Date(),
      })
      const verify = (token: string) => verifier.verify(evidence(token), new Date())
      const token = await lab.createToken(namespace, 'web')
      const principal = await verify(token)
      assert.equal(principal?.subject, `system:serviceaccount:${namespace}:web`)
      assert.ok((principal.expiresAt?.getTime() ?? 0) > Date.now())
      const other = await lab.createToken(namespace, 'web', { audiences: [lab.url] })
      await assert.rejects(verify(other), code('token_audience'))
      const [head, body, signature] = token.split('.')
      const forged = `${head}.${body}.${signature?.split('').toReversed().join('')}`
      await assert.rejects(verify(forged), { name: 'IdentityError' })
      if (mode === 'jwks') return
      // The account is gone, and with it every token of it.
      await lab.ask(`/api/v1/namespaces/${namespace}/serviceaccounts/web`, { method: 'DELETE' })
      // The API server itself remembers for ten seconds whom it has let in.
      const until = Date.now() + 15_000
      let refusal: unknown
      while (refusal === undefined && Date.now() < until) {
        refusal = await verify(token).then(
          () => undefined,
          (error: unknown) => error,
        )
        if (refusal === undefined) await new Promise((resume) => setTimeout(resume, 500))
      }
      assert.ok(refusal instanceof IdentityError)
      assert.equal(refusal.code, 'token_signature')
    })
  }
})
