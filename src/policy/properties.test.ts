import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  explain,
  explainIssue,
  isAllowed,
  isDeniedAtIssue,
  parsePolicy,
  PolicyError,
  type PolicyKind,
  type Question,
} from './index.ts'
import { bucketDocument, document, situation, statement } from './testing/arbitraries.ts'
import { factsFromContext } from './testing/facts-from-context.ts'
import {
  referenceAllows,
  type RawDocument,
  type RawQuestion,
} from './testing/reference-evaluator.ts'

const many = { numRuns: 400 }

function questionOf(raw: RawQuestion): Question {
  const { facts, s3 } = factsFromContext(raw.context)
  const named = (documents: readonly RawDocument[], kind: PolicyKind): Question['identity'] =>
    documents.map((one, index) => ({ name: `${kind} ${index}`, policy: parse(one, kind) }))
  const [bucketPolicy] = raw.bucket ? named([raw.bucket], 'bucket') : []
  return {
    principal: raw.principal,
    facts,
    identity: named(raw.identity, 'identity'),
    ceilings: raw.ceilings.map((layer, index) => ({
      name: `ceiling ${index}`,
      policies: named(layer, 'session'),
    })),
    accesses: [
      { action: raw.action, resource: raw.resource, s3, ...(bucketPolicy && { bucketPolicy }) },
    ],
  }
}

function parse(raw: RawDocument, kind: PolicyKind): ReturnType<typeof parsePolicy> {
  return parsePolicy(JSON.stringify(raw), kind)
}

function allows(raw: RawQuestion): boolean {
  return isAllowed(questionOf(raw))
}

function reversed(documents: readonly RawDocument[]): readonly RawDocument[] {
  return documents.toReversed().map((one) => ({ ...one, Statement: one.Statement.toReversed() }))
}

describe('evaluation', () => {
  test('agrees with the slow and plain reference', () => {
    fc.assert(
      fc.property(situation, (raw) => {
        assert.equal(allows(raw), referenceAllows(raw))
      }),
      { numRuns: 4000 },
    )
  })

  test('meets both answers often enough for the comparison to mean something', () => {
    const answers = fc.sample(situation, 1000).map(allows)
    assert.ok(answers.filter(Boolean).length > 30)
    assert.ok(answers.filter((answer) => !answer).length > 30)
  })

  test('explains exactly what it decides', () => {
    fc.assert(
      fc.property(situation, (raw) => {
        const question = questionOf(raw)
        assert.equal(explain(question).allowed, isAllowed(question))
        assert.equal(explainIssue(question).allowed, !isDeniedAtIssue(question))
      }),
      many,
    )
  })

  test('does not care for the order of statements, documents and layers', () => {
    fc.assert(
      fc.property(situation, (raw) => {
        const turned = {
          ...raw,
          identity: reversed(raw.identity),
          ceilings: raw.ceilings.map(reversed).toReversed(),
          ...(raw.bucket && { bucket: { ...raw.bucket, ...reversed([raw.bucket])[0] } }),
        }
        assert.equal(allows(turned), allows(raw))
      }),
      many,
    )
  })

  test('never says more after another deny, another ceiling or another document in no layer', () => {
    fc.assert(
      fc.property(situation, statement, document, (raw, denial, ceiling) => {
        if (allows(raw)) return
        const deny: RawDocument = {
          Version: '2012-10-17',
          Statement: [{ ...denial, Effect: 'Deny' }],
        }
        assert.equal(allows({ ...raw, identity: [...raw.identity, deny] }), false)
        assert.equal(allows({ ...raw, ceilings: [...raw.ceilings, [ceiling]] }), false)
      }),
      many,
    )
  })

  test('never says less after another allow in a layer', () => {
    fc.assert(
      fc.property(situation, statement, (raw, grant) => {
        if (!allows(raw)) return
        const allow: RawDocument = {
          Version: '2012-10-17',
          Statement: [{ ...grant, Effect: 'Allow' }],
        }
        assert.equal(allows({ ...raw, identity: [...raw.identity, allow] }), true)
        const ceilings = raw.ceilings.map((layer) => [...layer, allow])
        assert.equal(allows({ ...raw, ceilings }), true)
      }),
      many,
    )
  })

  test('lets a deny of everything win, wherever it stands, but for root over buckets', () => {
    const deny: RawDocument = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: ['*'], Resource: ['*'] }],
    }
    const bucket: RawDocument = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: ['*'], Resource: ['*'] }],
    }
    fc.assert(
      fc.property(situation, (raw) => {
        assert.equal(allows({ ...raw, identity: [...raw.identity, deny] }), false)
        assert.equal(allows({ ...raw, ceilings: [...raw.ceilings, [deny]] }), false)
        if (raw.principal.kind !== 'root') assert.equal(allows({ ...raw, bucket }), false)
      }),
      many,
    )
  })

  test('needs every access of a request', () => {
    fc.assert(
      fc.property(situation, situation, (raw, other) => {
        const [one, two] = [questionOf(raw), questionOf({ ...raw, action: other.action })]
        const both = { ...one, accesses: [...one.accesses, ...two.accesses] }
        assert.equal(isAllowed(both), isAllowed(one) && isAllowed(two))
      }),
      many,
    )
  })
})

