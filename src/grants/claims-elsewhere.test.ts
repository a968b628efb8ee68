import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BoundedCache } from '../bounded-cache.ts'
import type { Session } from '../credentials/types.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { bindingOfSession, GrantError, knownTo } from './index.ts'
import type { Grants } from './index.ts'
import {
  allowRead,
  desk,
  directoryOf,
  policy,
  roleOf,
  sessionOf,
  standardPolicies,
  tokenPrincipal,
  webIdentityRequest,
} from './testing/desk.ts'

const sources = { _claim_sources: { src1: { endpoint: 'https://graph.example/groups' } } }
const overage = { _claim_names: { groups: 'src1' }, ...sources }
const byGroups = (claimName = 'groups', more: object = {}) =>
  desk({ providers: [{ kind: 'claim', provider: 'dex', claimName, ...more }] })

function refusal(grants: Grants, claims: object, roleArn?: string): string {
  let message = ''
  assert.throws(
    () =>
      grants.authorizeWebIdentity(tokenPrincipal({ ...claims }), {
        ...webIdentityRequest,
        roleArn,
      }),
    (error) => {
      assert.ok(error instanceof GrantError, String(error))
      message = error.message
      return error.code === 'no_policy'
    },
  )
  return message
}

const grant = (grants: Grants, claims: object, roleArn?: string) =>
  grants.authorizeWebIdentity(tokenPrincipal({ ...claims }), { ...webIdentityRequest, roleArn })

describe('a claim that the token says is elsewhere (groups overage of Entra ID)', () => {
  it('is refused as the claim that names policies, with what to do', () => {
    for (const claims of [overage, { hasgroups: true }, { hasgroups: 'true' }]) {
      const message = refusal(byGroups(), claims)
      assert.match(message, /does not carry the claim "groups".*in too many groups.*roles/)
    }
  })

  it('is refused as the outermost claim of a path, and under its prefix', () => {
    const claims = { _claim_names: { realm_access: 'src1' } }
    assert.match(
      refusal(byGroups('realm_access.roles', { dottedPath: true }), claims),
      /"realm_access"/,
    )
    const prefixed = { _claim_names: { 'https://example.com/policy': 'src1' } }
    const grants = byGroups('policy', { claimPrefix: 'https://example.com/' })
    assert.match(refusal(grants, prefixed), /have the provider put it into the token/)
  })

  it('is nothing where the claim is there all the same, or where another one names policies', () => {
    assert.ok(grant(byGroups(), { ...overage, groups: ['readonly'] }))
    assert.ok(grant(byGroups('policy'), { ...overage, policy: 'readonly' }))
  })

  it('is not said by other shapes', () => {
    for (const claims of [
      { hasgroups: false },
      { hasgroups: 1 },
      { _claim_names: null },
      { _claim_names: ['groups'] },
      { _claim_names: 'groups' },
      { _claim_names: { roles: 'src1' } },
    ]) {
      assert.match(refusal(byGroups(), claims), /is absent or empty/)
    }
  })

  const denyContractors = policy('staff', allowRead, {
    ...allowRead,
    Effect: 'Deny',
    Condition: { StringEquals: { 'jwt:groups': 'contractors' } },
  })

  it('is refused where a policy would deny by it: being in many groups slips no Deny', () => {
    const directory = directoryOf({ policies: [...standardPolicies, denyContractors] })
    const grants = desk({ directory })
    assert.match(
      refusal(grants, { ...overage, policy: 'staff' }),
      /a policy that decides here reads it/,
    )
    assert.ok(grant(grants, { ...overage, policy: 'readonly' }))
    assert.ok(grant(grants, { policy: 'staff', groups: ['a'] }))
  })

  it('is refused where the trust policy of a role reads it, the policies of the role, or its boundary', () => {
    const trusting = {
      Effect: 'Allow',
      Principal: { Federated: 'dex' },
      Action: 'sts:AssumeRoleWithWebIdentity',
    }
    const denying = {
      ...trusting,
      Effect: 'Deny',
      Condition: { StringEquals: { 'dex:groups': 'contractors' } },
    }
    const [plain, wary, bound, full] = [
      roleOf('plain', trusting),
      roleOf('wary', trusting, denying),
      roleOf('bound', trusting),
      roleOf('full', trusting),
    ]
    const directory = directoryOf({
      roles: [plain, wary, bound, full],
      rolePolicies: { full: [denyContractors] },
      roleBoundaries: { bound: denyContractors },
    })
    const grants = desk({ directory })
    assert.ok(grant(grants, overage, plain.arn))
    for (const { arn } of [wary, bound, full]) refusal(grants, overage, arn)
    assert.ok(grant(grants, { groups: ['staff'] }, wary.arn))
  })

  it('closes live sessions to policies that come to read it, to each policy for itself', () => {
    const [before, after] = [policy('staff', allowRead), denyContractors]
    const issued = (claims: object, named: NamedPolicy) =>
      sessionOf(grant(desk({ directory: directoryOf({ policies: [named] }) }), claims))
    const over = issued({ ...overage, policy: 'staff' }, before)
    const plain = issued({ policy: 'staff', groups: ['a'] }, before)
    assert.deepEqual(over.principal.claims.get('_claim_names'), ['groups'])
    assert.equal(plain.principal.claims.has('_claim_names'), false)
    const identityOf = (session: Session, named: NamedPolicy) => {
      const directory = directoryOf({ policies: [named] })
      const sessionPolicies = new BoundedCache<never>(1)
      return bindingOfSession(session, { directory, roles: desk({ directory }), sessionPolicies })
        .identity[0]?.policy.kind
    }
    assert.equal(identityOf(over, before), 'identity')
    assert.equal(identityOf(over, after), 'broken')
    assert.equal(identityOf(plain, after), 'identity')
    assert.equal(knownTo(over.principal, denyContractors).policy.kind, 'broken', 'of a bucket, too')
    assert.equal(knownTo(plain.principal, denyContractors), denyContractors)
  })

  it('follows into the roles that are taken by the session', () => {
    const directory = directoryOf({
      roles: [
        roleOf('next', { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
      ],
      rolePolicies: { next: [denyContractors] },
      policies: [policy('staff', { Effect: 'Allow', Action: '*', Resource: '*' })],
    })
    const grants = desk({ directory })
    const asking = {
      ...webIdentityRequest,
      action: 'sts:AssumeRole',
      roleArn: 'arn:aws:iam::000000000000:role/next',
    } as const
    const take = (claims: object) =>
      grants.authorizeSession(sessionOf(grant(grants, { ...claims, policy: 'staff' })), asking)
    assert.ok(take({ groups: ['a'] }))
    assert.throws(() => take(overage), /a policy that decides here reads it/)
  })
})
