import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GrantError, sessionArn, sessionUserId } from './index.ts'
import type { GrantErrorCode, GrantRequest, Grants, GrantsOptions, IssueAction } from './index.ts'
import {
  allowRead,
  allowWrite,
  assumeRoleRequest,
  desk,
  directoryOf,
  keyPrincipal,
  limits,
  policy,
  roleOf,
  secondsFromNow,
  tokenPrincipal,
  type People,
} from './testing/desk.ts'

const roleArn = 'arn:aws:iam::000000000000:role/uploader'
const pluginArn = 'arn:minio:iam:::role/idmp-hook'
const trustedBy = (Federated: string, Condition?: object) =>
  roleOf('uploader', {
    Effect: 'Allow',
    Principal: { Federated },
    Action: 'sts:*',
    ...(Condition && { Condition }),
  })
const ask = (action: IssueAction, more: Partial<GrantRequest> = {}): GrantRequest => ({
  ...assumeRoleRequest,
  action,
  ...more,
})

function deskWith(people: People, options: Partial<GrantsOptions> = {}): Grants {
  return desk({ directory: directoryOf(people), ...options })
}

function refused(use: () => unknown, code: GrantErrorCode): void {
  assert.throws(use, (error) => {
    assert.ok(error instanceof GrantError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

describe('an LDAP login', () => {
  const dn = 'uid=ann,dc=example'
  const group = 'cn=devs,dc=example'
  const ann = tokenPrincipal(
    { 'ldap:username': 'ann', 'ldap:user': 'uid=Ann,dc=example', ldapAttrib_mail: ['a@example'] },
    {
      kind: 'ldap',
      provider: 'corp',
      issuer: 'corp',
      subject: dn,
      groups: [group],
      expiresAt: undefined,
    },
  )
  const request = ask('sts:AssumeRoleWithLDAPIdentity')
  const attached = {
    [`corp ldap-user ${dn}`]: [policy('readonly', allowRead)],
    [`corp ldap-group ${group}`]: [policy('writeonly', allowWrite)],
  }

  it('to which nothing is attached gets nothing', () => {
    refused(() => deskWith({}).authorizeLdap(ann, request), 'no_policy')
    const wrongKind = { [`corp ldap-group ${dn}`]: [policy('readonly', allowRead)] }
    refused(() => deskWith({ attached: wrongKind }).authorizeLdap(ann, request), 'no_policy')
    const elsewhere = {
      [`guests ldap-user ${dn}`]: [policy('readonly', allowRead)],
      [`guests ldap-group ${group}`]: [policy('readonly', allowRead)],
    }
    refused(() => deskWith({ attached: elsewhere }).authorizeLdap(ann, request), 'no_policy')
  })

  it('goes by what is attached to the person and to its groups, looked up at each use', () => {
    const grant = deskWith({ attached }).authorizeLdap(ann, request)
    assert.deepEqual(grant.source, { kind: 'ldap', user: dn })
    assert.deepEqual(grant.principal.groups, [group])
    assert.deepEqual([...grant.principal.claims], [['username', 'ann']])
    assert.deepEqual(grant.expiresAt, secondsFromNow(3600))
    assert.equal(sessionUserId(grant), `corp:${dn}`)
    assert.match(sessionArn(grant), /assumed-role\/ldap=corp\/uid=ann,dc=example$/)
  })

  it('heeds denies, broken policies and session policies; no fixed duration', () => {
    const deny = policy('deny', { Effect: 'Deny', Action: 'sts:*', Resource: '*' })
    const broken = { name: 'gone', policy: { kind: 'broken', problem: 'gone' } } as const
    for (const bad of [deny, broken]) {
      const more = { ...attached, [`corp ldap-group ${group}`]: [bad] }
      refused(() => deskWith({ attached: more }).authorizeLdap(ann, request), 'denied')
    }
    const when = { StringEquals: { 'ldap:username': 'ann', 'ldap:user': dn, 'ldap:groups': group } }
    const byName = policy('deny', {
      Effect: 'Deny',
      Action: 'sts:*',
      Resource: '*',
      Condition: when,
    })
    const named = { ...attached, [`corp ldap-group ${group}`]: [byName] }
    refused(() => deskWith({ attached: named }).authorizeLdap(ann, request), 'denied')
    refused(
      () => deskWith({ attached }).authorizeLdap(ann, { ...request, sessionPolicy: '{' }),
      'malformed_policy',
    )
    const fixed = deskWith({ attached }, { limits: { ...limits, fixedSeconds: 10_800 } })
    assert.deepEqual(fixed.authorizeLdap(ann, request).expiresAt, secondsFromNow(3600))
  })

  it('takes a role by its trust policy, and needs nothing attached for it', () => {
    const condition = {
      StringEquals: { 'ldap:groups': group, 'corp:ldapAttrib_mail': 'a@example' },
    }
    const byRole = { ...request, roleArn }
    const grants = deskWith({ roles: [trustedBy('corp', condition)] })
    assert.equal(grants.authorizeLdap(ann, byRole).source.kind, 'role')
    const others = deskWith({ attached, roles: [trustedBy('other')] })
    refused(() => others.authorizeLdap(ann, byRole), 'role_not_trusted')
  })
})

describe('the ceiling of the tenant, when credentials are asked for', () => {
  const host = tokenPrincipal(
    { cn: 'host' },
    { kind: 'certificate', provider: 'tls', issuer: 'CN=ca', subject: 'host' },
  )
  const mayTag = policy('tagger', { Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' })
  const mapping = { kind: 'policies', policies: ['tagger'] } as const
  const noTags = policy('no-tags', { Effect: 'Allow', Action: 's3:*', Resource: '*' })
  const noTokens = policy(
    'no-tokens',
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'sts:AssumeRoleWithWebIdentity', Resource: '*' },
  )
  const policies = [mayTag, noTags, noTokens, policy('readonly', allowRead)]

  it('lets nobody give itself tags beyond it', () => {
    const request = ask('sts:AssumeRoleWithCertificate', { tags: [['team', 'admin']] })
    const options = { certificates: { mappingOf: () => mapping } }
    const free = deskWith({ policies }, options)
    assert.equal(free.authorizeCertificate(host, request).tags.get('team'), 'admin')
    const bound = deskWith({ policies }, { ...options, tenantCeiling: ['no-tags'] })
    refused(() => bound.authorizeCertificate(host, request), 'denied')
    assert.ok(bound.authorizeCertificate(host, { ...request, tags: [] }))
  })

  it('forbids a way in by a Deny, and every way when it is not there', () => {
    const alice = tokenPrincipal({ policy: 'readonly' })
    const roles = [trustedBy('dex')]
    for (const request of [
      ask('sts:AssumeRoleWithWebIdentity'),
      ask('sts:AssumeRoleWithWebIdentity', { roleArn }),
    ]) {
      assert.ok(deskWith({ policies, roles }).authorizeWebIdentity(alice, request))
      for (const tenantCeiling of [['no-tokens'], ['gone']]) {
        const bound = deskWith({ policies, roles }, { tenantCeiling })
        refused(() => bound.authorizeWebIdentity(alice, request), 'denied')
      }
    }
  })
})

describe('claims in a trust policy', () => {
  it('of a directory are those that its sessions have, too', () => {
    const ann = tokenPrincipal(
      { 'ldap:username': 'ann' },
      { kind: 'ldap', provider: 'corp', issuer: 'corp', subject: 'uid=ann', expiresAt: undefined },
    )
    const request = ask('sts:AssumeRoleWithLDAPIdentity', { roleArn })
    const onlyAnn = trustedBy('corp', { StringEquals: { 'corp:username': 'ann' } })
    const anyButAnn = trustedBy('corp', { StringNotEquals: { 'corp:username': 'ann' } })
    assert.ok(deskWith({ roles: [onlyAnn] }).authorizeLdap(ann, request))
    refused(() => deskWith({ roles: [anyButAnn] }).authorizeLdap(ann, request), 'role_not_trusted')
  })
})

describe('a client certificate', () => {
  const host = tokenPrincipal(
    { cn: 'host', issuer_cn: 'ca', serial: '0a', san_dns: ['a.example'], strange: 'x' },
    {
      kind: 'certificate',
      provider: 'tls',
      issuer: 'CN=ca',
      subject: 'host',
      expiresAt: secondsFromNow(86_400),
    },
  )
  const request = ask('sts:AssumeRoleWithCertificate')
  const mapped = (
    mapping: ReturnType<NonNullable<GrantsOptions['certificates']>['mappingOf']>,
    people: People = {},
  ) => deskWith(people, { certificates: { mappingOf: () => mapping } })

  it('gets nothing without a rule, or by a rule whose policies or role are not there', () => {
    refused(() => deskWith({}).authorizeCertificate(host, request), 'no_policy')
    refused(() => mapped(undefined).authorizeCertificate(host, request), 'no_policy')
    for (const policies of [[], ['nosuch'], ['readonly', 'nosuch'], ['readonly,writeonly']]) {
      const grants = mapped({ kind: 'policies', policies })
      refused(() => grants.authorizeCertificate(host, request), 'no_policy')
    }
    const gone = mapped({ kind: 'role', role: 'uploader' })
    refused(() => gone.authorizeCertificate(host, request), 'no_policy')
  })

  it('gets the policies of its rule, for an hour unless it asks, never beyond its own end', () => {
    const grants = mapped({ kind: 'policies', policies: ['readonly'] })
    const grant = grants.authorizeCertificate(host, request)
    assert.deepEqual(grant.source, { kind: 'policies', names: ['readonly'] })
    assert.deepEqual(grant.expiresAt, secondsFromNow(3600))
    assert.deepEqual([...grant.principal.claims.keys()], ['cn', 'issuer_cn', 'serial', 'san_dns'])
    const ends = { ...host, expiresAt: secondsFromNow(600) }
    const asked = { ...request, durationSeconds: 3600 }
    assert.deepEqual(grants.authorizeCertificate(ends, asked).expiresAt, secondsFromNow(600))
    const insecure = desk({
      certificates: { mappingOf: () => ({ kind: 'policies', policies: ['readonly'] }) },
      limits: { ...limits, insecureOutliveToken: true },
    })
    assert.deepEqual(insecure.authorizeCertificate(ends, asked).expiresAt, secondsFromNow(600))
    const endless = { ...host, expiresAt: undefined } as unknown as typeof host
    refused(() => grants.authorizeCertificate(endless, request), 'expired')
  })

  it('gets the role of its rule only if the role trusts it', () => {
    for (const role of ['uploader', roleArn]) {
      const trusted = mapped(
        { kind: 'role', role },
        { roles: [trustedBy('tls', { StringEquals: { 'cert:cn': 'host' } })] },
      )
      assert.equal(trusted.authorizeCertificate(host, request).source.kind, 'role')
      const others = mapped(
        { kind: 'role', role },
        { roles: [trustedBy('tls', { StringEquals: { 'cert:cn': 'other' } })] },
      )
      refused(() => others.authorizeCertificate(host, request), 'role_not_trusted')
    }
  })
})

describe('a custom token', () => {
  const bob = tokenPrincipal(
    { sub: 'root', iss: 'https://other.example', policy: 'writeonly', email: 'b@example' },
    {
      kind: 'custom-token',
      provider: 'hook',
      issuer: pluginArn,
      subject: 'bob',
      expiresAt: secondsFromNow(1800),
    },
  )
  const plugin = {
    kind: 'plugin',
    provider: 'hook',
    roleArn: pluginArn,
    policies: ['readonly'],
  } as const
  const request = ask('sts:AssumeRoleWithCustomToken', { roleArn: pluginArn })
  const options = { providers: [plugin] }

  it("has the plugin's policies, whatever it claims, and ends with the plugin's word", () => {
    const grant = deskWith({}, options).authorizeCustomToken(bob, request)
    assert.deepEqual(grant.source, { kind: 'role', arn: pluginArn, name: 'hook' })
    assert.deepEqual(grant.expiresAt, secondsFromNow(1800))
    const claims = new Map([
      ['email', 'b@example'],
      ['sub', 'bob'],
    ])
    assert.deepEqual(grant.principal.claims, claims)
  })

  it('is refused another ARN, that of another plugin, and when a policy is missing', () => {
    for (const wrong of [undefined, '', 'arn:minio:iam:::role/x']) {
      refused(
        () => deskWith({}, options).authorizeCustomToken(bob, { ...request, roleArn: wrong }),
        'unknown_role',
      )
    }
    const other = { ...plugin, provider: 'other' }
    refused(
      () => deskWith({}, { providers: [other] }).authorizeCustomToken(bob, request),
      'unknown_role',
    )
    const missing = { ...plugin, policies: ['readonly', 'nosuch'] }
    refused(
      () => deskWith({}, { providers: [missing] }).authorizeCustomToken(bob, request),
      'no_policy',
    )
  })

  it('takes a role of the directory by its trust policy', () => {
    const grants = deskWith(
      { roles: [trustedBy('hook', { StringEquals: { 'hook:email': 'b@example' } })] },
      options,
    )
    assert.equal(grants.choosePlugin(roleArn), pluginArn)
    assert.equal(grants.authorizeCustomToken(bob, { ...request, roleArn }).source.kind, 'role')
    assert.equal(grants.choosePlugin(pluginArn), pluginArn)
    refused(() => grants.choosePlugin('arn:minio:iam:::role/x'), 'unknown_role')
    const none = deskWith({ roles: [trustedBy('hook')] })
    assert.equal(none.choosePlugin(roleArn), roleArn, 'nobody here can judge it')
  })

  it('opens nothing to OpenID tokens, nor the other way round', () => {
    const providers = [plugin, { kind: 'claim', provider: 'dex', claimName: 'policy' }] as const
    const grants = deskWith({}, { providers })
    assert.equal(grants.findProviderByRoleArn(pluginArn), undefined)
    const token = tokenPrincipal({ policy: 'readonly' })
    const byToken = ask('sts:AssumeRoleWithWebIdentity', { roleArn: pluginArn })
    refused(() => grants.authorizeWebIdentity(token, byToken), 'unknown_role')
    refused(() => grants.authorizeWebIdentity(bob, byToken), 'caller_not_allowed')
    refused(() => grants.authorizeCustomToken(token, request), 'caller_not_allowed')
  })
})

describe('each proof', () => {
  it('has its own way in and no other', () => {
    const people: People = { attached: { 'dex ldap-user alice': [policy('readonly', allowRead)] } }
    const grants = deskWith(people, {
      certificates: { mappingOf: () => ({ kind: 'policies', policies: ['readonly'] }) },
      providers: [
        { kind: 'claim', provider: 'dex', claimName: 'policy' },
        { kind: 'plugin', provider: 'hook', roleArn: pluginArn, policies: ['readonly'] },
      ],
    })
    const kinds = ['root', 'user', 'web-identity', 'ldap', 'certificate', 'custom-token'] as const
    const own: Readonly<Record<(typeof kinds)[number], readonly IssueAction[]>> = {
      root: ['sts:AssumeRole', 'sts:GetSessionToken', 'sts:GetFederationToken'],
      user: ['sts:AssumeRole', 'sts:GetSessionToken', 'sts:GetFederationToken'],
      'web-identity': ['sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithClientGrants'],
      ldap: ['sts:AssumeRoleWithLDAPIdentity'],
      certificate: ['sts:AssumeRoleWithCertificate'],
      'custom-token': ['sts:AssumeRoleWithCustomToken'],
    }
    for (const kind of kinds) {
      const provider = kind === 'custom-token' ? 'hook' : 'dex'
      const principal = tokenPrincipal({ policy: 'readonly' }, { kind, provider })
      for (const action of new Set(Object.values(own).flat())) {
        if (own[kind].includes(action)) continue
        const request = ask(action, { roleArn: kind === 'custom-token' ? pluginArn : undefined })
        const ways = [
          () => grants.authorizeUser(principal, request),
          () => grants.authorizeWebIdentity(principal, request),
          () => grants.authorizeLdap(principal, request),
          () => grants.authorizeCertificate(principal, request),
          () => grants.authorizeCustomToken(principal, request),
        ]
        for (const way of ways) refused(way, 'caller_not_allowed')
      }
    }
  })
})

describe('GetSessionToken', () => {
  const request = ask('sts:GetSessionToken')

  it('gives a session that goes by the name of the user, for half a day', () => {
    const grant = desk().authorizeUser(keyPrincipal('user', 'alice'), request)
    assert.deepEqual(grant.source, { kind: 'user', name: 'alice' })
    assert.equal(sessionArn(grant), 'arn:aws:iam::000000000000:user/alice')
    assert.equal(sessionUserId(grant), 'alice')
    assert.deepEqual(grant.expiresAt, secondsFromNow(43_200))
  })

  it('gives root an hour, and nobody a role', () => {
    const root = desk().authorizeUser(keyPrincipal('root', 'root'), {
      ...request,
      durationSeconds: 43_200,
    })
    assert.deepEqual(root.expiresAt, secondsFromNow(3600))
    assert.equal(sessionArn(root), 'arn:aws:iam::000000000000:root')
    const grants = deskWith({
      roles: [roleOf('uploader', { Effect: 'Allow', Principal: '*', Action: 'sts:*' })],
    })
    const grant = grants.authorizeUser(keyPrincipal('user', 'alice'), { ...request, roleArn })
    assert.equal(grant.source.kind, 'user')
  })
})

describe('GetFederationToken', () => {
  const request = ask('sts:GetFederationToken', { roleSessionName: 'bob' })
  const allow = policy('may', {
    Effect: 'Allow',
    Action: 'sts:GetFederationToken',
    Resource: 'arn:aws:sts::000000000000:federated-user/b*',
  })
  const alice = keyPrincipal('user', 'alice')

  it('is refused without leave, and by a boundary that does not give it', () => {
    refused(() => desk().authorizeUser(alice, request), 'denied')
    const users = { alice: [allow] }
    const bounded = deskWith({ users, boundaries: { alice: policy('b', allowRead) } })
    refused(() => bounded.authorizeUser(alice, request), 'denied')
    refused(
      () => deskWith({ users }).authorizeUser(alice, { ...request, roleSessionName: 'carol' }),
      'denied',
    )
  })

  it('gives nothing but what the policy that was sent and the user both allow', () => {
    const grants = deskWith({ users: { alice: [allow] } })
    const bare = grants.authorizeUser(alice, request)
    assert.deepEqual(
      [bare.sessionPolicies, bare.sessionPolicyNames],
      [[[]], [[]]],
      'allows nothing',
    )
    assert.equal(sessionArn(bare), 'arn:aws:sts::000000000000:federated-user/bob')
    assert.equal(sessionUserId(bare), '000000000000:bob')
    const named = grants.authorizeUser(alice, {
      ...request,
      policyArns: ['arn:aws:iam::aws:policy/readonly'],
    })
    assert.deepEqual(named.sessionPolicyNames, [['readonly']])
    assert.ok(desk().authorizeUser(keyPrincipal('root', 'root'), request))
  })
})
