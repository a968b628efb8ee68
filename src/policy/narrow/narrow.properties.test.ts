import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  isAllowed,
  narrow,
  parsePolicy,
  PolicyError,
  type NamedPolicy,
  type NarrowFacts,
  type NarrowPolicy,
  type NarrowQuestion,
  type PolicyKind,
  type Question,
} from '../index.ts'
import {
  narrowCase,
  narrowRequest,
  type NarrowCase,
  type NarrowRequest,
} from '../testing/narrow-arbitraries.ts'
import type { RawDocument } from '../testing/reference-evaluator.ts'

const account = '000000000000'
const requests = fc.array(narrowRequest, { minLength: 12, maxLength: 12 })

function named(documents: readonly RawDocument[], kind: PolicyKind): readonly NamedPolicy[] {
  return documents.map((one, index) => ({
    name: `${kind} ${index}`,
    policy: parsePolicy(JSON.stringify(one), kind),
  }))
}

type Allows = (request: NarrowRequest, compat?: 'minio') => boolean
type Narrowed = Readonly<{ result: NarrowPolicy; byAll: Allows; byResult: Allows }>

/** `undefined`: it refused, which is never wider. */
function narrowed(one: NarrowCase): Narrowed | undefined {
  const bound = named(one.bound, 'identity')
  const session = named(one.session, 'session')
  const result = resultOf({ bound, session, facts: one.person, dialect: one.dialect })
  if (result === undefined) return undefined
  return {
    result,
    // what the person may do by all documents, each layer for itself
    byAll: askerOf({
      principal: { kind: 'user', account, arn: `arn:aws:iam::${account}:user/x` },
      facts: one.person,
      identity: bound,
      ceilings: session.map((policy) => ({ name: policy.name, policies: [policy] })),
    }),
    // what the broker's session may do under the one document, whoever the broker is
    byResult: askerOf({
      principal: { kind: 'root-session', account },
      facts: broker,
      identity: [],
      ceilings: [
        {
          name: 'inline',
          policies: [{ name: 'inline', policy: parsePolicy(result.text, 'session') }],
        },
      ],
    }),
  }
}

function resultOf(question: NarrowQuestion): NarrowPolicy | undefined {
  try {
    return narrow(question)
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    assert.equal(error.code, 'malformed_policy')
    return undefined
  }
}

type Standing = Pick<Question, 'principal' | 'identity' | 'ceilings'> &
  Readonly<{ facts: NarrowFacts }>

function askerOf(standing: Standing): Allows {
  return ({ action, resource, s3, aws }, compat) =>
    isAllowed({
      ...standing,
      facts: { ...standing.facts, aws: { ...standing.facts.aws, ...aws } },
      accesses: [{ action, resource, s3 }],
      ...(compat && { compat }),
    })
}

/** Somebody else altogether, so that nothing of the person may be left open. */
const broker: NarrowFacts = {
  aws: { username: 'a', userid: 'root', groups: ['a', 'b'], principaltype: 'Account' },
  jwt: new Map<string, string | readonly string[]>([
    ['sub', 'c'],
    ['groups', ['a']],
  ]),
  principalTags: new Map([
    ['Team', 'b'],
    ['None', '*'],
  ]),
}

/** Services that nobody asks there; a Deny of what nobody asks may be left out. */
function canBeAsked({ dialect }: NarrowCase, { action }: NarrowRequest): boolean {
  const services = dialect === 'minio' ? ['s3', 'admin', 'kms'] : ['s3', 'iam', 'kms', 'sts']
  return services.includes(action.slice(0, action.indexOf(':')))
}

function show(one: NarrowCase, request: NarrowRequest, { result, byAll }: Narrowed): string {
  const shown = { ...one, request, text: result.text, byAll: byAll(request) }
  return JSON.stringify(shown, undefined, 1)
}

describe('narrow', () => {
  test('allows exactly what the bound documents and every document of the session allow', () => {
    fc.assert(
      fc.property(narrowCase, requests, (one, asked) => {
        const result = narrowed(one)
        if (result === undefined) return
        for (const request of asked.filter((request) => canBeAsked(one, request))) {
          if (result.byResult(request) === result.byAll(request)) continue
          assert.fail(show(one, request, result))
        }
      }),
      { numRuns: 2500 },
    )
  })

  test('is never wider where the target reads documents as MinIO does', () => {
    fc.assert(
      fc.property(narrowCase, requests, (one, asked) => {
        const result = narrowed({ ...one, dialect: 'minio' })
        if (result === undefined) return
        for (const request of asked) {
          if (!result.byResult(request, 'minio') || result.byAll(request, 'minio')) continue
          assert.fail(show(one, request, result))
        }
      }),
      { numRuns: 1200 },
    )
  })

  test('gives the same bytes again: for the same question, and for its own answer', () => {
    fc.assert(
      fc.property(narrowCase, (one) => {
        const [result, again] = [narrowed(one)?.result, narrowed(one)?.result]
        assert.deepEqual(result, again)
        if (result === undefined) return
        assert.equal(result.bytes, Buffer.byteLength(result.text))
        const policy = parsePolicy(result.text, 'identity')
        const twice = narrow({
          bound: [{ name: 'result', policy }],
          session: [],
          facts: broker,
          dialect: one.dialect,
        })
        assert.equal(twice.text, result.text)
      }),
      { numRuns: 500 },
    )
  })

  test('does not care for the order of documents and statements', () => {
    const turned = (documents: readonly RawDocument[]): readonly RawDocument[] =>
      documents.toReversed().map((one) => ({ ...one, Statement: one.Statement.toReversed() }))
    fc.assert(
      fc.property(narrowCase, (one) => {
        const other = { ...one, bound: turned(one.bound), session: turned(one.session) }
        const [turnedText, text] = [narrowed(other)?.result.text, narrowed(one)?.result.text]
        // the documents of a session meet one after the other, and one order may stumble where another does not
        if (text !== undefined && turnedText !== undefined) assert.equal(turnedText, text)
        if (one.session.length < 2) assert.equal(turnedText, text)
      }),
      { numRuns: 500 },
    )
  })

  test('accepts, allows and denies often enough for this to mean something', () => {
    const cases = fc.sample(fc.tuple(narrowCase, requests), 800)
    const counts = { accepted: 0, minio: 0, aws: 0, allowed: 0, denied: 0 }
    for (const [one, asked] of cases) {
      const result = narrowed(one)
      if (result === undefined) continue
      counts.accepted += 1
      counts[one.dialect] += 1
      for (const request of asked) {
        counts[result.byResult(request) ? 'allowed' : 'denied'] += 1
      }
    }
    assert.ok(counts.minio > 80 && counts.aws > 150, JSON.stringify(counts))
    assert.ok(counts.allowed > 150 && counts.denied > 150, JSON.stringify(counts))
  })
})
