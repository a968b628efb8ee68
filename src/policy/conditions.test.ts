import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { compareDecimals, decimalText, parseDecimal } from './decimal.ts'
import { parseInstant } from './instant.ts'
import type { AwsFacts, Facts, S3Facts } from './index.ts'
import { conditionHolds, noon } from './testing/ask.ts'

type Row = readonly [fact: string | undefined, value: string | readonly string[], holds: boolean]

function withPrefix(prefix: string | undefined): { s3: S3Facts } {
  return { s3: prefix === undefined ? {} : { prefix } }
}

/** One operator over `s3:prefix`, which carries any text; and its negation, which must answer the opposite. */
function table(operator: string, negation: string | undefined, rows: readonly Row[]): void {
  describe(operator, () => {
    for (const [fact, value, holds] of rows) {
      const shown = `${JSON.stringify(fact)} against ${JSON.stringify(value)}`
      test(`${holds ? 'holds' : 'fails'} for ${shown}`, () => {
        const against = (name: string): boolean =>
          conditionHolds({ [name]: { 's3:prefix': value } }, withPrefix(fact))
        assert.equal(against(operator), holds)
        if (negation !== undefined) assert.equal(against(negation), !holds)
      })
    }
  })
}

describe('condition operators (AWS IAM User Guide, "IAM JSON policy elements: Condition operators")', () => {
  table('StringEquals', 'StringNotEquals', [
    ['a', 'a', true],
    ['a', 'A', false],
    ['a', ['b', 'a'], true],
    ['*', 'a', false],
    ['a', '*', false],
    ['', '', true],
    [undefined, '', false],
    ['a\u0000', 'a', false],
  ])
  table('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', [
    ['STANDARD', 'standard', true],
    ['Ä', 'ä', true],
    ['a', 'b', false],
    [undefined, 'a', false],
  ])
  table('StringLike', 'StringNotLike', [
    ['home/a', 'home/*', true],
    ['home', 'home/*', false],
    ['ab', 'a?', true],
    ['AB', 'a?', false],
    ['', '*', true],
    [undefined, '*', false],
    ['a*', 'a${*}', true],
    ['ab', 'a${*}', false],
    ['$?', '${$}${?}', true],
  ])
  table('NumericEquals', 'NumericNotEquals', [
    ['7', '7', true],
    ['7', '7.0', true],
    ['07', '7', true],
    ['70e-1', '7', true],
    ['9007199254740993', '9007199254740993', true],
    ['9007199254740993', '9007199254740992', false],
    ['0.1', '0.10000000000000001', false],
    ['-0', '0', true],
    ['x', '7', false],
    ['', '0', false],
    ['0x7', '7', false],
    ['1e999', '7', false],
    ['9'.repeat(101), '7', false],
    [undefined, '0', false],
  ])
  table('NumericLessThan', undefined, [
    ['6.99', '7', true],
    ['7', '7', false],
    ['-8', '-7', true],
    ['9007199254740992', '9007199254740993', true],
    ['x', '7', false],
    [undefined, '7', false],
    ['8', ['7', '9'], true],
  ])
  table('NumericLessThanEquals', undefined, [
    ['7', '7', true],
    ['7.01', '7', false],
  ])
  table('NumericGreaterThan', undefined, [
    ['7.01', '7', true],
    ['7', '7', false],
    ['x', '7', false],
  ])
  table('NumericGreaterThanEquals', undefined, [
    ['7', '7', true],
    ['6', '7', false],
  ])
  table('DateEquals', 'DateNotEquals', [
    ['2026-06-01T00:00:00Z', '2026-06-01', true],
    ['2026-06-01T02:00:00+02:00', '2026-06-01T00:00Z', true],
    ['1780272000', '2026-06-01T00:00:00.000Z', true],
    ['2026-06-01T00:00:00.5Z', '1780272000.5', true],
    ['2026-06-01', '2026-06-02', false],
    ['never', '2026-06-01', false],
    [undefined, '2026-06-01', false],
  ])
  table('DateLessThan', undefined, [
    ['2026-05-31T23:59:59.999Z', '2026-06-01', true],
    ['2026-06-01', '2026-06-01', false],
    ['never', '2026-06-01', false],
  ])
  table('DateLessThanEquals', undefined, [['2026-06-01', '2026-06-01', true]])
  table('DateGreaterThan', undefined, [
    ['2026-06-02', '2026-06-01', true],
    ['2026-06-01', '2026-06-01', false],
  ])
  table('DateGreaterThanEquals', undefined, [['2026-06-01', '2026-06-01', true]])
  table('Bool', undefined, [
    ['true', 'TRUE', true],
    ['False', 'false', true],
    ['true', 'false', false],
    ['yes', 'true', false],
    ['', 'false', false],
    [undefined, 'false', false],
  ])
  table('BinaryEquals', undefined, [
    ['abc', 'YWJj', true],
    ['YWJj', 'YWJj', false],
    ['é', 'w6k=', true],
    [undefined, '', false],
    ['', '', true],
  ])
  table('IpAddress', 'NotIpAddress', [
    ['10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '10.9.9.9/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['128.0.0.1', '128.0.0.0/1', true],
    ['127.0.0.1', '128.0.0.0/1', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['::ffff:a01:203', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['11.1.2.3', '::ffff:10.0.0.0/104', false],
    ['10.1.2.3', '::/0', false],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:db8:8000::1', '2001:db8::/33', false],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['010.1.2.3', '10.0.0.0/8', false],
    ['10.1.2', '10.0.0.0/8', false],
    ['10.1.2.3.4', '10.0.0.0/8', false],
    ['10.1.2.256', '10.0.0.0/8', false],
    [' 10.1.2.3', '10.0.0.0/8', false],
    ['1:2:3:4:5:6:7:8:9', '::/0', false],
    ['1:2:3:4:5:6:7::8', '::/0', false],
    ['::1::', '::/0', false],
    ['garbage', '0.0.0.0/0', false],
    [undefined, '0.0.0.0/0', false],
  ])
  const role = 'arn:aws:sts::000000000000:assumed-role/app/s1'
  for (const name of ['ArnEquals', 'ArnLike']) {
    table(name, name.replace('Arn', 'ArnNot'), [
      [role, 'arn:aws:sts::*:assumed-role/app/*', true],
      [role, 'arn:aws:*:assumed-role/app/*:x:y', false],
      [role, 'arn:aws:*:*:*:*', true],
      ['x', 'arn:*:*:*:*:*', false],
      ['arn:aws:s3:::b/a:b', 'arn:aws:s3:::b/a:?', true],
      ['not an arn', 'arn:aws:*:*:*:*', false],
      [undefined, 'arn:*:*:*:*:*', false],
    ])
  }
  table('Null', undefined, [
    [undefined, 'true', true],
    [undefined, 'false', false],
    ['', 'true', false],
    ['', 'false', true],
    ['x', ['TRUE', 'false'], true],
  ])
})

describe('IfExists', () => {
  const holds = (operator: string, prefix: string | undefined): boolean =>
    conditionHolds({ [operator]: { 's3:prefix': '7' } }, withPrefix(prefix))

  test('holds when the key is absent, and compares when it is there', () => {
    for (const base of ['StringEquals', 'StringNotEquals', 'NumericLessThanEquals', 'StringLike']) {
      assert.equal(holds(`${base}IfExists`, undefined), true)
      assert.equal(holds(`${base}IfExists`, '7'), base !== 'StringNotEquals')
      assert.equal(holds(`${base}IfExists`, '8'), base === 'StringNotEquals')
    }
  })

  test('holds for an absent key with ForAnyValue, too', () => {
    assert.equal(holds('ForAnyValue:StringEqualsIfExists', undefined), true)
    assert.equal(holds('ForAnyValue:StringEquals', undefined), false)
  })
})

describe('keys of several values', () => {
  const holds = (operator: string, groups: readonly string[] | undefined): boolean =>
    conditionHolds(
      { [operator]: { 'aws:groups': ['a', 'b'] } },
      { facts: { aws: groups === undefined ? noon.aws : { ...noon.aws, groups } } },
    )
  const rows: readonly (readonly [string, readonly string[] | undefined, boolean])[] = [
    ['StringEquals', ['a', 'x'], true],
    ['StringEquals', ['x'], false],
    ['StringNotEquals', ['a', 'x'], false],
    ['StringNotEquals', ['x'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'x'], false],
    ['ForAllValues:StringEquals', [], true],
    ['ForAllValues:StringEquals', undefined, true],
    ['ForAnyValue:StringEquals', ['x', 'b'], true],
    ['ForAnyValue:StringEquals', [], false],
    ['ForAnyValue:StringEquals', undefined, false],
    ['ForAllValues:StringNotEquals', ['x', 'y'], true],
    ['ForAllValues:StringNotEquals', ['x', 'a'], false],
    ['ForAnyValue:StringNotEquals', ['x', 'a'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], false],
    ['ForAnyValue:StringNotEquals', undefined, false],
    ['StringNotEquals', undefined, true],
  ]
  for (const [operator, groups, expected] of rows) {
    test(`${operator} ${expected ? 'holds' : 'fails'} for ${JSON.stringify(groups)}`, () => {
      assert.equal(holds(operator, groups), expected)
    })
  }

  test('a list without values is absent, so that a Null guard closes ForAllValues', () => {
    const guarded = {
      'ForAllValues:StringEquals': { 'aws:groups': 'a' },
      Null: { 'aws:groups': 'false' },
    }
    const groupsOf = (groups: readonly string[]): { facts: Partial<Facts> } => ({
      facts: { aws: { ...noon.aws, groups } },
    })
    assert.equal(conditionHolds(guarded, groupsOf([])), false)
    assert.equal(conditionHolds(guarded, groupsOf(['a'])), true)
  })

  test('the prefixes take a single value for a set of one', () => {
    const prefix = { 's3:prefix': 'a' }
    assert.equal(conditionHolds({ 'ForAllValues:StringEquals': prefix }, withPrefix('a')), true)
    assert.equal(conditionHolds({ 'ForAllValues:StringEquals': prefix }, withPrefix('b')), false)
    assert.equal(conditionHolds({ 'ForAnyValue:StringNotEquals': prefix }, withPrefix('b')), true)
  })
})

describe('condition keys', () => {
  const tags = new Map([
    ['Team', 'red'],
    ['__proto__', 'x'],
  ])
  const everything: { facts: Facts; s3: S3Facts } = {
    facts: {
      aws: {
        CurrentTime: new Date('2026-06-01T12:00:00Z'),
        SourceIp: '10.0.0.1',
        SecureTransport: true,
        UserAgent: 'agent',
        Referer: 'page',
        username: 'alice',
        userid: 'AIDA',
        principaltype: 'User',
        PrincipalArn: 'arn:aws:iam::000000000000:user/alice',
        PrincipalAccount: '000000000000',
        groups: ['one'],
        TokenIssueTime: new Date('2026-06-01T11:00:00.250Z'),
        FederatedProvider: 'provider',
        RequestedRegion: 'us-east-1',
      },
      principalTags: tags,
      requestTags: tags,
      sts: {
        RoleSessionName: 's1',
        SourceIdentity: 'src',
        DurationSeconds: 900,
        ExternalId: 'ext',
      },
      jwt: new Map([['preferred_username', 'ally']]),
      ldap: { user: 'cn=alice', username: 'alice', groups: ['cn=one'] },
    },
    s3: {
      authType: 'POST',
      signatureversion: 'AWS4-HMAC-SHA256',
      signatureAge: 5,
      prefix: 'p',
      delimiter: '/',
      'max-keys': 10,
      versionid: 'v',
      LocationConstraint: 'eu-west-1',
      ResourceAccount: '000000000000',
      TlsVersion: 1.3,
      ObjectCreationOperation: false,
      existingObjectTags: tags,
      requestObjectTags: tags,
      headers: new Map([
        ['x-amz-acl', 'private'],
        ['if-none-match', '*'],
      ]),
      objectLock: {
        mode: 'GOVERNANCE',
        legalHold: 'ON',
        retainUntil: new Date('2026-06-11T00:00:00Z'),
      },
    },
  }
  const texts: Readonly<Record<string, string>> = {
    'aws:CurrentTime': '2026-06-01T12:00:00Z',
    'aws:EpochTime': '1780315200',
    'aws:SecureTransport': 'true',
    'aws:SourceIp': '10.0.0.1',
    'aws:UserAgent': 'agent',
    'aws:Referer': 'page',
    'AWS:Username': 'alice',
    'aws:userid': 'AIDA',
    'aws:PrincipalType': 'User',
    'aws:PrincipalArn': 'arn:aws:iam::000000000000:user/alice',
    'aws:PrincipalAccount': '000000000000',
    'aws:groups': 'one',
    'aws:TokenIssueTime': '2026-06-01T11:00:00.250Z',
    'aws:FederatedProvider': 'provider',
    'aws:RequestedRegion': 'us-east-1',
    'aws:principaltag/Team': 'red',
    'aws:PrincipalTag/__proto__': 'x',
    'aws:RequestTag/Team': 'red',
    'aws:TagKeys': 'Team',
    'sts:RoleSessionName': 's1',
    'sts:SourceIdentity': 'src',
    'sts:DurationSeconds': '900',
    'sts:ExternalId': 'ext',
    'jwt:preferred_username': 'ally',
    'ldap:user': 'cn=alice',
    'ldap:username': 'alice',
    'ldap:groups': 'cn=one',
    's3:authType': 'POST',
    's3:signatureversion': 'AWS4-HMAC-SHA256',
    's3:signatureAge': '5',
    's3:prefix': 'p',
    's3:delimiter': '/',
    's3:max-keys': '10',
    's3:VersionId': 'v',
    's3:LocationConstraint': 'eu-west-1',
    's3:ResourceAccount': '000000000000',
    's3:TlsVersion': '1.3',
    's3:ObjectCreationOperation': 'false',
    's3:ExistingObjectTag/Team': 'red',
    's3:RequestObjectTag/Team': 'red',
    's3:RequestObjectTagKeys': 'Team',
    's3:X-Amz-Acl': 'private',
    's3:if-none-match': '*',
    's3:object-lock-mode': 'GOVERNANCE',
    's3:object-lock-legal-hold': 'ON',
    's3:object-lock-retain-until-date': '2026-06-11T00:00:00Z',
    's3:object-lock-remaining-retention-days': '10',
  }
  for (const [key, text] of Object.entries(texts)) {
    test(`${key} reads its own fact, and nothing when the fact is absent`, () => {
      assert.equal(conditionHolds({ StringEquals: { [key]: text } }, everything), true)
      if (/time$/i.test(key) && !/Token/.test(key)) return
      assert.equal(conditionHolds({ Null: { [key]: 'true' } }), true)
    })
  }

  test('the part behind the slash of a tag keeps its case', () => {
    assert.equal(conditionHolds({ Null: { 'aws:PrincipalTag/team': 'true' } }, everything), true)
  })

  test('no header, tag or claim reaches a key of another namespace', () => {
    const names = ['username', 'aws:username', 'groups', 'sourceip', 'securetransport', 'userid']
    const planted = new Map([...names, 'x-amz-tagging', 'cls'].map((name) => [name, 'bob']))
    const hostile = {
      facts: { ...noon, jwt: planted, principalTags: planted, requestTags: planted },
      s3: { headers: planted, requestObjectTags: planted },
    }
    for (const key of [
      'aws:username',
      'aws:userid',
      'aws:groups',
      'aws:SourceIp',
      'aws:SecureTransport',
      's3:ExistingObjectTag/cls',
      's3:username',
      's3:groups',
      'jwt:username',
      'ldap:username',
    ]) {
      assert.equal(conditionHolds({ Null: { [key]: 'true' } }, hostile), true, key)
    }
  })

  test('names of the object prototype are no keys and no claims', () => {
    for (const key of ['aws:constructor', 's3:__proto__', 'jwt:toString', 'aws:RequestTag/x']) {
      assert.equal(conditionHolds({ Null: { [key]: 'true' } }, everything), true, key)
    }
  })

  test('a fact that is not sane is never equal to anything and throws nothing', () => {
    const aws: AwsFacts = {
      CurrentTime: new Date(Number.NaN),
      TokenIssueTime: new Date(Number.NaN),
    }
    const broken = { facts: { aws }, s3: { 'max-keys': Number.NaN, signatureAge: Infinity } }
    for (const [operator, key, value] of [
      ['DateGreaterThan', 'aws:CurrentTime', '1970-01-01'],
      ['DateEquals', 'aws:EpochTime', '0'],
      ['StringLike', 'aws:TokenIssueTime', '*'],
      ['NumericLessThan', 's3:max-keys', '1'],
      ['NumericGreaterThan', 's3:signatureAge', '1'],
      ['StringLike', 's3:max-keys', '*'],
    ] as const) {
      assert.equal(conditionHolds({ [operator]: { [key]: value } }, broken), false, key)
    }
  })
})

describe('decimal numbers', () => {
  const digits = fc.stringMatching(/^-?[0-9]{1,20}(\.[0-9]{1,10})?(e-?[0-9]{1,2})?$/)

  test('have one text, which reads as the same number', () => {
    fc.assert(
      fc.property(digits, (text) => {
        const number = parseDecimal(text)
        assert.ok(number)
        const canonical = decimalText(number)
        const again = parseDecimal(canonical)
        if (again === undefined) assert.ok(canonical.length > 100)
        else assert.deepEqual(again, number)
      }),
    )
  })

  test('compare like BigInts', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (left, right) => {
        const [one, two] = [parseDecimal(String(left)), parseDecimal(String(right))]
        if (one === undefined || two === undefined) return
        const expected = left < right ? -1 : left > right ? 1 : 0
        assert.equal(Math.sign(compareDecimals(one, two)), expected)
      }),
    )
  })
})

describe('instants', () => {
  test('read what Date prints', () => {
    const valid = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(valid, (date) => {
        assert.equal(parseInstant(date.toISOString()), date.getTime())
      }),
    )
  })

  const refused = [
    '',
    '2026-13-01',
    '2026-00-01',
    '2025-02-29',
    '2026-01-01T25:00Z',
    '2026-01-01T00:60Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00Z ',
    '2026-01-01 00:00Z',
    '2026-01-01T00:00:00+24:00',
    '2026-1-1',
    '+2026-01-01',
    '999999999999',
    '1e9',
  ]
  for (const text of refused) {
    test(`refuse ${JSON.stringify(text)}`, () => {
      assert.equal(parseInstant(text), undefined)
    })
  }
})
