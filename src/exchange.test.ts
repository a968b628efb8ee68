import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CredentialsError } from './credentials/index.ts'
import type { Credentials, Session } from './credentials/index.ts'
import { createExchange, ExchangeError } from './exchange.ts'
import type {
  ExchangeEvent,
  ExchangeObservation,
  ExchangeParts,
  ExchangeRequest,
  Presented,
} from './exchange.ts'
import { createGrants } from './grants/index.ts'
import type { GrantDirectory, GrantRole } from './grants/index.ts'
import { combineVerifiers, createAccessKeyVerifier, IdentityError } from './identity/index.ts'
import type { Evidence, Principal, Verifier } from './identity/index.ts'
import { cannedPolicies, parsePolicy } from './policy/index.ts'
import { Secret } from './secret.ts'

const now = new Date('2026-03-01T12:00:00Z')
const later = new Date('2026-03-01T13:00:00Z')
const token = 'header.payload.signature'
const roleArn = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0'

const uploader: GrantRole = {
  name: 'uploader',
  arn: 'arn:aws:iam::000000000000:role/uploader',
  id: 'AROAUPLOADER',
  trustPolicy: parsePolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: 'okta' },
          Action: 'sts:AssumeRoleWithWebIdentity',
        },
        { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
      ],
    }),
    'trust',
  ),
  maxSessionSeconds: 3600,
  tags: new Map(),
}

/** Stands for a provider: any token proves alice, with the policy that the provider's name gives her. */
const tokens: Verifier = {
  async verify(evidence) {
    if (evidence.kind !== 'web-identity') return undefined
    if (evidence.token.reveal() !== token) {
      throw new IdentityError('token_signature', 'No key of the provider verifies the token')
    }
    const principal = {
      kind: 'web-identity',
      provider: evidence.provider ?? 'dex',
      issuer: 'https://idp.example.com',
      subject: 'alice',
      displayName: 'Alice',
      groups: [],
      claims: new Map([['policy', 'readonly']]),
      jti: 'j1',
      expiresAt: later,
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand belongs to the identity room
    return principal as unknown as Principal
  },
}

const credentials: Credentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: new Secret('the-secret-key'),
  sessionToken: new Secret('the-session-token'),
  expiresAt: later,
  packedPolicySize: 3,
}

const directory: GrantDirectory = {
  findPolicy(name) {
    const policy = cannedPolicies.get(name)
    return policy && { name, policy }
  },
  findUser: () => undefined,
  policiesOf: (name) => (name === 'bob' ? [] : undefined),
  boundaryOf: () => undefined,
  findRole: (arn) => (arn === uploader.arn ? uploader : undefined),
  findProvider: () => undefined,
  policiesOfRole: () => [],
  boundaryOfRole: () => undefined,
  policiesAttachedTo: () => [],
}

function setUp(parts: Partial<ExchangeParts> = {}) {
  const events: ExchangeEvent[] = []
  const observed: ExchangeObservation[] = []
  const issued: unknown[] = []
  const exchange = createExchange({
    identity: combineVerifiers([tokens, createAccessKeyVerifier()]),
    grants: createGrants({
      tenant: 'default',
      directory,
      providers: [
        { kind: 'claim', provider: 'dex', claimName: 'policy' },
        { kind: 'role', provider: 'okta', roleArn, policies: ['readwrite'] },
      ],
      limits: {
        minSeconds: 900,
        maxSeconds: 43_200,
        defaultSeconds: 3600,
        maxSessionPolicyBytes: 2048,
      },
      clock: () => now,
    }),
    sessions: {
      issue(grant) {
        issued.push(grant)
        return credentials
      },
    },
    audit: {
      record: async (event) => {
        events.push(event)
      },
    },
    usedTokens: { use: async () => assert.fail('no token is good for one exchange') },
    explain: { seal: (event) => `sealed:${event.code}` },
    observe: (observation) => observed.push(observation),
    clock: () => now,
    ...parts,
  })
  return { exchange, events, observed, issued }
}

function request(grant: Partial<ExchangeRequest['grant']> = {}, text = token): ExchangeRequest {
  return {
    id: '0123456789ABCDEF',
    evidence: { kind: 'web-identity', token: new Secret(text) },
    grant: {
      action: 'sts:AssumeRoleWithWebIdentity',
      client: { source: '203.0.113.5', secure: true },
      ...grant,
    },
  }
}

const byKey = (signer: Extract<ExchangeRequest['evidence'], { kind: 'signature' }>['signer']) => ({
  ...request({ action: 'sts:AssumeRole' }),
  evidence: { kind: 'signature', signer } as const,
})

