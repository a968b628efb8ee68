import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { BoundedCache } from '../bounded-cache.ts'
import { isAllowed, parsePolicy } from '../policy/index.ts'
import type { NamedPolicy, Question } from '../policy/index.ts'
import { bindingOfSession, sessionFacts, sessionPolicyPrincipal } from './index.ts'
import type { Grant, GrantRequest, GrantsOptions } from './index.ts'
import {
  assumeRoleRequest,
  desk,
  directoryOf,
  keyPrincipal,
  now,
  policy,
  roleOf,
  sessionOf,
} from './testing/desk.ts'

/** What a session may really do: as the gateway asks, with everything that binds it now. */
function may(
  grant: Grant,
  options: Pick<GrantsOptions, 'directory' | 'tenantCeiling'>,
  what: string,
  where: string,
): boolean {
  const session = sessionOf(grant)
  const binding = bindingOfSession(session, {
    ...options,
    roles: { policiesOfRole: () => undefined },
    sessionPolicies: new BoundedCache<NamedPolicy['policy']>(10),
  })
  const who = sessionFacts(session, binding.tags)
  const question: Question = {
    principal: sessionPolicyPrincipal(session),
    accesses: [{ action: what, resource: where }],
    facts: { ...who, aws: { CurrentTime: now, ...who.aws } },
    identity: binding.identity,
    ceilings: binding.ceilings,
  }
  return isAllowed(question)
}

