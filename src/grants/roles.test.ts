import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GrantError, sessionArn, sessionUserId } from './index.ts'
import type { Grant, GrantErrorCode, GrantRequest, GrantsOptions } from './index.ts'
import {
  accountRoot,
  allowRead,
  allowWrite,
  assumeRoleRequest,
  desk,
  directoryOf,
  keyPrincipal,
  policy,
  roleOf,
  secondsFromNow,
  sessionOf,
  tokenPrincipal,
  webIdentityRequest,
  type People,
} from './testing/desk.ts'

const arnOf = (name: string) => `arn:aws:iam::000000000000:role/${name}`
const userAlice = { AWS: 'arn:aws:iam::000000000000:user/alice' }
const trust = (
  Principal: object | string,
  Action: string | readonly string[],
  Condition?: object,
) => ({
  Effect: 'Allow',
  Principal,
  Action,
  ...(Condition && { Condition }),
})
const everyone = trust('*', 'sts:*')
const uploader = roleOf('uploader', everyone)
const rolePolicies = { uploader: [policy('role uploader: put', allowWrite)] }
const alice = keyPrincipal('user', 'alice')
const root = keyPrincipal('root', 'root')
const mayAssume = policy('may-assume', { Effect: 'Allow', Action: 'sts:*', Resource: '*' })

const request: GrantRequest = { ...assumeRoleRequest, roleArn: arnOf('uploader') }

function deskWith(people: People, options: Partial<GrantsOptions> = {}) {
  return desk({
    directory: directoryOf({ roles: [uploader], rolePolicies, ...people }),
    ...options,
  })
}

function refusal(use: () => unknown, code: GrantErrorCode): GrantError {
  try {
    use()
  } catch (error) {
    assert.ok(error instanceof GrantError, String(error))
    assert.equal(error.code, code, error.message)
    assert.equal(error.trace.at(-1)?.outcome, 'refused')
    return error
  }
  return assert.fail('was granted')
}

