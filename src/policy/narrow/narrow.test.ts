import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  narrow,
  parsePolicy,
  PolicyError,
  type NamedPolicy,
  type NarrowFacts,
  type NarrowQuestion,
} from '../index.ts'
import { policyOf } from '../testing/ask.ts'

type Values = string | readonly string[]
type Statement = Readonly<Record<string, unknown>>

const s3 = (path: string): string => `arn:aws:s3:::${path}`
const everyObject = s3('*')

function allow(Action: Values, Resource: Values, Condition?: unknown): Statement {
  return { Effect: 'Allow', Action, Resource, ...(Condition !== undefined && { Condition }) }
}

function deny(Action: Values, Resource: Values, Condition?: unknown): Statement {
  return { ...allow(Action, Resource, Condition), Effect: 'Deny' }
}

const alice: NarrowFacts = {
  aws: { username: 'alice', groups: ['dev', 'ops'], principaltype: 'User' },
  jwt: new Map([['sub', 'a*b']]),
  principalTags: new Map([['Team', 'red']]),
  federated: { provider: 'dex', claims: new Map([['floor', '3']]) },
}

type Case = Readonly<{
  bound: readonly Statement[]
  session?: readonly Statement[]
  dialect?: NarrowQuestion['dialect']
  facts?: NarrowFacts
  version?: string
}>

function run({ bound, session, dialect = 'aws', facts = alice, version }: Case): string {
  return narrow({
    bound: [
      { name: 'web', source: 'binding shop/web', policy: policyOf(bound, 'identity', version) },
    ],
    session:
      session === undefined ? [] : [{ name: 'Policy', policy: policyOf(session, 'session') }],
    facts,
    dialect,
  }).text
}

function statements(one: Case): readonly Statement[] {
  const { Statement }: { Statement: readonly Statement[] } = JSON.parse(run(one))
  return Statement
}

/** For MinIO without the Deny of one's own account, which the last suite is about. */
function minio(one: Case): readonly Statement[] {
  return statements({ ...one, dialect: 'minio' }).filter(
    ({ Effect, Action }) => Effect !== 'Deny' || JSON.stringify(Action) !== '["admin:*"]',
  )
}

function refuses(one: Case, reason: RegExp): void {
  assert.throws(
    () => run(one),
    (error) => {
      assert.ok(error instanceof PolicyError, String(error))
      assert.equal(error.code, 'malformed_policy')
      assert.match(error.message, reason)
      return true
    },
  )
}

const nothing = [deny('*', '*')]

describe('what is bound and what the caller sends', () => {
  test('leaves what both allow', () => {
    assert.deepEqual(
      statements({
        bound: [allow('s3:*', [s3('b'), s3('b/*')])],
        session: [allow('s3:GetObject', everyObject)],
      }),
      [allow('s3:GetObject', [s3('b'), s3('b/*')])],
    )
  })

  test('keeps the denies of every side', () => {
    assert.deepEqual(
      statements({
        bound: [allow('s3:*', '*'), deny('s3:*', s3('b/secret/*'))],
        session: [allow('s3:GetObject', s3('b/*')), deny('s3:GetObject', s3('b/x'))],
      }),
      [
        allow('s3:GetObject', s3('b/*')),
        deny('s3:*', s3('b/secret/*')),
        deny('s3:GetObject', s3('b/x')),
      ],
    )
  })

  test('needs each document of the session by itself', () => {
    const policy = (statement: Statement): NamedPolicy => ({
      name: 'Policy',
      policy: policyOf([statement], 'session'),
    })
    const { text } = narrow({
      bound: [{ name: 'web', policy: policyOf([allow('s3:*', '*')]) }],
      session: [policy(allow('s3:Get*', '*')), policy(allow('s3:*', s3('b/*')))],
      facts: alice,
      dialect: 'aws',
    })
    assert.deepEqual(JSON.parse(text).Statement, [allow('s3:Get*', s3('b/*'))])
  })

  test('never lets the caller widen a binding', () => {
    const bound = [allow('s3:GetObject', s3('b/*'))]
    assert.deepEqual(statements({ bound, session: [allow('*', '*')] }), bound)
  })

  test('gives a document that denies everything where nothing is left', () => {
    const bound = [allow('s3:GetObject', s3('b/*'))]
    assert.deepEqual(statements({ bound, session: [allow('s3:PutObject', '*')] }), nothing)
    assert.deepEqual(statements({ bound, session: [deny('s3:PutObject', '*')] }), nothing)
    assert.deepEqual(statements({ bound: [...bound, deny('s3:*', '*')] }), nothing)
    assert.deepEqual(minio({ bound: [deny('s3:PutObject', '*')] }), [deny(['s3:*'], [everyObject])])
  })

  test('refuses an empty binding, and policies that cannot speak', () => {
    const question = { session: [], facts: alice, dialect: 'aws' } as const
    assert.throws(() => narrow({ ...question, bound: [] }), PolicyError)
    const broken: NamedPolicy = { name: 'old', policy: { kind: 'broken', problem: 'torn' } }
    assert.throws(() => narrow({ ...question, bound: [broken] }), /policy "old": torn/)
    const good: NamedPolicy = { name: 'web', policy: policyOf([allow('s3:*', '*')]) }
    assert.throws(() => narrow({ ...question, bound: [good], session: [broken] }), /torn/)
    const bucket = { ...allow('s3:*', s3('b/*')), Principal: '*' }
    const foreign: NamedPolicy = { name: 'mine', policy: policyOf([bucket], 'bucket') }
    assert.throws(() => narrow({ ...question, bound: [good, foreign] }), /kind bucket/)
  })

  test('names policy, source and statement in a refusal', () => {
    refuses(
      { bound: [allow('s3:*', '*'), allow('s3:*', '*', { StringEquals: { 'aws:x': 'y' } })] },
      /^policy "web" of binding shop\/web, Statement\[1\]\.Condition\.StringEquals\.aws:x: /,
    )
  })
})

