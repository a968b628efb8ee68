import * as fc from 'fast-check'
import type { PolicyPrincipal } from '../types.ts'
import type { FlatContext } from './facts-from-context.ts'
import type { RawDocument, RawQuestion, RawStatement } from './reference-evaluator.ts'

/** A small world, so that statements and requests often meet. */
const account = '000000000000'
const alice = `arn:aws:iam::${account}:user/alice`
const app = `arn:aws:iam::${account}:role/app`
const session = `arn:aws:sts::${account}:assumed-role/app/s1`

const requests = [
  ['s3:GetObject', 'arn:aws:s3:::b/k'],
  ['s3:GetObject', 'arn:aws:s3:::b/home/alice/k'],
  ['s3:PutObject', 'arn:aws:s3:::b/home/*/k'],
  ['s3:PutObject', 'arn:aws:s3:::c/a/b/k'],
  ['s3:ListBucket', 'arn:aws:s3:::b'],
  ['s3:ListAllMyBuckets', '*'],
  ['admin:ServerInfo', '*'],
  ['sts:AssumeRole', '*'],
] as const

const actions = fc.constantFrom(
  '*',
  's3:*',
  's3:Get*',
  'S3:getobject',
  's3:?utObject',
  's3:List*',
  's3:PutObject',
  'admin:*',
  'sts:AssumeRole*',
  'ec2:*',
)

const resources = fc.constantFrom(
  '*',
  'arn:aws:s3:::*',
  'arn:aws:s3:::b',
  'arn:aws:s3:::b/*',
  'arn:aws:s3:::b*',
  'arn:aws:s3:::?/k',
  'arn:aws:s3:::*/k',
  'arn:aws:s3:::*/a*/k',
  'arn:aws:s3:::b/home/${aws:username}/*',
  'arn:aws:s3:::b/home/${aws:username}/?',
  'arn:aws:s3:::b/home/${*}/k',
  "arn:aws:s3:::c/${aws:PrincipalTag/Team, 'a'}/b/k",
  'arn:aws:s3:::*/${jwt:sub}/k',
)

const some = (...values: string[]): fc.Arbitrary<readonly string[]> =>
  fc.subarray(values, { minLength: 1 })

const texts = some('home/', 'home/*', '', 'k', 'alice', '${aws:username}', 'h?me/', 'HOME/', '${*}')
const numbers = some('0', '7', '7.50', '100', '9007199254740993')
const instants = some('2026-06-01T00:00:00Z', '2030-01-01', '1780272000', '2026-06-01T01:00+01:00')
const truths = some('true', 'false', 'TRUE')
const ranges = some('10.0.0.0/8', '10.1.2.3', '0.0.0.0/0', '2001:db8::/33', '::/0')

const stringOperators = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
]
const orders = [
  'Equals',
  'NotEquals',
  'LessThan',
  'LessThanEquals',
  'GreaterThan',
  'GreaterThanEquals',
]
const textKeys = [
  's3:prefix',
  'S3:Prefix',
  'aws:username',
  'jwt:sub',
  'aws:PrincipalTag/Team',
  'aws:x',
]
const listKeys = ['aws:groups', 'jwt:groups', 's3:RequestObjectTagKeys']

const families: readonly (readonly [
  operators: readonly string[],
  keys: readonly string[],
  values: fc.Arbitrary<readonly string[]>,
])[] = [
  [stringOperators, [...textKeys, ...listKeys], texts],
  [
    orders.map((order) => `Numeric${order}`),
    ['s3:max-keys', 's3:signatureAge', 's3:prefix'],
    numbers,
  ],
  [
    orders.map((order) => `Date${order}`),
    ['aws:CurrentTime', 'aws:EpochTime', 's3:prefix'],
    instants,
  ],
  [['Bool'], ['aws:SecureTransport'], truths],
  [['IpAddress', 'NotIpAddress'], ['aws:SourceIp', 's3:prefix'], ranges],
]

const entry: fc.Arbitrary<readonly [string, string, readonly string[]]> = fc.oneof(
  ...families.map(([operators, keys, values]) =>
    fc.tuple(
      fc
        .tuple(
          fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
          fc.constantFrom(...operators),
          fc.constantFrom('', '', 'IfExists'),
        )
        .map((parts) => parts.join('')),
      fc.constantFrom(...keys),
      values,
    ),
  ),
  fc.tuple(fc.constant('Null'), fc.constantFrom(...textKeys, ...listKeys), some('true', 'false')),
)

const condition = fc
  .array(entry, { maxLength: 2 })
  .map((entries) =>
    Object.fromEntries(entries.map(([operator, key, values]) => [operator, { [key]: values }])),
  )