describe('a role that its trust policy does not give', () => {
  it('is refused to users and to root, whatever they may do themselves', () => {
    const others = [
      trust({ AWS: 'arn:aws:iam::000000000000:user/bob' }, 'sts:AssumeRole'),
      trust({ Federated: 'dex' }, 'sts:*'),
      trust({ Service: 'ec2.amazonaws.com' }, 'sts:AssumeRole'),
      trust(userAlice, 'sts:AssumeRoleWithWebIdentity'),
    ]
    for (const statement of others) {
      const grants = deskWith({
        roles: [roleOf('uploader', statement)],
        users: { alice: [mayAssume] },
      })
      refusal(() => grants.authorizeUser(alice, request), 'role_not_trusted')
      refusal(() => grants.authorizeUser(root, request), 'role_not_trusted')
    }
  })

  it('is not replaced by what the caller has itself', () => {
    const nobody = roleOf('uploader', trust({ Service: 'x' }, 'sts:AssumeRole'))
    const grants = deskWith({ roles: [nobody] })
    refusal(() => grants.authorizeUser(alice, request), 'role_not_trusted')
    const token = tokenPrincipal({ policy: 'readonly' })
    const byToken = { ...webIdentityRequest, roleArn: arnOf('uploader') }
    refusal(() => grants.authorizeWebIdentity(token, byToken), 'role_not_trusted')
  })

  it('is refused when the trust policy or a policy of the role cannot be read', () => {
    const problem = { kind: 'broken', problem: 'not JSON' } as const
    const broken = deskWith({ roles: [{ ...uploader, trustPolicy: problem }] })
    refusal(() => broken.authorizeUser(root, request), 'role_not_trusted')
    const unknown = deskWith({ rolePolicies: { uploader: [{ name: 'gone', policy: problem }] } })
    refusal(() => unknown.authorizeUser(root, request), 'denied')
  })

  it('is refused to the account while the own policies do not allow it', () => {
    const ofAccount = [roleOf('uploader', trust(accountRoot, 'sts:AssumeRole'))]
    refusal(() => deskWith({ roles: ofAccount }).authorizeUser(alice, request), 'role_not_trusted')
    const allowed = deskWith({ roles: ofAccount, users: { alice: [mayAssume] } })
    assert.equal(allowed.authorizeUser(alice, request).source.kind, 'role')
    assert.equal(deskWith({ roles: ofAccount }).authorizeUser(root, request).source.kind, 'role')
    const bounded = deskWith({
      roles: ofAccount,
      users: { alice: [mayAssume] },
      boundaries: { alice: policy('boundary', allowRead) },
    })
    refusal(() => bounded.authorizeUser(alice, request), 'role_not_trusted')
  })

  it('is refused under a name by which bucket policies know somebody else', () => {
    for (const name of ['user=alice', 'openid=dex', 'root']) {
      const grants = deskWith({ roles: [roleOf(name, everyone)] })
      const wrong = { ...request, roleArn: arnOf(name) }
      refusal(() => grants.authorizeUser(root, wrong), 'role_not_trusted')
    }
  })

  it('tells the caller no more than that, and the trace why', () => {
    const nobody = roleOf('uploader', trust({ Service: 'x' }, 'sts:AssumeRole'))
    const error = refusal(
      () => deskWith({ roles: [nobody] }).authorizeUser(alice, request),
      'role_not_trusted',
    )
    const arn = arnOf('uploader')
    assert.equal(error.message, `Not authorized to perform sts:AssumeRole on ${arn}`)
    assert.deepEqual(error.trace.map(({ step, detail }) => [step, detail]).slice(-2), [
      [
        'trust',
        `no statement of "trust policy of uploader" trusts the caller with sts:AssumeRole on ${arn}`,
      ],
      ['role', error.message],
    ])
  })

  it('is not meant by its bare name or by the ARN of another account: then the caller stays who it is', () => {
    const grants = deskWith({})
    for (const roleArn of [
      'uploader',
      'arn:aws:iam::123456789012:role/uploader',
      arnOf('uploader/x'),
    ]) {
      const grant = grants.authorizeUser(alice, { ...request, roleArn })
      assert.deepEqual(grant.source, { kind: 'user', name: 'alice' }, 'the caller itself')
      assert.equal(grants.namesRole(roleArn), false)
    }
    assert.equal(grants.namesRole(arnOf('uploader')), true)
  })
})

