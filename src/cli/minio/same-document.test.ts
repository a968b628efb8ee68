import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sameDocument } from './same-document.ts'

const text = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [statement] })

const allow = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:a' }

describe('two policy documents', () => {
  for (const [title, other] of [
    [
      'in another order',
      { Resource: ['arn:a'], Action: ['s3:PutObject', 's3:GetObject'], Effect: 'Allow' },
    ],
    ['with a name twice', { ...allow, Action: ['s3:PutObject', 's3:GetObject', 's3:GetObject'] }],
  ] as const) {
    it(`are the same ${title}`, () => assert.ok(sameDocument(text(allow), text(other))))
  }

  for (const [title, other] of [
    ['another effect', { ...allow, Effect: 'Deny' }],
    ['one action fewer', { ...allow, Action: ['s3:GetObject'] }],
    ['another resource', { ...allow, Resource: 'arn:b' }],
    ['NotResource', { Effect: 'Allow', Action: allow.Action, NotResource: 'arn:a' }],
    ['a condition', { ...allow, Condition: { Bool: { 'aws:SecureTransport': ['true'] } } }],
    ['another Sid', { ...allow, Sid: 'x' }],
  ] as const) {
    it(`are two with ${title}`, () => assert.ok(!sameDocument(text(allow), text(other))))
  }

  it('are two when one of them is none', () => {
    assert.ok(!sameDocument(text(allow), ''))
    assert.ok(!sameDocument('[', text(allow)))
  })
})
