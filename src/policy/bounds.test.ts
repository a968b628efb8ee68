import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { parseDecimal } from './decimal.ts'
import { explain, isAllowed, parsePolicy, PolicyError, type PolicyKind } from './index.ts'
import { parseInstant } from './instant.ts'
import { parseAddress, parseIpRange } from './ip-range.ts'
import { scanJson } from './json-scan.ts'
import { parseTemplate } from './template.ts'
import { namedPolicy, noon, policyOf, questionOf } from './testing/ask.ts'

const refuses = (error: unknown) => error instanceof PolicyError
/** Just below what a document may have. */
const most = 20_000

describe('bounds of policy documents', () => {
  keepsItsBounds({
    name: 'scanJson',
    parse: (text) => scanJson(text, 6),
    refuses,
    words: ['[', '{"a":', '"', '\\u0061', '\\ud800', '{},', '1', '"a",'],
    frames: [(rest) => rest, (rest) => `["${rest}"]`, (rest) => `[${rest}]`],
    hostile: {
      'thousands of members': `{${countUp((n) => `"m${n}":1,`)}"":1}`,
      'one member thousands of times': `{${repeatTo('"__proto__":1,', 60_000)}"":1}`,
    },
  })
  const kinds: readonly PolicyKind[] = ['identity', 'session', 'bucket', 'trust']
  for (const kind of kinds) {
    keepsItsBounds({
      name: `parsePolicy of ${kind} policies`,
      parse: (text) => parsePolicy(text.slice(0, most), kind),
      refuses,
      words: ['"', '{', '"*",', '"${aws:username}",', '"s3:Get*",', '\\u002a', ','],
      frames: [(rest) => rest, (rest) => `{"Version":"2012-10-17","Statement":[${rest}`],
      hostile: documents(kind),
    })
  }
  keepsItsBounds({
    name: 'parseTemplate',
    parse: (text) => parseTemplate(text, { wildcards: true, variables: true }, 'Resource'),
    refuses,
    words: ['*', '?', '${', '}', '${aws:username}', "${aws:username, 'a'}", '${*}', '$', "'"],
    frames: [(rest) => rest, (rest) => `\${aws:username, '${rest}'}`],
  })
  keepsItsBounds({
    name: 'the values of conditions',
    parse: (text) => {
      parseDecimal(text)
      parseInstant(text)
      parseIpRange(text)
      parseAddress(text)
    },
    refuses: () => false,
    words: ['0', '.', ':', '/', '-', 'e', 'T', '::ffff:', '255.'],
  })
})

function documents(kind: PolicyKind): Readonly<Record<string, string>> {
  const action = kind === 'trust' ? 'sts:AssumeRole' : 's3:GetObject'
  const principal = kind === 'bucket' || kind === 'trust' ? '"Principal":"*",' : ''
  const resource = kind === 'trust' ? '' : '"Resource":"*",'
  const head = `"Effect":"Allow",${principal}${resource}`
  const whole = (statements: string) =>
    `{"Version":"2012-10-17","Statement":[${statements}{${head}"Action":"${action}"}]}`
  const conditions = (members: string) =>
    whole(`{${head}"Action":"${action}","Condition":{${members}"Null":{"aws:username":"true"}}},`)
  return {
    'many statements': whole(countUp(() => `{${head}"Action":"${action}"},`, most - 200)),
    'many actions': whole(
      `{${head}"Action":[${countUp((n) => `"sts:A${n}*",`, 7000)}"${action}"]},`,
    ),
    'many resources': whole(
      `{"Effect":"Allow","Action":"${action}","Resource":[${countUp((n) => `"arn:aws:s3:::b${n}/\${aws:username}*",`, 16_000)}"*"]},`,
    ),
    'many conditions': conditions(
      `"StringLike":{${countUp((n) => `"aws:PrincipalTag/t${n}":"*",`, 16_000)}"aws:username":"*"},`,
    ),
    'many values': conditions(
      `"StringLike":{"aws:username":[${countUp((n) => `"*${n}*",`, 4000)}"*"]},`,
    ),
    'long numbers': conditions(
      `"NumericEquals":{"s3:max-keys":[${repeatTo(`1e308,`, 2900)}${'9'.repeat(90)}e-300]},`,
    ),
    'many values of many operators': conditions(
      ['StringEquals', 'StringNotEquals', 'ArnLike', 'StringLike']
        .map(
          (name) =>
            `"${name}":{"aws:userid":[${countUp((n) => `"a:b:c:d:e:${n}",`, 4000)}"a:b:c:d:e:f"]},`,
        )
        .join(''),
    ),
  }
}