describe('the person', () => {
  test('stands in resources by value', () => {
    assert.deepEqual(statements({ bound: [allow('s3:*', s3('home/${aws:username}/*'))] }), [
      allow('s3:*', s3('home/alice/*')),
    ])
    assert.deepEqual(statements({ bound: [allow('s3:*', s3("${aws:PrincipalTag/x, 'all'}/*"))] }), [
      allow('s3:*', s3('all/*')),
    ])
  })

  test('is a text, whatever characters it has', () => {
    const bound = [allow('s3:*', s3('${jwt:sub}/*'))]
    assert.deepEqual(statements({ bound }), [allow('s3:*', s3('a${*}b/*'))])
    refuses({ bound, dialect: 'minio' }, /MinIO has no way to say "\*" literally/)
    const odd = { aws: { username: '${x}' } }
    const home = [allow('s3:*', s3('${aws:username}/*'))]
    assert.deepEqual(statements({ bound: home, facts: odd }), [allow('s3:*', s3('${$}{x}/*'))])
    refuses({ bound: home, facts: odd, dialect: 'minio' }, /no way to say/)
  })

  test('without a value matches nothing, and never leaves its folder', () => {
    const bound = [allow('s3:*', s3('home/${aws:username}/*'))]
    for (const username of ['', '..', 'a/b', 'a\n']) {
      assert.deepEqual(statements({ bound, facts: { aws: { username } } }), nothing)
    }
    assert.deepEqual(statements({ bound, facts: { aws: {} } }), nothing)
    assert.deepEqual(
      statements({ bound: [{ Effect: 'Allow', Action: 's3:*', NotResource: s3('${jwt:iss}/*') }] }),
      nothing,
    )
  })

  test('is plain text in documents of Version 2008-10-17', () => {
    const bound = [allow('s3:*', s3('home/${aws:username}/*'))]
    const version = '2008-10-17'
    assert.deepEqual(statements({ bound, version }), [
      allow('s3:*', s3('home/${$}{aws:username}/*')),
    ])
    refuses({ bound, version, dialect: 'minio' }, /no way to say/)
  })

  test('decides the conditions that speak of it', () => {
    const get = allow('s3:GetObject', s3('b/*'))
    const kept: readonly unknown[] = [
      { StringEquals: { 'aws:username': 'alice' } },
      { 'ForAnyValue:StringEquals': { 'aws:groups': 'ops' } },
      { StringEqualsIfExists: { 'jwt:iss': 'x' } },
      { 'ForAllValues:StringEquals': { 'ldap:groups': 'x' } },
      { Null: { 'aws:PrincipalTag/Team': 'false' } },
      { StringLike: { 'aws:PrincipalTag/Team': '${aws:PrincipalTag/Team}' } },
      { NumericLessThan: { 'dex:floor': 4 } },
    ]
    for (const Condition of kept)
      assert.deepEqual(statements({ bound: [{ ...get, Condition }] }), [get])
    const dropped: readonly unknown[] = [
      { StringEquals: { 'aws:username': 'bob' } },
      { StringEquals: { 'aws:username': 'Alice' } },
      { 'ForAllValues:StringEquals': { 'aws:groups': 'ops' } },
      { StringEquals: { 'jwt:iss': 'x' } },
      { Null: { 'aws:username': 'true' } },
    ]
    for (const Condition of dropped) {
      assert.deepEqual(statements({ bound: [{ ...get, Condition }] }), nothing)
      assert.deepEqual(statements({ bound: [get, deny('s3:*', '*', Condition)] }), [get])
    }
  })

  test('is not decided by a request, nor by keys that nobody is known to answer', () => {
    const when = (Condition: unknown): Case => ({ bound: [allow('s3:*', '*', Condition)] })
    refuses(when({ StringEquals: { 'aws:username': '${s3:prefix}' } }), /value of the request/)
    refuses(when({ StringEquals: { 'aws:NewKey': 'x' } }), /nobody is known/)
    refuses(when({ StringEquals: { 'corp:sub': 'x' } }), /nobody is known/)
    refuses(when({ StringEquals: { 's3:prefix': '${aws:NewKey}' } }), /nobody is known/)
    refuses({ bound: [allow('s3:*', s3('${corp:sub}/*'))] }, /nobody is known/)
  })
})

