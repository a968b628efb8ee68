import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { ExchangeError, type ExchangeErrorCode } from '../exchange.ts'
import { Workshop, withoutOpenssl } from '../identity/certificate/testing/authority.ts'
import { Secret } from '../secret.ts'
import { createTargets } from './index.ts'
import type { AssumeRoleTarget, TargetEvent } from './index.ts'
import { allow, bindingName, boundGrant, documentOf, type Scene } from './testing/bound.ts'
import {
  assumed,
  assumes,
  minio,
  startTenant,
  tellsPolicy,
  type Given,
  type Reply,
  type Script,
} from './testing/script-tenant.ts'

const readonly = allow(['s3:GetObject'], ['arn:aws:s3:::*'])
const readonlyStatements = [
  { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::*'] },
]
const known = tellsPolicy({ readonly })
const secret = 'the secret of the broker'

type Settings = Partial<AssumeRoleTarget>

function targetOf(endpoint: string, settings: Settings = {}): AssumeRoleTarget {
  return {
    kind: 'assume-role',
    tenant: 'store/main',
    endpoint,
    dialect: 'minio',
    ca: () => Promise.resolve(undefined),
    maxPolicyBytes: 2048,
    credentials: () =>
      Promise.resolve({ accessKeyId: 'BROKER', secretAccessKey: new Secret(secret) }),
    findPolicy: () => undefined,
    asksTenant: true,
    missingPolicy: 'fail',
    ...settings,
  }
}

/** Targets over one tenant, whose settings can change as they would in a cluster. */
function room(t: TestContext, endpoint: string, settings: Settings = {}) {
  const log: TargetEvent[] = []
  let now = targetOf(endpoint, settings)
  const targets = createTargets({
    targetOf: (tenant) => ({ ...now, tenant }),
    clock: () => new Date(),
    random: randomBytes,
    log: (event) => log.push(event),
  })
  t.after(() => targets.close())
  return {
    log,
    issue: (scene?: Scene) => targets.issue(boundGrant(scene)),
    change(changed: Settings) {
      now = { ...now, ...changed }
    },
  }
}

async function world(t: TestContext, script: Script, settings?: Settings) {
  const tenant = await startTenant(t, script)
  return { ...tenant, ...room(t, tenant.endpoint, settings) }
}

async function refusal(promise: Promise<unknown>, code: ExchangeErrorCode): Promise<ExchangeError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof ExchangeError, String(error))
    assert.equal(error.code, code)
    const told = JSON.stringify([error.message, error.detail])
    assert.ok(!told.includes(secret))
    return error
  }
  assert.fail('was given')
}

/** The statements that allow; for MinIO others stand beside them, which keep the broker's own account closed. */
function allowsOf(form: URLSearchParams | undefined): unknown {
  const { Statement } = JSON.parse(form?.get('Policy') ?? '') as {
    Statement: readonly { Effect: string }[]
  }
  return Statement.filter(({ Effect }) => Effect === 'Allow')
}

const assumeCalls = ({ seen }: { seen: readonly { form: URLSearchParams }[] }) =>
  seen.map(({ form }) => form).filter((form) => form.get('Action') === 'AssumeRole')

