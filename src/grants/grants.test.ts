import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { isAllowed, parsePolicy } from '../policy/index.ts'
import { GrantError, sessionArn, sessionUserId } from './index.ts'
import type { Grant, GrantErrorCode, GrantsOptions } from './index.ts'
import {
  allowRead,
  assumeRoleRequest,
  directoryOf,
  desk,
  keyPrincipal,
  limits,
  now,
  policy,
  secondsFromNow,
  standardPolicies,
  tokenPrincipal,
  webIdentityRequest,
} from './testing/desk.ts'

const roleArn = 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0'
const role = { kind: 'role', provider: 'okta', roleArn, policies: ['readonly'] } as const
const claim = { kind: 'claim', provider: 'dex', claimName: 'policy' } as const

function refused(code: GrantErrorCode, message?: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof GrantError)
    assert.equal(error.code, code)
    if (message) assert.match(error.message, message)
    assert.equal(error.trace.at(-1)?.outcome, 'refused')
    return true
  }
}

function denyDuration(operator: string, seconds: number): object {
  const Condition = { [operator]: { 'sts:DurationSeconds': String(seconds) } }
  return { Effect: 'Deny', Action: 'sts:AssumeRole*', Resource: '*', Condition }
}

describe('a grant by policy claim', () => {
  const alice = tokenPrincipal({ policy: ['writeonly', 'nosuch', 'readonly,readonly'] })

  it('holds the names that exist, once and sorted', () => {
    const { source } = desk().authorizeWebIdentity(alice, webIdentityRequest)
    assert.deepEqual(source, { kind: 'policies', names: ['readonly', 'writeonly'] })
  })

  it('says who, where, until when and why', () => {
    const grant = desk().authorizeWebIdentity(
      tokenPrincipal({ policy: 'readonly', email: 'a@example.com' }, { jti: 't1' }),
      { ...webIdentityRequest, roleSessionName: 'upload', durationSeconds: 900 },
    )
    assert.equal(grant.tenant, 'default')
    assert.equal(grant.sessionName, 'upload')
    assert.equal(grant.principal.subject, 'alice')
    assert.deepEqual(grant.lineage, { jti: 't1' })
    assert.deepEqual(grant.issuedAt, secondsFromNow(0))
    assert.deepEqual(grant.expiresAt, secondsFromNow(900))
    assert.deepEqual(grant.sessionPolicies, [])
    assert.deepEqual(
      grant.trace.map(({ step, outcome }) => `${step} ${outcome}`),
      ['token ok', 'mapping ok', 'duration ok', 'denies ok'],
    )
  })

  it('is refused when no named policy exists', () => {
    const claims = [
      {},
      { policy: '' },
      { policy: [] },
      { policy: true },
      { policy: 'nosuch, Readonly' },
    ]
    for (const each of claims) {
      assert.throws(
        () => desk().authorizeWebIdentity(tokenPrincipal(each), webIdentityRequest),
        refused('no_policy'),
      )
    }
  })

  it('reads the claim that its provider is configured with, and no other', () => {
    const providers = [{ ...claim, claimName: 'groups' }]
    const grants = desk({ providers })
    assert.throws(
      () => grants.authorizeWebIdentity(alice, webIdentityRequest),
      refused('no_policy'),
    )
    const member = tokenPrincipal({ groups: ['staff', 'readonly'] })
    assert.deepEqual(grants.authorizeWebIdentity(member, webIdentityRequest).source, {
      kind: 'policies',
      names: ['readonly'],
    })
  })

  it('keeps of the claims only what policies may read', () => {
    const forged = {
      roleArn,
      sessionPolicy: 'x',
      'sa-policy': 'x',
      ldapUser: 'x',
      username: 'root',
      parent: 'x',
    }
    const { principal } = desk().authorizeWebIdentity(
      tokenPrincipal({
        ...forged,
        policy: 'readonly',
        groups: ['a', 1],
        email: 'e',
        address: { a: 1 },
        exp: 5,
      }),
      webIdentityRequest,
    )
    assert.deepEqual(
      [...principal.claims],
      [
        ['sub', 'alice'],
        ['groups', ['a']],
        ['email', 'e'],
      ],
    )
  })

  it('goes by the claim when an SDK sends a role ARN that is not known', () => {
    const grants = desk({ providers: [claim, role] })
    const request = {
      ...webIdentityRequest,
      roleArn: 'arn:aws:iam::123456789012:role/FederatedWebIdentityRole',
    }
    assert.equal(grants.chooseProvider(request.roleArn), undefined)
    assert.equal(grants.authorizeWebIdentity(alice, request).source.kind, 'policies')
  })
})