const lists = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<readonly Value[]> =>
  fc.array(values, { minLength: 1, maxLength: 3 })

function merged(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<RawStatement> {
  return fc.tuple(...parts).map((members) => Object.assign({}, ...members) as RawStatement) // oxlint-disable-line typescript/no-unsafe-type-assertion -- the parts together are the whole statement
}

const effect = fc.constantFrom('Allow', 'Allow', 'Deny')
const actionPart = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Action: lists(actions) }) },
  { weight: 1, arbitrary: fc.record({ NotAction: lists(actions) }) },
)
const resourcePart = fc.oneof(
  { weight: 4, arbitrary: fc.record({ Resource: lists(resources) }) },
  { weight: 1, arbitrary: fc.record({ NotResource: lists(resources) }) },
)
const awsPrincipals = fc.record({
  AWS: lists(fc.constantFrom('*', alice, app, session, account, `arn:aws:iam::${account}:root`)),
})
const spared = fc.record({ AWS: lists(fc.constantFrom(alice, app, session, account)) })

export const statement: fc.Arbitrary<RawStatement> = merged(
  fc.record({ Effect: effect }),
  actionPart,
  resourcePart,
  fc.record({ Condition: condition }),
)

const bucketStatement: fc.Arbitrary<RawStatement> = merged(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        Effect: effect,
        Principal: fc.oneof(fc.constant('*'), awsPrincipals),
      }),
    },
    { weight: 1, arbitrary: fc.record({ Effect: fc.constant('Deny'), NotPrincipal: spared }) },
  ),
  actionPart,
  resourcePart,
  fc.record({ Condition: condition }),
)

const version = fc.constantFrom('2012-10-17', '2012-10-17', '2008-10-17')

function documentOf(
  statements: fc.Arbitrary<RawStatement>,
  maxLength: number,
): fc.Arbitrary<RawDocument> {
  return fc.record({
    Version: version,
    Statement: fc.array(statements, { minLength: 1, maxLength }),
  })
}

export const document = documentOf(statement, 4)
export const bucketDocument = documentOf(bucketStatement, 3)

const principal: fc.Arbitrary<PolicyPrincipal> = fc.constantFrom<PolicyPrincipal>(
  { kind: 'anonymous' },
  { kind: 'root', account },
  { kind: 'root-session', account },
  { kind: 'user', account, arn: alice },
  { kind: 'user', account, arn: `${alice}2` },
  { kind: 'session', account, arn: session, roleArn: app },
)

const maybe = <Value>(...values: Value[]): fc.Arbitrary<Value | undefined> =>
  fc.constantFrom(undefined, ...values)

const context: fc.Arbitrary<FlatContext> = fc
  .record({
    'aws:username': maybe('alice', '*', 'a/b', '', '..', 'k'),
    'jwt:sub': maybe('alice', 'home', 'a'),
    'jwt:groups': maybe<readonly string[]>([], ['k'], ['k', 'alice']),
    'aws:groups': maybe<readonly string[]>([], ['home/'], ['k', 'home/']),
    'aws:PrincipalTag/Team': maybe('a', 'a/b', 'k'),
    's3:prefix': maybe('', 'home/', 'HOME/', 'home/alice', '*'),
    's3:max-keys': maybe('7', '100', '9007199254740991'),
    's3:signatureAge': maybe('7.5', '0'),
    'aws:SecureTransport': maybe('true', 'false'),
    'aws:SourceIp': maybe('10.1.2.3', '::ffff:10.1.2.3', '203.0.113.5', '2001:db8::1', 'garbage'),
    's3:RequestObjectTagKeys': maybe<readonly string[]>(['k'], ['k', 'alice']),
    time: fc.constantFrom('2026-06-01T00:00:00Z', '2026-01-01T00:00:00Z', '2031-01-01T00:00:00Z'),
  })
  .map(({ time, ...facts }) => ({
    ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
    'aws:CurrentTime': time,
    'aws:EpochTime': String(Date.parse(time) / 1000),
  }))

/** A whole situation: who asks for what, and all the documents that have a say. */
export const situation: fc.Arbitrary<RawQuestion> = fc
  .record(
    {
      principal,
      request: fc.constantFrom(...requests),
      context,
      identity: fc.array(document, { maxLength: 3 }),
      ceilings: fc.array(fc.array(document, { maxLength: 2 }), { maxLength: 2 }),
      bucket: bucketDocument,
    },
    { requiredKeys: ['principal', 'request', 'context', 'identity', 'ceilings'] },
  )
  .map(({ request: [action, resource], ...rest }) => ({ ...rest, action, resource }))