describe('the exchange', () => {
  it('gives credentials for a token, and records who, how, what and why', async () => {
    const { exchange, events, observed } = setUp()
    const issued = await exchange.exchange(request())
    assert.equal(issued.credentials, credentials)
    const [event] = events
    assert.ok(event?.outcome === 'issued' && events.length === 1)
    assert.equal(event.decisionId, '0123456789ABCDEF')
    assert.equal(event.accessKeyId, 'ASIAEXAMPLE')
    assert.equal(event.jti, 'j1')
    assert.equal(event.principal?.subject, 'alice')
    assert.deepEqual(event.proof, { kind: 'token', sha256: new Secret(token).fingerprint() })
    assert.deepEqual(event.source, { kind: 'policies', names: ['readonly'] })
    assert.ok(event.trace.length >= 3)
    assert.deepEqual(observed, [
      { action: 'sts:AssumeRoleWithWebIdentity', outcome: 'issued', seconds: 0 },
    ])
  })

  it('gives credentials for the keys of root and of users', async () => {
    const { exchange, events } = setUp()
    const root = await exchange.exchange(byKey({ kind: 'root', accessKeyId: 'admin' }))
    assert.deepEqual(root.grant.source, { kind: 'root' })
    const user = { kind: 'user', accessKeyId: 'AK', user: 'bob' } as const
    const bob = await exchange.exchange(byKey(user))
    assert.deepEqual(bob.grant.source, { kind: 'user', name: 'bob' })
    assert.deepEqual(events[1]?.proof, { kind: 'signature', accessKeyId: 'AK' })
  })

  it('asks the provider that the role ARN means', async () => {
    const { grant } = await setUp().exchange.exchange(request({ roleArn }))
    assert.equal(grant.principal.provider, 'okta')
    assert.deepEqual(grant.source, { kind: 'role', arn: roleArn, name: 'okta' })
  })

  it('hands nothing out before the record is durable', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { exchange } = setUp({ audit: { record: () => promise } })
    let done = false
    const running = exchange.exchange(request()).then(() => (done = true))
    await new Promise(setImmediate)
    assert.equal(done, false)
    resolve()
    assert.equal(await running, true)
  })

  it('hands nothing out when the record cannot be written', async () => {
    const disk = { record: () => Promise.reject(new Error('disk full')) }
    const { exchange, observed } = setUp({ audit: disk })
    await assert.rejects(exchange.exchange(request()), { code: 'audit_unavailable' })
    assert.deepEqual(
      observed.map(({ outcome }) => outcome),
      ['audit_unavailable'],
    )
  })

  it('never records or prints a secret', async () => {
    const { exchange, events } = setUp()
    await exchange.exchange(request({ roleSessionName: 'abc' }))
    await assert.rejects(exchange.exchange(request({}, 'forged-token')))
    const text = JSON.stringify(events)
    for (const secret of [token, 'forged-token', 'the-secret-key', 'the-session-token']) {
      assert.ok(!text.includes(secret))
    }
  })
})

