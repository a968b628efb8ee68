import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Session } from '../credentials/types.ts'
import { isAllowed } from '../policy/index.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { bindingOfSession, GrantError, sessionFacts } from './index.ts'
import type { GrantErrorCode } from './index.ts'
import {
  allowRead,
  desk,
  directoryOf,
  now,
  policy,
  roleOf,
  sessionOf,
  tokenPrincipal,
  webIdentityRequest,
} from './testing/desk.ts'

const host = 'idp.example.com/realms/main'
const issuer = `https://${host}`
const arn = `arn:aws:iam::000000000000:oidc-provider/${host}`
const byArn = {
  Effect: 'Allow',
  Principal: { Federated: arn },
  Action: 'sts:AssumeRoleWithWebIdentity',
}
const conditioned = (key: string, value: string) => ({
  ...byArn,
  Condition: { StringEquals: { [key]: value } },
})
const vouched = (claims: object = {}, more: object = {}) =>
  tokenPrincipal(
    { aud: 'app', azp: 'cli', team: 'blue', ...claims },
    { provider: arn, issuer, ...more },
  )
const born = { createdAt: new Date(0) }

function grantsFor(...trust: readonly object[]) {
  const directory = directoryOf({
    roles: [roleOf('deploy', ...trust)],
    rolePolicies: { deploy: [policy('p', allowRead)] },
    providers: { [arn]: born },
  })
  return { directory, grants: desk({ directory }) }
}
const roleArn = 'arn:aws:iam::000000000000:role/deploy'
const asking = { ...webIdentityRequest, roleArn }

function refuses(work: () => unknown, code: GrantErrorCode, why?: string): void {
  assert.throws(work, (error) => error instanceof GrantError && error.code === code, why)
}

