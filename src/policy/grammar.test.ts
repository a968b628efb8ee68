import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parsePolicy, PolicyError, type Policy, type PolicyKind } from './index.ts'

const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }
const grant = { ...allow, Principal: '*' }

function parse(document: unknown, kind: PolicyKind = 'identity'): Policy {
  return parsePolicy(typeof document === 'string' ? document : JSON.stringify(document), kind)
}

function policy(statement: object, kind: PolicyKind = 'identity'): Policy {
  return parse({ Version: '2012-10-17', Statement: [statement] }, kind)
}

function problem(document: unknown, kind: PolicyKind = 'identity'): string {
  try {
    parse(document, kind)
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    assert.equal(error.code, 'malformed_policy')
    return error.message
  }
  return 'accepted'
}

function refuses(statement: object, says: RegExp, kind: PolicyKind = 'identity'): void {
  assert.match(problem({ Version: '2012-10-17', Statement: [allow, statement] }, kind), says)
}

describe('policy grammar (AWS IAM User Guide, "Grammar of the IAM JSON policy language")', () => {
  test('Version may be left out and then is 2008-10-17, with a warning', () => {
    assert.match(parse({ Statement: allow }).warnings[0] ?? '', /^Version: absent/)
    for (const version of ['2012-10-17', '2008-10-17']) {
      assert.deepEqual(parse({ Version: version, Statement: allow }).warnings, [])
    }
  })

  test('refuses any other Version', () => {
    for (const version of ['', '2012-10-18', 2012, null, ['2012-10-17']]) {
      assert.match(problem({ Version: version, Statement: allow }), /^Version: must be/)
    }
  })

  test('Statement is an object or a list of objects', () => {
    assert.equal(parse({ Statement: allow }).text, parse({ Statement: [allow] }).text)
    for (const statement of ['x', null, 1]) {
      assert.match(problem({ Statement: statement }), /^Statement: must be an object or a list/)
    }
    assert.equal(problem({ Version: '2012-10-17' }), 'Statement: is missing')
    assert.equal(problem({ Statement: [allow, 'x'] }), 'Statement[1]: must be an object')
    assert.equal(problem([allow]), 'document: must be an object')
  })

  test('refuses unknown and misspelt members, since they hide a lost condition', () => {
    refuses({ ...allow, Conditions: {} }, /^Statement\[1\]: "Conditions" is no member here/)
    refuses({ ...allow, condition: {} }, /^Statement\[1\]: "condition" is no member here/)
    refuses({ ...allow, effect: 'Deny' }, /"effect" is no member here/)
    assert.match(problem({ Statement: allow, version: '2012-10-17' }), /^document: "version" is no/)
    assert.match(problem('{"Statement": [], "__proto__": {}}'), /"__proto__" is no member here/)
  })

  test('refuses doubled members, also when they are spelt with escapes', () => {
    const twice = '{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}'
    assert.equal(problem(twice), 'Statement[0].Effect: is given twice')
    assert.equal(
      problem(twice.replace('"Effect":"Allow"', '"\\u0045ffect":"Allow"')),
      'Statement[0].Effect: is given twice',
    )
  })

  test('refuses text behind the document', () => {
    assert.match(problem(`${JSON.stringify({ Statement: allow })} x`), /^document: not JSON/)
  })

  test('Sid holds letters, digits, spaces and - _ . : /, and names one statement', () => {
    assert.ok(policy({ ...allow, Sid: 'Read-it_all. v:1/2' }))
    refuses({ ...allow, Sid: 'a,b' }, /^Statement\[1\]\.Sid: may hold/)
    refuses({ ...allow, Sid: 'ä' }, /^Statement\[1\]\.Sid: may hold/)
    refuses({ ...allow, Sid: 1 }, /^Statement\[1\]\.Sid: must be a text/)
    const doubled = [
      { ...allow, Sid: 'a' },
      { ...allow, Sid: 'a' },
    ]
    assert.equal(
      problem({ Statement: doubled }),
      'Statement[1].Sid: "a" names another statement, too',
    )
    assert.ok(parse({ Statement: doubled.map((one) => ({ ...one, Sid: '' })) }), 'empty is none')
  })

  test('Id is accepted in every kind of policy', () => {
    assert.match(parse({ Id: 'x', Statement: allow }).text, /"Id":"x"/)
    assert.match(problem({ Id: 1, Statement: allow }), /^Id: must be a text/)
  })

  test('Effect is exactly Allow or Deny', () => {
    for (const effect of ['allow', 'DENY', '', true, null, ['Allow']]) {
      refuses({ ...allow, Effect: effect }, /^Statement\[1\]\.Effect: must be "Allow" or "Deny"/)
    }
    const { Effect: _, ...without } = allow
    refuses(without, /^Statement\[1\]\.Effect: is missing/)
  })

  test('an action that does not exist is accepted with a warning', () => {
    const { warnings } = policy({ ...allow, Action: ['s3:GetObjekt', 's3:GetObject'] })
    assert.deepEqual(warnings, ['Statement[0].Action: "s3:GetObjekt" matches no action known here'])
  })

  test('refuses actions that are not of the form service:Name', () => {
    const bad = [
      'GetObject',
      's3:',
      ':GetObject',
      's3:Get Object',
      's*:Get',
      's3:a:b',
      '**',
      's3:${x}',
    ]
    for (const action of bad)
      refuses({ ...allow, Action: action }, /is not of the form service:Name/)
    for (const action of ['*', '*:*', 's3:*', 'S3:get?bject', 'aws-portal:ViewBilling']) {
      assert.ok(policy({ ...allow, Action: action }))
    }
  })

  test('a condition key that does not fit or does not exist is accepted with a warning', () => {
    const { warnings } = policy({
      ...allow,
      Condition: { StringEquals: { 's3:prefix': 'a', 'aws:nosuch': 'b' } },
    })
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', /s3:prefix: no action of the statement has this key/)
    assert.match(warnings[1] ?? '', /aws:nosuch: no such key here/)
  })

  test('refuses unknown operators', () => {
    const names = [
      'StringEqual',
      'stringEquals',
      'StringEqualsIfExist',
      'IfExists',
      'ForAllValues:',
      'ForSomeValues:StringEquals',
      'ForAllValues:ForAnyValue:StringEquals',
      'NullIfExists',
      'ForAnyValue:Null',
      '__proto__',
      'constructor',
    ]
    for (const name of names) {
      const text = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"${name}":{"aws:username":"true"}}}}`
      assert.match(problem(text), /is no operator|takes no prefix or suffix/, name)
    }
  })

  test('refuses Action beside NotAction, Resource beside NotResource', () => {
    refuses({ ...allow, NotAction: 's3:*' }, /^Statement\[1\]: has both Action and NotAction/)
    refuses({ ...allow, NotResource: '*' }, /^Statement\[1\]: has both Resource and NotResource/)
    const { Action: _, ...without } = allow
    refuses(without, /^Statement\[1\]\.Action: is missing/)
  })

  test('refuses empty lists and empty operators, accepts an empty Condition', () => {
    refuses({ ...allow, Action: [] }, /^Statement\[1\]\.Action: is an empty list/)
    refuses({ ...allow, Resource: [] }, /^Statement\[1\]\.Resource: is an empty list/)
    refuses({ ...allow, Condition: { StringEquals: { 'aws:username': [] } } }, /is an empty list/)
    refuses({ ...allow, Condition: { StringEquals: {} } }, /Condition\.StringEquals: is empty/)
    assert.equal(problem({ Statement: [] }), 'Statement: is an empty list')
    assert.equal(policy({ ...allow, Condition: {} }).text, policy(allow).text)
  })

  test('accepts repeated values in a condition', () => {
    assert.ok(policy({ ...allow, Condition: { StringEquals: { 'aws:username': ['a', 'a'] } } }))
  })

  test('refuses one key twice in different case, but not tags that differ in case', () => {
    refuses(
      { ...allow, Condition: { StringEquals: { 's3:prefix': 'a', 'S3:Prefix': 'b' } } },
      /S3:Prefix: is given twice/,
    )
    const tags = { 'aws:PrincipalTag/a': 'x', 'AWS:principaltag/A': 'x' }
    assert.ok(policy({ ...allow, Condition: { StringEquals: tags } }))
  })

  test('a resource is an ARN or a bare *', () => {
    const good = ['*', 'arn:aws:s3:::b', 'arn:aws-cn:s3:::b/*', 'arn:aws:iam::*:role/x']
    for (const resource of good) assert.ok(policy({ ...allow, Resource: resource }))
    const bad = [
      'b/*',
      '**',
      '',
      'arn:aws:s3:::',
      'arn:aws:s3:::/k',
      'arn:aws:s3::b',
      'arn:aws:s3:eu-west-1::b',
      'arn:aws:s3::000000000000:b',
      'arn:minio:s3:::b',
      'arn:*:s3:::b',
      'arn:aws:s3*:::b',
      'ARN:aws:s3:::b',
      'arn:aws:iam:',
    ]
    for (const resource of bad) {
      refuses({ ...allow, Resource: resource }, /^Statement\[1\]\.Resource: /)
    }
  })

  test('mixed services stand in one statement', () => {
    assert.ok(policy({ ...allow, Action: ['s3:GetObject', 'admin:ServerInfo'], Resource: '*' }))
  })

  test('only statements of services without resources may leave Resource out', () => {
    const { Resource: _, ...without } = allow
    assert.ok(policy({ ...without, Action: ['admin:*', 'kms:*', 'sts:AssumeRole'] }))
    for (const action of ['s3:GetObject', '*', '*:*', ['admin:*', 's3:*'], 'iam:*']) {
      refuses({ ...without, Action: action }, /^Statement\[1\]\.Resource: is missing/)
    }
    const { Action: _action, ...bare } = without
    refuses({ ...bare, NotAction: 'admin:*' }, /^Statement\[1\]\.Resource: is missing/)
    assert.match(
      problem({ Statement: { ...without, Principal: '*', Action: 'sts:*' } }, 'bucket'),
      /^Statement\.Resource: is missing/,
    )
  })

  test('Principal is demanded of bucket policies and of no others', () => {
    assert.ok(policy(grant, 'bucket'))
    refuses(
      grant,
      /^Statement\[1\]\.Principal: belongs into bucket policies and trust policies only/,
    )
    refuses(
      { ...allow, NotPrincipal: '*' },
      /^Statement\[1\]\.NotPrincipal: belongs into/,
      'session',
    )
    assert.equal(problem({ Statement: allow }, 'bucket'), 'Statement.Principal: is missing')
  })

  test('scalars in conditions are texts, numbers and booleans, kept as canonical text', () => {
    const values = [1.5, 1e3, true, 'x', 0.1, -0]
    const { text } = policy({ ...allow, Condition: { StringEquals: { 'aws:username': values } } })
    assert.match(text, /\["1\.5","1000","true","x","0\.1","0"\]/)
    const big = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"s3:max-keys":9007199254740993}}}}`
    assert.match(parse(big).text, /"9007199254740993"/)
    for (const bad of [null, { a: 1 }, [null]]) {
      refuses(
        { ...allow, Condition: { StringEquals: { 'aws:username': bad } } },
        /must be a text, a number/,
      )
    }
    assert.match(problem(big.replace('9007199254740993', '1e999')), /"1e999" is out of range/)
  })

  test('refuses values that mean nothing to their operator', () => {
    const bad: readonly (readonly [operator: string, value: string])[] = [
      ['NumericEquals', 'x'],
      ['NumericEquals', ''],
      ['NumericEquals', '0x10'],
      ['NumericEquals', '1 '],
      ['NumericLessThan', '${aws:username}'],
      ['DateLessThan', 'tomorrow'],
      ['DateLessThan', '2026-02-30'],
      ['DateLessThan', '2026-01-01T00:00:00'],
      ['DateLessThan', '2026-01-01T24:00:01Z'],
      ['Bool', 'yes'],
      ['Null', '1'],
      ['BinaryEquals', 'a'],
      ['BinaryEquals', 'YQ'],
      ['IpAddress', '10.0.0.0/33'],
      ['IpAddress', '10.0.0'],
      ['IpAddress', '010.0.0.1'],
      ['IpAddress', '10.0.0.0/08'],
      ['IpAddress', '10.0.0.0/8/8'],
      ['IpAddress', '1::2::3'],
      ['IpAddress', 'fe80::1%eth0'],
      ['NotIpAddress', '*'],
      ['ArnLike', '*'],
      ['ArnEquals', 'arn:aws:iam::user/x'],
    ]
    for (const [operator, value] of bad) {
      const says = new RegExp(`^Statement\\[1\\]\\.Condition\\.${operator}\\.aws:username: `)
      refuses({ ...allow, Condition: { [operator]: { 'aws:username': value } } }, says)
    }
  })

  test('refuses names that cannot be condition keys', () => {
    for (const key of ['username', '', ':x', 'aws:', 'aws:a\u0000', '${aws:username}']) {
      refuses(
        { ...allow, Condition: { StringEquals: { [key]: 'x' } } },
        /is not the name of a condition key/,
      )
    }
  })

  test('refuses unfinished variables, but only where variables exist', () => {
    for (const text of [
      '${',
      '${a',
      '${aws:username',
      '${}',
      '${aws:username,}',
      "${aws:x, 'y}",
      '${x}',
    ]) {
      const resource = { ...allow, Resource: `arn:aws:s3:::b/${text}` }
      refuses(resource, /^Statement\[1\]\.Resource: .*variable/)
      const value = { ...allow, Condition: { StringLike: { 's3:prefix': text } } }
      refuses(value, /^Statement\[1\]\.Condition\.StringLike\.s3:prefix: .*variable/)
      assert.ok(parse({ Version: '2008-10-17', Statement: [resource, value] }))
    }
  })
})