describe('a grant of a role', () => {
  it('goes by the role: its id, its name, and whoever took it', () => {
    const grant = deskWith({}).authorizeUser(alice, { ...request, roleSessionName: 's1' })
    const { id } = uploader
    assert.deepEqual(grant.source, { kind: 'role', arn: uploader.arn, name: 'uploader', id })
    assert.equal(grant.principal.subject, 'alice')
    assert.equal(sessionArn(grant), 'arn:aws:sts::000000000000:assumed-role/uploader/s1')
    assert.equal(sessionUserId(grant), `${id}:s1`)
    assert.deepEqual(
      grant.trace.map(({ step, outcome }) => `${step} ${outcome}`),
      ['role ok', 'duration ok', 'trust ok', 'denies ok'],
    )
  })

  it('lasts no longer than the role allows', () => {
    const seconds = (durationSeconds?: number, maxSessionSeconds = 7200): number => {
      const roles = [{ ...uploader, maxSessionSeconds }]
      const grant = deskWith({ roles }).authorizeUser(alice, { ...request, durationSeconds })
      return (grant.expiresAt.getTime() - grant.issuedAt.getTime()) / 1000
    }
    assert.equal(seconds(), 3600)
    assert.equal(seconds(7200), 7200)
    refusal(() => seconds(7201), 'invalid_parameter')
    refusal(() => seconds(43_201, 43_200), 'invalid_parameter')
    refusal(() => seconds(899), 'invalid_parameter')
  })

  it('by token lasts no longer than the token and the role, and goes by its claims', () => {
    const grants = deskWith({
      roles: [
        roleOf(
          'uploader',
          trust({ Federated: 'https://idp.example.com' }, 'sts:AssumeRoleWithWebIdentity', {
            StringEquals: { 'dex:department': 'ops', 'idp.example.com:sub': 'alice' },
          }),
        ),
      ],
    })
    const take = (claims: object, seconds = 100_000) =>
      grants.authorizeWebIdentity(
        tokenPrincipal({ ...claims }, { expiresAt: secondsFromNow(seconds) }),
        { ...webIdentityRequest, roleArn: arnOf('uploader') },
      )
    assert.deepEqual(take({ department: 'ops' }).expiresAt, secondsFromNow(3600))
    assert.deepEqual(take({ department: 'ops' }, 1200).expiresAt, secondsFromNow(1200))
    refusal(() => take({ department: 'dev' }), 'role_not_trusted')
    refusal(() => take({}), 'role_not_trusted')
  })

  it('by token needs no mapping for the provider, and is for either mode of providers', () => {
    const roles = [roleOf('uploader', trust({ Federated: 'okta' }, 'sts:*'))]
    const grants = deskWith({ roles })
    const bob = tokenPrincipal({}, { provider: 'okta', subject: 'bob' })
    const byToken = { ...webIdentityRequest, roleArn: arnOf('uploader') }
    assert.equal(grants.authorizeWebIdentity(bob, byToken).source.kind, 'role')
    assert.equal(grants.chooseProvider(arnOf('uploader')), undefined)
    refusal(() => grants.authorizeWebIdentity(tokenPrincipal({}), byToken), 'role_not_trusted')
  })

  it('heeds what the trust policy demands of the call', () => {
    const demand = (Condition: object) =>
      deskWith({ roles: [roleOf('uploader', trust(userAlice, 'sts:*', Condition))] })
    const external = demand({ StringEquals: { 'sts:ExternalId': 'e-1' } })
    refusal(() => external.authorizeUser(alice, request), 'role_not_trusted')
    assert.ok(external.authorizeUser(alice, { ...request, externalId: 'e-1' }))
    const named = demand({ StringEquals: { 'sts:RoleSessionName': '${aws:username}' } })
    refusal(
      () => named.authorizeUser(alice, { ...request, roleSessionName: 'bob' }),
      'role_not_trusted',
    )
    assert.ok(named.authorizeUser(alice, { ...request, roleSessionName: 'alice' }))
    const here = demand({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })
    refusal(() => here.authorizeUser(alice, request), 'role_not_trusted')
    const tagged = demand({ StringEquals: { 'aws:PrincipalTag/team': 'blue' } })
    refusal(() => tagged.authorizeUser(alice, request), 'role_not_trusted')
    const blue = deskWith({
      roles: [
        roleOf(
          'uploader',
          trust(userAlice, 'sts:*', { StringEquals: { 'aws:PrincipalTag/team': 'blue' } }),
        ),
      ],
      userTags: new Map([['team', 'blue']]),
    })
    assert.ok(blue.authorizeUser(alice, request))
  })
})

