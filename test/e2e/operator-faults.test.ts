import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
import { createIssuerKey, startOidcIssuer, type OidcIssuer } from '../fakes/oidc-issuer.ts'
import { installKinds, policyBinding, resource } from './cluster-scene.ts'
import {
  askOperator,
  elementOf,
  exchange,
  startOperator,
  untilReady,
  type Operator,
} from './operator-process.ts'
import {
  exchangeForm,
  formHead,
  freezeApiServer,
  loosePolicyBindings,
  openTls,
  requestsTo,
  sealedTenant,
  verdictOf,
} from './operator-scene.ts'
import type { RawConnection } from './raw/connection.ts'
import { operatorGarbage } from './raw/operator-garbage.ts'
import { until } from './until.ts'

/** Two replicas that differ in nothing but how long the answer about a token counts. */
type Scene = Readonly<{
  lab: KubeLab
  /** The issuer of a second cluster, called `other`. */
  other: OidcIssuer
  brief: Operator
  lasting: Operator
  /** Of shop/web, which is bound. */
  token: string
}>

const briefSeconds = 2
/** The API server itself remembers tokens for ten seconds. */
const memoryOfServerSeconds = 10

let scene: Scene | string = 'not started'

before(async () => {
  const lab = await startKube()
  if (typeof lab === 'string') {
    scene = lab
    return
  }
  const other = await startOidcIssuer({ audience: 'sts.min.io' })
  const clusters = [{ name: 'other', issuer: other.issuer }]
  const start = (tokenCacheSeconds: number) =>
    startOperator(lab, {
      config: { tokenCacheSeconds, clusters },
      env: { NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=4' },
    })
  // The kinds come later, on purpose.
  const [brief, lasting] = await Promise.all([start(briefSeconds), start(60)])
  await Promise.all([brief, lasting].map(untilReady))
  for (const namespace of ['daypass-operator', 'shop', 'store'])
    await lab.createNamespace(namespace)
  for (const account of ['web', 'nobody']) await lab.createServiceAccount('shop', account)
  const token = await lab.createToken('shop', 'web')
  scene = { lab, other, brief, lasting, token }
  await installKinds(lab)
  await lab.apply('customresourcedefinitions', loosePolicyBindings())
  await sealedTenant(lab, 'store', 'main')
  await bind(lab, 'web')
})

after(async () => {
  if (typeof scene === 'string') return
  const { brief, lasting, other, lab } = scene
  await Promise.all([brief.stop(), lasting.stop(), other.close()])
  await lab.down()
})

/** A test of the scene; skipped where there can be none, with the reason. */
function test(title: string, run: (scene: Scene, t: TestContext) => Promise<void>): void {
  it(title, async (t) => (typeof scene === 'string' ? t.skip(scene) : run(scene, t)))
}

async function bind(lab: KubeLab, account: string, name = account): Promise<void> {
  const binding = policyBinding('store', name, `shop/${account}`, ['readonly'])
  await lab.apply('policybindings', binding)
}

/** Makes an account with a binding of its own, and waits until both replicas know. */
async function boundAccount({ lab, brief, lasting }: Scene, account: string): Promise<string> {
  await lab.createServiceAccount('shop', account)
  await bind(lab, account)
  const token = await lab.createToken('shop', account)
  for (const operator of [brief, lasting]) {
    await until(`${account} is bound`, async () => (await ask(operator, token)) === '200')
  }
  return token
}

async function ask(operator: Operator, token: string): Promise<string> {
  return verdictOf(await exchange(operator, 'store', token))
}

describe('an operator that was there before the kinds', () => {
  test('serves when they have come, without a new start', async ({ brief, lasting, token }) => {
    for (const operator of [brief, lasting]) {
      await until('it serves', async () => (await ask(operator, token)) === '200')
    }
  })
})

let lifetime = 3600

/** Of shop/web. Tokens of one second with one end are one and the same where they have no `jti`. */
async function freshTokens(lab: KubeLab, count: number): Promise<readonly string[]> {
  const asked = Array.from({ length: count }, () =>
    lab.createToken('shop', 'web', { expirationSeconds: (lifetime += 1) }),
  )
  const tokens = await Promise.all(asked)
  assert.equal(new Set(tokens).size, count)
  return tokens
}

describe('what an exchange costs the API server', () => {
  test('is one TokenReview for a new token, and nothing for one that is known', async ({
    lab,
    lasting,
  }) => {
    const tokens = await freshTokens(lab, 12)
    const counts = async () => ({
      reviews: await requestsTo(lab, { resource: 'tokenreviews' }),
      secrets: await requestsTo(lab, { resource: 'secrets', verbs: ['GET'] }),
      lists: await requestsTo(lab, { resource: 'policybindings', verbs: ['LIST', 'GET'] }),
      tenants: await requestsTo(lab, { resource: 'tenants', verbs: ['LIST', 'GET'] }),
    })
    const before = await counts()
    for (const token of tokens) assert.equal(await ask(lasting, token), '200')
    const cold = await counts()
    assert.deepEqual(cold, { ...before, reviews: before.reviews + tokens.length })
    const again = Array.from({ length: 60 }, (_, i) => ask(lasting, tokens[i % 12] ?? ''))
    assert.deepEqual([...new Set(await Promise.all(again))], ['200'])
    assert.deepEqual(await counts(), cold)
  })

  test('is one TokenReview for many at once with the same new token', async ({ lab, lasting }) => {
    const [token = ''] = await freshTokens(lab, 1)
    const before = await requestsTo(lab, { resource: 'tokenreviews' })
    await Promise.all(Array.from({ length: 40 }, () => ask(lasting, token)))
    assert.equal(await requestsTo(lab, { resource: 'tokenreviews' }), before + 1)
  })
})

describe('a binding without spec, which the definition of the MinIO Operator admits', () => {
  test('is told of in its status, and harms nobody', async ({ lab, brief, token }) => {
    const kind = { apiVersion: 'sts.min.io/v1beta1', kind: 'PolicyBinding' }
    const place = '/apis/sts.min.io/v1beta1/namespaces/store/policybindings'
    const empty = { ...kind, metadata: { name: 'empty', namespace: 'store' } }
    const posted = await lab.ask(place, { method: 'POST', body: empty })
    assert.equal(posted.status, 201, JSON.stringify(posted.body))
    const strange = { application: { namespace: 'shop', serviceaccount: '*' }, policies: [] }
    await lab.apply('policybindings', {
      ...kind,
      metadata: { name: 'strange', namespace: 'store' },
      spec: strange,
    })
    for (const name of ['empty', 'strange']) {
      await until(`the status of ${name} says what is wrong`, async () => {
        const { body } = await lab.ask(`${place}/${name}`)
        const status = body['status'] as Record<string, unknown> | undefined
        return String(status?.['currentState']).startsWith('Invalid')
      })
    }
    assert.equal(await ask(brief, token), '200')
    const nobody = await lab.createToken('shop', 'nobody')
    assert.equal(await ask(brief, nobody), '403 AccessDenied')
  })
})

describe('what is gone', () => {
  test('gives nothing any more: a binding', async (all) => {
    const { lab, brief, lasting } = all
    const token = await boundAccount(all, 'brief-guest')
    const path = '/apis/sts.min.io/v1beta1/namespaces/store/policybindings/brief-guest'
    await lab.ask(path, { method: 'DELETE' })
    // Also where the token itself is believed for a minute.
    for (const operator of [brief, lasting]) {
      const refused = async () => (await ask(operator, token)) === '403 AccessDenied'
      await until('the binding is gone', refused)
    }
  })

  test('gives nothing any more, within the stated time: a pod, and an account', async (all) => {
    const { lab, brief, lasting } = all
    const [pod, account] = await Promise.all([podToken(lab), boundAccount(all, 'leaving')])
    const doomed = new Map([
      [pod, '/api/v1/namespaces/shop/pods/web-0'],
      [account, '/api/v1/namespaces/shop/serviceaccounts/leaving'],
    ])
    for (const [token, path] of doomed) {
      assert.equal(await ask(brief, token), '200')
      const body = { gracePeriodSeconds: 0 }
      assert.equal((await lab.ask(path, { method: 'DELETE', body })).status, 200)
    }
    const goneAt = performance.now()
    const bound = (briefSeconds + memoryOfServerSeconds + 1) * 1000
    for (const token of doomed.keys()) {
      const last = { askedAt: goneAt, verdict: '200' }
      while (last.verdict === '200' && last.askedAt - goneAt < 2 * bound) {
        await sleep(200)
        Object.assign(last, { askedAt: performance.now(), verdict: await ask(brief, token) })
      }
      assert.equal(last.verdict, '400 InvalidIdentityToken')
      assert.ok(last.askedAt - goneAt < bound, `after ${Math.round(last.askedAt - goneAt)} ms`)
    }
    // Who comes back with it again and again costs the API server nothing.
    const reviews = await requestsTo(lab, { resource: 'tokenreviews' })
    for (let i = 0; i < 20; i += 1)
      assert.equal(await ask(lasting, pod), '400 InvalidIdentityToken')
    assert.equal(await requestsTo(lab, { resource: 'tokenreviews' }), reviews + 1)
  })
})

/** A token of shop/web that is bound to a pod, which stays Pending here. */
async function podToken(lab: KubeLab): Promise<string> {
  const containers = [{ name: 'web', image: 'web' }]
  const { status, body } = await lab.ask('/api/v1/namespaces/shop/pods', {
    method: 'POST',
    body: {
      metadata: { name: 'web-0' },
      spec: { serviceAccountName: 'web', automountServiceAccountToken: false, containers },
    },
  })
  assert.equal(status, 201, JSON.stringify(body))
  const { uid } = body['metadata'] as { uid: string }
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid }
  return lab.createToken('shop', 'web', { boundObjectRef })
}

