import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAllowed } from './index.ts'
import { namedPolicy, questionOf } from './testing/ask.ts'

describe('the statements of a document, remembered by action', () => {
  const resource = 'arn:aws:s3:::b/*'

  it('are not those of the same action under another rule of names', () => {
    const policy = namedPolicy({
      Effect: 'Allow',
      Action: 's3:GetObjectVersion',
      Resource: resource,
    })
    for (const _ of ['first', 'remembered']) {
      assert.equal(isAllowed(questionOf([policy])), false)
      assert.equal(isAllowed(questionOf([policy], {}, { compat: 'minio' })), true)
    }
  })

  it('are not those of another action or service', () => {
    const policy = namedPolicy([
      { Effect: 'Allow', Action: 's3:Get*', Resource: resource },
      { Effect: 'Deny', Action: 's3:GetObjectTagging', Resource: resource },
      { Effect: 'Allow', Action: 'admin:*' },
    ])
    for (const _ of ['first', 'remembered']) {
      const asked = (action: string): boolean => isAllowed(questionOf([policy], { action }))
      assert.equal(asked('s3:PutObject'), false)
      assert.equal(asked('s3:GetObject'), true)
      assert.equal(asked('S3:GETOBJECT'), true)
      assert.equal(asked('s3:GetObjectTagging'), false)
      assert.equal(asked('admin:ServerInfo'), true)
      assert.equal(asked('iam:CreateUser'), false)
    }
  })

  it('stay right when somebody asks about more actions than are remembered', () => {
    const policy = namedPolicy([
      { Effect: 'Allow', Action: 's3:Get*', Resource: resource },
      { Effect: 'Deny', Action: 's3:Get*7', Resource: resource },
    ])
    for (let count = 0; count < 1000; count++) {
      const action = `s3:Get${count % 700}`
      assert.equal(isAllowed(questionOf([policy], { action })), !action.endsWith('7'), action)
    }
  })
})