describe('conditions on requests', () => {
  const both = (one: unknown, other: unknown): Case => ({
    bound: [allow('s3:ListBucket', s3('b'), one)],
    session: [allow('s3:ListBucket', s3('b'), other)],
  })
  const left = (one: unknown, other: unknown): unknown =>
    statements(both(one, other))[0]?.['Condition']
  const prefix = (operator: string, values: Values): unknown => ({
    [operator]: { 's3:prefix': values },
  })

  test('stay, with the value of the person in them', () => {
    const bound = [allow('s3:ListBucket', s3('b'), prefix('StringLike', '${aws:username}/*'))]
    const expected = [allow('s3:ListBucket', s3('b'), prefix('StringLike', 'alice/*'))]
    assert.deepEqual(statements({ bound }), expected)
  })

  test('are both demanded', () => {
    assert.deepEqual(left(prefix('StringLike', 'a*'), { Bool: { 'aws:SecureTransport': true } }), {
      Bool: { 'aws:SecureTransport': 'true' },
      StringLike: { 's3:prefix': 'a*' },
    })
  })

  test('of one operator and key become one', () => {
    const cases: readonly (readonly [one: unknown, other: unknown, both: unknown])[] = [
      [
        prefix('StringEquals', ['a', 'b']),
        prefix('StringEquals', ['b', 'c']),
        prefix('StringEquals', 'b'),
      ],
      [prefix('StringLike', 'a*'), prefix('StringLike', '*b'), prefix('StringLike', 'a*b')],
      [
        prefix('StringNotEquals', 'a'),
        prefix('StringNotEquals', 'b'),
        prefix('StringNotEquals', ['a', 'b']),
      ],
      [
        { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '::1'] } },
        { IpAddress: { 'aws:SourceIp': '10.1.0.0/16' } },
        { IpAddress: { 'aws:SourceIp': '10.1.0.0/16' } },
      ],
      [
        { NumericLessThanEquals: { 's3:max-keys': [10, 100] } },
        { NumericLessThanEquals: { 's3:max-keys': '50' } },
        { NumericLessThanEquals: { 's3:max-keys': '50' } },
      ],
      [
        { DateGreaterThan: { 'aws:CurrentTime': '2026-01-01' } },
        { DateGreaterThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' } },
        { DateGreaterThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' } },
      ],
      // absent passes both, present passes neither
      [
        prefix('StringEqualsIfExists', 'a'),
        prefix('StringEqualsIfExists', 'b'),
        prefix('Null', 'true'),
      ],
    ]
    for (const [one, other, joined] of cases) {
      assert.deepEqual(left(one, other), joined)
      assert.deepEqual(left(other, one), joined)
    }
  })

  test('that exclude each other leave nothing', () => {
    const apart = both(prefix('StringEquals', 'a'), prefix('StringEquals', 'b'))
    assert.deepEqual(statements(apart), nothing)
    assert.deepEqual(statements(both(prefix('Null', 'true'), prefix('Null', 'false'))), nothing)
  })

  test('of several values at once are not joined where one value might pass each', () => {
    const tags = (values: Values): unknown => ({
      'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': values },
    })
    refuses(both(tags('a'), tags('b')), /cannot be joined/)
    assert.deepEqual(left(tags('a'), tags(['a', 'b'])), tags('a'))
  })

  test('with variables of the request stay open for AWS, not for MinIO', () => {
    const bound = [allow('s3:ListBucket', s3('b'), prefix('StringLike', '${aws:SourceIp}/*'))]
    assert.deepEqual(statements({ bound }), bound)
    refuses({ bound, dialect: 'minio' }, /does not fill in/)
    refuses(both(prefix('StringLike', '${aws:SourceIp}*'), prefix('StringLike', 'a*')), /joined/)
  })
})

