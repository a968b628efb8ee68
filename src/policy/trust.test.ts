import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  decideTrust,
  explain,
  isAllowed,
  parsePolicy,
  PolicyError,
  trustedProviders,
} from './index.ts'
import type { Facts, NamedPolicy, PolicyPrincipal, TrustCaller, TrustQuestion } from './index.ts'
import { account, alice, namedPolicy, noon, questionOf } from './testing/ask.ts'

const role = `arn:aws:iam::${account}:role/uploader`
const action = 'sts:AssumeRole'
const root = `arn:aws:iam::${account}:root`
const trusting = { Effect: 'Allow', Principal: { AWS: alice }, Action: action }
const byToken = 'sts:AssumeRoleWithWebIdentity'

function trustText(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

function trustOf(...statements: readonly object[]): NamedPolicy {
  return {
    name: 'trust policy of uploader',
    policy: parsePolicy(trustText(...statements), 'trust'),
  }
}

function key(principal: Exclude<PolicyPrincipal, { kind: 'anonymous' }>): TrustCaller {
  return { kind: 'key', principal }
}

const user = key({ kind: 'user', account, arn: alice })
const sessionArn = `arn:aws:sts::${account}:assumed-role/first/s1`
const session = key({
  kind: 'session',
  account,
  arn: sessionArn,
  roleArn: `arn:aws:iam::${account}:role/first`,
})
const issuer = 'https://idp.example.com/realms/main'
const dex = { kind: 'federated', provider: 'dex', issuer } as const
const bare = 'idp.example.com/realms/main'
const arn = `arn:aws:iam::${account}:oidc-provider/${bare}`
const registered = { kind: 'federated', provider: arn, issuer, registered: true } as const

const mayAssume = namedPolicy({ Effect: 'Allow', Action: action, Resource: role })

function question(trustPolicy: NamedPolicy, more: Partial<TrustQuestion> = {}): TrustQuestion {
  return {
    caller: user,
    role,
    trustPolicy,
    actions: [action],
    facts: noon,
    identity: [],
    ceilings: [],
    ...more,
  }
}

const trusts = (trustPolicy: NamedPolicy, more: Partial<TrustQuestion> = {}): boolean =>
  decideTrust(question(trustPolicy, more)).allowed

function refuses(statement: object, says: RegExp): void {
  assert.throws(
    () => parsePolicy(trustText(statement), 'trust'),
    (error) => error instanceof PolicyError && says.test(error.message),
    JSON.stringify(statement),
  )
}

describe('the grammar of trust policies (AWS IAM User Guide, "Roles terms and concepts")', () => {
  test('refuses what would be about something else than taking the role', () => {
    refuses({ ...trusting, Resource: '*' }, /Resource: does not belong into trust policies/)
    refuses({ ...trusting, NotResource: '*' }, /does not belong into trust policies/)
    for (const strange of ['*', '*:*', 's3:GetObject', ['sts:AssumeRole', 'iam:PassRole']]) {
      refuses({ ...trusting, Action: strange }, /is no action by which a role is taken/)
    }
    const { Action: _, ...without } = trusting
    refuses({ ...without, NotAction: 'sts:TagSession' }, /NotAction: does not belong/)
    refuses(without, /Action: is missing/)
  })

  test('refuses nobody in particular', () => {
    const { Principal: _, ...without } = trusting
    refuses(without, /Principal: is missing/)
    refuses({ ...trusting, Principal: {} }, /Principal: is empty/)
    refuses({ ...trusting, Principal: { AWS: [] } }, /empty/)
    refuses({ ...without, NotPrincipal: { AWS: alice } }, /NotPrincipal: does not belong/)
    refuses({ ...without, Effect: 'Deny', NotPrincipal: { AWS: alice } }, /NotPrincipal/)
    refuses({ ...trusting, Principal: { CanonicalUser: 'x' } }, /"CanonicalUser" is no member/)
    refuses({ ...trusting, Principal: { AWS: 'alice' } }, /is not "\*", an account id/)
    refuses({ ...trusting, Principal: { AWS: `${alice}*` } }, /is not "\*", an account id/)
  })

  test('refuses a provider by pattern: one that is added years later would be in', () => {
    for (const Federated of [
      '*',
      'd*',
      'https://idp.example.com/*',
      'a b',
      '${aws:username}',
      ['dex', '?'],
    ]) {
      refuses({ ...trusting, Principal: { Federated } }, /is not the name or the issuer of one/)
    }
  })

  test('is that of no other kind, and no other kind is taken for it', () => {
    assert.throws(() => parsePolicy(trustText(trusting), 'identity'), PolicyError)
    const trust = trustOf(trusting)
    const everything = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:*' }
    const question = questionOf([trustOf(everything)], { action, resource: role })
    assert.equal(isAllowed(question), false)
    assert.match(
      explain(question).accesses[0]?.reason ?? '',
      /a policy of kind trust does not belong/,
    )
    for (const kind of ['identity', 'session'] as const) {
      const wrong = namedPolicy({ Effect: 'Allow', Action: '*', Resource: '*' }, kind)
      assert.equal(trusts(wrong), false)
    }
    assert.equal(trusts(trust), true)
  })

  test('warns of roles that anybody may take', () => {
    const warnings = (statement: object) => parsePolicy(trustText(statement), 'trust').warnings
    assert.deepEqual(warnings(trusting), [])
    assert.match(warnings({ ...trusting, Principal: '*' })[0] ?? '', /every user and every session/)
    const provider = { ...trusting, Action: byToken, Principal: { Federated: 'dex' } }
    assert.match(warnings(provider)[0] ?? '', /for everybody of the provider/)
    const Condition = { StringEquals: { 'dex:department': 'ops', 'aws:nosuch': 'x' } }
    assert.deepEqual(
      warnings({ ...provider, Condition }).map((text) => text.slice(-35)),
      ['aws:nosuch: no such key here, always absent'.slice(-35)],
    )
  })

  test('reads back as it was printed', () => {
    const text = parsePolicy(trustText(trusting), 'trust').text
    assert.equal(parsePolicy(text, 'trust').text, text)
  })
})

describe('a trust policy', () => {
  test('that cannot be read, that names nobody or is asked nothing, trusts nobody, not even root', () => {
    const broken = { name: 't', policy: { kind: 'broken', problem: 'not JSON' } } as const
    const service = trustOf({ ...trusting, Principal: { Service: 'ec2.amazonaws.com' } })
    const callers = [user, session, dex, key({ kind: 'root', account })]
    for (const trust of [broken, service]) {
      for (const caller of callers)
        assert.equal(trusts(trust, { caller, identity: [mayAssume] }), false)
    }
    assert.equal(trusts(trustOf(trusting), { actions: [] }), false)
  })

  test('names users, roles and sessions by their ARN, and nobody else', () => {
    const others = [
      key({ kind: 'user', account, arn: `${alice}2` }),
      session,
      dex,
      key({ kind: 'root', account }),
      key({ kind: 'root-session', account }),
    ]
    assert.equal(trusts(trustOf(trusting)), true)
    for (const caller of others) assert.equal(trusts(trustOf(trusting), { caller }), false)
    for (const AWS of [sessionArn, `arn:aws:iam::${account}:role/first`]) {
      assert.equal(trusts(trustOf({ ...trusting, Principal: { AWS } }), { caller: session }), true)
      assert.equal(trusts(trustOf({ ...trusting, Principal: { AWS } })), false)
    }
  })

  test('of the account leaves it to the own policies of its users and sessions', () => {
    for (const AWS of [root, account]) {
      const trust = trustOf({ ...trusting, Principal: { AWS } })
      for (const caller of [user, session]) {
        assert.equal(trusts(trust, { caller }), false)
        assert.equal(trusts(trust, { caller, identity: [mayAssume] }), true)
        const other = namedPolicy({ Effect: 'Allow', Action: action, Resource: `${role}2` })
        assert.equal(trusts(trust, { caller, identity: [other] }), false)
      }
      assert.equal(trusts(trust, { caller: key({ kind: 'root', account }) }), true)
      assert.equal(trusts(trust, { caller: dex, identity: [mayAssume] }), false)
    }
    const foreign = trustOf({ ...trusting, Principal: { AWS: '123456789012' } })
    assert.equal(trusts(foreign, { identity: [mayAssume] }), false)
  })

  test('of "*" means whoever has a key, and nobody whom only a provider vouches for', () => {
    for (const Principal of ['*', { AWS: '*' }]) {
      const trust = trustOf({ ...trusting, Principal, Action: 'sts:*' })
      assert.equal(trusts(trust), true)
      assert.equal(trusts(trust, { caller: session }), true)
      assert.equal(trusts(trust, { caller: dex, actions: [byToken] }), false)
      const closed = trustOf(
        { ...trusting, Principal: { AWS: '*', Federated: 'dex' }, Action: 'sts:*' },
        { Effect: 'Deny', Principal, Action: 'sts:*' },
      )
      for (const caller of [user, session, dex]) assert.equal(trusts(closed, { caller }), false)
    }
  })

  test('names a provider by name, by issuer, or without the scheme', () => {
    const names = ['dex', issuer, bare]
    const by = (Federated: string) =>
      trustOf({ ...trusting, Action: byToken, Principal: { Federated } })
    for (const name of names) {
      assert.equal(trusts(by(name), { caller: dex, actions: [byToken] }), true, name)
      assert.equal(trusts(by(name), { caller: dex }), false, 'another way in')
      assert.equal(
        trusts(by(name), { actions: [byToken] }),
        false,
        'a user is nobody of a provider',
      )
    }
    for (const other of [
      'Dex',
      `${issuer}/`,
      'idp.example.com',
      'http://idp.example.com/realms/main',
    ]) {
      assert.equal(trusts(by(other), { caller: dex, actions: [byToken] }), false, other)
    }
    const directory: TrustCaller = { kind: 'federated', provider: 'corp' }
    assert.equal(trusts(by('undefined'), { caller: directory, actions: [byToken] }), false)
    assert.equal(trusts(by('corp'), { caller: directory, actions: [byToken] }), true)
  })

  test('names a provider of the IAM API by its ARN, and means no other one of the issuer', () => {
    const by = (Federated: string) =>
      trustOf({ ...trusting, Action: byToken, Principal: { Federated } })
    const actions = [byToken]
    assert.equal(trusts(by(arn), { caller: registered, actions }), true)
    assert.equal(trusts(by(arn), { caller: dex, actions }), false, 'the configured one')
    for (const other of ['dex', issuer, bare, `${arn}/`, `${arn}/sub`, arn.toUpperCase()]) {
      assert.equal(trusts(by(other), { caller: registered, actions }), false, other)
    }
    const slashed = { ...registered, issuer: `${issuer}/` }
    assert.equal(trusts(by(arn), { caller: slashed, actions }), true)
  })

  test('says why the ARN of a provider does not let in who was judged by a configured one', () => {
    const trust = trustOf({ ...trusting, Action: byToken, Principal: { Federated: arn } })
    const [access] = decideTrust(question(trust, { caller: dex, actions: [byToken] })).accesses
    assert.match(access?.reason ?? '', /means the provider of the IAM API.*"dex" of the config/)
  })

  test('means all people of an issuer when it denies', () => {
    for (const Federated of [issuer, bare, arn]) {
      const trust = trustOf(
        { ...trusting, Action: byToken, Principal: { Federated: [arn, 'dex'] } },
        { Effect: 'Deny', Action: byToken, Principal: { Federated } },
      )
      for (const caller of [dex, registered]) {
        assert.equal(trusts(trust, { caller, actions: [byToken] }), false, Federated)
      }
    }
  })

  test('lets in the providers that its Allow statements name', () => {
    const trust = trustOf(
      { ...trusting, Principal: { Federated: ['a', arn] }, Action: byToken },
      { ...trusting, Principal: { Federated: ['a', 'b'] }, Action: byToken },
      { Effect: 'Deny', Principal: { Federated: 'c' }, Action: byToken },
      trusting,
    )
    assert.deepEqual(trustedProviders(trust.policy), ['a', arn, 'b'])
    assert.deepEqual(trustedProviders({ kind: 'broken', problem: 'x' }), [])
    assert.deepEqual(trustedProviders(mayAssume.policy), [], 'a policy of another kind')
  })

  test('needs every action that is asked for', () => {
    const actions = [action, 'sts:TagSession', 'sts:SetSourceIdentity']
    for (const Action of [
      action,
      [action, 'sts:TagSession'],
      ['sts:TagSession', 'sts:SetSourceIdentity'],
    ]) {
      assert.equal(trusts(trustOf({ ...trusting, Action }), { actions }), false)
    }
    assert.equal(trusts(trustOf({ ...trusting, Action: actions }), { actions }), true)
    assert.equal(trusts(trustOf({ ...trusting, Action: 'sts:*' }), { actions }), true)
  })

  test('is overruled by a deny in it, in the policies of the caller and in every ceiling', () => {
    const deny = { Effect: 'Deny', Action: action, Resource: '*' }
    assert.equal(trusts(trustOf(trusting, { ...trusting, Effect: 'Deny' })), false)
    assert.equal(trusts(trustOf(trusting), { identity: [mayAssume, namedPolicy(deny)] }), false)
    const denied = [{ name: 'c', policies: [mayAssume, namedPolicy(deny)] }]
    assert.equal(trusts(trustOf(trusting), { ceilings: denied }), false)
  })

  test('cannot lift a ceiling: each must allow the role, even for whom the policy names', () => {
    const silent = namedPolicy({ Effect: 'Allow', Action: 's3:*', Resource: '*' }, 'session')
    const open = { name: 'session policy', policies: [mayAssume] }
    const shut = { name: 'session policy', policies: [silent] }
    assert.equal(trusts(trustOf(trusting), { ceilings: [open] }), true)
    for (const ceilings of [[shut], [open, shut], [{ name: 'empty', policies: [] }]]) {
      assert.equal(trusts(trustOf(trusting), { ceilings }), false)
    }
    const rootSession = key({ kind: 'root-session', account })
    const account_ = trustOf({ ...trusting, Principal: { AWS: root } })
    assert.equal(trusts(account_, { caller: rootSession }), true)
    assert.equal(trusts(account_, { caller: rootSession, ceilings: [shut] }), false)
  })

  test('says who decided, for the trace', () => {
    const reason = (trust: NamedPolicy, more: Partial<TrustQuestion> = {}) =>
      decideTrust(question(trust, more)).accesses[0]?.reason
    assert.equal(
      reason(trustOf({ ...trusting, Sid: 'Alice' })),
      'statement 0 (Alice) of "trust policy of uploader" trusts the caller with sts:AssumeRole',
    )
    assert.match(
      reason(trustOf({ ...trusting, Principal: { AWS: `${alice}2` } })) ?? '',
      /no statement of "trust policy of uploader" trusts/,
    )
    const account_ = trustOf({ ...trusting, Principal: { AWS: root } })
    assert.match(reason(account_) ?? '', /^the account is trusted, yet no policy allows/)
    const [decided] = decideTrust(question(trustOf(trusting))).accesses
    assert.deepEqual(
      decided?.layers.map(({ layer, verdict }) => [layer, verdict]),
      [
        ['trust', 'allow'],
        ['identity', 'no-match'],
      ],
    )
  })
})

describe('conditions of trust policies', () => {
  const holds = (condition: object, facts: Partial<Facts>, caller: TrustCaller = dex): boolean => {
    const Principal = { Federated: 'dex', AWS: alice }
    const trust = trustOf({ ...trusting, Action: byToken, Principal, Condition: condition })
    return trusts(trust, { caller, actions: [byToken], facts: { ...noon, ...facts } })
  }
  const claims = new Map<string, unknown>([
    ['aud', ['app', 'other']],
    ['sub', 'alice'],
    ['email_verified', true],
    ['level', 3],
    ['groups', ['dev', 7, 'ops']],
    ['realm_access', { roles: ['uploader'], deep: { er: 'x' } }],
    ['flat.name', 'flat'],
    ['cognito:groups', ['a']],
    ['aws:username', 'root'],
  ])
  const facts = { federated: { provider: 'dex', issuer, claims } }

  test('read the claims of the provider that vouches, by its name or its issuer', () => {
    const bare = 'idp.example.com/realms/main'
    const positive = [
      { StringEquals: { [`${bare}:aud`]: 'app', 'dex:aud': 'other' } },
      { StringEquals: { 'DEX:sub': 'alice' } },
      { StringLike: { 'dex:sub': 'al*' } },
      { Bool: { 'dex:email_verified': 'true' } },
      { NumericGreaterThan: { 'dex:level': '2' } },
      { 'ForAnyValue:StringEquals': { 'dex:groups': ['ops'] } },
      { StringEquals: { 'dex:realm_access.roles': 'uploader' } },
      { StringEquals: { 'dex:realm_access.deep.er': 'x' } },
      { StringEquals: { 'dex:flat.name': 'flat' } },
      { StringEquals: { 'dex:cognito:groups': 'a' } },
      { StringEquals: { 'dex:aws:username': 'root' } },
    ]
    for (const condition of positive)
      assert.equal(holds(condition, facts), true, JSON.stringify(condition))
  })

  test('find nothing where another provider, another case or another shape is meant', () => {
    const negative = [
      { StringEquals: { 'other:sub': 'alice' } },
      { StringEquals: { 'de:sub': 'alice' } },
      { StringEquals: { 'dex:Sub': 'alice' } },
      { StringEquals: { 'dex:realm_access': 'uploader' } },
      { StringEquals: { 'dex:realm_access.constructor': 'x' } },
      { StringEquals: { 'dex:groups.length': '3' } },
      { StringEquals: { 'dex:groups': '7' } },
      { StringEquals: { 'dex:nosuch': '' } },
      { StringEquals: { 'dex:__proto__': '' } },
      { StringEquals: { 'idp.example.com:sub': 'alice' } },
    ]
    for (const condition of negative)
      assert.equal(holds(condition, facts), false, JSON.stringify(condition))
    assert.equal(holds({ StringEquals: { 'dex:sub': 'alice' } }, {}), false)
  })

  test('let no claim pose as a key of a namespace of ours, whatever a provider is called', () => {
    const reserved = [
      'aws:username',
      'sts:ExternalId',
      'jwt:sub',
      'ldap:user',
      'cert:cn',
      's3:prefix',
      'aws:sub',
    ]
    for (const name of reserved) {
      const provider = name.slice(0, name.indexOf(':'))
      const everything = new Map<string, unknown>(
        ['username', 'ExternalId', 'sub', 'user', 'cn', 'prefix'].map((claim) => [claim, 'x']),
      )
      const posing = { federated: { provider, issuer: `https://${provider}`, claims: everything } }
      assert.equal(holds({ StringEquals: { [name]: 'x' } }, posing), false, name)
    }
  })

  test('read the facts of the request and of certificates and directories', () => {
    const all: Partial<Facts> = {
      requestTags: new Map([['team', 'blue']]),
      principalTags: new Map([['level', 'high']]),
      sts: {
        ExternalId: 'e-1',
        RoleSessionName: 's1',
        SourceIdentity: 'ann',
        TransitiveTagKeys: ['team'],
      },
      ldap: { user: 'uid=a', username: 'a', groups: ['cn=g'] },
      cert: { cn: 'host', san_dns: ['a.example', 'b.example'], serial: '0a', organization: ['o'] },
    }
    const keys: Readonly<Record<string, string>> = {
      'aws:RequestTag/team': 'blue',
      'aws:TagKeys': 'team',
      'aws:PrincipalTag/level': 'high',
      'sts:ExternalId': 'e-1',
      'sts:RoleSessionName': 's1',
      'sts:SourceIdentity': 'ann',
      'sts:TransitiveTagKeys': 'team',
      'ldap:username': 'a',
      'ldap:groups': 'cn=g',
      'cert:cn': 'host',
      'cert:san_dns': 'b.example',
      'cert:serial': '0a',
      'cert:organization': 'o',
    }
    for (const [name, value] of Object.entries(keys)) {
      assert.equal(holds({ StringEquals: { [name]: value } }, all), true, name)
      assert.equal(holds({ StringEquals: { [name]: value } }, {}), false, name)
    }
  })
})

describe('any trust policy', () => {
  const statement = fc.record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    Principal: fc.constantFrom<object | string>(
      '*',
      { AWS: alice },
      { AWS: root },
      { Federated: 'dex' },
    ),
    Action: fc.constantFrom('sts:*', action, byToken, 'sts:TagSession'),
  })
  const callers = fc.constantFrom(user, session, dex, key({ kind: 'root', account }))
  const identity = fc.subarray([mayAssume])

  test('trusts nobody more for one more Deny, and nobody less for one more Allow', () => {
    fc.assert(
      fc.property(
        fc.array(statement, { minLength: 1 }),
        statement,
        callers,
        identity,
        (some, more, caller, policies) => {
          const before = trusts(trustOf(...some), { caller, identity: policies })
          const after = trusts(trustOf(...some, more), { caller, identity: policies })
          assert.ok(more.Effect === 'Deny' ? before || !after : !before || after)
        },
      ),
    )
  })
})
