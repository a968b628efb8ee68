import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GrantError } from './index.ts'
import type { Grants } from './index.ts'
import {
  allowRead,
  desk,
  directoryOf,
  policy,
  roleOf,
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
})