describe('principals of bucket policies', () => {
  const withPrincipal = (principal: unknown): string =>
    problem({ Statement: { ...grant, Principal: principal } }, 'bucket')

  test('are "*", account ids, and ARNs of users, roles and role sessions', () => {
    const arns = [
      '*',
      '000000000000',
      'arn:aws:iam::000000000000:root',
      'arn:aws:iam::000000000000:user/a/b',
      'arn:aws-us-gov:iam::000000000000:role/app',
      'arn:aws:sts::000000000000:assumed-role/app/s1',
    ]
    assert.equal(withPrincipal({ AWS: arns }), 'accepted')
    assert.equal(withPrincipal({ Federated: 'x', Service: 'a.b', CanonicalUser: 'c' }), 'accepted')
  })

  test('are refused with wildcards inside an ARN and in any other form', () => {
    const bad = [
      'alice',
      '00000000000',
      'arn:aws:iam::*:root',
      'arn:aws:iam::000000000000:user/*',
      'arn:aws:iam::000000000000:user/',
      'arn:aws:iam::000000000000:user/${aws:username}',
      'arn:aws:iam::000000000000:group/x',
      'arn:aws:sts::000000000000:assumed-role/app',
      'arn:aws:sts::000000000000:assumed-role/app/*',
    ]
    for (const arn of bad) assert.match(withPrincipal({ AWS: arn }), /^Statement\.Principal\.AWS: /)
    for (const bare of ['alice', '', '000000000000', ['*'], null]) {
      assert.match(withPrincipal(bare), /^Statement\.Principal: must be/)
    }
    assert.equal(withPrincipal({}), 'Statement.Principal: is empty')
    assert.match(withPrincipal({ aws: '*' }), /"aws" is no member here/)
    assert.match(withPrincipal({ AWS: [] }), /is an empty list/)
  })

  test('NotPrincipal goes with Deny only, names somebody, and warns', () => {
    const denial = {
      Effect: 'Deny',
      Action: 's3:*',
      Resource: 'arn:aws:s3:::b/*',
      NotPrincipal: { AWS: 'arn:aws:iam::000000000000:user/alice' },
    }
    assert.match(
      policy(denial, 'bucket').warnings.join('\n'),
      /NotPrincipal: denies everybody else/,
    )
    const says = (change: object): string =>
      problem({ Statement: { ...denial, ...change } }, 'bucket')
    assert.match(says({ Effect: 'Allow' }), /NotPrincipal: goes with Effect "Deny" only/)
    assert.match(says({ NotPrincipal: '*' }), /must name whom it spares/)
    assert.match(says({ NotPrincipal: { AWS: '*' } }), /must name whom it spares/)
    assert.match(says({ Principal: '*' }), /has both Principal and NotPrincipal/)
  })
})

