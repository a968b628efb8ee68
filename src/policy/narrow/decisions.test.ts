import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  isAllowed,
  narrow,
  parsePolicy,
  PolicyError,
  type NamedPolicy,
  type NarrowDialect,
  type PolicyKind,
} from '../index.ts'
import { factsFromContext, type FlatContext } from '../testing/facts-from-context.ts'

type Access = Readonly<{ action: string; resource: string; context?: FlatContext }>
type Case = Readonly<{
  id: number
  policies: Readonly<{
    identity: readonly unknown[]
    session?: readonly unknown[]
    bucket?: unknown
  }>
  request: Access &
    Readonly<{
      principal: Readonly<{ kind: string }>
      context: FlatContext
      also?: readonly Access[]
    }>
  mode?: 'issue'
  expected: string
}>

const file = new URL('../../../test/vectors/policy/decisions.json', import.meta.url)
const { cases }: { cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'))

/** Those that ask about somebody's policies alone: no bucket policy, no root, no check at issue. */
const fitting = cases.filter(
  ({ policies, request, mode, expected }) =>
    policies.identity.length > 0 &&
    policies.bucket === undefined &&
    mode === undefined &&
    expected !== 'Filtered' &&
    (policies.session?.length ?? 1) === 1 &&
    !['root', 'root-session', 'anonymous'].includes(request.principal.kind) &&
    !(policies.session ?? []).some(isEmpty),
)

/** Case 86: a document without statements does not parse, and a broken one is refused. */
function isEmpty(document: unknown): boolean {
  return JSON.stringify(document).includes('"Statement":[]')
}

/**
 * What a target has no words for: of MinIO `NotResource` (23, 24), operators that it refuses or reads otherwise (39, 40, 58, 61,
 * 67, 68), and a literal asterisk (76 to 78).
 */
const unsayable: Readonly<Record<NarrowDialect, readonly number[]>> = {
  minio: [23, 24, 39, 40, 58, 61, 67, 68, 76, 77, 78],
  aws: [],
}

describe('the decision table, said in one document to a target that knows only the broker', () => {
  test('has enough cases that fit', () => {
    assert.ok(fitting.length >= 80, String(fitting.length))
  })
  for (const dialect of ['minio', 'aws'] as const) {
    test(`is decided alike for ${dialect}, but for what is refused`, () => {
      const refused: number[] = []
      for (const one of fitting) {
        // nobody administers MinIO there
        if (dialect === 'aws' && one.request.action.startsWith('admin:')) continue
        const allowed = decide(one, dialect)
        if (allowed === undefined) refused.push(one.id)
        else assert.equal(allowed, one.expected === 'Allow', `case ${one.id}`)
      }
      assert.deepEqual(refused, unsayable[dialect])
    })
  }
})

/** `undefined`: narrowing was refused. */
function decide({ policies, request }: Case, dialect: NarrowDialect): boolean | undefined {
  const person = factsFromContext(request.context).facts
  const text = textOf(() =>
    narrow({
      bound: named(policies.identity, 'identity'),
      session: named(policies.session ?? [], 'session'),
      facts: person,
      dialect,
    }),
  )
  if (text === undefined) return undefined
  const { CurrentTime, SourceIp, SecureTransport, Referer } = person.aws
  return isAllowed({
    principal: { kind: 'root-session', account: '000000000000' },
    facts: {
      aws: {
        CurrentTime,
        ...(SourceIp !== undefined && { SourceIp }),
        ...(SecureTransport !== undefined && { SecureTransport }),
        ...(Referer !== undefined && { Referer }),
        principaltype: 'Account',
      },
    },
    identity: [],
    ceilings: [
      { name: 'inline', policies: [{ name: 'inline', policy: parsePolicy(text, 'session') }] },
    ],
    accesses: [request, ...(request.also ?? [])].map(({ action, resource, context }) => ({
      action,
      resource,
      s3: factsFromContext(context ?? request.context).s3,
    })),
  })
}

function textOf(narrowing: () => Readonly<{ text: string }>): string | undefined {
  try {
    return narrowing().text
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    return undefined
  }
}

function named(documents: readonly unknown[], kind: PolicyKind): readonly NamedPolicy[] {
  return documents.map((document, index) => ({
    name: `${kind} ${index}`,
    policy: parsePolicy(JSON.stringify(document), kind),
  }))
}