describe('a grant by role ARN', () => {
  const bob = tokenPrincipal({ policy: 'writeonly' }, { provider: 'okta', subject: 'bob' })
  const request = { ...webIdentityRequest, roleArn }

  it('has the policies of the role, whatever the token claims', () => {
    const grants = desk({ providers: [claim, role] })
    assert.equal(grants.chooseProvider(roleArn), 'okta')
    const { source } = grants.authorizeWebIdentity(bob, request)
    assert.deepEqual(source, { kind: 'role', arn: roleArn, name: 'okta' })
    assert.deepEqual(
      grants.policiesOfRole(roleArn)?.map(({ name }) => name),
      ['readonly'],
    )
  })

  it('is refused to a token of another provider', () => {
    const grants = desk({ providers: [claim, role] })
    const alice = tokenPrincipal({ policy: 'readonly' })
    assert.throws(() => grants.authorizeWebIdentity(alice, request), refused('unknown_role'))
  })

  it("is refused to the provider's own token without the ARN or with a wrong one", () => {
    const grants = desk({ providers: [claim, role] })
    for (const wrong of [undefined, '', 'arn:minio:iam:::role/dummy-internal', `${roleArn}x`]) {
      const without = { ...webIdentityRequest, roleArn: wrong }
      assert.throws(() => grants.authorizeWebIdentity(bob, without), refused('unknown_role'))
    }
  })

  it('is refused when a policy of the role does not exist: it might have denied something', () => {
    for (const policies of [['readonly', 'deny-secrets'], ['nosuch'], []]) {
      const grants = desk({ providers: [{ ...role, policies }] })
      assert.throws(() => grants.authorizeWebIdentity(bob, request), refused('no_policy'))
    }
  })

  it('comes to nothing, later on, when a policy of the role goes away', () => {
    const grants = desk({ providers: [{ ...role, policies: ['readonly', 'gone'] }] })
    const found = grants.policiesOfRole(roleArn) ?? []
    assert.deepEqual(
      found.map(({ policy: { kind } }) => kind),
      ['identity', 'broken'],
    )
    assert.equal(grants.policiesOfRole('arn:minio:iam:::role/other'), undefined)
  })

  it('is an error to ask for an unknown role where no claim-based provider is', () => {
    const grants = desk({ providers: [role] })
    assert.throws(() => grants.chooseProvider('arn:aws:iam::1:role/x'), refused('unknown_role'))
    assert.equal(grants.chooseProvider(undefined), undefined)
  })

  it('is refused for a provider that is not configured', () => {
    const eve = tokenPrincipal({ policy: 'readonly' }, { provider: '__proto__' })
    assert.throws(
      () => desk().authorizeWebIdentity(eve, webIdentityRequest),
      refused('unknown_role'),
    )
  })
})

describe('a grant by key', () => {
  it('of root is everything', () => {
    const grant = desk().authorizeUser(keyPrincipal('root', 'root'), assumeRoleRequest)
    assert.deepEqual(grant.source, { kind: 'root' })
    assert.deepEqual(grant.expiresAt, secondsFromNow(3600))
  })

  it('of a user follows the user, and needs no policy', () => {
    const directory = directoryOf({ users: { carol: [] } })
    const grant = desk({ directory }).authorizeUser(
      keyPrincipal('user', 'carol'),
      assumeRoleRequest,
    )
    assert.deepEqual(grant.source, { kind: 'user', name: 'carol' })
  })

  it('is refused to a user who is disabled or gone', () => {
    const mallory = keyPrincipal('user', 'mallory')
    assert.throws(
      () => desk().authorizeUser(mallory, assumeRoleRequest),
      refused('caller_not_allowed'),
    )
  })

  it('is not to be had by a token, nor one by token with a key', () => {
    const alice = tokenPrincipal({ policy: 'readonly' })
    const root = keyPrincipal('root', 'root')
    const wrongWays = [
      () => desk().authorizeUser(alice, assumeRoleRequest),
      () => desk().authorizeUser(root, webIdentityRequest),
      () => desk().authorizeWebIdentity(root, webIdentityRequest),
      () => desk().authorizeWebIdentity(alice, assumeRoleRequest),
    ]
    for (const way of wrongWays) assert.throws(way, refused('caller_not_allowed'))
  })
})

describe('a token without an end', () => {
  it('is refused', () => {
    const alice = tokenPrincipal({ policy: 'readonly' }, { expiresAt: undefined })
    assert.throws(() => desk().authorizeWebIdentity(alice, webIdentityRequest), refused('expired'))
  })
})

