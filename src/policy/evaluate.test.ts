import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  explain,
  explainIssue,
  isAllowed,
  isDeniedAtIssue,
  type NamedPolicy,
  type Policy,
  type PolicyPrincipal,
  type Question,
} from './index.ts'
import { account, alice, namedPolicy, questionOf, user } from './testing/ask.ts'

const allowAll = namedPolicy({ Effect: 'Allow', Action: '*', Resource: '*' })
const denyAll = namedPolicy({ Effect: 'Deny', Action: '*', Resource: '*' })
const broken: NamedPolicy = { name: 'gone', policy: { kind: 'broken', problem: 'no such policy' } }
const everybody = { Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::b/*' }
const openBucket = namedPolicy({ Effect: 'Allow', ...everybody }, 'bucket')
const closedBucket = namedPolicy({ Effect: 'Deny', ...everybody }, 'bucket')

const root: PolicyPrincipal = { kind: 'root', account }
const rootSession: PolicyPrincipal = { kind: 'root-session', account }
const anonymous: PolicyPrincipal = { kind: 'anonymous' }
const session: PolicyPrincipal = {
  kind: 'session',
  account,
  arn: `arn:aws:sts::${account}:assumed-role/app/s1`,
  roleArn: `arn:aws:iam::${account}:role/app`,
  userArn: alice,
}
const everyone = [user, session, root, rootSession, anonymous]

function answers(question: Question): boolean {
  const allowed = isAllowed(question)
  assert.equal(explain(question).allowed, allowed)
  return allowed
}

function ceiling(...policies: readonly NamedPolicy[]): Pick<Question, 'ceilings'> {
  return { ceilings: [{ name: 'session policy', policies }] }
}

describe('empty, absent and unknown mean no', () => {
  test('a request that needs nothing is refused, even to root', () => {
    for (const principal of everyone) {
      assert.equal(answers({ ...questionOf([allowAll], {}, { principal }), accesses: [] }), false)
    }
  })

  test('an action that nobody evaluates is refused, even to root', () => {
    for (const action of [
      '',
      's3',
      's3:',
      ':GetObject',
      'ec2:RunInstances',
      '*',
      's3 :GetObject',
    ]) {
      for (const principal of everyone) {
        assert.equal(answers(questionOf([allowAll], { action }, { principal })), false, action)
      }
    }
  })

  test('a ceiling without policies lets nothing through, not to root either', () => {
    for (const principal of everyone) {
      assert.equal(answers(questionOf([allowAll], {}, { principal, ...ceiling() })), false)
    }
  })

  test('a principal of an unknown kind is refused', () => {
    const principal = JSON.parse('{"kind": "admin"}')
    assert.equal(answers(questionOf([allowAll], {}, { principal })), false)
  })
})

describe('broken and missing policies', () => {
  test('deny everything in the identity layer, beside whatever allows', () => {
    for (const principal of everyone) {
      assert.equal(answers(questionOf([allowAll, broken], {}, { principal })), false)
    }
  })

  test('deny everything in a ceiling', () => {
    for (const principal of everyone) {
      const question = questionOf([allowAll], {}, { principal, ...ceiling(allowAll, broken) })
      assert.equal(answers(question), false)
    }
  })

  test('deny everything in a bucket, but not to root, which can mend it', () => {
    for (const principal of everyone) {
      const question = questionOf([allowAll], { bucketPolicy: broken }, { principal })
      assert.equal(answers(question), principal.kind === 'root')
    }
  })

  test('refuse issue, and say why', () => {
    const question = questionOf([allowAll, broken], { action: 'sts:AssumeRole', resource: '*' })
    assert.equal(isDeniedAtIssue(question), true)
    const [decision] = explainIssue(question).accesses
    assert.equal(decision?.outcome, 'explicit-deny')
    assert.match(decision?.reason ?? '', /"gone".*no such policy/)
  })

  test('a policy of the wrong kind, or a forged one, is broken', () => {
    const forged: Policy = {
      ...allowAll.policy,
      kind: 'identity',
      text: '{}',
      warnings: [],
      readsObjectTags: false,
    }
    assert.equal(answers(questionOf([openBucket])), false)
    assert.equal(answers(questionOf([allowAll], { bucketPolicy: allowAll })), false)
    assert.equal(answers(questionOf([{ name: 'forged', policy: forged }])), false)
    assert.equal(answers(questionOf([allowAll, { name: 'forged', policy: forged }])), false)
  })
})

describe('layers', () => {
  test('documents within a layer unite, layers intersect', () => {
    const get = namedPolicy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })
    const put = namedPolicy({ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' })
    assert.equal(answers(questionOf([put, get])), true)
    assert.equal(answers(questionOf([get], {}, ceiling(put, get))), true)
    assert.equal(answers(questionOf([get], {}, ceiling(put))), false)
    const twoLayers = [
      { name: 'one', policies: [get] },
      { name: 'two', policies: [put] },
    ]
    assert.equal(answers(questionOf([allowAll], {}, { ceilings: twoLayers })), false)
  })

  test('a ceiling holds back a grant of the bucket, too', () => {
    const put = namedPolicy({ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' })
    for (const principal of everyone) {
      const question = questionOf([], { bucketPolicy: openBucket }, { principal, ...ceiling(put) })
      assert.equal(answers(question), false)
    }
  })

  test('the anonymous get what the bucket gives, never what identity policies give', () => {
    const ask = { principal: anonymous }
    assert.equal(answers(questionOf([allowAll], {}, ask)), false)
    assert.equal(answers(questionOf([], { bucketPolicy: openBucket }, ask)), true)
    assert.equal(answers(questionOf([], { bucketPolicy: closedBucket }, ask)), false)
  })

  test('root is above bucket policies, its sessions are not, both are under ceilings and denies', () => {
    const closed = { bucketPolicy: closedBucket }
    assert.equal(answers(questionOf([], closed, { principal: root })), true)
    assert.equal(answers(questionOf([], closed, { principal: rootSession })), false)
    for (const principal of [root, rootSession]) {
      assert.equal(answers(questionOf([], {}, { principal })), true)
      assert.equal(answers(questionOf([denyAll], {}, { principal })), false)
      assert.equal(answers(questionOf([], {}, { principal, ...ceiling(allowAll) })), true)
      assert.equal(answers(questionOf([], {}, { principal, ...ceiling(denyAll) })), false)
    }
  })

  test('a session of a user is bound by what a bucket says of the user', () => {
    const deny = namedPolicy({ ...everybody, Effect: 'Deny', Principal: { AWS: alice } }, 'bucket')
    assert.equal(
      answers(questionOf([allowAll], { bucketPolicy: deny }, { principal: session })),
      false,
    )
    const spare = namedPolicy(
      { Effect: 'Deny', Action: 's3:*', Resource: '*', NotPrincipal: { AWS: alice } },
      'bucket',
    )
    const spared = { bucketPolicy: spare }
    assert.equal(answers(questionOf([allowAll], spared, { principal: session })), true)
    assert.equal(answers(questionOf([allowAll], spared, { principal: rootSession })), false)
  })

  test('the account in an Allow grants nothing by itself, in a Deny it means all of the account', () => {
    const of = (Effect: string, AWS: string): NamedPolicy =>
      namedPolicy({ ...everybody, Effect, Principal: { AWS } }, 'bucket')
    for (const name of [account, `arn:aws:iam::${account}:root`]) {
      assert.equal(answers(questionOf([], { bucketPolicy: of('Allow', name) })), false)
      assert.equal(answers(questionOf([allowAll], { bucketPolicy: of('Deny', name) })), false)
    }
    const other = of('Deny', '111111111111')
    assert.equal(answers(questionOf([allowAll], { bucketPolicy: other })), true)
  })

  test('a federated principal is a session of that provider', () => {
    const bucketPolicy = namedPolicy(
      { ...everybody, Effect: 'Allow', Principal: { Federated: 'corp' } },
      'bucket',
    )
    const ask = (principal: PolicyPrincipal, FederatedProvider: string): boolean => {
      const question = questionOf([], { bucketPolicy }, { principal })
      const aws = { ...question.facts.aws, FederatedProvider }
      return answers({ ...question, facts: { aws } })
    }
    assert.equal(ask(session, 'corp'), true)
    assert.equal(ask(session, 'other'), false)
    assert.equal(ask(anonymous, 'corp'), false)
  })

  test('the people of a provider with an ARN are let in by it, and kept out by their issuer too', () => {
    const issuer = 'https://idp.example.com'
    const arn = `arn:aws:iam::${account}:oidc-provider/idp.example.com`
    const allows = (statement: object): boolean => {
      const bucketPolicy = namedPolicy({ ...everybody, ...statement }, 'bucket')
      const question = questionOf([], { bucketPolicy }, { principal: session })
      const aws = { ...question.facts.aws, FederatedProvider: arn }
      const federated = { provider: 'idp.example.com', issuer, claims: new Map() }
      const everything = statement === denial || 'NotPrincipal' in statement
      const identity = everything ? [allowAll] : []
      return answers({ ...question, identity, facts: { aws, federated } })
    }
    const denial = { Effect: 'Deny', Principal: { Federated: issuer } }
    assert.equal(allows({ Effect: 'Allow', Principal: { Federated: arn } }), true)
    assert.equal(allows({ Effect: 'Allow', Principal: { Federated: issuer } }), false)
    assert.equal(allows(denial), false)
    const spared = (Federated: string) => ({
      Effect: 'Deny',
      Principal: undefined,
      NotPrincipal: { Federated },
    })
    assert.equal(allows(spared(arn)), true)
    assert.equal(allows(spared(issuer)), false, 'the issuer does not spare who has an ARN')
  })
})

describe('resources', () => {
  test('administration ignores the resource of a statement that names it', () => {
    const policy = namedPolicy({
      Effect: 'Allow',
      Action: ['admin:*', 'kms:Decrypt'],
      Resource: 'arn:aws:s3:::b/*',
    })
    for (const action of ['admin:ServerInfo', 'kms:Decrypt']) {
      assert.equal(answers(questionOf([policy], { action, resource: '*' })), true)
    }
    assert.equal(answers(questionOf([policy], { action: 's3:GetObject' })), false)
  })

  test('a bare * action stays bound by its resource, for administration too', () => {
    for (const resource of ['arn:aws:s3:::b/*', 'arn:aws:s3:::*']) {
      const policy = namedPolicy({ Effect: 'Allow', Action: '*', Resource: resource })
      for (const action of [
        'admin:ServerInfo',
        'iam:CreateUser',
        'sts:AssumeRole',
        'kms:Decrypt',
      ]) {
        assert.equal(answers(questionOf([policy], { action, resource: '*' })), false)
      }
    }
  })

  test('account-level S3 calls are covered by * and arn:aws:s3:::* only', () => {
    const listed = (Resource: string): boolean =>
      answers(
        questionOf([namedPolicy({ Effect: 'Allow', Action: 's3:*', Resource })], {
          action: 's3:ListAllMyBuckets',
          resource: '*',
        }),
      )
    assert.equal(listed('*'), true)
    assert.equal(listed('arn:aws:s3:::*'), true)
    assert.equal(listed('arn:aws-cn:s3:::*'), true)
    for (const narrow of ['arn:aws:s3:::b*', 'arn:aws:s3:::*/*', 'arn:aws:s3:::?']) {
      assert.equal(listed(narrow), false)
    }
  })

  test('an S3 entry covers nothing of other services, nor the other way round', () => {
    const s3 = namedPolicy({ Effect: 'Allow', Action: 'iam:*', Resource: 'arn:aws:s3:::*' })
    const role = `arn:aws:iam::${account}:role/x`
    assert.equal(answers(questionOf([s3], { action: 'iam:GetRole', resource: role })), false)
    const iam = namedPolicy({ Effect: 'Allow', Action: '*', Resource: 'arn:aws:iam::*:role/?' })
    assert.equal(answers(questionOf([iam], { action: 'iam:GetRole', resource: role })), true)
    assert.equal(answers(questionOf([iam], { resource: 'arn:aws:s3:::iam' })), false)
  })

  test('a resource that is none is covered by * alone', () => {
    const wide = namedPolicy({ Effect: 'Allow', Action: '*', Resource: 'arn:aws:s3:::*' })
    for (const resource of ['', 'b/k', 'arn:aws:s3:eu:1:b/k']) {
      assert.equal(answers(questionOf([wide], { resource })), false)
    }
  })
})

