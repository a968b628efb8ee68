import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cannedPolicies, isAllowed } from './index.ts'
import { questionOf } from './testing/ask.ts'

const allowed: Readonly<Record<string, readonly string[]>> = {
  readonly: ['s3:GetObject', 's3:GetBucketLocation'],
  writeonly: ['s3:PutObject'],
  readwrite: ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 's3:DeleteObject'],
  diagnostics: ['admin:ServerInfo', 'admin:Prometheus', 'admin:ServerTrace'],
  consoleAdmin: ['s3:GetObject', 's3:DeleteObject', 'admin:CreateUser', 'kms:CreateKey'],
}
const refused: Readonly<Record<string, readonly string[]>> = {
  readonly: ['s3:ListBucket', 's3:PutObject', 's3:GetObjectVersion', 'admin:ServerInfo'],
  writeonly: ['s3:GetObject', 's3:AbortMultipartUpload', 's3:DeleteObject', 'admin:ServerInfo'],
  readwrite: ['admin:ServerInfo', 'kms:CreateKey', 'sts:AssumeRole', 'iam:CreateUser'],
  diagnostics: ['s3:GetObject', 'admin:CreateUser', 's3:ListBucket'],
  consoleAdmin: ['iam:CreateUser', 'sts:AssumeRole'],
}

function allows(name: string, action: string): boolean {
  const policy = cannedPolicies.get(name)
  assert.ok(policy)
  const resource = action.startsWith('s3:') ? 'arn:aws:s3:::b/k' : '*'
  return isAllowed(questionOf([{ name, policy }], { action, resource }))
}

describe('canned policies', () => {
  test('all have both lists', () => {
    assert.deepEqual([...cannedPolicies.keys()], Object.keys(allowed))
    assert.deepEqual([...cannedPolicies.keys()], Object.keys(refused))
  })
  for (const name of cannedPolicies.keys()) {
    for (const action of allowed[name] ?? []) {
      test(`${name} allows ${action}`, () => assert.equal(allows(name, action), true))
    }
    for (const action of refused[name] ?? []) {
      test(`${name} refuses ${action}`, () => assert.equal(allows(name, action), false))
    }
  }
})
