import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { GrantError } from './grant-error.ts'
import { readPolicyClaim } from './policy-claim.ts'
import { readableClaims } from './readable-claims.ts'
import { chooseSessionName } from './session-name.ts'
import { readSessionLayers } from './session-policy.ts'
import { readTags, readTokenTags } from './session-tags.ts'
import { chooseSourceIdentity, tokenSourceIdentity } from './source-identity.ts'
import { Trace } from './trace.ts'

const refuses = (error: unknown) => error instanceof GrantError
const notJson = (error: unknown) => error instanceof SyntaxError
const mapping = { kind: 'claim', provider: 'idp', claimName: 'policy' } as const
const tagsOf = 'https://aws.amazon.com/tags'

describe('bounds of what a caller or a token wishes', () => {
  keepsItsBounds({
    name: 'a policy claim',
    parse: (text) => {
      readPolicyClaim(new Map([['policy', text]]), mapping)
      const path = { ...mapping, claimName: text, dottedPath: true }
      readPolicyClaim(new Map([['a', { a: { a: 'readonly' } }]]), path)
    },
    refuses,
    words: [',', ' ', 'a', '.', 'a.', '\\.', '__proto__.'],
    hostile: { 'thousands of names': countUp((n) => `p${n},`) },
  })
  keepsItsBounds({
    name: 'the claims of a token',
    parse: (text) => {
      const claims = new Map<string, unknown>(Object.entries(Object(JSON.parse(text))))
      readableClaims(claims)
      tokenSourceIdentity(claims)
      readTokenTags(claims, new Trace())
    },
    refuses: (error) => refuses(error) || notJson(error),
    words: ['"a":["b"],', '"a":"b",', '[', '{', '"', '"__proto__":["a"],'],
    frames: [
      (rest) => rest,
      (rest) => `{"${tagsOf}":{"principal_tags":{${rest}"a":["b"]}}}`,
      (rest) => `{"${tagsOf}":{"principal_tags":{"a":["b"]},"transitive_tag_keys":[${rest}"a"]}}`,
      (rest) => `{"groups":[${rest}1]}`,
    ],
    hostile: {
      'thousands of tags': `{"${tagsOf}":{"principal_tags":{${countUp((n) => `"t${n}":["v"],`)}"a":["b"]}}}`,
      'thousands of claims of tags': `{${countUp((n) => `"${tagsOf}/principal_tags/t${n}":["v"],`)}"a":1}`,
    },
  })
  keepsItsBounds({
    name: 'tags and names',
    parse: (text) => {
      chooseSessionName('', text, new Trace())
      readTags([['key', text]], [], new Trace())
      readTags([[text, 'value']], [], new Trace())
    },
    refuses,
    words: ['a', '\u{1f600}', ' ', 'aws:', '/', 'ä'],
    hostile: { 'a long value': repeatTo('a', 65_536) },
  })
  keepsItsBounds({
    name: 'session names and source identities',
    parse: (text) => {
      try {
        chooseSessionName(text, 'subject', new Trace())
      } finally {
        chooseSourceIdentity(text, undefined, new Trace())
      }
    },
    refuses,
    words: ['a', '@', '\n', 'aws:'],
  })
  keepsItsBounds({
    name: 'the ARNs of session policies',
    parse: (text) => {
      const ground = { maxBytes: 2048, policies: nobodys, trace: new Trace() }
      readSessionLayers({ policyArns: [text] }, ground)
    },
    refuses,
    words: ['arn:aws:iam::aws:policy/', '/', 'a', ':'],
  })
  keepsItsBounds({
    name: 'a session policy',
    parse: (text) =>
      readSessionLayers(
        { sessionPolicy: text },
        { maxBytes: 2048, policies: nobodys, trace: new Trace() },
      ),
    refuses,
    words: ['{', '"', '[', '"Statement":', ' '],
    frames: [(rest) => rest, (rest) => `{"Version":"2012-10-17",${rest.slice(0, 20_000)}`],
  })
})

const nobodys = { findPolicy: () => undefined } as unknown as Parameters<
  typeof readSessionLayers
>[1]['policies']