describe('the check at issue', () => {
  const access = { action: 'sts:AssumeRole', resource: '*' }

  test('needs no allow, and is stopped by a deny in any layer', () => {
    assert.equal(isDeniedAtIssue(questionOf([], access)), false)
    assert.equal(isDeniedAtIssue(questionOf([], access, ceiling(allowAll))), false)
    assert.equal(isDeniedAtIssue(questionOf([denyAll], access)), true)
    assert.equal(isDeniedAtIssue(questionOf([allowAll], access, ceiling(denyAll))), true)
  })

  test('sees a deny with whatever resource it carries', () => {
    const deny = namedPolicy({ Effect: 'Deny', Action: 'sts:*', Resource: 'arn:aws:s3:::*' })
    assert.equal(isDeniedAtIssue(questionOf([deny], access)), true)
  })

  test('is denied when nothing is asked or the action is unknown', () => {
    assert.equal(isDeniedAtIssue({ ...questionOf([]), accesses: [] }), true)
    assert.equal(isDeniedAtIssue(questionOf([], { action: 'nosuch:Thing' })), true)
    assert.equal(explainIssue({ ...questionOf([]), accesses: [] }).allowed, false)
  })
})

describe('explanations', () => {
  const readonly: NamedPolicy = {
    name: 'readonly',
    policy: namedPolicy({ Effect: 'Allow', Action: 's3:Get*', Resource: '*' }).policy,
  }

  test('name the policy that allows nothing', () => {
    const [decision] = explain(questionOf([readonly], { action: 's3:PutObject' })).accesses
    assert.equal(decision?.outcome, 'implicit-deny')
    assert.equal(
      decision.reason,
      'no statement of "readonly" allows s3:PutObject on arn:aws:s3:::b/k',
    )
  })

  test('name the statement that denies, by index and Sid, and nothing that did not decide', () => {
    const policy = namedPolicy([
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Sid: 'No deletes', Effect: 'Deny', Action: 's3:Delete*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:Put*', Resource: '*' },
    ])
    const [decision] = explain(questionOf([policy], { action: 's3:DeleteObject' })).accesses
    assert.equal(decision?.outcome, 'explicit-deny')
    assert.equal(
      decision.reason,
      'statement 1 (No deletes) of "the identity policy" denies s3:DeleteObject on arn:aws:s3:::b/k',
    )
    assert.deepEqual(decision.layers[0]?.policies[0], {
      policy: 'the identity policy',
      verdict: 'deny',
      statements: [{ index: 1, sid: 'No deletes', effect: 'Deny' }],
    })
  })

  test('name the ceiling that holds back, and the layers in their order', () => {
    const question = questionOf(
      [allowAll],
      { action: 's3:PutObject', bucketPolicy: openBucket },
      ceiling(readonly),
    )
    const [decision] = explain(question).accesses
    assert.equal(
      decision?.reason,
      'session policy: no statement of "readonly" allows s3:PutObject on arn:aws:s3:::b/k',
    )
    assert.deepEqual(
      decision.layers.map(({ layer, verdict }) => [layer, verdict]),
      [
        ['identity', 'allow'],
        ['bucket', 'allow'],
        ['ceiling', 'no-match'],
      ],
    )
  })

  test('say who allowed', () => {
    const reason = (question: Question): string | undefined => explain(question).accesses[0]?.reason
    assert.equal(
      reason(questionOf([readonly])),
      'statement 0 of "readonly" allows s3:GetObject on arn:aws:s3:::b/k',
    )
    assert.equal(
      reason(questionOf([], { bucketPolicy: openBucket })),
      'statement 0 of "the bucket policy" allows s3:GetObject on arn:aws:s3:::b/k',
    )
    assert.match(reason(questionOf([], {}, { principal: root })) ?? '', /^root may do everything/)
    assert.equal(reason(questionOf([])), 'no policy allows s3:GetObject on arn:aws:s3:::b/k')
  })
})