describe('session tags', () => {
  const tagging = (
    tags: readonly (readonly [string, string])[],
    transitiveTagKeys: readonly string[] = [],
  ) => ({
    ...request,
    tags,
    transitiveTagKeys,
  })

  it('need sts:TagSession of the role', () => {
    const roles = [roleOf('uploader', trust(userAlice, 'sts:AssumeRole'))]
    const tags = [['team', 'blue']] as const
    refusal(() => deskWith({ roles }).authorizeUser(alice, tagging(tags)), 'role_not_trusted')
    assert.deepEqual([...deskWith({}).authorizeUser(alice, tagging(tags)).tags], [...tags])
  })

  it('are judged one by one by the trust policy', () => {
    const only = {
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
      StringLike: { 'aws:RequestTag/team': 'b*' },
    }
    const roles = [roleOf('uploader', trust(userAlice, ['sts:AssumeRole', 'sts:TagSession'], only))]
    const take = (...tags: (readonly [string, string])[]) =>
      deskWith({ roles }).authorizeUser(alice, tagging(tags))
    assert.equal(take(['team', 'blue']).tags.size, 1)
    refusal(() => take(['team', 'red']), 'role_not_trusted')
    refusal(() => take(['team', 'blue'], ['admin', 'yes']), 'role_not_trusted')
  })

  it('of one who takes no role need sts:TagSession of its own policies', () => {
    const self = { ...assumeRoleRequest, tags: [['team', 'blue']] as const }
    refusal(() => deskWith({}).authorizeUser(alice, self), 'denied')
    const allowed = deskWith({ users: { alice: [mayAssume] } }).authorizeUser(alice, self)
    assert.equal(allowed.tags.get('team'), 'blue')
    assert.equal(deskWith({}).authorizeUser(root, self).tags.get('team'), 'blue')
  })

  it('keep to the limits of AWS', () => {
    const take = (...tags: (readonly [string, string])[]) =>
      deskWith({}).authorizeUser(alice, tagging(tags))
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => [`k${index}`, ''] as const)
    assert.equal(take(...many(50)).tags.size, 50)
    assert.equal(take(['k'.repeat(128), 'v'.repeat(256)], ['é Ω/_.:=+-@', '']).tags.size, 2)
    const wrong: readonly (readonly [string, string])[][] = [
      [...many(51)],
      [['', 'v']],
      [['k'.repeat(129), 'v']],
      [['k', 'v'.repeat(257)]],
      [['aws:username', 'root']],
      [['AWS:x', '']],
      [['a*', '']],
      [['k', '${aws:username}']],
      [['k', 'a\nb']],
      [['\uD800', '']],
      [
        ['team', 'a'],
        ['team', 'b'],
      ],
      [
        ['team', 'a'],
        ['Team', 'b'],
      ],
    ]
    for (const tags of wrong) refusal(() => take(...tags), 'invalid_parameter')
    const stray = tagging([['team', 'blue']], ['other'])
    refusal(() => deskWith({}).authorizeUser(alice, stray), 'invalid_parameter')
  })

  it('come with a token, nested or flat, when a role is taken', () => {
    const nested = {
      'https://aws.amazon.com/tags': {
        principal_tags: { team: ['blue'], level: 'high' },
        transitive_tag_keys: ['team'],
      },
    }
    const flat = {
      'https://aws.amazon.com/tags/principal_tags/team': ['blue'],
      'https://aws.amazon.com/tags/principal_tags/level': 'high',
      'https://aws.amazon.com/tags/transitive_tag_keys': ['team'],
    }
    const byToken = { ...webIdentityRequest, roleArn: arnOf('uploader') }
    const roles = [roleOf('uploader', trust({ Federated: 'dex' }, 'sts:*'))]
    for (const claims of [nested, flat]) {
      const grant = deskWith({ roles }).authorizeWebIdentity(tokenPrincipal(claims), byToken)
      assert.deepEqual(
        [...grant.tags],
        [
          ['team', 'blue'],
          ['level', 'high'],
        ],
      )
      assert.deepEqual(grant.transitiveTagKeys, ['team'])
    }
    const silent = [
      roleOf('uploader', trust({ Federated: 'dex' }, 'sts:AssumeRoleWithWebIdentity')),
    ]
    const grants = deskWith({ roles: silent })
    refusal(() => grants.authorizeWebIdentity(tokenPrincipal(nested), byToken), 'role_not_trusted')
    const strange = [
      { principal_tags: { team: ['a', 'b'] } },
      { principal_tags: { team: 7 } },
      { principal_tags: { team: 'a' }, transitive_tag_keys: 'team' },
      { principal_tags: { 'aws:x': 'a' } },
      { principal_tags: { a: 'x', A: 'y' } },
    ]
    for (const claim of strange) {
      const token = tokenPrincipal({ 'https://aws.amazon.com/tags': claim })
      refusal(() => deskWith({ roles }).authorizeWebIdentity(token, byToken), 'invalid_parameter')
    }
  })

  it('of a token without a role are passed over: no trust policy judges them', () => {
    const claims = {
      policy: 'readonly',
      'https://aws.amazon.com/tags': { principal_tags: { a: 'b' } },
    }
    const grant = deskWith({}).authorizeWebIdentity(tokenPrincipal(claims), webIdentityRequest)
    assert.equal(grant.tags.size, 0)
  })
})

