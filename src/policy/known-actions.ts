/** What an S3 action is about, which decides the form of the resource that it needs. */
export type ActionLevel = 'account' | 'bucket' | 'object'

const accountActions = [
  'ListAllMyBuckets',
  'GetAccountPublicAccessBlock',
  'PutAccountPublicAccessBlock',
]

const bucketActions = [
  'CreateBucket',
  'DeleteBucket',
  'ForceDeleteBucket',
  'ListBucket',
  'ListBucketVersions',
  'ListBucketMultipartUploads',
  'GetBucketLocation',
  'GetBucketPolicy',
  'PutBucketPolicy',
  'DeleteBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketVersioning',
  'PutBucketVersioning',
  'GetBucketTagging',
  'PutBucketTagging',
  'GetBucketAcl',
  'PutBucketAcl',
  'GetBucketCORS',
  'PutBucketCORS',
  'GetLifecycleConfiguration',
  'PutLifecycleConfiguration',
  'GetEncryptionConfiguration',
  'PutEncryptionConfiguration',
  'GetBucketObjectLockConfiguration',
  'PutBucketObjectLockConfiguration',
  'GetBucketNotification',
  'PutBucketNotification',
  'ListenNotification',
  'ListenBucketNotification',
  'GetBucketPublicAccessBlock',
  'PutBucketPublicAccessBlock',
  'GetBucketOwnershipControls',
  'PutBucketOwnershipControls',
  'GetBucketLogging',
  'PutBucketLogging',
  'GetBucketWebsite',
  'PutBucketWebsite',
  'DeleteBucketWebsite',
  'GetBucketRequestPayment',
  'PutBucketRequestPayment',
  'GetAccelerateConfiguration',
  'PutAccelerateConfiguration',
  'GetReplicationConfiguration',
  'PutReplicationConfiguration',
  'ResetBucketReplicationState',
  'GetAnalyticsConfiguration',
  'PutAnalyticsConfiguration',
  'GetInventoryConfiguration',
  'PutInventoryConfiguration',
  'GetMetricsConfiguration',
  'PutMetricsConfiguration',
  'GetIntelligentTieringConfiguration',
  'PutIntelligentTieringConfiguration',
  'GetBucketAbac',
  'PutBucketAbac',
]

const objectActions = [
  'GetObject',
  'GetObjectVersion',
  'GetObjectAttributes',
  'GetObjectVersionAttributes',
  'GetObjectAcl',
  'GetObjectVersionAcl',
  'GetObjectTagging',
  'GetObjectVersionTagging',
  'GetObjectRetention',
  'GetObjectLegalHold',
  'GetObjectTorrent',
  'GetObjectVersionTorrent',
  'GetObjectVersionForReplication',
  'PutObject',
  'PutObjectAcl',
  'PutObjectVersionAcl',
  'PutObjectTagging',
  'PutObjectVersionTagging',
  'PutObjectRetention',
  'PutObjectLegalHold',
  'PutObjectFanOut',
  'DeleteObject',
  'DeleteObjectVersion',
  'DeleteObjectTagging',
  'DeleteObjectVersionTagging',
  'BypassGovernanceRetention',
  'AbortMultipartUpload',
  'ListMultipartUploadParts',
  'RestoreObject',
  'ReplicateObject',
  'ReplicateDelete',
  'ReplicateTags',
  'PutObjectAnnotation',
  'GetObjectAnnotation',
  'DeleteObjectAnnotation',
  'ListObjectAnnotations',
  'UpdateObjectEncryption',
]

const stsActions = [
  'AssumeRole',
  'AssumeRoleWithWebIdentity',
  'AssumeRoleWithClientGrants',
  'AssumeRoleWithLDAPIdentity',
  'AssumeRoleWithCertificate',
  'AssumeRoleWithCustomToken',
  'AssumeRoleWithSAML',
  'GetCallerIdentity',
  'GetSessionToken',
  'GetFederationToken',
  'GetAccessKeyInfo',
  'DecodeAuthorizationMessage',
  'GetWebIdentityToken',
  'TagSession',
  'SetSourceIdentity',
]

/** S3 actions by full name in lower case. For warnings only: an action that is not here is still evaluated. */
export const s3Actions: ReadonlyMap<string, ActionLevel> = new Map([
  ...levelled('account', accountActions),
  ...levelled('bucket', bucketActions),
  ...levelled('object', objectActions),
])

/** Names of the services whose actions are all known here, in lower case. */
export const knownActions: readonly string[] = [
  ...s3Actions.keys(),
  ...stsActions.map((name) => `sts:${name.toLowerCase()}`),
]

/** The same actions as AWS spells them. */
export const spelledActions: readonly string[] = [
  ...[...accountActions, ...bucketActions, ...objectActions].map((name) => `s3:${name}`),
  ...stsActions.map((name) => `sts:${name}`),
]

function levelled(
  level: ActionLevel,
  names: readonly string[],
): readonly (readonly [string, ActionLevel])[] {
  return names.map((name) => [`s3:${name.toLowerCase()}`, level])
}
