import * as fc from 'fast-check'
import type { NarrowDialect, NarrowFacts, S3Facts } from '../index.ts'
import type { RawDocument, RawStatement } from './reference-evaluator.ts'

/** A world made for meetings: patterns overlap, values are nasty, requests hit what patterns name. */
export type NarrowCase = Readonly<{
  bound: readonly RawDocument[]
  session: readonly RawDocument[]
  person: NarrowFacts
  dialect: NarrowDialect
}>
export type NarrowRequest = Readonly<{
  action: string
  resource: string
  s3: S3Facts
  aws: Readonly<{ CurrentTime: Date; SourceIp?: string; SecureTransport?: boolean }>
}>

const actions = fc.constantFrom(
  '*',
  's3:*',
  's3:Get*',
  's3:get*',
  's3:*Object',
  's3:*tObject',
  's3:?etObject*',
  's3:GetObject',
  'S3:getobject',
  's3:GetObjectTagging',
  's3:PutObject',
  's3:List*',
  's3:ListBucket',
  's3:DeleteObject*',
  's3:Delete*',
)
const otherActions = fc.constantFrom(
  'admin:*',
  'admin:ServerInfo',
  'kms:*',
  'sts:AssumeRole',
  'sts:*',
  'iam:*',
  'ec2:*',
)

const arn = (path: string): string => `arn:aws:s3:::${path}`
const resources = fc.constantFrom(
  '*',
  ...['*', 'b', 'b*', 'b/*', 'c/*', 'b/a*', 'b/*k', 'b/?/k', '*/k', 'b/a/*', 'b/a/k', '?/*'].map(
    arn,
  ),
)
const openResources = fc.constantFrom(
  ...[
    'b/${aws:username}/*',
    '${jwt:sub}/*',
    'b/${aws:PrincipalTag/Team}/k',
    "b/${aws:PrincipalTag/None, 'a'}/*",
    'b/${*}/*',
  ].map(arn),
)
const requestResources = fc.constantFrom(arn('b/${s3:prefix}/*'), arn("b/${aws:SourceIp, 'a'}/k"))

const some = (...values: string[]): fc.Arbitrary<readonly string[]> =>
  fc.subarray(values, { minLength: 1, maxLength: Math.min(3, values.length) })
const texts = ['a', 'a/', 'a*', 'b', '${aws:username}', '*', 'A', '']

type Entry = readonly [operator: string, key: string, values: readonly string[]]

const affixed = (...operators: string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom('', '', '', '', 'ForAllValues:', 'ForAnyValue:'),
      fc.constantFrom(...operators),
      fc.constantFrom('', '', '', 'IfExists'),
    )
    .map((parts) => parts.join(''))

const textOperators = affixed(
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringLike',
  'StringNotLike',
)
const textEntry: fc.Arbitrary<Entry> = fc.tuple(
  textOperators,
  fc.constantFrom('s3:prefix', 'S3:Prefix', 's3:prefix', 's3:RequestObjectTagKeys'),
  some(...texts),
)
const personEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(
    textOperators,
    fc.constantFrom('aws:username', 'aws:groups', 'jwt:sub', 'AWS:PrincipalTag/Team', 'jwt:groups'),
    some(...texts),
  ),
  fc.tuple(
    fc.constant('Null'),
    fc.constantFrom('aws:username', 'jwt:groups'),
    some('true', 'false'),
  ),
)
const requestEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(
    affixed('NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericEquals'),
    fc.constant('s3:max-keys'),
    some('7', '7.0', '100', '1000'),
  ),
  fc.tuple(
    affixed('DateLessThan', 'DateGreaterThanEquals', 'DateEquals', 'DateNotEquals'),
    fc.constant('aws:CurrentTime'),
    some('2026-06-01T00:00:00Z', '2030-01-01', '1780272000'),
  ),
  fc.tuple(fc.constant('Bool'), fc.constant('aws:SecureTransport'), some('true', 'FALSE')),
  fc.tuple(
    fc.constantFrom('IpAddress', 'IpAddress', 'NotIpAddress'),
    fc.constant('aws:SourceIp'),
    some('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '2001:db8::/32', '0.0.0.0/0'),
  ),
  fc.tuple(
    fc.constant('Null'),
    fc.constantFrom('s3:prefix', 's3:RequestObjectTagKeys'),
    some('true', 'false'),
  ),
)
const entry = fc.oneof(
  { weight: 4, arbitrary: textEntry },
  { weight: 2, arbitrary: personEntry },
  { weight: 3, arbitrary: requestEntry },
)
const condition = fc.array(entry, { maxLength: 2 }).map((entries) => {
  const operators = Map.groupBy(entries, ([operator]) => operator)
  return Object.fromEntries(
    [...operators].map(([operator, keys]) => [
      operator,
      Object.fromEntries(keys.slice(0, 1).map(([, key, values]) => [key, values])),
    ]),
  )
})

