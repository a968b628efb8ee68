import { createHash } from 'node:crypto'

/**
 * The role ARN of a provider with fixed policies, as MinIO computes it: it depends on the client id and the region
 * only (MinIO documentation, OpenID RolePolicy). The region is empty unless one is configured.
 */
export function providerRoleArn(clientId: string, region = ''): string {
  const id = createHash('sha1').update(clientId, 'utf8').digest('base64url')
  return `arn:minio:iam:${region}::role/${id}`
}