describe('two clusters', () => {
  const subject = 'system:serviceaccount:shop:web'
  const claimsOf = (other: OidcIssuer, more: Readonly<Record<string, unknown>> = {}) =>
    other.claims({ sub: subject, ...more })

  test('have twins that are two: what is bound for the one is nothing for the other', async ({
    lab,
    other,
    brief,
    token,
  }) => {
    const twin = other.token(claimsOf(other))
    assert.equal(await ask(brief, twin), '403 AccessDenied')
    const subjects = [{ cluster: 'other', namespace: 'shop', serviceAccount: 'nobody' }]
    const binding = { subjects, policies: ['readonly'] }
    await lab.apply('bindings', resource('Binding', 'store', 'from-other', binding))
    const guest = other.token(claimsOf(other, { sub: 'system:serviceaccount:shop:nobody' }))
    await until('the guest is bound', async () => (await ask(brief, guest)) === '200')
    assert.equal(await ask(brief, await lab.createToken('shop', 'nobody')), '403 AccessDenied')
    assert.equal(await ask(brief, twin), '403 AccessDenied')
    assert.equal(await ask(brief, token), '200')
    const providers = brief.audit().flatMap(({ outcome, principal }) => {
      const { provider, subject: who } = (principal ?? {}) as Record<string, string>
      return outcome === 'issued' ? [`${provider} ${who}`] : []
    })
    assert.ok(providers.includes('other system:serviceaccount:shop:nobody'), providers[0])
    assert.ok(providers.includes('local system:serviceaccount:shop:web'))
    assert.ok(!providers.includes('other system:serviceaccount:shop:web'))
  })

  test('sign each for itself, with audience and end', async ({ lab, other, brief }) => {
    const seconds = Math.floor(Date.now() / 1000)
    const cases: readonly (readonly [string, string, string])[] = [
      [
        'over',
        other.token(claimsOf(other, { iat: seconds - 900, exp: seconds - 600 })),
        '400 ExpiredTokenException',
      ],
      [
        'not begun',
        other.token(claimsOf(other, { nbf: seconds + 900, exp: seconds + 1800 })),
        '400 InvalidIdentityToken',
      ],
      [
        'for somebody else',
        other.token(claimsOf(other, { aud: 'elsewhere' })),
        '400 InvalidIdentityToken',
      ],
      [
        'in the name of our cluster',
        other.token(claimsOf(other, { iss: lab.url })),
        '400 InvalidIdentityToken',
      ],
      [
        'signed by a stranger',
        other.token(claimsOf(other), { key: createIssuerKey('RS256', other.signingKey.kid) }),
        '400 InvalidIdentityToken',
      ],
      [
        'of no account',
        other.token(claimsOf(other, { sub: 'shop:web' })),
        '400 InvalidIdentityToken',
      ],
      [
        'of an account with a colon',
        other.token(claimsOf(other, { sub: `${subject}:x` })),
        '400 InvalidIdentityToken',
      ],
      ['of ours, but for another audience', await otherAudience(lab), '400 InvalidIdentityToken'],
    ]
    for (const [what, token, expected] of cases)
      assert.equal(await ask(brief, token), expected, what)
  })
})