describe('caps', () => {
  const statements = (count: number): unknown => ({
    Statement: Array.from({ length: count }, () => ({
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
    })),
  })

  test('100 statements', () => {
    assert.equal(problem(statements(100)), 'accepted')
    assert.equal(problem(statements(101)), 'Statement: has 101 entries, 100 are allowed')
  })

  test('500 values of a list', () => {
    const listed = (count: number): object => ({
      Statement: { ...allow, Action: Array.from({ length: count }, () => 's3:Get*') },
    })
    assert.equal(problem(listed(500)), 'accepted')
    assert.equal(problem(listed(501)), 'Statement.Action: has 501 entries, 500 are allowed')
  })

  test('2,048 bytes of a value, not characters', () => {
    const resource = (text: string): string =>
      problem({ Statement: { ...allow, Resource: `arn:aws:s3:::${text}` } })
    assert.equal(resource('é'.repeat(1017)), 'accepted')
    assert.equal(
      resource('é'.repeat(1018)),
      'Statement.Resource: a value is longer than 2048 bytes',
    )
    const long = 'x'.repeat(2049)
    refuses({ ...allow, Sid: long }, /Sid: a value is longer/)
    refuses(
      { ...allow, Condition: { StringEquals: { 'aws:username': long } } },
      /a value is longer/,
    )
    refuses(
      { ...allow, Condition: { StringEquals: { [`aws:${long}`]: 'x' } } },
      /a value is longer/,
    )
  })

  test('depth 6', () => {
    refuses(
      { ...allow, Condition: { StringEquals: { 'aws:username': [['x']] } } },
      /is nested deeper than 6/,
    )
  })

  test('20 KiB, of the text and of what is made of it', () => {
    const filler = (bytes: number): string => JSON.stringify({ Statement: allow }).padEnd(bytes)
    assert.ok(parsePolicy(filler(20_480), 'identity'))
    const tooLarge = (error: unknown): boolean =>
      error instanceof PolicyError && error.code === 'policy_too_large'
    assert.throws(() => parsePolicy(filler(20_481), 'identity'), tooLarge)
    // each number grows by its quotes, so the compact form is larger than what came
    const numbers = (keys: number): string => {
      const list = `[${Array.from({ length: 480 }, () => '1').join(',')}]`
      const members = Array.from({ length: keys }, (_, key) => `"aws:k${key}":${list}`).join(',')
      return `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{${members}}}}]}`
    }
    assert.ok(Buffer.byteLength(numbers(20)) < 20_480)
    assert.throws(() => parsePolicy(numbers(20), 'identity'), tooLarge)
  })
})

