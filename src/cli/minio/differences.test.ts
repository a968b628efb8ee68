import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { differences } from './differences.ts'

const of = (...statements: readonly object[]): readonly string[] =>
  differences(JSON.stringify({ Version: '2012-10-17', Statement: statements }))
const allow = (Action: string | readonly string[], Resource: string | readonly string[]) => ({
  Effect: 'Allow',
  Action,
  Resource,
})
const objects = 'arn:aws:s3:::b/*'

describe('a policy that means less here than at MinIO', () => {
  for (const action of ['s3:*', 's3:ListBucket', 's3:List*', ['s3:GetObject', 's3:Get*']]) {
    it(`has objects for a bucket: ${String(action)}`, () => {
      assert.match(of(allow(action, objects)).join(), /here that takes "arn:aws:s3:::b" besides/)
    })
  }

  it('has an action that passes over its resource', () => {
    assert.match(of(allow('*', 'arn:aws:s3:::b')).join(), /pass over the Resource/)
  })
})

describe('a policy that means the same', () => {
  for (const [title, statements] of [
    ['names the bucket as well', [allow('s3:*', ['arn:aws:s3:::b', objects])]],
    ['names it elsewhere', [allow('s3:*', objects), allow('s3:ListBucket', 'arn:aws:s3:::b')]],
    ['names all of them', [allow('s3:*', 'arn:aws:s3:::*')]],
    ['is about objects', [allow(['s3:GetObject', 's3:PutObject'], objects)]],
    ['denies', [{ ...allow('s3:*', objects), Effect: 'Deny' }]],
    ['needs no resource', [{ Effect: 'Allow', Action: ['admin:*'] }]],
    ['allows everything everywhere', [allow('*', '*')]],
  ] as const) {
    it(title, () => assert.deepEqual(of(...statements), []))
  }
})
