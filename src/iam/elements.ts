import { createHash } from 'node:crypto'
import type { AccessKey, StoredPolicy, User } from '../admin/index.ts'
import { policyArn, userArn } from './arn.ts'
import type { Members } from './value.ts'

/** `Status` and `ManagedBy` are ours; AWS clients skip elements that they do not know. */
export function userElement(user: User): Members {
  return {
    Path: '/',
    UserName: user.name,
    UserId: uniqueId('AIDA', user),
    Arn: userArn(user.name),
    CreateDate: user.createdAt,
    Status: user.status,
    ManagedBy: user.managedBy,
  }
}

/** Never the secret: only the answer of CreateAccessKey adds it. */
export function accessKeyElement(key: AccessKey): Members {
  return {
    UserName: key.user,
    AccessKeyId: key.accessKeyId,
    Status: key.status,
    CreateDate: key.createdAt,
    ManagedBy: key.managedBy,
  }
}

export function policyElement(policy: StoredPolicy, attachmentCount: number): Members {
  return {
    PolicyName: policy.name,
    PolicyId: uniqueId('ANPA', policy),
    Arn: policyArn(policy),
    Path: '/',
    DefaultVersionId: versionId(policy),
    AttachmentCount: attachmentCount,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
    ManagedBy: policy.managedBy,
    Problem: 'problem' in policy.policy ? policy.policy.problem : undefined,
  }
}

export function policyVersionElement(policy: StoredPolicy): Members {
  return { VersionId: versionId(policy), IsDefaultVersion: true, CreateDate: policy.updatedAt }
}

/**
 * One version is kept, the current one. A document that was replaced gets a new id, so that a client that remembers
 * an older id is told that it is gone instead of being shown something else.
 */
export function versionId(policy: StoredPolicy): string {
  const updated = policy.updatedAt.getTime()
  return updated === policy.createdAt.getTime() ? 'v1' : `v${updated}`
}

/** The same for as long as the entity lives, another one when it is made again under the same name. */
function uniqueId(prefix: string, entity: Readonly<{ name: string; createdAt: Date }>): string {
  const hash = createHash('sha256').update(`${entity.createdAt.toISOString()} ${entity.name}`)
  return prefix + hash.digest('hex').slice(0, 16).toUpperCase()
}
