import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { providerRoleArn } from './role-arn.ts'

describe('the role ARN of a provider (MinIO, OpenID RolePolicy)', () => {
  it('is that of MinIO for the same client id', () => {
    const vectors = [
      ['minio-client-app', 'arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0'],
      ['minio-client-app-2', 'arn:minio:iam:::role/domXb70kze7Ugc1SaxaeFchhLP4'],
    ] as const
    for (const [clientId, arn] of vectors) assert.equal(providerRoleArn(clientId), arn)
  })

  it('carries the region when there is one', () => {
    assert.equal(
      providerRoleArn('minio-client-app', 'eu-west-1'),
      'arn:minio:iam:eu-west-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0',
    )
  })
})
