import type { Directory, PolicyHolder } from '../admin/index.ts'
import { attachedArn } from './arn.ts'
import { on, onGroup, onRole, onUser } from './permissions.ts'
import type { Permission } from './types.ts'

/**
 * What somebody needs who deletes a thing with everything on it: as much as for taking it all off by hand. Else whoever
 * may delete a group, and no more, could rid its members of the Deny that the group is there for.
 */
export function cascadeOfUser(admin: Directory, name: string): readonly Permission[] {
  const user = admin.findUser(name)
  if (user === undefined) return []
  return [
    ...offHolder(admin, 'User', { kind: 'user', name }, user),
    ...(admin.listAccessKeys(name).length > 0 ? onUser('DeleteAccessKey', name) : []),
    ...admin.groupsOf(name).flatMap((group) => onGroup('RemoveUserFromGroup', group)),
  ]
}

export function cascadeOfGroup(admin: Directory, name: string): readonly Permission[] {
  const group = admin.findGroup(name)
  if (group === undefined) return []
  return [
    ...offHolder(admin, 'Group', { kind: 'group', name }, group),
    ...(group.members.length > 0 ? onGroup('RemoveUserFromGroup', name) : []),
  ]
}

export function cascadeOfRole(admin: Directory, name: string): readonly Permission[] {
  const role = admin.findRole(name)
  return role === undefined ? [] : offHolder(admin, 'Role', { kind: 'role', name }, role)
}

export function cascadeOfPolicy(
  admin: Directory,
  arn: string,
  name: string,
): readonly Permission[] {
  const versions = admin.findPolicy(name)?.versions ?? []
  return versions.length > 1 ? on('DeletePolicyVersion', arn) : []
}

function offHolder(
  admin: Directory,
  word: 'User' | 'Group' | 'Role',
  { kind, name }: PolicyHolder,
  held: Readonly<{ policies: readonly string[]; inlinePolicies: readonly unknown[] }>,
): readonly Permission[] {
  const onHolder = { user: onUser, group: onGroup, role: onRole }[kind]
  return [
    ...held.policies.flatMap((policy) =>
      onHolder(`Detach${word}Policy`, name, { policyArn: attachedArn(admin, policy) }),
    ),
    ...(held.inlinePolicies.length > 0 ? onHolder(`Delete${word}Policy`, name) : []),
  ]
}