describe('a parsed policy', () => {
  test('is frozen', () => {
    assert.ok(Object.isFrozen(policy(allow)))
    assert.throws(() => Object.assign(policy(allow), { kind: 'bucket' }), TypeError)
  })

  test('has one text for one meaning', () => {
    const loose = `{ "Statement" : { "Resource": ["arn:aws:s3:::b/*"], "Action": ["s3:GetObject"],
      "Condition": {}, "Sid": "", "Effect": "Allow" }, "Version": "2012-10-17" }`
    assert.equal(
      parse(loose).text,
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}',
    )
  })

  test('knows whether it needs the tags of the stored object', () => {
    const reads = (change: object, version = '2012-10-17'): boolean =>
      parse({ Version: version, Statement: { ...allow, ...change } }).readsObjectTags
    const tag = 's3:ExistingObjectTag/cls'
    assert.equal(reads({}), false)
    assert.equal(reads({ Condition: { StringEquals: { [tag.toUpperCase()]: 'x' } } }), true)
    assert.equal(reads({ Condition: { StringEquals: { 's3:prefix': `\${${tag}}` } } }), true)
    assert.equal(reads({ Resource: `arn:aws:s3:::b/\${ ${tag} }` }), true)
    assert.equal(reads({ Resource: `arn:aws:s3:::b/\${${tag}, 'x'}` }), true)
    assert.equal(reads({ Resource: `arn:aws:s3:::b/\${${tag}}` }, '2008-10-17'), false)
    assert.equal(reads({ Resource: 'arn:aws:s3:::b/s3:ExistingObjectTag/x' }), false)
  })
})