describe('actions and resources', () => {
  test('overlap in every way that patterns can', () => {
    assert.deepEqual(
      minio({
        bound: [allow('s3:Get*', s3('b/*'))],
        session: [allow('s3:*tObject', s3('*/k'))],
      }),
      [allow(['s3:GetObject'], [s3('b/*/k'), s3('b/k')])],
    )
  })

  test('compare names without case, resources with case', () => {
    const bound = [allow('S3:GETOBJECT', s3('b/K'))]
    const session = [allow('s3:getobject', s3('b/?'))]
    assert.deepEqual(statements({ bound, session }), [allow('s3:GetObject', s3('b/K'))])
    assert.deepEqual(statements({ bound, session: [allow('s3:*', s3('b/k'))] }), nothing)
  })

  test('of an Allow with NotAction are written out', () => {
    const bound = [{ Effect: 'Allow', NotAction: ['s3:Delete*', 's3:Put*'], Resource: s3('b/*') }]
    assert.deepEqual(statements({ bound, session: [allow('s3:*Object', '*')] }), [
      allow(['s3:GetObject', 's3:ReplicateObject', 's3:RestoreObject'], s3('b/*')),
    ])
    refuses(
      { bound: [{ Effect: 'Allow', NotAction: 'kms:Decrypt', Resource: '*' }] },
      /not known here one by one/,
    )
    refuses(
      {
        bound: [{ Effect: 'Allow', NotAction: 's3:GetObject', Resource: s3('b/*') }],
        dialect: 'minio',
      },
      /s3:GetObjectVersion stand for s3:GetObject/,
    )
  })

  test('of an Allow with NotResource need a resource that is wholly in or wholly out', () => {
    const bound = [{ Effect: 'Allow', Action: 's3:*', NotResource: s3('b/secret/*') }]
    const session = [allow('s3:GetObject', [s3('b/open/*'), s3('b/secret/x')])]
    assert.deepEqual(statements({ bound, session }), [allow('s3:GetObject', s3('b/open/*'))])
    refuses({ bound, session: [allow('s3:GetObject', s3('b/*'))] }, /cannot be written down/)
    assert.deepEqual(statements({ bound, session: [allow('s3:*', '*')] }), bound)
    refuses({ bound, dialect: 'minio' }, /knows neither NotAction nor NotResource/)
  })

  test('of other services never come with a bare asterisk beyond those that are evaluated', () => {
    assert.deepEqual(statements({ bound: [allow(['*', 'ec2:*'], '*')] }), [
      allow(['iam:*', 'kms:*', 's3:*', 'sts:*'], '*'),
    ])
    assert.deepEqual(statements({ bound: [allow('*', s3('b/*'))] }), [allow('s3:*', s3('b/*'))])
    refuses({ bound: [allow('*', 'arn:aws:kms:eu:1:key/k')] }, /name the actions/)
  })

  test('that are too many ways one and the same are refused in bounded work', () => {
    const hostile = (letter: string): Statement =>
      allow(
        's3:GetObject',
        Array.from({ length: 20 }, (_, index) => s3(`b${index}*${`${letter}*`.repeat(60)}`)),
      )
    refuses(
      { bound: [hostile('a')], session: [allow('s3:*', s3('*' + 'b*c*'.repeat(60)))] },
      /too many|too much|written down/,
    )
  })

  test('over 64 KiB are refused', () => {
    const big = policyOf([
      allow(
        's3:*',
        Array.from({ length: 180 }, (_, index) => s3(`bucket-${index}/${'x'.repeat(80)}`)),
      ),
    ])
    const bound = Array.from({ length: 4 }, (_, index) => ({ name: `p${index}`, policy: big }))
    assert.throws(
      () => narrow({ bound, session: [], facts: alice, dialect: 'aws' }),
      (error) => error instanceof PolicyError && error.code === 'policy_too_large',
    )
  })
})