describe('the source identity', () => {
  it('needs sts:SetSourceIdentity, of the role or of the own policies', () => {
    const asked = { ...request, sourceIdentity: 'ann' }
    assert.equal(deskWith({}).authorizeUser(alice, asked).sourceIdentity, 'ann')
    const roles = [roleOf('uploader', trust(userAlice, ['sts:AssumeRole', 'sts:TagSession']))]
    refusal(() => deskWith({ roles }).authorizeUser(alice, asked), 'role_not_trusted')
    const self = { ...assumeRoleRequest, sourceIdentity: 'ann' }
    refusal(() => deskWith({}).authorizeUser(alice, self), 'denied')
  })

  it('is a name as AWS has it', () => {
    for (const sourceIdentity of ['a', 'a b', 'a/b', 'x'.repeat(65), 'ä1']) {
      refusal(
        () => deskWith({}).authorizeUser(alice, { ...request, sourceIdentity }),
        'invalid_parameter',
      )
    }
  })
})

describe('PolicyArns', () => {
  const take = (policyArns: readonly string[], more: Partial<GrantRequest> = {}): Grant =>
    deskWith({}).authorizeUser(alice, { ...request, policyArns, ...more })

  it('unite with the document that was sent, and are kept by name', () => {
    const arns = ['arn:aws:iam::aws:policy/readonly', 'arn:aws:iam::000000000000:policy/writeonly']
    const named = take([...arns, ...arns])
    assert.deepEqual(named.sessionPolicyNames, [['readonly', 'writeonly']])
    assert.deepEqual(named.sessionPolicies, [[]])
    const sessionPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [allowRead] })
    const both = take(arns, { sessionPolicy })
    assert.deepEqual([both.sessionPolicies.length, both.sessionPolicyNames.length], [1, 1])
  })

  it('that name nothing are refused: they would have narrowed', () => {
    const wrong = [
      'readonly',
      'arn:aws:iam::aws:policy/ReadOnlyAccess',
      'arn:aws:iam::123456789012:policy/readonly',
      'arn:aws:iam::aws:policy/path/readonly',
      '',
    ]
    for (const arn of wrong) refusal(() => take([arn]), 'invalid_parameter')
    refusal(
      () => take(Array<string>(11).fill('arn:aws:iam::aws:policy/readonly')),
      'invalid_parameter',
    )
  })
})