describe('denies at issue time', () => {
  const alice = tokenPrincipal({ policy: 'p' })
  const grantsWith = (...statements: readonly object[]) =>
    desk({ directory: directoryOf({ policies: [policy('p', allowRead, ...statements)] }) })

  it('compare the duration asked for', () => {
    const request = { ...webIdentityRequest, durationSeconds: 900 }
    const tight = grantsWith(denyDuration('NumericGreaterThan', 60))
    assert.throws(() => tight.authorizeWebIdentity(alice, request), refused('denied'))
    const wide = grantsWith(denyDuration('NumericGreaterThan', 1800))
    assert.equal(
      wide.authorizeWebIdentity(alice, request).expiresAt.getTime(),
      secondsFromNow(900).getTime(),
    )
  })

  it('are not escaped by leaving the duration out', () => {
    const grants = grantsWith(denyDuration('NumericGreaterThan', 1800))
    assert.throws(() => grants.authorizeWebIdentity(alice, webIdentityRequest), refused('denied'))
  })

  it('count for every way and every kind of caller but root', () => {
    for (const action of [
      'sts:AssumeRoleWithWebIdentity',
      'sts:AssumeRoleWithClientGrants',
    ] as const) {
      const grants = grantsWith({ Effect: 'Deny', Action: action, Resource: '*' })
      const request = { ...webIdentityRequest, action }
      assert.throws(() => grants.authorizeWebIdentity(alice, request), refused('denied'))
    }
    const users = { alice: [policy('d', { Effect: 'Deny', Action: 'sts:*', Resource: '*' })] }
    const grants = desk({ directory: directoryOf({ users }) })
    assert.throws(
      () => grants.authorizeUser(keyPrincipal('user', 'alice'), assumeRoleRequest),
      refused('denied', /sts:AssumeRole/),
    )
    assert.ok(grants.authorizeUser(keyPrincipal('root', 'root'), assumeRoleRequest))
  })

  it('see where the caller is and what its token says, not what it calls itself', () => {
    const when = (Condition: object) =>
      grantsWith({ Effect: 'Deny', Action: 'sts:*', Resource: '*', Condition })
    const denied = [
      { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
      { StringEquals: { 'jwt:sub': 'alice' } },
      { StringEquals: { 'sts:RoleSessionName': 'alice' } },
      { StringEquals: { 'aws:FederatedProvider': 'https://idp.example.com' } },
      { StringEquals: { 'aws:userid': 'dex:alice' } },
    ]
    for (const condition of denied) {
      const grants = when(condition)
      assert.throws(() => grants.authorizeWebIdentity(alice, webIdentityRequest), refused('denied'))
    }
    const other = when({ StringEquals: { 'aws:username': 'alice' } })
    assert.ok(other.authorizeWebIdentity(alice, webIdentityRequest))
  })

  it('are unknown in a policy that does not parse, so nothing is issued', () => {
    const broken = { name: 'p', policy: { kind: 'broken', problem: 'not JSON' } } as const
    const policies = [broken, policy('readonly', allowRead)]
    const grants = desk({ directory: directoryOf({ policies }) })
    const both = tokenPrincipal({ policy: 'p,readonly' })
    assert.throws(() => grants.authorizeWebIdentity(both, webIdentityRequest), refused('denied'))
  })
})

describe('a session policy', () => {
  const alice = tokenPrincipal({ policy: 'readonly' })
  const withPolicy = (sessionPolicy: string, options: Partial<GrantsOptions> = {}): Grant =>
    desk(options).authorizeWebIdentity(alice, { ...webIdentityRequest, sessionPolicy })
  const document = (resource: string) =>
    JSON.stringify(
      { Version: '2012-10-17', Statement: [{ ...allowRead, Resource: resource }] },
      null,
      8,
    )

  it('becomes one layer of one document', () => {
    const [layer = [], ...more] = withPolicy(document('arn:aws:s3:::b/*')).sessionPolicies
    assert.equal(more.length, 0)
    assert.equal(layer.length, 1)
    assert.equal(parsePolicy(layer[0] ?? '', 'session').text, layer[0])
  })

  it('counts its bytes without white space', () => {
    const base = parsePolicy(document('arn:aws:s3:::b/'), 'session').text.length
    const fitting = document(`arn:aws:s3:::b/${'k'.repeat(2048 - base)}`)
    assert.ok(fitting.length > 2048)
    assert.equal(withPolicy(fitting).sessionPolicies.length, 1)
    const tooLong = document(`arn:aws:s3:::b/${'k'.repeat(2049 - base)}`)
    assert.throws(() => withPolicy(tooLong), refused('session_policy_too_large'))
    assert.throws(
      () => withPolicy(document('k'.repeat(30_000))),
      refused('session_policy_too_large'),
    )
  })

  it('that does not parse refuses the grant, and is never taken for none', () => {
    const bad = [
      '{',
      ' ',
      'null',
      '[]',
      '""',
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}',
    ]
    for (const text of bad) {
      assert.throws(() => withPolicy(text), refused('malformed_policy'), text)
    }
  })

  it('may be absent or empty', () => {
    assert.deepEqual(withPolicy('').sessionPolicies, [])
  })

  it('only narrows: what base and session policy allow together, the base allows alone', () => {
    const patterns = fc.constantFrom(
      '*',
      'arn:aws:s3:::b/*',
      'arn:aws:s3:::b/k',
      'arn:aws:s3:::c/*',
    )
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Action: fc.constantFrom('*', 's3:*', 's3:GetObject', 's3:PutObject'),
      Resource: patterns,
    })
    const statements = fc.array(statement, { minLength: 1, maxLength: 3 })
    const action = fc.constantFrom('s3:GetObject', 's3:PutObject')
    const resource = fc.constantFrom('arn:aws:s3:::b/k', 'arn:aws:s3:::c/k')
    fc.assert(
      fc.property(statements, statements, action, resource, (base, session, what, where) => {
        const text = JSON.stringify({ Version: '2012-10-17', Statement: session })
        const [layer = []] = withPolicy(text).sessionPolicies
        const question = {
          principal: {
            kind: 'session',
            account: '000000000000',
            arn: 'arn:aws:sts::0:assumed-role/r/s',
          },
          accesses: [{ action: what, resource: where }],
          facts: { aws: { CurrentTime: now } },
          identity: [policy('base', ...base)],
        } as const
        const policies = layer.map((each) => ({ name: 's', policy: parsePolicy(each, 'session') }))
        const narrowed = isAllowed({ ...question, ceilings: [{ name: 'session', policies }] })
        assert.ok(!narrowed || isAllowed({ ...question, ceilings: [] }))
      }),
    )
  })
})

