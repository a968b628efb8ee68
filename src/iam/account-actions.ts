import type { Attachment, Directory } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy } from './arn.ts'
import { accountDetails } from './account-details.ts'
import { isOfDirectory, subjectTag } from './directory-subjects.ts'
import { absent, findGroup, findRole, findUser } from './find.ts'
import { pageOf, pageParameters } from './page.ts'
import type { Range } from './page.ts'
import { listOf, oneOf, optional, policyArnText, required, pathPrefix, under } from './parameter.ts'
import { on, onAll } from './permissions.ts'
import type { Members } from './value.ts'

const kinds = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'] as const

/** AWS IAM API reference: what there is, and who has a policy. */
export const accountActions: readonly (readonly [string, Action])[] = [
  [
    'GetAccountSummary',
    defineAction({
      parameters: {},
      effect: 'read',
      permissions: () => onAll('GetAccountSummary'),
      run: (_, { admin }) => ({ SummaryMap: summary(admin) }),
    }),
  ],
  [
    'GetAccountAuthorizationDetails',
    defineAction({
      parameters: { Filter: listOf(oneOf(...kinds)), ...pageParameters },
      effect: 'read',
      permissions: () => onAll('GetAccountAuthorizationDetails'),
      run: ({ Filter, ...range }, { admin }) =>
        accountDetails(admin, new Set(Filter.length > 0 ? Filter : kinds), range),
    }),
  ],
  [
    'ListEntitiesForPolicy',
    defineAction({
      parameters: {
        PolicyArn: required(policyArnText),
        EntityFilter: optional(oneOf(...kinds)),
        PathPrefix: optional(pathPrefix),
        PolicyUsageFilter: optional(oneOf('PermissionsPolicy', 'PermissionsBoundary')),
        ...pageParameters,
      },
      effect: 'read',
      permissions: ({ PolicyArn }) => on('ListEntitiesForPolicy', PolicyArn),
      run: ({ PolicyArn, EntityFilter, PathPrefix, PolicyUsageFilter, ...range }, { admin }) => {
        const kind = EntityFilter?.toLowerCase()
        const as = PolicyUsageFilter === 'PermissionsBoundary' ? 'boundary' : 'policy'
        const holders = admin
          .listAttachments(findPolicy(admin, PolicyArn).name)
          .filter(({ subject }) => kind === undefined || subject.kind === kind)
          .filter((each) => PolicyUsageFilter === undefined || each.as === as)
        return entities(admin, under(PathPrefix, holders), range)
      },
    }),
  ],
  [
    'GetLoginProfile',
    defineAction({
      parameters: { UserName: optional((name: string) => name) },
      effect: 'read',
      permissions: () => onAll('GetLoginProfile'),
      run: () => absent('password: users of this server have keys only'),
    }),
  ],
  [
    'DeleteLoginProfile',
    defineAction({
      parameters: { UserName: optional((name: string) => name) },
      effect: 'change',
      permissions: () => onAll('DeleteLoginProfile'),
      run: () => absent('password: users of this server have keys only'),
    }),
  ],
  [
    'GetAccountPasswordPolicy',
    defineAction({
      parameters: {},
      effect: 'read',
      permissions: () => onAll('GetAccountPasswordPolicy'),
      run: () => absent('password policy: users of this server have keys only'),
    }),
  ],
  ...emptyLists(),
]

/**
 * What AWS has and this server has not. Programs ask for it on their way, before they delete a user or a role, and are told
 * that there is none.
 */
function emptyLists(): readonly (readonly [string, Action])[] {
  const lists = [
    ['ListAccountAliases', 'AccountAliases'],
    ['ListInstanceProfiles', 'InstanceProfiles', 'PathPrefix'],
    ['ListInstanceProfilesForRole', 'InstanceProfiles', 'RoleName'],
    ['ListMFADevices', 'MFADevices', 'UserName'],
    ['ListVirtualMFADevices', 'VirtualMFADevices', 'AssignmentStatus'],
    ['ListSSHPublicKeys', 'SSHPublicKeys', 'UserName'],
    ['ListSigningCertificates', 'Certificates', 'UserName'],
    ['ListServiceSpecificCredentials', 'ServiceSpecificCredentials', 'UserName', 'ServiceName'],
    ['ListServerCertificates', 'ServerCertificateMetadataList', 'PathPrefix'],
    ['ListSAMLProviders', 'SAMLProviderList'],
  ] as const
  return lists.map(([action, member, ...names]) => [
    action,
    defineAction({
      parameters: {
        ...Object.fromEntries(names.map((name) => [name, optional((value: string) => value)])),
        ...pageParameters,
      },
      effect: 'read',
      permissions: () => onAll(action),
      run: () => ({ [member]: [], IsTruncated: false }),
    }),
  ])
}

function summary(admin: Directory): ReadonlyMap<string, number> {
  const policies = admin.listPolicies().filter(({ managedBy }) => managedBy !== 'built-in')
  const versions = policies.reduce((sum, policy) => sum + policy.versions.length, 0)
  return new Map([
    ['Users', admin.listUsers().length],
    ['Groups', admin.listGroups().length],
    ['Roles', admin.listRoles().length],
    ['Policies', policies.length],
    ['PolicyVersionsInUse', versions],
    ['Providers', admin.listProviders().length],
    ['AccountAccessKeysPresent', 1],
    ['AccountMFAEnabled', 0],
    ['MFADevices', 0],
    ['InstanceProfiles', 0],
    ['ServerCertificates', 0],
    ['AccessKeysPerUserQuota', 10],
    ['AttachedPoliciesPerUserQuota', 20],
    ['AttachedPoliciesPerGroupQuota', 20],
    ['AttachedPoliciesPerRoleQuota', 20],
    ['GroupsPerUserQuota', 50],
    ['VersionsPerPolicyQuota', 5],
    ['PolicySizeQuota', 20_480],
    ['UserPolicySizeQuota', 20_480],
    ['GroupPolicySizeQuota', 20_480],
    ['RolePolicySizeQuota', 20_480],
  ])
}

function entities(admin: Directory, holders: readonly Attachment[], range: Range): Members {
  const unique = new Map(holders.map(({ subject }) => [subjectTag(subject), subject] as const))
  const { items, end } = pageOf([...unique], ([tag]) => tag, range)
  const subjects = items.map(([, subject]) => subject)
  const named = (kind: string): readonly string[] =>
    subjects.filter((subject) => subject.kind === kind).map(({ name }) => name)
  const ldap = subjects.filter(isOfDirectory)
  return {
    PolicyGroups: named('group').map((GroupName) => ({
      GroupName,
      GroupId: findGroup(admin, GroupName).id,
    })),
    PolicyUsers: named('user').map((UserName) => ({
      UserName,
      UserId: findUser(admin, UserName).id,
    })),
    PolicyRoles: named('role').map((RoleName) => ({
      RoleName,
      RoleId: findRole(admin, RoleName).id,
    })),
    // Ours, and there only when there is something to say.
    PolicyLdapSubjects:
      ldap.length > 0
        ? ldap.map(({ kind, name, directory }) => ({
            Kind: kind,
            Name: name,
            Directory: directory,
          }))
        : undefined,
    ...end,
  }
}
