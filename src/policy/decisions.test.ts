import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  explain,
  explainIssue,
  isAllowed,
  isDeniedAtIssue,
  parsePolicy,
  PolicyError,
  type BrokenPolicy,
  type NamedPolicy,
  type Policy,
  type PolicyKind,
  type PolicyPrincipal,
  type Question,
} from './index.ts'
import { factsFromContext, type FlatContext } from './testing/facts-from-context.ts'

type PolicyDocument = Readonly<{ Version: string; Statement: readonly unknown[] }>
type VectorAccess = Readonly<{ action: string; resource: string; context?: FlatContext }>
type VectorRequest = VectorAccess &
  Readonly<{
    principal: PolicyPrincipal & Readonly<{ role?: string }>
    context: FlatContext
    also?: readonly VectorAccess[]
  }>
type Case = Readonly<{
  id: number
  reason: string
  policies: Readonly<{
    identity: readonly PolicyDocument[]
    session?: readonly PolicyDocument[]
    bucket?: PolicyDocument
  }>
  request: VectorRequest
  perBucket?: readonly (VectorAccess & Readonly<{ expected: string }>)[]
  mode?: 'issue'
  expected: 'Allow' | 'Deny' | 'Filtered'
}>

const file = new URL('../../test/vectors/policy/decisions.json', import.meta.url)
const { cases }: { cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'))

type Reorder = <Item>(items: readonly Item[]) => readonly Item[]
const orders: Readonly<Record<string, Reorder>> = {
  'as written': (items) => items,
  reversed: (items) => items.toReversed(),
  rotated: (items) => [...items.slice(1), ...items.slice(0, 1)],
}

describe('the decision table', () => {
  test('has all its 128 cases', () => {
    assert.equal(cases.length, 128)
  })
  for (const [order, reorder] of Object.entries(orders)) {
    describe(`with statements and documents ${order}`, () => {
      for (const one of cases) {
        test(`case ${one.id}: ${one.expected}, ${one.reason}`, () => {
          if (one.expected === 'Filtered') runFiltered(one, reorder)
          else assertDecision(one, questionOf(one, reorder, accessesOf(one)), one.expected)
        })
      }
    })
  }
})

/** ListBuckets: the call itself is not granted, each bucket is asked for by itself. */
function runFiltered(one: Case, reorder: Reorder): void {
  assert.equal(isAllowed(questionOf(one, reorder, [one.request])), false)
  for (const bucket of one.perBucket ?? []) {
    assertDecision(one, questionOf(one, reorder, [bucket]), bucket.expected)
  }
  assert.equal(one.perBucket?.length, 2)
}

function assertDecision(one: Case, question: Question, expected: string): void {
  const allowed = expected === 'Allow'
  if (one.mode === 'issue') {
    assert.equal(!isDeniedAtIssue(question), allowed)
    assert.equal(explainIssue(question).allowed, allowed)
  } else {
    assert.equal(isAllowed(question), allowed)
    assert.equal(explain(question).allowed, allowed)
  }
}

function accessesOf({ request }: Case): readonly VectorAccess[] {
  const also = request.also ?? []
  return [request, ...also.map((access) => ({ context: request.context, ...access }))]
}

function questionOf(one: Case, reorder: Reorder, accesses: readonly VectorAccess[]): Question {
  const { identity, session, bucket } = one.policies
  const bucketPolicy = bucket && nameAll([bucket], 'bucket', reorder)[0]
  return {
    principal: one.request.principal,
    facts: factsFromContext(one.request.context).facts,
    identity: nameAll(identity, 'identity', reorder),
    ceilings: session
      ? [{ name: 'session policy', policies: nameAll(session, 'session', reorder) }]
      : [],
    accesses: accesses.map(({ action, resource, context = {} }) => ({
      action,
      resource,
      s3: factsFromContext(context).s3,
      ...(bucketPolicy && { bucketPolicy }),
    })),
  }
}

function nameAll(
  documents: readonly PolicyDocument[],
  kind: PolicyKind,
  reorder: Reorder,
): readonly NamedPolicy[] {
  return reorder(documents).map((document, index) => ({
    name: `${kind} ${index}`,
    policy: parseStored({ ...document, Statement: reorder(document.Statement) }, kind),
  }))
}

/** As a store would read it back: what does not parse stays, as broken. */
function parseStored(document: PolicyDocument, kind: PolicyKind): Policy | BrokenPolicy {
  try {
    return parsePolicy(JSON.stringify(document), kind)
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    assert.equal(document.Statement.length, 0, `must parse: ${error.message}`)
    return { kind: 'broken', problem: error.message }
  }
}
