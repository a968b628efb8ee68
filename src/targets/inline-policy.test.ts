import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ExchangeError } from '../exchange.ts'
import { sessionFacts, sessionPolicyPrincipal, type Grant } from '../grants/index.ts'
import { isAllowed, parsePolicy, type NamedPolicy } from '../policy/index.ts'
import {
  narrowCase,
  narrowRequest,
  type NarrowRequest,
} from '../policy/testing/narrow-arbitraries.ts'
import { inlinePolicy } from './inline-policy.ts'
import { boundGrant } from './testing/bound.ts'

type Source = Extract<Grant['source'], { kind: 'binding' }>
type Request = NarrowRequest

const settings = { tenant: 'store/main', maxPolicyBytes: 100_000 }
const account = '000000000000'

function parsed(text: string, kind: 'identity' | 'session'): NamedPolicy {
  return { name: kind, policy: parsePolicy(text, kind) }
}

/** What a Daypass server of the tenant would say to a sealed session of the same grant: the meaning of it all. */
function byGrant(
  grant: Grant,
  named: readonly NamedPolicy[],
  { aws, ...access }: Request,
): boolean {
  const source = grant.source as Source
  const facts = sessionFacts(grant, grant.tags)
  return isAllowed({
    principal: sessionPolicyPrincipal(grant),
    accesses: [access],
    facts: { ...facts, aws: { ...facts.aws, ...aws } },
    identity: [...named, ...source.documents.map((text) => parsed(text, 'identity'))],
    ceilings: grant.sessionPolicies.map((layer) => ({
      name: 'layer',
      policies: layer.map((text) => parsed(text, 'session')),
    })),
  })
}

/** What the tenant itself says to a session of its broker, who is root there, under the one document. */
function byTenant(text: string, { aws, ...access }: Request): boolean {
  return isAllowed({
    principal: { kind: 'root-session', account },
    accesses: [access],
    facts: { aws: { username: 'a', userid: 'root', principaltype: 'Account', ...aws } },
    identity: [],
    ceilings: [{ name: 'inline', policies: [parsed(text, 'session')] }],
  })
}

/** `undefined`: refused, so that nothing was asked of the tenant. */
function inlineOf(...given: Parameters<typeof inlinePolicy>): string | undefined {
  try {
    return inlinePolicy(...given)
  } catch (error) {
    assert.ok(error instanceof ExchangeError && error.code === 'malformed_policy', String(error))
    return undefined
  }
}

const canBeAsked = (dialect: 'minio' | 'aws', { action }: Request): boolean =>
  (dialect === 'minio' ? ['s3', 'admin', 'kms'] : ['s3', 'iam', 'kms', 'sts']).includes(
    action.slice(0, action.indexOf(':')),
  )

describe('the one policy that is sent to a tenant (DESIGN section 4)', () => {
  it('allows exactly what bindings, ceiling and the caller allow together, whoever the broker is', () => {
    let allowed = 0
    let accepted = 0
    const requests = fc.array(narrowRequest, { minLength: 10, maxLength: 10 })
    fc.assert(
      fc.property(narrowCase, requests, fc.boolean(), (one, asked, byName) => {
        const texts = one.bound.map((document) => JSON.stringify(document))
        const named = byName ? texts.map((text) => parsed(text, 'identity')) : []
        const given = boundGrant({ bindings: [{ documents: ['{}'] }] })
        const grant: Grant = {
          ...given,
          source: { ...(given.source as Source), documents: byName ? [] : texts },
          sessionPolicies: one.session.map((document) => [JSON.stringify(document)]),
          sessionPolicyNames: one.session.map(() => []),
        }
        const { dialect } = one
        const text = inlineOf(grant, grant.source as Source, named, { ...settings, dialect })
        if (text === undefined) return
        accepted += 1
        for (const request of asked.filter((request) => canBeAsked(dialect, request))) {
          const expected = byGrant(grant, named, request)
          if (expected) allowed += 1
          if (byTenant(text, request) === expected) continue
          assert.fail(JSON.stringify({ ...one, request, text, expected }, undefined, 1))
        }
      }),
      { numRuns: 2500 },
    )
    assert.ok(accepted > 500 && allowed > 300, `${accepted} accepted, ${allowed} allowed`)
  })

  it('gives no whole role where all that narrowed it was left out', () => {
    const roleArn = 'arn:aws:iam:::role/shop'
    const grant = boundGrant({ bindings: [{ roleArn, policies: ['narrow'] }] })
    const aws = { ...settings, dialect: 'aws' } as const
    const source = grant.source as Source
    assert.throws(() => inlinePolicy(grant, source, [], aws), { code: 'no_policy' })
    const alone = boundGrant({ bindings: [{ roleArn }] })
    assert.equal(inlinePolicy(alone, alone.source as Source, [], aws), undefined)
  })

  it('takes no layer that is not one document: several would unite', () => {
    const grant = boundGrant({ bindings: [{ documents: ['{}'] }] })
    const source = { ...(grant.source as Source), documents: [readonly] }
    for (const layers of [
      { sessionPolicies: [[]], sessionPolicyNames: [[]] },
      { sessionPolicies: [[readonly, readonly]], sessionPolicyNames: [[]] },
      { sessionPolicies: [[readonly]], sessionPolicyNames: [['readonly']] },
    ]) {
      const odd: Grant = { ...grant, ...layers }
      const sent = () => inlinePolicy(odd, source, [], { ...settings, dialect: 'minio' })
      assert.throws(sent, TypeError)
    }
  })

  it('is refused over 64 KiB of documents as too large', () => {
    const resources = Array.from({ length: 100 }, (_, at) => `arn:aws:s3:::${'x'.repeat(100)}${at}`)
    const documents = Array.from({ length: 8 }, (_, at) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Sid: `s${at}`, Effect: 'Allow', Action: 's3:GetObject', Resource: resources },
        ],
      }),
    )
    const grant = boundGrant({ bindings: [{ documents: ['{}'] }] })
    const source = { ...(grant.source as Source), documents }
    assert.throws(
      () => inlinePolicy(grant, source, [], { ...settings, dialect: 'minio' }),
      (error) => error instanceof ExchangeError && error.code === 'session_policy_too_large',
    )
  })
})

const readonly = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
})
