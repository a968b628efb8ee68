import type {
  AccessKey,
  Attachment,
  Directory,
  Group,
  PolicyVersion,
  RegisteredProvider,
  Role,
  StoredPolicy,
  Tags,
  User,
} from '../admin/index.ts'
import { attachedArn, groupArn, policyArn, userArn } from './arn.ts'
import type { Members, Value } from './value.ts'

/** `Status`, `ManagedBy` and `Problem` are ours; AWS clients skip elements that they do not know. */
export function userElement(admin: Directory, user: User): Members {
  return {
    Path: '/',
    UserName: user.name,
    UserId: user.id,
    Arn: userArn(user.name),
    CreateDate: user.createdAt,
    PermissionsBoundary: boundaryElement(admin, user.permissionsBoundary),
    Tags: tagElements(user.tags),
    Status: user.status,
    ManagedBy: user.managedBy,
  }
}

export function groupElement(group: Group): Members {
  return {
    Path: '/',
    GroupName: group.name,
    GroupId: group.id,
    Arn: groupArn(group.name),
    CreateDate: group.createdAt,
    ManagedBy: group.managedBy,
  }
}

export function roleElement(admin: Directory, role: Role): Members {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: documentText(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    PermissionsBoundary: boundaryElement(admin, role.permissionsBoundary),
    Tags: tagElements(role.tags),
    ManagedBy: role.managedBy,
    Problem: problemOf(role.trustPolicy),
  }
}

/**
 * Never the secret: only the answer of CreateAccessKey adds it. From `KeyName` on it is ours; `HasPolicy` is there when the
 * key is narrower than its user.
 */
export function accessKeyElement(key: AccessKey): Members {
  return {
    UserName: key.user,
    AccessKeyId: key.accessKeyId,
    Status: key.status,
    CreateDate: key.createdAt,
    KeyName: key.name,
    Description: key.description,
    ExpireDate: key.expiresAt,
    HasPolicy: 'policy' in key ? true : undefined,
    ManagedBy: key.managedBy,
  }
}

/** With the policy that narrows it. */
export function accessKeyDetail(key: AccessKey): Members {
  const { policy } = key
  return {
    ...accessKeyElement(key),
    ...(policy && { PolicyDocument: documentText(policy), Problem: problemOf(policy) }),
  }
}

export function policyElement(admin: Directory, policy: StoredPolicy): Members {
  const attachments = admin.listAttachments(policy.name)
  const count = (as: Attachment['as']): number =>
    attachments.filter((attachment) => attachment.as === as).length
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policyArn(policy),
    Path: '/',
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: count('policy'),
    PermissionsBoundaryUsageCount: count('boundary'),
    IsAttachable: true,
    Description: policy.description,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
    Tags: tagElements(policy.tags),
    ManagedBy: policy.managedBy,
    Problem: problemOf(policy.policy),
  }
}

export function policyVersionElement(policy: StoredPolicy, version: PolicyVersion): Members {
  return {
    VersionId: version.id,
    IsDefaultVersion: version.id === policy.defaultVersion,
    CreateDate: version.createdAt,
  }
}

/** The URL stands without its scheme, as AWS answers it. */
export function providerElement(provider: RegisteredProvider): Members {
  return {
    Url: provider.url.replace(/^https:\/\//, ''),
    ClientIDList: provider.clientIds,
    ThumbprintList: provider.thumbprints,
    CreateDate: provider.createdAt,
    Tags: tagElements(provider.tags),
    ManagedBy: provider.managedBy,
  }
}

export function attachedElement(admin: Directory, name: string): Members {
  return { PolicyName: name, PolicyArn: attachedArn(admin, name) }
}

export function tagElements(tags: Tags): readonly Value[] {
  return [...tags].sort(([a], [b]) => (a < b ? -1 : 1)).map(([Key, Value]) => ({ Key, Value }))
}

/** Percent-encoded, as IAM answers documents; empty for one that cannot be read. */
export function documentText(policy: StoredPolicy['policy']): string {
  return 'text' in policy ? encodeURIComponent(policy.text) : ''
}

function boundaryElement(admin: Directory, policy: string | undefined): Members | undefined {
  if (policy === undefined) return undefined
  return {
    PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
    PermissionsBoundaryArn: attachedArn(admin, policy),
  }
}

function problemOf(policy: StoredPolicy['policy']): string | undefined {
  return 'problem' in policy ? policy.problem : undefined
}