describe('any grant by token', () => {
  it('names at least one policy that exists and never outlives the token', () => {
    const name = fc.constantFrom(
      'readonly',
      'writeonly',
      'nosuch',
      '',
      ' readonly ',
      'readonly,nosuch',
    )
    const value = fc.oneof(name, fc.array(name), fc.anything())
    const life = fc.integer({ min: 2, max: 100_000 })
    const asked = fc.option(fc.integer({ min: 0, max: 50_000 }), { nil: undefined })
    fc.assert(
      fc.property(value, life, asked, (claimed, seconds, durationSeconds) => {
        const expiresAt = secondsFromNow(seconds)
        const alice = tokenPrincipal({ policy: claimed }, { expiresAt })
        let grant
        try {
          grant = desk().authorizeWebIdentity(alice, { ...webIdentityRequest, durationSeconds })
        } catch (error) {
          assert.ok(error instanceof GrantError)
          return
        }
        assert.ok(grant.expiresAt <= expiresAt && grant.expiresAt > now)
        assert.ok(grant.source.kind === 'policies' && grant.source.names.length > 0)
        assert.ok(
          grant.source.names.every((each) => standardPolicies.some(({ name }) => name === each)),
        )
      }),
    )
  })
})

describe('the names of sessions', () => {
  const named = (source: Grant['source'], provider: string, subject: string) => ({
    principal: { kind: 'web-identity' as const, provider, subject },
    source,
    sessionName: 's1',
  })

  it('keep users, providers and root apart, whatever they are called', () => {
    const sessions = [
      named({ kind: 'user', name: 'dex' }, 'internal', 'dex'),
      named({ kind: 'policies', names: ['p'] }, 'dex', 'dex'),
      named({ kind: 'user', name: 'root' }, 'internal', 'root'),
      named({ kind: 'root' }, 'internal', 'root'),
    ]
    assert.equal(new Set(sessions.map(sessionArn)).size, sessions.length)
    assert.equal(
      sessionArn(named({ kind: 'policies', names: ['p'] }, 'dex', 'alice')),
      'arn:aws:sts::000000000000:assumed-role/openid=dex/s1',
    )
  })

  it('give a user id of the proven subject, not of the chosen name', () => {
    assert.equal(sessionUserId(named({ kind: 'root' }, 'dex', 'alice')), 'dex:alice')
  })
})

describe('a configuration that makes no sense', () => {
  const broken: readonly Partial<GrantsOptions>[] = [
    { providers: [claim, claim] },
    { providers: [role, { ...role, provider: 'other' }] },
    { providers: [{ ...role, roleArn: '' }] },
    { limits: { ...limits, maxSeconds: 31_536_001 } },
    { limits: { ...limits, minSeconds: 0 } },
    { limits: { ...limits, maxSeconds: 600 } },
    { limits: { ...limits, defaultSeconds: 60 } },
    { limits: { ...limits, defaultSeconds: NaN } },
    { limits: { ...limits, fixedSeconds: 60 } },
    { limits: { ...limits, fixedSeconds: 43_201 } },
  ]
  it('stops the start', () => {
    for (const options of broken) assert.throws(() => desk(options), RangeError)
  })
})