describe('the people of a provider made through the IAM API', () => {
  it('take the roles whose trust policies name its ARN', () => {
    const { grants } = grantsFor(byArn)
    const grant = grants.authorizeWebIdentity(vouched(), asking)
    assert.equal(grant.principal.provider, arn, 'what a revocation of the provider goes by')
    assert.deepEqual(grant.source, {
      kind: 'role',
      arn: roleArn,
      name: 'deploy',
      id: 'AROADEPLOY2222222222',
    })
    assert.deepEqual(grants.providersTrustedBy(roleArn), [arn])
    assert.equal(grants.providersTrustedBy('arn:aws:iam::000000000000:role/other'), undefined)
  })

  it('take no other role, and get nothing by a policy claim or by the role of another provider', () => {
    for (const Federated of [issuer, host, 'dex', `${arn}/`]) {
      const { grants } = grantsFor({ ...byArn, Principal: { Federated } })
      refuses(() => grants.authorizeWebIdentity(vouched(), asking), 'role_not_trusted', Federated)
    }
    const fixed = 'arn:minio:iam:::role/x'
    const grants = desk({
      providers: [
        { kind: 'claim', provider: 'dex', claimName: 'policy' },
        { kind: 'role', provider: 'okta', roleArn: fixed, policies: ['readonly'] },
      ],
    })
    for (const asked of [undefined, '', roleArn, fixed, arn]) {
      refuses(
        () =>
          grants.authorizeWebIdentity(vouched({ policy: 'readonly' }), {
            ...webIdentityRequest,
            roleArn: asked,
          }),
        'unknown_role',
        asked,
      )
    }
  })

  it('do not lend its ARN to a configured provider of the same issuer', () => {
    const { grants } = grantsFor(byArn)
    refuses(
      () => grants.authorizeWebIdentity(tokenPrincipal({}, { issuer }), asking),
      'role_not_trusted',
    )
  })

  it('are known to conditions by host and path, with every claim', () => {
    for (const [key, value] of [
      [`${host}:sub`, 'alice'],
      [`${host}:aud`, 'app'],
      [`${host}:azp`, 'cli'],
      [`${host}:team`, 'blue'],
      [`${host.toUpperCase()}:team`, 'blue'],
    ] as const) {
      const { grants } = grantsFor(conditioned(key, value))
      assert.ok(grants.authorizeWebIdentity(vouched(), asking), key)
      const other = grantsFor(conditioned(key, 'other')).grants
      refuses(() => other.authorizeWebIdentity(vouched(), asking), 'role_not_trusted', key)
    }
    const { grants } = grantsFor(conditioned(`${host}:sub`, 'alice'))
    const slashed = vouched({}, { issuer: `${issuer}/` })
    assert.ok(grants.authorizeWebIdentity(slashed, asking), 'an issuer with a slash at its end')
    for (const key of ['dex:sub', 'idp.example.com:sub', `${host}:nothing`, `${arn}:sub`]) {
      const strange = grantsFor(conditioned(key, 'alice')).grants
      refuses(() => strange.authorizeWebIdentity(vouched(), asking), 'role_not_trusted', key)
    }
  })

  it('of Google are told apart by their domain', () => {
    const google = { provider: 'arn:aws:iam::000000000000:oidc-provider/accounts.google.com' }
    const who = (claims: object) =>
      tokenPrincipal(
        { aud: 'app', ...claims },
        { ...google, issuer: 'https://accounts.google.com' },
      )
    const { grants } = grantsFor({
      ...conditioned('accounts.google.com:hd', 'example.org'),
      Principal: { Federated: google.provider },
    })
    assert.ok(grants.authorizeWebIdentity(who({ hd: 'example.org' }), asking))
    for (const claims of [
      {},
      { hd: 'example.com' },
      { hd: '' },
      { hd: 5 },
      { email: 'a@example.org' },
    ]) {
      refuses(() => grants.authorizeWebIdentity(who(claims), asking), 'role_not_trusted')
    }
  })

  const readsWith = (
    session: Session,
    providers: Readonly<Record<string, typeof born>>,
  ): boolean => {
    const { directory, grants } = grantsFor(byArn)
    const sources = {
      directory: { ...directory, findProvider: (name: string) => providers[name] },
      roles: grants,
      sessionPolicies: new BoundedCache<never>(1),
    }
    const { identity, ceilings, tags } = bindingOfSession(session, sources)
    const facts = sessionFacts(session, tags)
    return isAllowed({
      principal: {
        kind: 'session',
        account: '000000000000',
        arn: 'arn:aws:sts::000000000000:assumed-role/a/b',
      },
      accesses: [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }],
      facts: { ...facts, aws: { ...facts.aws, CurrentTime: now } },
      identity,
      ceilings,
    })
  }

  it('lose their sessions with the provider, also where it is made again', () => {
    const session = sessionOf(grantsFor(byArn).grants.authorizeWebIdentity(vouched(), asking))
    assert.equal(readsWith(session, { [arn]: born }), true)
    assert.equal(readsWith(session, {}), false)
    assert.equal(readsWith(session, { [arn]: { createdAt: new Date(now.getTime() + 1) } }), false)
    const configured = { ...session, principal: { ...session.principal, provider: 'dex' } }
    assert.equal(readsWith(configured, {}), true, 'a configured provider is not looked for there')
  })

  it('are known to bucket policies by the ARN, those of a configured provider by the issuer', () => {
    const session = sessionOf(grantsFor(byArn).grants.authorizeWebIdentity(vouched(), asking))
    assert.equal(sessionFacts(session, new Map()).aws.FederatedProvider, arn)
    const configured = { ...session, principal: { ...session.principal, provider: 'dex' } }
    assert.equal(sessionFacts(configured, new Map()).aws.FederatedProvider, issuer)
    const plugin = { ...session.principal, kind: 'custom-token' as const }
    assert.equal(
      sessionFacts({ ...session, principal: plugin }, new Map()).aws.FederatedProvider,
      arn,
    )
  })

  it('are nobody of a cluster of the same name, nor the other way round', () => {
    const session = sessionOf(grantsFor(byArn).grants.authorizeWebIdentity(vouched(), asking))
    const named = (kind: 'ldap' | 'service-account') => {
      const principal = { ...session.principal, kind, provider: 'local' }
      return sessionFacts({ ...session, principal }, new Map()).aws.FederatedProvider
    }
    assert.deepEqual([named('ldap'), named('service-account')], ['local', 'kubernetes=local'])
  })
})