function otherAudience(lab: KubeLab): Promise<string> {
  return lab.createToken('shop', 'web', { audiences: ['elsewhere', lab.url] })
}

describe('two replicas', () => {
  test('give the same answers', async ({ lab, brief, lasting, token }) => {
    const nobody = await lab.createToken('shop', 'nobody')
    const calls: readonly (readonly [string, string])[] = [
      ['store', token],
      ['store/main', token],
      ['store/other', token],
      ['shop', token],
      ['store', nobody],
      ['store', await otherAudience(lab)],
      ['store', 'garbage'],
      ['%2F', token],
    ]
    for (const [tenant, presented] of calls) {
      const both = await Promise.all(
        [brief, lasting].map(async (operator) => {
          const answer = await exchange(operator, tenant, presented)
          return `${verdictOf(answer)} ${elementOf(answer, 'Message')}`
        }),
      )
      assert.equal(both[0], both[1], tenant)
    }
  })
})

describe('requests that are too much', () => {
  test('are refused one by one, with a word', async ({ brief, token }) => {
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const huge = 'x'.repeat(4 * 1024 * 1024)
    const post = async (path: string, body: string | Buffer) =>
      verdictOf(await askOperator(brief, path, { headers: type, body }))
    assert.equal(await post('/sts/store', huge), '413 RequestEntityTooLarge')
    const tenMegabytes = exchangeForm('x'.repeat(10 * 1024 * 1024))
    assert.equal(await post('/sts/store', tenMegabytes), '413 RequestEntityTooLarge')
    const long = exchangeForm(token + 'A'.repeat(40_000))
    assert.equal(await post('/sts/store', long), '400 InvalidIdentityToken')
    const two = `${exchangeForm(token)}&WebIdentityToken=${token}`
    assert.equal(await post('/sts/store', two), '400 InvalidParameterValue')
    for (const path of [
      '/sts/%2F',
      '/sts/%2Fstore',
      '/sts/store%2F',
      '/sts//store',
      '/sts/store/main/x',
    ])
      assert.equal(await post(path, exchangeForm(token)), '400 InvalidParameterValue', path)
    const flood = { headers: { ...type, ...manyHeaders(3000) }, body: exchangeForm(token) }
    assert.equal((await askOperator(brief, '/sts/store', flood)).status, 431)
    const bearer = { authorization: `Bearer ${'x'.repeat(20_000)}` }
    const answer = await askOperator(brief, '/credentials/store', {
      method: 'GET',
      headers: bearer,
    })
    assert.equal(verdictOf(answer), '400 InvalidIdentityToken')
  })

  test('keep nobody else waiting: bodies that do not come', async ({ brief, token }) => {
    const slow = await Promise.all(
      Array.from({ length: 150 }, async () => {
        const connection = await openTls(brief, '127.0.0.2')
        connection.send(formHead('/sts/store', 1000), 'Version=2011')
        return connection
      }),
    )
    const ends = slow.map((connection) => connection.answer())
    assert.equal(await ask(brief, token), '200')
    const statuses = (await Promise.all(ends)).map((answer) => answer?.status)
    assert.deepEqual(new Set(statuses), new Set([408, 503]))
    // One source has a quarter of all places.
    assert.equal(statuses.filter((status) => status === 503).length, 150 - 128)
    for (const connection of slow) connection.close()
    assert.equal(await ask(brief, token), '200')
  })
})

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`x-${i}`, 'some value of a header']),
  )
}