/** As long as a value in a document may be. */
const longest = 2000
const patterns: Readonly<Record<string, string>> = {
  'one star': '*',
  'many stars': repeatTo('*a', longest),
  'stars and question marks': repeatTo('*?a', longest),
  'question marks': repeatTo('?', longest),
  'a star, question marks and an end': `*${repeatTo('?', longest)}b`,
  'a star and a long text': `*${repeatTo('a', longest)}b*`,
  'a star, a long text and a question mark': `*${repeatTo('a', longest)}?b`,
  'a star and a text that begins otherwise': `*b${repeatTo('a', longest)}*`,
  'a star and a text that differs in the middle': `*${repeatTo('a', 1000)}b${repeatTo('a', 1000)}*`,
  variables: `*${repeatTo('${aws:username}', longest)}?b`,
  'a variable at the end': `*${repeatTo('a', longest - 20)}?\${aws:username}`,
}

describe('bounds of what policies are asked', () => {
  for (const [what, pattern] of Object.entries(patterns)) {
    const like = namedPolicy([
      {
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        Condition: { StringLike: { 'jwt:sub': [pattern] } },
      },
    ])
    keepsItsBounds({
      name: `a claim compared with ${what}`,
      parse: (text) => {
        const facts = { ...noon, aws: { ...noon.aws, username: text.slice(0, 100) } }
        isAllowed(questionOf([like], {}, { facts: { ...facts, jwt: new Map([['sub', text]]) } }))
      },
      refuses: () => false,
      words: ['a', 'b', '*', '?', '\ud83d\ude00'],
    })
  }
  for (const [what, value] of [
    ['literals', `*${repeatTo('a', 900)}b${repeatTo('a', 900)}`],
    ['question marks', `*${repeatTo('?', 1800)}b`],
    ['claims', `*${repeatTo('${jwt:name}', 1800)}`],
    ['claims and question marks', `*${repeatTo('${jwt:name}?', 1800)}`],
  ] as const) {
    const values = Array.from({ length: 9 }, (_, n) => `${value}${n}*`)
    const condition = { StringLike: { 'jwt:sub': values } }
    const statement = { Effect: 'Allow', Action: '*', Resource: '*', Condition: condition }
    const like = namedPolicy([statement])
    keepsItsBounds({
      name: `claims compared with many values of ${what}`,
      parse: (text) => {
        const jwt = new Map([
          ['sub', text.slice(0, 32_000)],
          ['name', text.slice(0, 100)],
        ])
        isAllowed(questionOf([like], {}, { facts: { ...noon, jwt } }))
      },
      refuses: () => false,
      words: ['a', 'b', '?'],
    })
  }
  const many = policyOf([
    {
      Effect: 'Allow',
      Action: 's3:*',
      Resource: Array.from({ length: 400 }, (_, n) => `arn:aws:s3:::b/*${n}?*a*`),
    },
  ])
  keepsItsBounds({
    name: 'hundreds of resources, explained',
    parse: (text) =>
      explain(
        questionOf([{ name: 'p', policy: many }], {
          resource: `arn:aws:s3:::b/${text.slice(0, 1024)}`,
        }),
      ),
    refuses: () => false,
    words: ['a', '0', '/', '?'],
  })
  keepsItsBounds({
    name: 'the warnings of a policy',
    parse: (text) => parsePolicy(text.slice(0, most), 'identity').warnings,
    refuses,
    words: ['"', '{', '*'],
    hostile: documents('identity'),
  })
})