describe('a session that takes a role', () => {
  const second = roleOf('second', everyone)
  const people = {
    roles: [uploader, second],
    rolePolicies: { ...rolePolicies, second: [mayAssume] },
  }
  const toSecond = { ...request, roleArn: arnOf('second') }
  const first = (more: Partial<GrantRequest> = {}) =>
    deskWith(people).authorizeUser(alice, { ...request, ...more })

  it('keeps the person, hands on the line of sessions, and gets an hour and no more than it has left', () => {
    const parent = sessionOf({ ...first(), expiresAt: secondsFromNow(1800) }, 'ASIAFIRST')
    const grants = deskWith({
      ...people,
      roles: [uploader, { ...second, maxSessionSeconds: 43_200 }],
    })
    const child = grants.authorizeSession(parent, { ...toSecond, durationSeconds: 43_200 })
    assert.equal(child.principal.subject, 'alice')
    assert.deepEqual(child.expiresAt, secondsFromNow(1800))
    assert.equal(child.lineage.parentAccessKeyId, 'ASIAFIRST')
    assert.deepEqual(child.lineage.ancestors, [
      {
        accessKeyId: 'ASIAFIRST',
        sealingKey: 'k',
        issuedAt: parent.issuedAt,
        source: parent.source,
      },
    ])
    const long = sessionOf({ ...parent, expiresAt: secondsFromNow(20_000) } as unknown as Grant)
    const capped = grants.authorizeSession(long, { ...toSecond, durationSeconds: 7200 })
    assert.deepEqual(capped.expiresAt, secondsFromNow(3600))
    const grandchild = grants.authorizeSession(sessionOf(child, 'ASIASECOND'), request)
    assert.deepEqual(
      grandchild.lineage.ancestors?.map(({ accessKeyId }) => accessKeyId),
      ['ASIAFIRST', 'ASIASECOND'],
    )
  })

  it('is refused without a role of the directory, by another action, and as a federated user', () => {
    const grants = deskWith(people)
    const parent = sessionOf(first())
    for (const roleArn of [undefined, '', 'arn:aws:iam::1:role/x', arnOf('nosuch')]) {
      refusal(() => grants.authorizeSession(parent, { ...request, roleArn }), 'caller_not_allowed')
    }
    for (const action of ['sts:GetSessionToken', 'sts:GetFederationToken'] as const) {
      refusal(() => grants.authorizeSession(parent, { ...toSecond, action }), 'caller_not_allowed')
    }
    const federated = { ...parent, way: 'federation' as const }
    refusal(() => grants.authorizeSession(federated, toSecond), 'caller_not_allowed')
  })

  it('is refused what its session policy does not allow, even where the role trusts everybody', () => {
    const sessionPolicy = JSON.stringify({ Version: '2012-10-17', Statement: [allowRead] })
    const parent = sessionOf(first({ sessionPolicy }))
    refusal(() => deskWith(people).authorizeSession(parent, toSecond), 'role_not_trusted')
  })

  it('is refused when its own role or user is gone, disabled or made again', () => {
    const parent = sessionOf(first())
    const again = { ...uploader, id: 'AROAANOTHER' }
    const without: readonly People[] = [
      { ...people, roles: [second] },
      { ...people, roles: [again, second] },
      { ...people, users: {} },
    ]
    for (const each of without) {
      refusal(() => deskWith(each).authorizeSession(parent, toSecond), 'role_not_trusted')
    }
  })

  it('hands on its transitive tags alone, and cannot change them', () => {
    const parent = sessionOf(
      first({
        tags: [
          ['team', 'blue'],
          ['own', 'x'],
        ],
        transitiveTagKeys: ['team'],
      }),
    )
    const grants = deskWith(people)
    const child = grants.authorizeSession(parent, { ...toSecond, tags: [['more', 'y']] })
    assert.deepEqual(
      [...child.tags],
      [
        ['team', 'blue'],
        ['more', 'y'],
      ],
    )
    assert.deepEqual(child.transitiveTagKeys, ['team'])
    for (const key of ['team', 'TEAM']) {
      const changed = { ...toSecond, tags: [[key, 'red']] as const }
      refusal(() => grants.authorizeSession(parent, changed), 'invalid_parameter')
    }
  })

  it('needs leave of the next role for the tags and the source identity that it brings', () => {
    const plain = roleOf('second', trust('*', 'sts:AssumeRole'))
    const grants = deskWith({ ...people, roles: [uploader, plain] })
    const tagged = sessionOf(first({ tags: [['team', 'blue']], transitiveTagKeys: ['team'] }))
    refusal(() => grants.authorizeSession(tagged, toSecond), 'role_not_trusted')
    const named = sessionOf(first({ sourceIdentity: 'ann' }))
    refusal(() => grants.authorizeSession(named, toSecond), 'role_not_trusted')
    assert.ok(grants.authorizeSession(sessionOf(first()), toSecond))
    const fenced = roleOf(
      'second',
      trust('*', 'sts:*', { StringNotEquals: { 'aws:RequestTag/team': 'blue' } }),
    )
    const careful = deskWith({ ...people, roles: [uploader, fenced] })
    refusal(() => careful.authorizeSession(tagged, toSecond), 'role_not_trusted')
  })

  it('keeps its source identity for good', () => {
    const parent = sessionOf(first({ sourceIdentity: 'ann' }))
    const grants = deskWith(people)
    assert.equal(grants.authorizeSession(parent, toSecond).sourceIdentity, 'ann')
    const same = { ...toSecond, sourceIdentity: 'ann' }
    assert.equal(grants.authorizeSession(parent, same).sourceIdentity, 'ann')
    const other = { ...toSecond, sourceIdentity: 'bob' }
    refusal(() => grants.authorizeSession(parent, other), 'invalid_parameter')
  })
})