const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
  Action: fc.constantFrom('*', 's3:*', 's3:GetObject', 's3:PutObject', 'sts:*'),
  Resource: fc.constantFrom('*', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/k', 'arn:aws:s3:::c/*'),
})
const document = fc
  .array(statement, { minLength: 1, maxLength: 3 })
  .map((Statement) => JSON.stringify({ Version: '2012-10-17', Statement }))
const arns = fc.subarray(['arn:aws:iam::aws:policy/one', 'arn:aws:iam::aws:policy/two'])
const wish = fc.record({
  sessionPolicy: fc.option(document, { nil: undefined }),
  policyArns: arns,
})
const asked = fc.tuple(
  fc.constantFrom('s3:GetObject', 's3:PutObject', 'sts:AssumeRole'),
  fc.constantFrom('arn:aws:s3:::b/k', 'arn:aws:s3:::c/k'),
)
const trust = { Effect: 'Allow', Principal: '*', Action: 'sts:*' }
const everything = policy('all', { Effect: 'Allow', Action: '*', Resource: '*' })
const mayAssume = { Effect: 'Allow', Action: 'sts:*', Resource: '*' }

describe('a chain of sessions', () => {
  it('never goes beyond the role at its end, nor beyond any policy sent on the way', () => {
    fc.assert(
      fc.property(
        fc.array(wish, { minLength: 1, maxLength: 4 }),
        fc.array(document, { minLength: 2, maxLength: 2 }),
        asked,
        (wishes, [one = '', two = ''], [what, where]) => {
          const named = [one, two].map((text, index) => ({
            name: ['one', 'two'][index] ?? '',
            policy: parsePolicy(text, 'identity'),
          }))
          const roles = wishes.map((_, index) => roleOf(`r${index}`, trust))
          const rolePolicies = Object.fromEntries(roles.map(({ name }) => [name, [everything]]))
          const options = { directory: directoryOf({ roles, rolePolicies, policies: named }) }
          const grants = desk(options)
          let grant: Grant | undefined
          try {
            for (const [index, each] of wishes.entries()) {
              const request: GrantRequest = {
                ...assumeRoleRequest,
                ...each,
                roleArn: roles[index]?.arn,
              }
              grant = grant
                ? grants.authorizeSession(sessionOf(grant), request)
                : grants.authorizeUser(keyPrincipal('root', 'root'), request)
            }
          } catch {
            return
          }
          assert.ok(grant)
          if (!may(grant, options, what, where)) return
          for (const { sessionPolicy, policyArns } of wishes) {
            const sent = [
              ...(sessionPolicy === undefined
                ? []
                : [{ name: 'sent', policy: parsePolicy(sessionPolicy, 'session') }]),
              ...named.filter(({ name }) => policyArns.some((arn) => arn.endsWith(name))),
            ]
            if (sent.length === 0) continue
            const alone = {
              principal: { kind: 'session', account: '0', arn: 'x' },
              accesses: [{ action: what, resource: where }],
              facts: { aws: { CurrentTime: now } },
              identity: sent,
              ceilings: [],
            } as const
            assert.ok(isAllowed(alone), 'each layer allows it by itself')
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('does get through where every layer allows it, so that the property says something', () => {
    const roles = [roleOf('r0', trust), roleOf('r1', trust)]
    const rolePolicies = { r0: [everything], r1: [everything] }
    const options = { directory: directoryOf({ roles, rolePolicies }) }
    const grants = desk(options)
    const sessionPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [mayAssume, { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
    })
    const first = grants.authorizeUser(keyPrincipal('root', 'root'), {
      ...assumeRoleRequest,
      roleArn: roles[0]?.arn,
      sessionPolicy,
    })
    const request = { ...assumeRoleRequest, roleArn: roles[1]?.arn }
    const second = grants.authorizeSession(sessionOf(first), request)
    assert.ok(may(second, options, 's3:GetObject', 'arn:aws:s3:::b/k'))
    assert.ok(!may(second, options, 's3:PutObject', 'arn:aws:s3:::b/k'))
  })

  it('stays under the boundary of the role and under the ceiling of the tenant', () => {
    const role = roleOf('r', trust)
    const read = policy('readonly', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })
    const people = { roles: [role], rolePolicies: { r: [everything] }, policies: [read] }
    const take = (options: Pick<GrantsOptions, 'directory' | 'tenantCeiling'>) => {
      const request = { ...assumeRoleRequest, roleArn: role.arn }
      const grant = desk(options).authorizeUser(keyPrincipal('root', 'root'), request)
      return ['s3:GetObject', 's3:PutObject'].map((what) =>
        may(grant, options, what, 'arn:aws:s3:::b/k'),
      )
    }
    assert.deepEqual(take({ directory: directoryOf(people) }), [true, true])
    assert.deepEqual(take({ directory: directoryOf({ ...people, roleBoundaries: { r: read } }) }), [
      true,
      false,
    ])
    assert.deepEqual(take({ directory: directoryOf(people), tenantCeiling: ['readonly'] }), [
      true,
      false,
    ])
    // What a ceiling that is gone denied, nobody knows: so nothing begins under it.
    assert.throws(() => take({ directory: directoryOf(people), tenantCeiling: ['gone'] }), {
      code: 'denied',
    })
    assert.deepEqual(take({ directory: directoryOf(people), tenantCeiling: [] }), [false, false])
  })
})

describe('session tags', () => {
  it('reach aws:PrincipalTag and no other namespace, whatever they are called', () => {
    const role = roleOf('r', trust)
    const keys = [
      'username',
      'userid',
      'sub',
      'cn',
      'groups',
      'user',
      'jwt:sub',
      'ldap:user',
      'cert:cn',
      'sts:ExternalId',
      's3:prefix',
      'principaltype',
      '__proto__',
      'constructor',
    ]
    const names = [
      'aws:username',
      'aws:userid',
      'aws:groups',
      'jwt:sub',
      'ldap:user',
      'cert:cn',
      'sts:SourceIdentity',
      'sts:ExternalId',
      'dex:sub',
      'aws:PrincipalArn',
      'aws:principaltype',
    ]
    fc.assert(
      fc.property(fc.subarray(keys), fc.constantFrom(...names), (chosen, name) => {
        const condition = { StringEquals: { [name]: 'evil' } }
        const open = policy('p', {
          Effect: 'Allow',
          Action: 's3:*',
          Resource: '*',
          Condition: condition,
        })
        const options = { directory: directoryOf({ roles: [role], rolePolicies: { r: [open] } }) }
        const tags = chosen.map((key) => [key, 'evil'] as const)
        const request = { ...assumeRoleRequest, roleArn: role.arn, tags }
        const grant = desk(options).authorizeUser(keyPrincipal('root', 'root'), request)
        assert.equal(grant.tags.size, chosen.length)
        assert.equal(may(grant, options, 's3:GetObject', 'arn:aws:s3:::b/k'), false)
      }),
    )
    const tagged = policy('p', {
      Effect: 'Allow',
      Action: 's3:*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalTag/__proto__': 'evil' } },
    })
    const options = { directory: directoryOf({ roles: [role], rolePolicies: { r: [tagged] } }) }
    const request = {
      ...assumeRoleRequest,
      roleArn: role.arn,
      tags: [['__proto__', 'evil']] as const,
    }
    const grant = desk(options).authorizeUser(keyPrincipal('root', 'root'), request)
    assert.equal(may(grant, options, 's3:GetObject', 'arn:aws:s3:::b/k'), true)
  })

  it('stand before those of the role', () => {
    const role = {
      ...roleOf('r', trust),
      tags: new Map([
        ['team', 'red'],
        ['level', 'high'],
      ]),
    }
    const when = (team: string) =>
      policy('p', {
        Effect: 'Allow',
        Action: 's3:*',
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:PrincipalTag/team': team, 'aws:PrincipalTag/level': 'high' },
        },
      })
    for (const [team, expected] of [
      ['blue', true],
      ['red', false],
    ] as const) {
      const options = {
        directory: directoryOf({ roles: [role], rolePolicies: { r: [when(team)] } }),
      }
      const request = { ...assumeRoleRequest, roleArn: role.arn, tags: [['team', 'blue']] as const }
      const grant = desk(options).authorizeUser(keyPrincipal('root', 'root'), request)
      assert.equal(may(grant, options, 's3:GetObject', 'arn:aws:s3:::b/k'), expected)
    }
  })

  it('hide those of the role that differ by case alone, as keys are one at AWS', () => {
    const role = { ...roleOf('r', trust), tags: new Map([['team', 'admin']]) }
    const open = policy('p', {
      Effect: 'Allow',
      Action: 's3:*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalTag/team': 'admin' } },
    })
    const options = { directory: directoryOf({ roles: [role], rolePolicies: { r: [open] } }) }
    const take = (...tags: readonly (readonly [string, string])[]) => {
      const request = { ...assumeRoleRequest, roleArn: role.arn, tags }
      const grant = desk(options).authorizeUser(keyPrincipal('root', 'root'), request)
      return may(grant, options, 's3:GetObject', 'arn:aws:s3:::b/k')
    }
    assert.equal(take(), true)
    assert.equal(take(['Team', 'guest']), false)
    assert.equal(take(['desk', '4']), true)
  })
})
