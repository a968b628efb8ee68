import assert from 'node:assert/strict'
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { Credentials } from '@aws-sdk/client-sts'
import { S3Client } from '@aws-sdk/client-s3'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

export const region = 'us-east-1'
/** The SDKs demand one; it names no role here. */
export const anyRole = 'arn:aws:iam::000000000000:role/any'

export type Keys = Readonly<{
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}>
export type SessionKeys = Required<Keys>

export function stsClient(endpoint: string, credentials?: Keys): STSClient {
  const nobody = { accessKeyId: 'none', secretAccessKey: 'none' }
  return new STSClient({ endpoint, region, maxAttempts: 1, credentials: credentials ?? nobody })
}

export function s3Client(
  endpoint: string,
  credentials: Keys,
  more: Partial<S3ClientConfig> = {},
): S3Client {
  const settings = { endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 }
  return new S3Client({ ...settings, ...more })
}

/** An id token becomes keys, through the server's own STS. */
export async function exchangeToken(endpoint: string, token: string): Promise<SessionKeys> {
  const answer = await stsClient(endpoint).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: anyRole,
      RoleSessionName: 'me',
      WebIdentityToken: token,
    }),
  )
  return sessionKeys(answer.Credentials)
}

/** Long-lived keys become temporary ones, through the server's own STS. */
export async function assumeRole(endpoint: string, keys: Keys): Promise<SessionKeys> {
  const command = new AssumeRoleCommand({ RoleArn: anyRole, RoleSessionName: 'me' })
  return sessionKeys((await stsClient(endpoint, keys).send(command)).Credentials)
}

export function sessionKeys(credentials: Credentials | undefined): SessionKeys {
  const { AccessKeyId, SecretAccessKey, SessionToken } = credentials ?? {}
  assert.ok(AccessKeyId && SecretAccessKey && SessionToken, 'no credentials in the answer')
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

/** What an SDK call is refused with: code and status. */
export async function refusalOf(
  promise: Promise<unknown>,
): Promise<Readonly<{ code: string; status: number | undefined; message: string }>> {
  const error: unknown = await promise.then(
    () => assert.fail('was allowed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Error)
  const status =
    '$metadata' in error
      ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode
      : undefined
  return { code: error.name, status, message: error.message }
}

/** The variables that AWS's own clients read their keys from. */
export function awsEnvironment(keys: Keys): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}
