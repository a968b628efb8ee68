import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { array, assert as holds, constantFrom, property, record, subarray } from 'fast-check'
import { findExcess, isAllowed, parsePolicy } from './index.ts'
import { policyOf, questionOf } from './testing/ask.ts'

const allow = (Action: unknown, Resource: unknown, rest: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...rest,
})
const deny = (Action: unknown, Resource: unknown) => ({ Effect: 'Deny', Action, Resource })
const reports = 'arn:aws:s3:::reports'

describe('what a policy allows beyond its ceiling', () => {
  const wider: readonly (readonly [string, unknown[], unknown[], string])[] = [
    [
      'another action',
      [allow('s3:*', `${reports}/*`)],
      [allow('s3:GetObject', '*')],
      's3:GetObjectVersion arn:aws:s3:::reports/*',
    ],
    [
      'another bucket',
      [allow('s3:GetObject', ['arn:aws:s3:::a/*', `${reports}/*`])],
      [allow('s3:*', 'arn:aws:s3:::a/*')],
      `s3:GetObject ${reports}/*`,
    ],
    [
      'all buckets',
      [allow('s3:GetObject', '*')],
      [allow('s3:GetObject', `${reports}/*`)],
      's3:GetObject *',
    ],
    [
      'the rest of NotAction',
      [{ Effect: 'Allow', NotAction: 's3:GetObject', Resource: `${reports}/*` }],
      [allow('s3:Get*', '*')],
      's3:PutObject arn:aws:s3:::reports/*',
    ],
    [
      'the rest of NotResource',
      [{ Effect: 'Allow', Action: 's3:GetObject', NotResource: `${reports}/*` }],
      [allow('s3:*', `${reports}/*`)],
      's3:GetObject arn:aws:s3:::*',
    ],
    [
      'what the ceiling fences off within what it allows',
      [allow('s3:GetObject', '*')],
      [allow('*', '*'), deny('s3:*', 'arn:aws:s3:::secret/*')],
      's3:GetObject arn:aws:s3:::secret/*',
    ],
    [
      'anything, where the ceiling only denies',
      [allow('s3:GetObject', '*')],
      [deny('s3:*', '*')],
      's3:GetObject *',
    ],
  ]
  for (const [title, policy, ceiling, found] of wider) {
    it(`is found: ${title}`, () => {
      const excess = findExcess(policyOf(policy), policyOf(ceiling, 'session'))
      assert.equal(`${excess?.action} ${excess?.resource}`, found)
    })
  }

  const within: readonly (readonly [string, unknown[], unknown[]])[] = [
    ['the same', [allow('s3:*', '*')], [allow('s3:*', '*')]],
    ['less', [allow('s3:GetObject', `${reports}/*`)], [allow('s3:Get*', 'arn:aws:s3:::r*')]],
    [
      'what the policy itself denies',
      [allow('s3:*', '*'), deny('s3:DeleteObject', '*')],
      [allow('*', '*'), deny('s3:DeleteObject', '*')],
    ],
    ['nothing at all', [deny('s3:*', '*')], [allow('s3:GetObject', '*')]],
    [
      'what hangs on a condition, which is not tried',
      [allow('s3:*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } })],
      [allow('s3:GetObject', '*')],
    ],
  ]
  for (const [title, policy, ceiling] of within) {
    it(`is not found: ${title}`, () => {
      assert.equal(findExcess(policyOf(policy), policyOf(ceiling, 'session')), undefined)
    })
  }

  it('ends soon for documents as long as they may be', () => {
    const many = Array.from({ length: 500 }, (_, index) => `arn:aws:s3:::b${index}/*`)
    const long = policyOf([allow('s3:*', many)])
    assert.equal(findExcess(long, parsePolicy(long.text, 'session')), undefined)
  })

  it('is only ever what the policy allows and the ceiling does not', () => {
    const actions = subarray(['s3:GetObject', 's3:Put*', 's3:*', 's3:ListBucket'], {
      minLength: 1,
    })
    const resources = subarray(['*', 'arn:aws:s3:::a', 'arn:aws:s3:::a/*', 'arn:aws:s3:::b*'], {
      minLength: 1,
    })
    const effect = constantFrom('Allow', 'Deny')
    const statement = record({ Effect: effect, Action: actions, Resource: resources })
    const statements = array(statement, { minLength: 1, maxLength: 4 })
    holds(
      property(statements, statements, (one, other) => {
        const policy = { name: 'policy', policy: policyOf(one) }
        const ceiling = { name: 'ceiling', policy: policyOf(other, 'session') }
        const excess = findExcess(policy.policy, ceiling.policy)
        if (excess === undefined || excess.resource === '*') return
        const resource = excess.resource.replaceAll('*', 'daypass-0-probe')
        const inside = resource.includes('/') ? resource : `${resource}/daypass-0-probe`
        const accesses = [resource, inside].map((text) => ({
          action: excess.action,
          resource: text,
        }))
        const ceilings = [{ name: 'ceiling', policies: [ceiling] }]
        const beyond = accesses.some(
          (access) =>
            isAllowed(questionOf([policy], access)) &&
            !isAllowed(questionOf([policy], access, { ceilings })),
        )
        assert.ok(beyond)
      }),
    )
  })
})