describe('fewer words', () => {
  test('keep a Deny of keys beside one of everything that is bound by its resource', () => {
    const bound = [allow('*', '*'), deny(['*', 'kms:*'], s3('b/*'))]
    assert.deepEqual(
      statements({ bound }).filter(({ Effect }) => Effect === 'Deny'),
      [deny('*', s3('b/*')), deny('kms:*', s3('b/*'))],
    )
  })

  test('keep a Deny of what has no resources, though its resource has no value', () => {
    const bound = [allow('*', '*'), deny(['s3:*', 'kms:*'], s3('${jwt:iss}/*'))]
    assert.deepEqual(
      statements({ bound }).filter(({ Effect }) => Effect === 'Deny'),
      [deny('kms:*', '*')],
    )
  })

  test('drop what another statement says', () => {
    assert.deepEqual(
      statements({
        bound: [
          allow('s3:Get*', '*'),
          allow('s3:GetObject', s3('b/*')),
          allow('s3:GetObject', s3('b/*'), { StringEquals: { 's3:prefix': 'a' } }),
        ],
      }),
      [allow('s3:Get*', '*')],
    )
  })

  test('unite statements that differ in one list', () => {
    const when = (value: string): unknown => ({ StringEquals: { 's3:prefix': value } })
    assert.deepEqual(
      statements({
        bound: [
          allow('s3:GetObject', s3('a/*')),
          allow('s3:GetObject', s3('b/*')),
          allow('s3:PutObject', [s3('b/*'), s3('a/*')]),
          allow('s3:ListBucket', s3('b'), when('y')),
          allow('s3:ListBucket', s3('b'), when('x')),
        ],
      }),
      [
        allow('s3:ListBucket', s3('b'), { StringEquals: { 's3:prefix': ['x', 'y'] } }),
        allow(['s3:GetObject', 's3:PutObject'], [s3('a/*'), s3('b/*')]),
      ],
    )
  })

  test('do not unite what only looks alike', () => {
    const crossed = [allow('s3:GetObject', s3('a/*')), allow('s3:PutObject', s3('b/*'))]
    assert.deepEqual(statements({ bound: crossed }), crossed)
  })

  test('lose names of statements and stay the same document when read again', () => {
    const text = run({ bound: [{ Sid: 'One', ...allow('s3:*', '*') }] })
    assert.equal(
      text,
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
    )
    assert.equal(parsePolicy(text, 'session').text, text)
  })
})