const lists = (values: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.array(values, { minLength: 1, maxLength: 3 })

function statementOf(conditions: boolean, negations: boolean): fc.Arbitrary<RawStatement> {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ Action: lists(actions) }) },
    {
      weight: 1,
      arbitrary: fc.record({ Action: lists(fc.oneof(actions, otherActions)) }),
    },
    { weight: negations ? 1 : 0, arbitrary: fc.record({ NotAction: lists(actions) }) },
  )
  const anyResource = fc.oneof(
    { weight: 9, arbitrary: resources },
    { weight: 2, arbitrary: openResources },
    { weight: conditions ? 1 : 0, arbitrary: requestResources },
  )
  const resource = fc.oneof(
    { weight: 6, arbitrary: fc.record({ Resource: lists(anyResource) }) },
    { weight: negations ? 1 : 0, arbitrary: fc.record({ NotResource: lists(anyResource) }) },
  )
  return fc
    .tuple(
      fc.record({ Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny') }),
      action,
      resource,
      fc.oneof(fc.constant({}), conditions ? condition : fc.constant({})),
    )
    .map(([effect, which, where, Condition]) => {
      const conditional = Object.keys(Condition).length > 0 ? { Condition } : {}
      return Object.assign({}, effect, which, where, conditional) as RawStatement // oxlint-disable-line typescript/no-unsafe-type-assertion -- the parts together are the whole statement
    })
}

function documents(minLength: number, maxLength: number): fc.Arbitrary<readonly RawDocument[]> {
  const documentOf = (statement: fc.Arbitrary<RawStatement>): fc.Arbitrary<RawDocument> =>
    fc.record({
      Version: fc.constantFrom('2012-10-17', '2012-10-17', '2012-10-17', '2008-10-17'),
      Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
    })
  return fc.array(
    fc.oneof(
      documentOf(statementOf(false, false)),
      documentOf(statementOf(true, false)),
      documentOf(statementOf(false, true)),
      documentOf(statementOf(true, true)),
    ),
    { minLength, maxLength },
  )
}

const person: fc.Arbitrary<NarrowFacts> = fc
  .record({
    username: fc.constantFrom(undefined, 'a', 'b', '*', 'a/b', '', '..', '?', '${aws:userid}', 'A'),
    groups: fc.constantFrom(undefined, [], ['a'], ['a', 'b'], ['a*']),
    sub: fc.constantFrom(undefined, 'b', '*', 'c', ['b', 'c']),
    team: fc.constantFrom(undefined, 'a', 'a*', '$', '{'),
  })
  .map(({ username, groups, sub, team }) => ({
    aws: { ...(username !== undefined && { username }), ...(groups && { groups }) },
    jwt: new Map(sub === undefined ? [] : [['sub', sub]]),
    principalTags: new Map(team === undefined ? [] : [['Team', team]]),
  }))

export const narrowCase: fc.Arbitrary<NarrowCase> = fc.record({
  bound: documents(1, 2),
  session: fc.oneof(fc.constant([]), documents(1, 2)),
  person,
  dialect: fc.constantFrom<NarrowDialect>('minio', 'aws'),
})

const keys = [
  'a/k',
  'a/b/k',
  '*/k',
  'b/k',
  'a',
  '${aws:username}/k',
  '?/k',
  '$/k',
  'a*/k',
  '10.1.2.3/k',
]
const requestActions = [
  's3:GetObject',
  's3:GetObjectTagging',
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectTagging',
  's3:ListBucket',
  's3:GetBucketLocation',
]

export const narrowRequest: fc.Arbitrary<NarrowRequest> = fc
  .record({
    asked: fc.oneof(
      fc.tuple(
        fc.constantFrom(...requestActions),
        fc
          .oneof(
            fc
              .tuple(fc.constantFrom('b', 'c', '*'), fc.constantFrom(...keys))
              .map((parts) => parts.join('/')),
            fc.constantFrom('b', 'c', 'bb'),
          )
          .map(arn),
      ),
      fc.constantFrom(
        ['s3:ListAllMyBuckets', '*'] as const,
        ['admin:ServerInfo', '*'] as const,
        ['kms:KeyStatus', '*'] as const,
        ['iam:ListUsers', '*'] as const,
        ['sts:AssumeRole', '*'] as const,
      ),
    ),
    prefix: fc.constantFrom(undefined, '', 'a', 'a/', 'A', 'a/b', 'b', '*', 'a*'),
    maxKeys: fc.constantFrom(undefined, 7, 100, 1000),
    tags: fc.constantFrom(undefined, [], ['a'], ['a', 'b'], ['b', 'A']),
    time: fc.constantFrom('2026-06-01T00:00:00Z', '2026-05-01T00:00:00Z', '2031-01-01T00:00:00Z'),
    ip: fc.constantFrom(undefined, '10.1.2.3', '10.9.9.9', '203.0.113.5', '2001:db8::1'),
    secure: fc.constantFrom(undefined, true, false),
  })
  .map(({ asked: [action, resource], prefix, maxKeys, tags, time, ip, secure }) => ({
    action,
    resource,
    s3: {
      ...(prefix !== undefined && { prefix }),
      ...(maxKeys !== undefined && { 'max-keys': maxKeys }),
      ...(tags && { requestObjectTags: new Map(tags.map((tag) => [tag, 'x'])) }),
    },
    aws: {
      CurrentTime: new Date(time),
      ...(ip !== undefined && { SourceIp: ip }),
      ...(secure !== undefined && { SecureTransport: secure }),
    },
  }))
