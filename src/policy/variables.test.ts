import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isAllowed, type Facts } from './index.ts'
import { conditionHolds, namedPolicy, noon, questionOf, resourceCovers } from './testing/ask.ts'

function named(username: string): Partial<Facts> {
  return { aws: { ...noon.aws, username } }
}

const home = 'arn:aws:s3:::b/home/${aws:username}/*'

describe('policy variables (AWS IAM User Guide, "IAM policy elements: Variables and tags")', () => {
  test('are filled in when a request is judged', () => {
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/alice/k', named('alice')), true)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/bob/k', named('alice')), false)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/alice2/k', named('alice')), false)
  })

  test('bring in literal text: neither wildcards nor further variables', () => {
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/bob/k', named('*')), false)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/*/k', named('*')), true)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/bob/k', named('???')), false)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/x/k', named('${aws:userid}')), false)
    assert.equal(
      resourceCovers(home, 'arn:aws:s3:::b/home/${aws:userid}/k', named('${aws:userid}')),
      true,
    )
  })

  test('stand behind wildcards as well', () => {
    const resource = 'arn:aws:s3:::*/${aws:username}/?'
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/x/alice/k', named('alice')), true)
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/x/bob/k', named('*')), false)
  })

  test('cost a bounded time, however long the values are that a caller brings', () => {
    const long = `${'a'.repeat(6000)}b${'a'.repeat(6000)}`
    const facts = {
      ...noon,
      jwt: new Map([
        ['name', long],
        ['profile', 'a'.repeat(28_000)],
      ]),
    }
    for (const value of ['*${jwt:name}z', '*?${jwt:name}z', `${'*${jwt:name}'.repeat(9)}z`]) {
      const values = Array.from({ length: 90 }, (_, index) => value + index)
      const began = process.cpuUsage()
      assert.equal(conditionHolds({ StringLike: { 'jwt:profile': values } }, { facts }), false)
      const { user } = process.cpuUsage(began)
      assert.ok(user < 2_000_000, `${value.slice(0, 20)}: ${user} µs of work`)
    }
    const condition = { StringLike: { 'jwt:profile': '*${jwt:name}*' } }
    const short = {
      ...noon,
      jwt: new Map([
        ['name', 'b?'],
        ['profile', `${'a'.repeat(900)}b?c`],
      ]),
    }
    assert.equal(conditionHolds(condition, { facts: short }), true)
  })

  test('match nothing when absent, not even a key that is spelt like the variable', () => {
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home/${aws:username}/k'), false)
    assert.equal(resourceCovers(home, 'arn:aws:s3:::b/home//k'), false)
  })

  const strange = ['', '.', '..', 'a/b', '../x', '/', 'a\u0000', 'a\nb', 'a\u007f', 'a\u0085b']
  for (const value of strange) {
    test(`refuse ${JSON.stringify(value)} in an allowed resource`, () => {
      const target = `arn:aws:s3:::b/home/${value}/k`
      assert.equal(resourceCovers(home, target, named(value)), false)
      const withDefault = "arn:aws:s3:::b/home/${aws:username, 'shared'}/*"
      assert.equal(resourceCovers(withDefault, target, named(value)), false)
      assert.equal(
        resourceCovers(withDefault, 'arn:aws:s3:::b/home/shared/k', named(value)),
        false,
        'a bad value is not an absent one',
      )
    })
  }

  test('keep values with a slash where they are not part of a path', () => {
    const condition = { StringEquals: { 's3:prefix': '${aws:username}' } }
    assert.equal(conditionHolds(condition, { facts: named('a/b'), s3: { prefix: 'a/b' } }), true)
  })

  test('a strange value does not slip a Deny', () => {
    const policy = namedPolicy([
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:*', Resource: home },
    ])
    const ask = (username: string): boolean =>
      isAllowed(
        questionOf(
          [policy],
          { resource: 'arn:aws:s3:::b/home/a/b/k' },
          { facts: { ...noon, ...named(username) } },
        ),
      )
    assert.equal(ask('a/b'), false)
    assert.equal(ask('a'), false)
    assert.equal(ask('b'), true)
  })

  test('an undecidable NotResource widens no Allow and narrows no Deny', () => {
    const fence = 'arn:aws:s3:::b/home/${aws:username}/*'
    const allow = namedPolicy({ Effect: 'Allow', Action: 's3:*', NotResource: fence })
    const deny = namedPolicy([
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:*', NotResource: fence },
    ])
    const target = { resource: 'arn:aws:s3:::b/home/x/y/k' }
    for (const facts of [noon, { ...noon, ...named('x/y') }, { ...noon, ...named('') }]) {
      assert.equal(isAllowed(questionOf([allow], target, { facts })), false)
      assert.equal(isAllowed(questionOf([deny], target, { facts })), false)
    }
    const alice = { facts: { ...noon, ...named('alice') } }
    assert.equal(isAllowed(questionOf([allow], target, alice)), true)
  })

  test('defaults stand in for absent keys only, and are literal', () => {
    const resource = "arn:aws:s3:::b/${aws:PrincipalTag/team, 'sh*red'}/*"
    const red = { principalTags: new Map([['team', 'red']]) }
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/sh*red/k'), true)
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/shared/k'), false)
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/red/k', red), true)
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/sh*red/k', red), false)
  })

  test('the default of a policy may hold a path or a closing brace', () => {
    const resource = "arn:aws:s3:::b/${aws:username ,  'a/}'}/*"
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/a/}/k'), true)
  })

  test('of keys with several values have no text at all', () => {
    const groups = { jwt: new Map([['groups', ['one', 'two']]]) }
    const resource = "arn:aws:s3:::b/${jwt:groups, 'one'}/*"
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/one/k', groups), false)
    const single = { jwt: new Map([['groups', 'one']]) }
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/one/k', single), true)
    const empty = { jwt: new Map([['groups', []]]) }
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/one/k', empty), true, 'empty is absent')
  })

  test('an absent value makes StringNotEquals true and StringEquals false', () => {
    const prefix = { s3: { prefix: 'x' } }
    const value = { 's3:prefix': '${aws:username}' }
    assert.equal(conditionHolds({ StringNotEquals: value }, prefix), true)
    assert.equal(conditionHolds({ StringEquals: value }, prefix), false)
    assert.equal(conditionHolds({ StringLike: { 's3:prefix': '${aws:username}*' } }, prefix), false)
  })

  test('are filled in ARN conditions without crossing a colon', () => {
    const pattern = { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${jwt:sub}' } }
    const holds = (sub: string, arn: string): boolean =>
      conditionHolds(pattern, {
        facts: { aws: { ...noon.aws, PrincipalArn: arn }, jwt: new Map([['sub', sub]]) },
      })
    assert.equal(holds('alice', 'arn:aws:iam::000000000000:user/alice'), true)
    assert.equal(holds('*', 'arn:aws:iam::000000000000:user/alice'), false)
  })

  test('the three escapes are the characters themselves', () => {
    const resource = 'arn:aws:s3:::b/${*}${?}${$}/*'
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/*?$/k'), true)
    assert.equal(resourceCovers(resource, 'arn:aws:s3:::b/xyz/k'), false)
  })

  test('are plain text before Version 2012-10-17', () => {
    const spelt = 'arn:aws:s3:::b/home/${aws:username}/k'
    assert.equal(resourceCovers(home, spelt, named('alice'), '2008-10-17'), true)
    assert.equal(
      resourceCovers(home, 'arn:aws:s3:::b/home/alice/k', named('alice'), '2008-10-17'),
      false,
    )
    const star = 'arn:aws:s3:::b/${*}'
    assert.equal(resourceCovers(star, 'arn:aws:s3:::b/${anything}', {}, '2008-10-17'), true)
    const condition = { StringEquals: { 's3:prefix': '${aws:username}' } }
    const context = { facts: named('alice'), s3: { prefix: '${aws:username}' } }
    assert.equal(conditionHolds(condition, context, '2008-10-17'), true)
  })
})