describe('for MinIO', () => {
  const bound = [allow('s3:*', '*')]

  test('resources are S3 ARNs, lists are lists, names have its case', () => {
    assert.deepEqual(minio({ bound: [allow(['s3:get*', 'S3:listbucket'], '*')] }), [
      allow(['s3:Get*', 's3:ListBucket'], [everyObject]),
    ])
  })

  test('a bare asterisk is never written: there it would ignore the resource', () => {
    assert.deepEqual(minio({ bound: [allow('*', s3('b/*'))] }), [allow(['s3:*'], [s3('b/*')])])
    assert.deepEqual(minio({ bound: [allow('*', '*')] }), [
      { Effect: 'Allow', Action: ['admin:*'] },
      { Effect: 'Allow', Action: ['kms:*'] },
      allow(['s3:*'], [everyObject]),
    ])
  })

  test('a fence of NotResource or NotAction is worked into what it fences', () => {
    const fence = { Effect: 'Deny', Action: 's3:*', NotResource: [s3('b'), s3('b/*')] }
    assert.deepEqual(minio({ bound: [...bound, fence] }), [allow(['s3:*'], [s3('b'), s3('b/*')])])
    const readOnly = { Effect: 'Deny', NotAction: ['s3:Get*', 's3:List*'], Resource: '*' }
    assert.deepEqual(minio({ bound: [...bound, readOnly] }), [
      allow(['s3:Get*', 's3:List*'], [everyObject]),
    ])
    const sometimes = { ...fence, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }
    refuses({ bound: [...bound, sometimes], dialect: 'minio' }, /neither NotAction nor NotResource/)
  })

  test('a bucket is spared together with everything in it, since it is asked for as `bucket/`', () => {
    const spared = { Effect: 'Allow', Action: 's3:*', NotResource: s3('b/*') }
    const sides = { bound: [allow('s3:*', [s3('b'), s3('c')])], session: [spared] }
    refuses({ ...sides, dialect: 'minio' }, /cannot be written down/)
    assert.deepEqual(statements(sides), [allow('s3:*', [s3('b'), s3('c')])])
  })

  test('a fence that reaches part of a pattern is refused', () => {
    const fence = { Effect: 'Deny', NotAction: 's3:Get*', Resource: s3('b/*') }
    refuses({ bound: [...bound, fence], dialect: 'minio' }, /neither NotAction nor NotResource/)
  })

  test('actions that it does not know are left out of an Allow and refused in a Deny', () => {
    assert.deepEqual(minio({ bound: [allow(['s3:GetObjectAcl', 's3:GetObject'], '*')] }), [
      allow(['s3:GetObject'], [everyObject]),
    ])
    refuses({ bound: [...bound, deny('s3:GetObjectAcl', '*')], dialect: 'minio' }, /no action/)
    refuses({ bound: [allow('admin:Server*', '*')], dialect: 'minio' }, /whole name/)
  })

  test('conditions that it would refuse or read otherwise are refused', () => {
    const when = (Action: string, Condition: unknown): Case => ({
      bound: [allow(Action, '*', Condition)],
      dialect: 'minio',
    })
    const refused: readonly (readonly [action: string, condition: unknown])[] = [
      ['s3:GetObject', { StringEquals: { 's3:prefix': 'a' } }],
      ['s3:PutObject', { StringEquals: { 's3:x-amz-acl': 'private' } }],
      ['s3:ListBucket', { StringEqualsIfExists: { 's3:prefix': 'a' } }],
      ['s3:PutObject', { 'ForAnyValue:StringNotEquals': { 's3:RequestObjectTagKeys': 'a' } }],
      ['s3:ListBucket', { ArnLike: { 's3:prefix': 'arn:aws:s3:::b' } }],
      ['s3:ListBucket', { NumericEquals: { 's3:max-keys': ['1', '2'] } }],
      ['s3:ListBucket', { NumericLessThan: { 's3:max-keys': '1.5' } }],
      ['s3:*', { NumericNotEquals: { 's3:signatureAge': '0' } }],
      ['s3:*', { DateLessThan: { 'aws:EpochTime': '1780272000' } }],
      ['s3:*', { Bool: { 's3:prefix': 'true' } }],
      ['s3:*', { IpAddress: { 's3:prefix': '10.0.0.0/8' } }],
      ['s3:ListBucket', { StringEquals: { 's3:prefix': '${*}${$}{' } }],
    ]
    for (const [action, condition] of refused) refuses(when(action, condition), /MinIO/)
  })

  test('keys have its case, instants its form', () => {
    assert.deepEqual(
      minio({
        bound: [
          allow('s3:*', '*', {
            DateLessThan: { 'AWS:currenttime': '1780272000' },
            IpAddress: { 'aws:sourceip': '10.0.0.0/8' },
          }),
        ],
      })[0]?.['Condition'],
      {
        DateLessThan: { 'aws:CurrentTime': '2026-06-01T00:00:00Z' },
        IpAddress: { 'aws:SourceIp': '10.0.0.0/8' },
      },
    )
  })

  test('calls on the own account are denied where nothing allows them (CVE-2025-62506)', () => {
    const guard = (statement: Statement): unknown =>
      statements({ bound: [statement], dialect: 'minio' }).filter(({ Effect }) => Effect === 'Deny')
    assert.deepEqual(guard(allow('s3:*', '*')), [{ Effect: 'Deny', Action: ['admin:*'] }])
    assert.deepEqual(guard(allow('admin:*', '*')), [])
    assert.deepEqual(guard(allow(['admin:ServerInfo', 'admin:CreateUser'], '*')), [
      {
        Effect: 'Deny',
        Action: [
          'admin:CreateServiceAccount',
          'admin:ListServiceAccounts',
          'admin:RemoveServiceAccount',
          'admin:UpdateServiceAccount',
        ],
      },
    ])
  })
})