describe('normalised text', () => {
  test('parses to the same text, and to the same answers', () => {
    fc.assert(
      fc.property(situation, (raw) => {
        const question = questionOf(raw)
        const again = (policies: Question['identity']): Question['identity'] =>
          policies.map(({ name, policy }) => {
            assert.ok('text' in policy)
            const reparsed = parsePolicy(policy.text, policy.kind)
            assert.equal(reparsed.text, policy.text)
            assert.deepEqual(reparsed.warnings, policy.warnings)
            return { name, policy: reparsed }
          })
        const accesses = question.accesses.map((access) => {
          const [bucketPolicy] = access.bucketPolicy ? again([access.bucketPolicy]) : []
          return bucketPolicy === undefined ? access : { ...access, bucketPolicy }
        })
        const ceilings = question.ceilings.map(({ name, policies }) => ({
          name,
          policies: again(policies),
        }))
        const reprinted = { ...question, identity: again(question.identity), ceilings, accesses }
        assert.equal(isAllowed(reprinted), isAllowed(question))
      }),
      many,
    )
  })
})

describe('the parser throws nothing but PolicyError', () => {
  const kinds: readonly PolicyKind[] = ['identity', 'session', 'bucket']

  function parseAnything(text: string): void {
    for (const kind of kinds) {
      try {
        const policy = parsePolicy(text, kind)
        assert.equal(parsePolicy(policy.text, kind).text, policy.text)
      } catch (error) {
        assert.ok(error instanceof PolicyError, String(error))
      }
    }
  }

  test('on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), parseAnything), many)
  })

  test('on any JSON', () => {
    fc.assert(fc.property(fc.json(), parseAnything), many)
  })

  test('on documents whose members hold any JSON', () => {
    const member = fc.constantFrom(
      'Version',
      'Id',
      'Statement',
      'Sid',
      'Effect',
      'Action',
      'NotAction',
      'Resource',
      'NotResource',
      'Principal',
      'NotPrincipal',
      'Condition',
      '__proto__',
      'constructor',
      'AWS',
      'StringEquals',
      'IpAddress',
      'NumericEquals',
      'aws:SourceIp',
      'aws:PrincipalTag/__proto__',
    )
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom('Allow', 'Deny', '*', 's3:GetObject', 'arn:aws:s3:::b/${x', '2012-10-17'),
        fc.jsonValue(),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(member, tie('node'), { maxKeys: 6 }),
      ),
    })).node
    fc.assert(
      fc.property(value, (json) => parseAnything(JSON.stringify(json))),
      many,
    )
  })

  test('on good documents with a few characters changed', () => {
    const text = fc.oneof(document, bucketDocument).map((one) => JSON.stringify(one))
    const character = fc.constantFrom(
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '$',
      '*',
      '\\',
      '0',
      'e',
      '',
    )
    fc.assert(
      fc.property(text, fc.nat(), fc.nat({ max: 3 }), character, (good, at, length, mark) => {
        const start = at % good.length
        parseAnything(good.slice(0, start) + mark + good.slice(start + length))
      }),
      many,
    )
  })
})