describe('AssumeRole at a tenant (operator-sts.md section 5.4)', () => {
  it('asks for what the bound policies allow, for as long as was granted, signed for its region', async (t) => {
    const tenant = await world(t, minio({ policy: known }))
    const credentials = await tenant.issue()
    assert.equal(credentials.accessKeyId, 'TEMPKEY')
    assert.equal(credentials.secretAccessKey.reveal(), 'temp-secret')
    assert.equal(credentials.sessionToken.reveal(), 'temp-token')
    const [form] = assumeCalls(tenant)
    assert.equal(form?.get('Version'), '2011-06-15')
    assert.deepEqual(allowsOf(form), readonlyStatements)
    const seconds = Number(form?.get('DurationSeconds'))
    assert.ok(seconds > 3500 && seconds <= 3600)
    assert.equal(form?.get('RoleArn'), null)
    const [info, policy, assume] = tenant.seen
    assert.equal(info?.url, '/minio/admin/v3/info?metrics=false')
    assert.equal(policy?.url, '/minio/admin/v3/info-canned-policy?name=readonly&v=2')
    assert.match(
      policy?.headers.authorization ?? '',
      /BROKER\/\d{8}\/eu-central-7\/s3\/aws4_request/,
    )
    assert.match(
      assume?.headers.authorization ?? '',
      /BROKER\/\d{8}\/eu-central-7\/sts\/aws4_request/,
    )
  })

  it('asks for region and policies once, not for each exchange', async (t) => {
    const tenant = await world(t, minio({ policy: known }))
    await Promise.all([tenant.issue(), tenant.issue(), tenant.issue()])
    await tenant.issue()
    assert.equal(assumeCalls(tenant).length, 4)
    assert.equal(tenant.seen.length, 6)
  })

  it('signs with the session token of the broker, and with what it has now', async (t) => {
    const tenant = await world(t, minio({ policy: known }), { region: 'us-east-1' })
    await tenant.issue()
    tenant.change({
      credentials: () =>
        Promise.resolve({
          accessKeyId: 'NEXT',
          secretAccessKey: new Secret(secret),
          sessionToken: new Secret('token of the broker'),
        }),
    })
    await tenant.issue()
    const last = tenant.seen.at(-1)
    assert.match(last?.headers.authorization ?? '', /Credential=NEXT\//)
    assert.equal(last?.headers['x-amz-security-token'], 'token of the broker')
  })

  it('asks for fifteen minutes where less is left, and believes the tenant', async (t) => {
    const expiration = new Date(Math.ceil(Date.now() / 1000) * 1000 + 900_000).toISOString()
    const tenant = await world(t, minio({ policy: known, assume: assumes({ expiration }) }))
    const before = Date.now()
    const { expiresAt } = await tenant.issue({ secondsLeft: 60 })
    assert.equal(assumeCalls(tenant)[0]?.get('DurationSeconds'), '900')
    assert.ok(expiresAt.getTime() >= before + 900_000 - 1)
    assert.ok(expiresAt.getTime() <= Date.parse(expiration))
  })

  it('says an end that is neither after what the tenant says, nor after what was asked for', async (t) => {
    const early = new Date(Date.now() + 1_000_000).toISOString()
    const first = await world(t, minio({ policy: known, assume: assumes({ expiration: early }) }))
    assert.equal((await first.issue()).expiresAt.toISOString(), early)
    const late = new Date(Date.now() + 365 * 86_400_000).toISOString()
    const second = await world(t, minio({ policy: known, assume: assumes({ expiration: late }) }))
    assert.ok((await second.issue()).expiresAt.getTime() <= Date.now() + 3_600_000)
  })

  it('decides what policies say of the person, before they leave', async (t) => {
    const home = allow('s3:*', 'arn:aws:s3:::home/${aws:PrincipalTag/kubernetes-service-account}/*')
    const tenant = await world(t, minio({ policy: tellsPolicy({ home }) }))
    await tenant.issue({ bindings: [{ policies: ['home'] }], serviceAccount: 'cron' })
    assert.match(assumeCalls(tenant)[0]?.get('Policy') ?? '', /"arn:aws:s3:::home\/cron\/\*"/)
  })

  it("narrows by the caller's policy and by the ceiling, and widens by neither", async (t) => {
    const tenant = await world(t, minio({ policy: known }))
    await tenant.issue({
      tenant: { ceiling: allow('s3:*', ['arn:aws:s3:::shop', 'arn:aws:s3:::shop/*']) },
      request: { sessionPolicy: allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::shop/in/*') },
    })
    assert.deepEqual(allowsOf(assumeCalls(tenant)[0]), [
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::shop/in/*'] },
    ])
  })
})

describe('policies that bindings name', () => {
  it('come from the cluster first, and then nobody asks the tenant', async (t) => {
    const findPolicy = (name: string) =>
      name === 'readonly' ? allow('s3:PutObject', 'arn:aws:s3:::x/*') : undefined
    const tenant = await world(t, minio({ policy: known }), { findPolicy })
    await tenant.issue()
    assert.match(assumeCalls(tenant)[0]?.get('Policy') ?? '', /PutObject/)
    assert.ok(!tenant.seen.some(({ url }) => url.includes('info-canned-policy')))
  })

  it('are not looked for in the tenant when they shall come from the cluster alone', async (t) => {
    const tenant = await world(t, minio({ policy: known }), { asksTenant: false })
    const { message } = await refusal(tenant.issue(), 'no_policy')
    assert.match(message, /"readonly" of binding daypass\.dev\/Binding\/store\/b0 does not exist/)
    assert.deepEqual(assumeCalls(tenant), [])
  })

  it('are all needed: one that is missing may have been meant to deny something', async (t) => {
    const tenant = await world(t, minio({ policy: known }))
    const bindings = [{ policies: ['readonly', 'guard'] }]
    const { message } = await refusal(tenant.issue({ bindings }), 'no_policy')
    assert.match(message, /"guard" of binding/)
    assert.deepEqual(assumeCalls(tenant), [])
  })

  it('may be missing where the tenant says so, but not all of them', async (t) => {
    const tenant = await world(t, minio({ policy: known }), { missingPolicy: 'skip' })
    await tenant.issue({ bindings: [{ policies: ['readonly', 'guard'] }] })
    assert.deepEqual(allowsOf(assumeCalls(tenant)[0]), readonlyStatements)
    assert.deepEqual(
      tenant.log.map(({ kind, reason }) => [kind, reason]),
      [['policy_skipped', 'policy "guard" does not exist']],
    )
    await refusal(tenant.issue({ bindings: [{ policies: ['guard'] }] }), 'no_policy')
    assert.equal(assumeCalls(tenant).length, 1)
  })

  const odd: Readonly<Record<string, readonly [Reply, ExchangeErrorCode]>> = {
    'of another name': [
      {
        status: 200,
        body: JSON.stringify({ PolicyName: 'x', Policy: JSON.parse(readonly) as unknown }),
      },
      'target_unavailable',
    ],
    'that is no JSON': [{ status: 200, body: '<html>' }, 'target_unavailable'],
    'that is empty': [{ status: 200, body: '' }, 'target_unavailable'],
    'without a document': [
      { status: 200, body: '{"PolicyName":"readonly"}' },
      'target_unavailable',
    ],
    'that does not parse': [
      {
        status: 200,
        body: '{"PolicyName":"readonly","Policy":{"Statement":[{"Effect":"Perhaps"}]}}',
      },
      'malformed_policy',
    ],
    'that is a plain 404': [{ status: 404, body: '404 page not found' }, 'target_refused'],
    'of no access': [{ status: 403, body: '{"Code":"AccessDenied"}' }, 'target_refused'],
    'that leads elsewhere': [
      { status: 307, body: '', headers: { location: 'http://127.0.0.1:1/' } },
      'target_refused',
    ],
  }
  for (const [what, [reply, code]] of Object.entries(odd)) {
    it(`count for nothing with an answer ${what}, even where missing ones are skipped`, async (t) => {
      const settings = { missingPolicy: 'skip' } as const
      const tenant = await world(t, minio({ policy: () => reply }), settings)
      await refusal(tenant.issue(), code)
      assert.deepEqual(assumeCalls(tenant), [])
    })
  }
})

describe('one session policy for all of it', () => {
  it('is refused when it is too long for the tenant, with the bindings and both numbers', async (t) => {
    const resources = Array.from({ length: 60 }, (_, at) => `arn:aws:s3:::bucket-number-${at}/*`)
    const documents = [allow('s3:GetObject', resources)]
    const tenant = await world(t, minio())
    const { message, detail } = await refusal(
      tenant.issue({ bindings: [{ documents }] }),
      'session_policy_too_large',
    )
    assert.ok(message.includes(bindingName))
    assert.equal(detail['limit'], 2048)
    assert.ok(Number(detail['bytes']) > 2048 && message.includes(String(detail['bytes'])))
    assert.deepEqual(assumeCalls(tenant), [])
  })

  it('is refused when it cannot be shown to narrow, with policy and binding', async (t) => {
    const condition = { StringEquals: { 'aws:RequestTag/x': 'y' } }
    const documents = [
      documentOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: condition }),
    ]
    const tenant = await world(t, minio())
    const { message } = await refusal(
      tenant.issue({ bindings: [{ documents }] }),
      'malformed_policy',
    )
    assert.ok(message.includes(bindingName), message)
    assert.deepEqual(assumeCalls(tenant), [])
  })

  it('denies everything where nothing is left', async (t) => {
    const tenant = await world(t, minio({ policy: known }))
    await tenant.issue({ request: { sessionPolicy: allow('s3:DeleteObject') } })
    const text = assumeCalls(tenant)[0]?.get('Policy') ?? ''
    assert.match(text, /"Effect":"Deny"/)
    assert.doesNotMatch(text, /"Effect":"Allow"/)
  })
})

describe('roles', () => {
  const roleArn = 'arn:aws:iam:::role/shop'
  const settings = { dialect: 'aws', region: 'default' } as const

  it('are taken where there are some, under the name of the service account', async (t) => {
    const tenant = await world(t, minio(), settings)
    await tenant.issue({ bindings: [{ roleArn }] })
    const [form] = assumeCalls(tenant)
    assert.equal(form?.get('RoleArn'), roleArn)
    assert.equal(form?.get('RoleSessionName'), 'shop-web')
    assert.equal(form?.get('Policy'), null)
    assert.equal(tenant.seen.length, 1)
  })

  it("are narrowed by the caller's policy alone when bindings name nothing else", async (t) => {
    const tenant = await world(t, minio(), settings)
    const sessionPolicy = allow('s3:GetObject', 'arn:aws:s3:::a/*')
    await tenant.issue({ bindings: [{ roleArn }], request: { sessionPolicy } })
    assert.deepEqual(allowsOf(assumeCalls(tenant)[0]), [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' },
    ])
  })

  it("are narrowed by the bound policies; the binding's stands before the tenant's", async (t) => {
    const tenant = await world(t, minio(), { ...settings, roleArn: 'arn:aws:iam:::role/other' })
    const documents = [allow('s3:GetObject', 'arn:aws:s3:::a/*')]
    await tenant.issue({ bindings: [{ roleArn, documents }] })
    await tenant.issue({ bindings: [{ documents }] })
    const forms = assumeCalls(tenant)
    assert.deepEqual(
      forms.map((form) => [form.get('RoleArn'), form.has('Policy')]),
      [
        [roleArn, true],
        ['arn:aws:iam:::role/other', true],
      ],
    )
  })

  it('are needed where there are some', async (t) => {
    const tenant = await world(t, minio(), settings)
    await refusal(tenant.issue({ bindings: [{ documents: [allow('s3:*')] }] }), 'no_policy')
    assert.deepEqual(tenant.seen, [])
  })

  it('are refused at MinIO, which has none and would give everything', async (t) => {
    const tenant = await world(t, minio())
    const { message } = await refusal(tenant.issue({ bindings: [{ roleArn }] }), 'no_policy')
    assert.match(message, /has no roles/)
    assert.deepEqual(tenant.seen, [])
  })

  it('do not make AWS be asked in the words of MinIO', async (t) => {
    const tenant = await world(t, minio({ policy: known }), {
      ...settings,
      roleArn,
      region: undefined,
    })
    await refusal(tenant.issue(), 'no_policy')
    assert.deepEqual(tenant.seen, [])
  })
})

describe('a tenant that gives no credentials', () => {
  const answers: Readonly<Record<string, readonly [Reply, ExchangeErrorCode, number]>> = {
    'a refusal': [
      {
        status: 403,
        body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>UPSTREAM words</Message></Error></ErrorResponse>',
      },
      'target_refused',
      1,
    ],
    'a broken server': [{ status: 500, body: 'UPSTREAM words' }, 'target_unavailable', 3],
    'a busy server': [
      {
        status: 503,
        body: '<Error><Code>SlowDown</Code></Error>',
        headers: { 'retry-after': '7' },
      },
      'target_unavailable',
      3,
    ],
    'a throttled broker': [{ status: 429, body: '' }, 'target_unavailable', 3],
    'throttling by another status': [
      { status: 400, body: '<Error><Code>Throttling</Code></Error>' },
      'target_unavailable',
      3,
    ],
    'a redirect': [
      { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } },
      'target_refused',
      1,
    ],
    'an empty answer': [{ status: 200, body: '' }, 'target_unavailable', 1],
    'a page': [{ status: 200, body: '<html>UPSTREAM words</html>' }, 'target_unavailable', 1],
    'an answer of megabytes': [{ status: 200, body: 'x'.repeat(1 << 20) }, 'target_unavailable', 3],
    'a part of an answer': [
      { status: 200, body: assumed().slice(0, -30) },
      'target_unavailable',
      1,
    ],
    'two secrets': [
      {
        status: 200,
        body: assumed().replace('<Expiration>', '<SecretAccessKey>x</SecretAccessKey><Expiration>'),
      },
      'target_unavailable',
      1,
    ],
    'a document type': [
      { status: 200, body: assumed().replace('<Assume', '<!DOCTYPE x><Assume') },
      'target_unavailable',
      1,
    ],
    'the answer to another call': [
      { status: 200, body: assumed().replaceAll('AssumeRoleRes', 'GetSessionTokenRes') },
      'target_unavailable',
      1,
    ],
  }
  for (const [what, [reply, code, times]] of Object.entries(answers)) {
    it(`by ${what}`, async (t) => {
      const tenant = await world(t, minio({ policy: known, assume: () => reply }))
      const { message, detail } = await refusal(tenant.issue(), code)
      assert.doesNotMatch(message + JSON.stringify(detail), /UPSTREAM/)
      assert.doesNotMatch(JSON.stringify(tenant.log), /UPSTREAM/)
      assert.equal(assumeCalls(tenant).length, times)
      assert.equal(tenant.log.at(-1)?.step, 'AssumeRole')
      if (code === 'target_unavailable') assert.ok(Number(detail['retryAfterSeconds']) >= 1)
      if (what === 'a busy server') assert.equal(detail['retryAfterSeconds'], 7)
    })
  }

  const givens: Readonly<Record<string, Given>> = {
    'no key': { key: '' },
    'a key with a line break': { key: 'A&#10;B' },
    'no secret': { secret: '' },
    'no token': { token: '' },
    'no end': { expiration: '' },
    'an end that is none': { expiration: 'soon' },
    'the end of MinIO Operator 5.0.12': { expiration: '0001-01-01T00:00:00Z' },
    'an end in the past': { expiration: '2020-01-01T00:00:00Z' },
  }
  for (const [what, given] of Object.entries(givens)) {
    it(`by an answer with ${what}`, async (t) => {
      const tenant = await world(t, minio({ policy: known, assume: assumes(given) }))
      await refusal(tenant.issue(), 'target_unavailable')
    })
  }

  it('at first, and then does: what is worth it is tried again', async (t) => {
    let times = 0
    const assume: Script = (seen) => {
      times += 1
      return times < 3 ? { status: 503, body: '' } : assumes()(seen)
    }
    const tenant = await world(t, minio({ policy: known, assume }))
    assert.equal((await tenant.issue()).accessKeyId, 'TEMPKEY')
  })

  it('since nobody listens there', async (t) => {
    const { issue, log } = room(t, 'http://127.0.0.1:1', {
      region: 'r',
      findPolicy: () => readonly,
    })
    await refusal(issue(), 'target_unavailable')
    assert.match(log[0]?.reason ?? '', /ECONNREFUSED/)
  })

  it('since its settings cannot be read, and shows nothing of them', async (t) => {
    const tenant = await world(t, minio())
    tenant.change({ credentials: () => Promise.reject(new Error('there is no Secret broker')) })
    const { message } = await refusal(tenant.issue(), 'target_unavailable')
    assert.doesNotMatch(message, /broker/)
    assert.equal(tenant.log[0]?.reason, 'there is no Secret broker')
    assert.deepEqual(tenant.seen, [])
  })

  it('since it is gone', async (t) => {
    const targets = createTargets({
      targetOf: () => undefined,
      clock: () => new Date(),
      random: randomBytes,
      log: () => undefined,
    })
    t.after(() => targets.close())
    await refusal(targets.issue(boundGrant()), 'unknown_tenant')
  })

  it('which may not tell its region: then it is signed for the usual one', async (t) => {
    const info = () => ({ status: 403, body: '{"Code":"AccessDenied"}' })
    const tenant = await world(t, minio({ policy: known, info }))
    await tenant.issue()
    assert.match(tenant.seen.at(-1)?.headers.authorization ?? '', /\/us-east-1\/sts\//)
  })

  it('is asked for its region again, once it has refused', async (t) => {
    let region = 'old'
    const info = () => ({ status: 200, body: JSON.stringify({ mode: 'online', region }) })
    const assume: Script = (seen) =>
      seen.headers.authorization?.includes('/new/') ? assumes()(seen) : { status: 400, body: '' }
    const tenant = await world(t, minio({ policy: known, info, assume }))
    await refusal(tenant.issue(), 'target_refused')
    region = 'new'
    await tenant.issue()
  })
})

describe('a tenant that hangs', () => {
  it('ends with a clear answer within the ten seconds that are stated, and holds no other tenant up', async (t) => {
    const hung = await startTenant(t, minio({ policy: known, assume: () => undefined }))
    const well = await startTenant(t, minio({ policy: known }))
    const log: TargetEvent[] = []
    const targets = createTargets({
      targetOf: (tenant) => ({
        ...targetOf(tenant === 'store/main' ? hung.endpoint : well.endpoint),
        tenant,
      }),
      clock: () => new Date(),
      random: randomBytes,
      log: (event) => log.push(event),
    })
    t.after(() => targets.close())
    const began = performance.now()
    const waiting = Array.from({ length: 100 }, () =>
      refusal(targets.issue(boundGrant()), 'target_unavailable'),
    )
    // Those beyond the bound are told at once, and the other tenant is served while the first hangs.
    await Promise.race(waiting)
    const other = boundGrant({ tenant: { name: 'other' } })
    const { accessKeyId } = await targets.issue(other)
    assert.equal(accessKeyId, 'TEMPKEY')
    assert.ok(!log.some(({ tenant }) => tenant === 'store/other'))
    await Promise.all(waiting)
    assert.ok(performance.now() - began <= 10_000, 'the issue states ten seconds')
    assert.equal(
      log.filter(({ reason }) => reason === 'too many are waiting for it already').length,
      36,
    )
    assert.equal(log.filter(({ reason }) => reason === 'no answer in time').length, 64)
  })
})

describe('the way to a tenant', () => {
  it('is never plain http beyond loopback, unless that is allowed', async (t) => {
    for (const endpoint of ['http://192.0.2.1:9000', 'http://minio.store.svc', 'ftp://127.0.0.1']) {
      const { issue, log } = room(t, endpoint, { region: 'r' })
      await refusal(issue(), 'target_refused')
      assert.match(log[0]?.reason ?? '', /not https/)
    }
  })

  it('goes by no proxy of the environment', async (t) => {
    const proxy = await startTenant(t, () => ({ status: 200, body: assumed({ key: 'PROXY' }) }))
    const before = { ...process.env }
    t.after(() => {
      process.env = before
    })
    Object.assign(process.env, {
      HTTP_PROXY: proxy.endpoint,
      http_proxy: proxy.endpoint,
      NODE_USE_ENV_PROXY: '1',
    })
    const tenant = await world(t, minio({ policy: known }))
    assert.equal((await tenant.issue()).accessKeyId, 'TEMPKEY')
    assert.deepEqual(proxy.seen, [])
  })

  it(
    'is checked by its certificate, whatever the environment says',
    { skip: withoutOpenssl() },
    async (t) => {
      const certificates = new Workshop()
      t.after(() => certificates.close())
      certificates.make('ca', { extensions: 'ca' })
      certificates.make('stranger', { extensions: 'ca' })
      const extensions = ['subjectAltName=IP:127.0.0.1']
      certificates.make('tenant', { by: 'ca', extensions })
      certificates.make('elsewhere', {
        by: 'ca',
        extensions: ['subjectAltName=DNS:elsewhere.test'],
      })
      const serve = (name: string) =>
        startTenant(t, minio({ policy: known }), {
          cert: certificates.text(`${name}.pem`),
          key: certificates.text(`${name}.key`),
        })
      const tenant = await serve('tenant')
      const trusting = (name?: string) => ({
        ca: () =>
          Promise.resolve(name === undefined ? undefined : certificates.text(`${name}.pem`)),
      })
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      t.after(() => {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
      })
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'

      const good = room(t, tenant.endpoint, trusting('ca'))
      assert.equal((await good.issue()).accessKeyId, 'TEMPKEY')
      const elsewhere = await serve('elsewhere')
      const doubtful = [
        room(t, tenant.endpoint, trusting('stranger')),
        room(t, tenant.endpoint, trusting(undefined)),
        room(t, elsewhere.endpoint, trusting('ca')),
      ]
      for (const { issue, log } of doubtful) {
        await refusal(issue(), 'target_unavailable')
        assert.match(log[0]?.reason ?? '', /its certificate is not to be trusted/)
      }
      assert.deepEqual(elsewhere.seen, [])
      // A CA that was set right counts at once, and a wrong one as well.
      doubtful[0]?.change(trusting('ca'))
      assert.equal((await doubtful[0]?.issue())?.accessKeyId, 'TEMPKEY')
      good.change(trusting('stranger'))
      await refusal(good.issue(), 'target_unavailable')
      good.change({ ca: () => Promise.resolve('not a certificate') })
      await refusal(good.issue(), 'target_refused')
    },
  )
})