const garbageRequests = 5000
/** The requests bring some 80 MiB with them: to keep a quarter of that would show. */
const mostGrowthMib = 20

describe('a flood of garbage', () => {
  test('is refused, leaves no memory behind, and never reaches the API server', async (all) => {
    const { lab, brief, token } = all
    await flood(all, garbageRequests / 3)
    const warm = residentMib(brief)
    const series = await seriesOf(brief)
    const reviews = await requestsTo(lab, { resource: 'tokenreviews' })
    const keys = await keyFetches(lab)
    const audited = brief.audit().length
    const beganAt = performance.now()
    const statuses = await flood(all, garbageRequests)
    const minutes = Math.ceil((performance.now() - beganAt) / 60_000)
    const grown = residentMib(brief) - warm
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status < 400 || status >= 500),
      [],
      `answered with ${JSON.stringify([...statuses])}`,
    )
    assert.ok(grown < mostGrowthMib, `${grown.toFixed(1)} MiB more than ${warm.toFixed(1)} MiB`)
    assert.equal(await requestsTo(lab, { resource: 'tokenreviews' }), reviews)
    // For key ids that nobody knows, the keys are fetched every ten seconds at most.
    assert.ok((await keyFetches(lab)) - keys <= 6 * minutes + 1)
    const recorded = brief.audit().slice(audited)
    assert.ok(recorded.length <= 120 * (minutes + 1), 'each stranger is recorded')
    assert.deepEqual(await seriesOf(brief), series, 'garbage makes series of metrics')
    assert.equal(await ask(brief, token), '200')
  })
})