describe('a refusal', () => {
  it('of a token is recorded, issues nothing, and gives strangers no sealed trace', async () => {
    const { exchange, events, observed, issued } = setUp()
    await assert.rejects(exchange.exchange(request({}, 'forged')), (error) => {
      assert.ok(error instanceof ExchangeError && error.cause instanceof IdentityError)
      assert.equal(error.code, 'token_signature')
      assert.equal(error.encodedMessage, undefined)
      return true
    })
    assert.equal(issued.length, 0)
    assert.ok(events.length === 1 && events[0]?.outcome === 'refused')
    assert.equal(events[0].code, 'token_signature')
    assert.equal(events[0].principal, undefined)
    assert.deepEqual(
      events[0].trace.map(({ outcome }) => outcome),
      ['refused'],
    )
    assert.deepEqual(
      observed.map(({ outcome }) => outcome),
      ['token_signature'],
    )
  })

  it('of a grant carries the sealed trace for the one who was proven', async () => {
    const { exchange, events, issued } = setUp()
    await assert.rejects(exchange.exchange(request({ durationSeconds: 1 })), {
      code: 'invalid_parameter',
      encodedMessage: 'sealed:invalid_parameter',
    })
    assert.equal(issued.length, 0)
    assert.ok(events[0]?.outcome === 'refused')
    assert.equal(events[0].principal?.subject, 'alice')
    assert.deepEqual(
      events[0].trace.map(({ step }) => step),
      ['token', 'mapping', 'duration'],
    )
  })

  it('of a session that is too large keeps the trace of the grant', async () => {
    const sessions = {
      issue: () => {
        throw new CredentialsError('session_too_large', 'The session token would be too large')
      },
    }
    const { exchange, events } = setUp({ sessions })
    await assert.rejects(exchange.exchange(request()), { code: 'session_too_large' })
    const steps = events[0]?.trace.map(({ step, outcome }) => `${step} ${outcome}`)
    assert.deepEqual(steps?.slice(-2), ['denies ok', 'issue refused'])
  })

  it('stands when it cannot be recorded or sealed', async () => {
    const broken = () => {
      throw new Error('no key')
    }
    const audit = { record: () => Promise.reject(new Error('disk full')) }
    const { exchange, issued } = setUp({ audit, explain: { seal: broken } })
    const grant = { durationSeconds: 1 }
    await assert.rejects(exchange.exchange(request(grant)), { code: 'invalid_parameter' })
    assert.equal(issued.length, 0)
  })

  it('of evidence that nobody can judge is a refusal, not a yes', async () => {
    const { exchange } = setUp({ identity: combineVerifiers([]) })
    await assert.rejects(exchange.exchange(request()), { code: 'no_provider' })
  })

  it('of an unknown user follows from the directory', async () => {
    const signer = { kind: 'user', accessKeyId: 'AK', user: 'mallory' } as const
    await assert.rejects(setUp().exchange.exchange(byKey(signer)), { code: 'caller_not_allowed' })
  })

  it('that a face found out itself is recorded too', async () => {
    const { exchange, events, observed } = setUp()
    const { id, grant } = byKey({ kind: 'root', accessKeyId: 'admin' })
    const refused = exchange.refuse(
      { id, grant },
      'caller_unproven',
      'The signature does not match',
    )
    await assert.rejects(refused, { code: 'caller_unproven', encodedMessage: undefined })
    assert.equal(events[0]?.outcome, 'refused')
    assert.equal(observed[0]?.outcome, 'caller_unproven')
  })

  it('by a fault of ours is recorded without its words and thrown as it is', async () => {
    const fault = new TypeError('password is hunter2')
    const identity = { verify: () => Promise.reject(fault) }
    const { exchange, events, observed } = setUp({ identity })
    await assert.rejects(exchange.exchange(request()), (error) => error === fault)
    assert.ok(events[0]?.outcome === 'refused' && events[0].code === 'internal')
    assert.ok(!JSON.stringify(events).includes('hunter2'))
    assert.equal(observed[0]?.outcome, 'internal')
  })
})

describe('a token that is good for one exchange', () => {
  function once(more: Partial<ExchangeParts> = {}) {
    const used: unknown[] = []
    const identity: ExchangeParts['identity'] = {
      verify: async (evidence, at) => ({
        ...(await combineVerifiers([tokens]).verify(evidence, at)),
        oneTime: true,
      }),
    }
    const usedTokens: ExchangeParts['usedTokens'] = {
      async use(oneTimeToken) {
        used.push(oneTimeToken)
        return used.length === 1
      },
    }
    return { used, ...setUp({ identity, usedTokens, ...more }) }
  }
  const jti = { issuer: 'https://idp.example.com', jti: 'j1', expiresAt: later }

  it('is used up by what is granted, and a replay is on record', async () => {
    const { exchange, events, issued, observed, used } = once()
    await exchange.exchange(request())
    assert.deepEqual(used, [jti])
    await assert.rejects(exchange.exchange(request()), { code: 'token_replayed' })
    assert.equal(issued.length, 1)
    const [, refused] = events
    assert.ok(refused?.outcome === 'refused' && refused.code === 'token_replayed')
    assert.match(refused.message, /replayed/)
    assert.equal(refused.principal?.subject, 'alice')
    const last = refused.trace.at(-1)
    assert.deepEqual([last?.step, last?.outcome], ['issue', 'refused'])
    assert.deepEqual(
      observed.map(({ outcome }) => outcome),
      ['issued', 'token_replayed'],
    )
  })

  it('is not used up by what is refused', async () => {
    const { exchange, issued, used } = once()
    const badToken = exchange.exchange(request({}, 'forged'))
    await assert.rejects(badToken, { code: 'token_signature' })
    const short = exchange.exchange(request({ durationSeconds: 1 }))
    await assert.rejects(short, { code: 'invalid_parameter' })
    const role = exchange.exchange(request({ roleArn: uploader.arn }))
    await assert.rejects(role, { code: 'role_not_trusted' })
    assert.deepEqual(used, [])
    await exchange.exchange(request())
    assert.equal(issued.length, 1)
  })

  it('gives nothing while nobody knows whether it was used', async () => {
    const usedTokens = { use: async () => Promise.reject(new Error('no disk')) }
    const { exchange, issued, events } = once({ usedTokens })
    await assert.rejects(exchange.exchange(request()), { code: 'replay_unknown' })
    assert.equal(issued.length, 0)
    assert.equal(events[0]?.outcome, 'refused')
    assert.ok(!JSON.stringify(events).includes('no disk'))
  })

  it('stays used up when the record of it cannot be written', async () => {
    const audit = { record: async () => Promise.reject(new Error('disk full')) }
    const { exchange, used } = once({ audit })
    await assert.rejects(exchange.exchange(request()), { code: 'audit_unavailable' })
    assert.deepEqual(used, [jti])
  })
})

