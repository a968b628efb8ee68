import { createHash } from 'node:crypto'

/**
 * The role ARN by which callers mean an identity plugin, as MinIO makes it (identity management plugin guide): by its
 * role id, else by its URL as configured.
 * @throws {TypeError} for a role id that no ARN carries
 */
export function pluginRoleArn({
  url,
  roleId,
  region = '',
}: Readonly<{ url: string; roleId?: string | undefined; region?: string | undefined }>): string {
  if (roleId !== undefined && !/^[A-Za-z0-9_-]{1,128}$/.test(roleId)) {
    throw new TypeError('roleId: 1 to 128 letters, digits, _ or -')
  }
  const id = roleId ?? createHash('sha1').update(url, 'utf8').digest('base64url')
  return `arn:minio:iam:${region}::role/idmp-${id}`
}