/** By name and labels. */
async function seriesOf({ operationsEndpoint }: Operator): Promise<readonly string[]> {
  const text = await (await fetch(`${operationsEndpoint}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')))
    .toSorted()
}

/** The API server counts all paths that are no resources together: the operators fetch nothing else there. */
async function keyFetches(lab: KubeLab): Promise<number> {
  const { body } = await lab.ask('/metrics')
  const lines = String(body['text']).matchAll(
    /^apiserver_request_total\{[^}]*subresource="\/openid\/v1\/jwks"[^}]*\} (\d+)$/gm,
  )
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

function residentMib({ pid }: Operator): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024
}

async function flood({ lab, brief, token }: Scene, count: number): Promise<Map<number, number>> {
  const makers = operatorGarbage(lab.url, token)
  const statuses = new Map<number, number>()
  let next = 0
  const worker = async (): Promise<void> => {
    let connection: RawConnection | undefined
    while (next < count) {
      const make = makers[next++ % makers.length]
      if (connection?.isOpen !== true) connection = await openTls(brief)
      connection.send(make?.() ?? '')
      const answer = await connection.answer()
      const status = answer?.status ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (answer?.headers.get('connection') === 'close') {
        connection.close()
        connection = undefined
      }
    }
    connection?.close()
  }
  await Promise.all(Array.from({ length: 24 }, worker))
  return statuses
}

describe('an API server that does not answer', () => {
  test('is waited for by nobody who has gone, and by everybody else', async (all) => {
    const { lab, brief } = all
    const fresh = await freshTokens(lab, 4)
    const thaw = freezeApiServer(lab)
    try {
      // The MinIO Operator ended when a caller hung up now (operator-sts.md, section 11.1-C).
      const body = exchangeForm(fresh[0] ?? '')
      for (let i = 0; i < 60; i += 1) {
        const connection = await openTls(brief)
        connection.send(formHead('/sts/store', body.length), body)
        await sleep(5)
        connection.close()
      }
      const waiting = Promise.all(fresh.map((token) => ask(brief, token)))
      await sleep(500)
      thaw()
      assert.deepEqual([...new Set(await waiting)], ['200'])
    } finally {
      thaw()
    }
  })

  test('is a clear refusal for what has to be asked, and for no longer than it lasts', async ({
    lab,
    brief,
    lasting,
    token,
  }) => {
    await ask(lasting, token)
    const [fresh = ''] = await freshTokens(lab, 1)
    const thaw = freezeApiServer(lab)
    try {
      const answer = await exchange(brief, 'store', fresh)
      assert.equal(verdictOf(answer), '503 IDPCommunicationError')
      assert.ok(Number(answer.headers['retry-after']) > 0)
      assert.equal(await ask(lasting, token), '200', 'what is known needs nobody')
    } finally {
      thaw()
    }
    assert.equal(await ask(brief, fresh), '200')
  })
})

describe('an API server that is stopped and started under load', () => {
  test('is missed with a clear word, believed no longer than stated, and found again', async (all, t) => {
    const { lab, brief, lasting, token } = all
    // What is known for a minute has to be known from now on.
    const [fresh = ''] = await freshTokens(lab, 1)
    const load = loadOn(brief, token)
    t.after(load.end)
    const { answers } = load
    let [stoppedAt, startingAt] = [0, 0]
    try {
      assert.equal(await ask(lasting, fresh), '200')
      await lab.stop('apiserver')
      stoppedAt = performance.now()
      await sleep((briefSeconds + 2) * 1000)
      assert.equal(await ask(lasting, fresh), '200', 'within a minute, its answer counts')
      for (const operator of [brief, lasting]) assert.equal(await readiness(operator), 200)
    } finally {
      startingAt = performance.now()
      await lab.start('apiserver')
      await until('it is served again', () => answers.at(-1)?.verdict === '200')
    }

    await load.end()
    const verdicts = new Set(answers.map(({ verdict }) => verdict))
    assert.deepEqual([...verdicts].toSorted(), ['200', '503 IDPCommunicationError'])
    const refused = answers.filter(({ verdict }) => verdict !== '200')
    assert.ok(refused.every(({ retryAfter }) => Number(retryAfter) > 0))
    const late = answers.filter(
      ({ askedAt, verdict }) =>
        verdict === '200' && askedAt > stoppedAt + briefSeconds * 1000 && askedAt < startingAt,
    )
    assert.deepEqual(late, [], 'nothing is accepted beyond the stated time')
    // What has changed in the meantime is seen, too: the watches are there again.
    await boundAccount(all, 'after-outage')
    await lab.ask('/apis/sts.min.io/v1beta1/namespaces/store/policybindings/after-outage', {
      method: 'DELETE',
    })
  })

  test('lives on without etcd as far as it can, and so do we', async (all) => {
    const { lab, brief, token } = all
    const during = new Set<string>()
    await lab.stop('etcd')
    try {
      for (let i = 0; i < 8; i += 1) {
        during.add(await ask(brief, token))
        await sleep(400)
      }
    } finally {
      await lab.start('etcd')
    }
    const strange = [...during].filter(
      (verdict) => verdict !== '200' && verdict !== '503 IDPCommunicationError',
    )
    assert.deepEqual(strange, [])
    await until('it is served', async () => (await ask(brief, token)) === '200')
    await boundAccount(all, 'after-etcd')
  })
})

/** Four callers who ask again and again, until `end`. */
function loadOn(operator: Operator, token: string) {
  const answers: { askedAt: number; verdict: string; retryAfter: string | undefined }[] = []
  const ending = new AbortController()
  const work = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const askedAt = performance.now()
      const answer = await exchange(operator, 'store', token)
      const retryAfter = answer.headers['retry-after']
      answers.push({ askedAt, verdict: verdictOf(answer), retryAfter })
      await sleep(20)
    }
  }
  const workers = Promise.all(Array.from({ length: 4 }, work))
  const end = async (): Promise<void> => {
    ending.abort()
    await workers
  }
  return { answers, end }
}

async function readiness({ operationsEndpoint }: Operator): Promise<number> {
  return (await fetch(`${operationsEndpoint}/ready`)).status
}

describe('the end of a replica', () => {
  test('comes after the answers that are under way', async ({ lab }) => {
    const operator = await startOperator(lab)
    await untilReady(operator)
    const [known = '', fresh = ''] = await freshTokens(lab, 2)
    await until('it serves', async () => (await ask(operator, known)) === '200')
    const thaw = freezeApiServer(lab)
    const answer = ask(operator, fresh)
    await sleep(300)
    const ended = operator.stop()
    await sleep(300)
    await assert.rejects(openTls(operator), 'no new one comes in')
    thaw()
    assert.equal(await answer, '200')
    await ended
    assert.equal(operator.exitCode(), 0)
  })
})

describe('an audit log that cannot be written', () => {
  test('stops what would have to be recorded, and nothing else', async ({ lab, token }, t) => {
    const operator = await startOperator(lab)
    t.after(() => operator.stop())
    await untilReady(operator)
    await until('it serves', async () => (await ask(operator, token)) === '200')
    operator.breakAudit()
    for (let i = 0; i < 3; i += 1) {
      const answer = await exchange(operator, 'store', token)
      assert.equal(verdictOf(answer), '503 ServiceUnavailable')
      assert.equal(elementOf(answer, 'SessionToken'), '')
    }
    assert.equal(await readiness(operator), 200)
    assert.match(operator.output(), /the audit log cannot be written/)
  })
})

describe('what an operator says', () => {
  test('has no token and no secret in it, and no fault of ours', async ({
    brief,
    lasting,
    token,
  }) => {
    const issued = await exchange(lasting, 'store', token)
    const secrets = ['SecretAccessKey', 'SessionToken'].map((name) => elementOf(issued, name))
    const signature = token.split('.')[2] ?? ''
    for (const operator of [brief, lasting]) {
      const metrics = await (await fetch(`${operator.operationsEndpoint}/metrics`)).text()
      const told = operator.output() + JSON.stringify(operator.audit()) + metrics
      for (const secret of [...secrets, token, signature]) {
        assert.ok(secret.length >= 16)
        assert.ok(!told.includes(secret))
      }
      assert.doesNotMatch(operator.output(), /^\s+at |unhandled/im)
      assert.match(metrics, /^daypass_faults_total 0$/m)
    }
  })
})