describe('compat: minio', () => {
  const asked = (policyAction: string, action: string, compat?: 'minio'): boolean => {
    const policy = namedPolicy({ Effect: 'Allow', Action: policyAction, Resource: '*' })
    return answers(questionOf([policy], { action }, compat ? { compat } : {}))
  }
  const fallbacks = [
    ['s3:GetObjectVersion', 's3:GetObject'],
    ['s3:ListBucket', 's3:ListBucketVersions'],
    ['s3:GetObject', 's3:GetObjectVersion'],
    ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  ] as const
  for (const [written, action] of fallbacks) {
    test(`${written} stands in for ${action}, and only then`, () => {
      assert.equal(asked(written, action, 'minio'), true)
      assert.equal(asked(written, action), false)
    })
  }

  test('adds no other', () => {
    assert.equal(asked('s3:ListBucketVersions', 's3:ListBucket', 'minio'), false)
    assert.equal(asked('s3:DeleteObjectVersion', 's3:DeleteObject', 'minio'), false)
    assert.equal(asked('s3:GetObject', 's3:PutObject', 'minio'), false)
  })

  test('a deny of either name denies', () => {
    const policy = namedPolicy([
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 's3:DeleteObjectVersion', Resource: '*' },
      { Effect: 'Deny', Action: 's3:GetObject', Resource: '*' },
    ])
    for (const action of ['s3:DeleteObjectVersion', 's3:GetObjectVersion']) {
      assert.equal(answers(questionOf([policy], { action }, { compat: 'minio' })), false)
    }
  })

  test('an object ARN covers bucket actions', () => {
    const policy = namedPolicy({
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::b/*',
    })
    const access = { action: 's3:ListBucket', resource: 'arn:aws:s3:::b' }
    assert.equal(answers(questionOf([policy], access, { compat: 'minio' })), true)
    assert.equal(answers(questionOf([policy], access)), false)
    const other = { ...access, resource: 'arn:aws:s3:::bb' }
    assert.equal(answers(questionOf([policy], other, { compat: 'minio' })), false)
  })
})