describe('a role of the directory', () => {
  it('is for the tokens of every provider, each of them asked by its issuer', async () => {
    const asked: Evidence[] = []
    const identity = {
      verify(evidence: Evidence, at: Date) {
        asked.push(evidence)
        return combineVerifiers([tokens]).verify(evidence, at)
      },
    }
    const { exchange, events } = setUp({ identity })
    const refused = exchange.exchange(request({ roleArn: uploader.arn }))
    await assert.rejects(refused, { code: 'role_not_trusted' }, 'dex is not okta')
    assert.ok(asked[0]?.kind === 'web-identity' && !asked[0].provider)
    assert.deepEqual(asked[0].trustedProviders, ['okta'])
    assert.deepEqual(
      events[0]?.trace.map(({ step, outcome }) => `${step} ${outcome}`),
      ['token ok', 'role ok', 'duration ok', 'trust refused', 'role refused'],
    )
  })

  it('is taken by a session, which is on record with the session it was made from', async () => {
    const { exchange, events, issued } = setUp()
    const root = await exchange.exchange(byKey({ kind: 'root', accessKeyId: 'admin' }))
    const { trace: _trace, ...members } = root.grant
    const session: Session = { ...members, accessKeyId: 'ASIAPARENT', sealingKey: 'k' }
    const chain = {
      ...byKey({ kind: 'root', accessKeyId: 'x' }),
      evidence: { kind: 'session', session },
    } as const
    await assert.rejects(exchange.exchange(chain), { code: 'caller_not_allowed' })
    assert.equal(issued.length, 1)
    const grant = { ...chain.grant, roleArn: uploader.arn }
    await exchange.exchange({ ...chain, grant })
    const last = events.at(-1)
    assert.ok(last?.outcome === 'issued')
    assert.equal(last.parentAccessKeyId, 'ASIAPARENT')
    assert.deepEqual(last.proof, { kind: 'signature', accessKeyId: 'ASIAPARENT' })
    assert.equal(last.principal?.subject, 'root')
  })
})

describe('other proofs', () => {
  it('are on record without a secret: a login by its name, a certificate by its digest', async () => {
    const refuse = { verify: () => Promise.reject(new IdentityError('login_refused', 'No')) }
    const { exchange, events, issued } = setUp({ identity: refuse })
    const password = new Secret('hunter2')
    const proofs: readonly Presented[] = [
      { kind: 'ldap', username: 'ann', password, source: '192.0.2.1' },
      { kind: 'certificate', chain: [Buffer.from('leaf')] },
      { kind: 'certificate', chain: [] },
      { kind: 'custom-token', token: password, roleArn: 'arn:minio:iam:::role/idmp-x' },
    ]
    for (const evidence of proofs) {
      await assert.rejects(exchange.exchange({ ...request(), evidence }), { code: 'login_refused' })
    }
    const leaf = new Secret('leaf').fingerprint()
    assert.deepEqual(
      events.map(({ proof }) => proof),
      [
        { kind: 'login', username: 'ann' },
        { kind: 'certificate', sha256: leaf },
        undefined,
        { kind: 'token', sha256: password.fingerprint() },
      ],
    )
    assert.ok(!JSON.stringify(events).includes('hunter2'))
    assert.equal(issued.length, 0)
  })
})

describe('the order of the stages', () => {
  it('is held by the compiler', () => {
    const unproven = { kind: 'web-identity', subject: 'alice' } as const
    // Never called: these lines need not run, they must not compile.
    const wrong = ({ grants, sessions }: ExchangeParts) => [
      // @ts-expect-error -- evidence is no principal
      grants.authorizeWebIdentity(unproven, request().grant),
      // @ts-expect-error -- a principal's look-alike is no grant
      sessions.issue({ ...unproven, tenant: 'default' }),
    ]
    assert.equal(typeof wrong, 'function')
  })
})
