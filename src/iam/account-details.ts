import { ownNameOfInline } from '../admin/index.ts'
import type { Directory, Group, PolicyHolder, Role, StoredPolicy, User } from '../admin/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import {
  attachedElement,
  documentText,
  groupElement,
  policyElement,
  policyVersionElement,
  roleElement,
  userElement,
} from './elements.ts'
import { pageOf } from './page.ts'
import type { Range } from './page.ts'
import type { Members, Value } from './value.ts'

type Wanted = ReadonlySet<'User' | 'Role' | 'Group' | 'LocalManagedPolicy' | 'AWSManagedPolicy'>

type Thing =
  | Readonly<{ kind: 'user'; it: User }>
  | Readonly<{ kind: 'group'; it: Group }>
  | Readonly<{ kind: 'role'; it: Role }>
  | Readonly<{ kind: 'policy'; it: StoredPolicy }>

/** Everything with everything that is on it (AWS IAM API reference, GetAccountAuthorizationDetails). */
export function accountDetails(admin: Directory, wanted: Wanted, range: Range): Members {
  const { items, end } = pageOf(
    things(admin, wanted),
    ({ kind, it }) => `${kind} ${it.name}`,
    range,
  )
  const rendered = (kind: Thing['kind']): readonly Value[] =>
    items.filter((thing) => thing.kind === kind).map((thing) => detail(admin, thing))
  return {
    UserDetailList: rendered('user'),
    GroupDetailList: rendered('group'),
    RoleDetailList: rendered('role'),
    Policies: rendered('policy'),
    ...end,
  }
}

function things(admin: Directory, wanted: Wanted): readonly Thing[] {
  const users = wanted.has('User') ? admin.listUsers() : []
  const groups = wanted.has('Group') ? admin.listGroups() : []
  const roles = wanted.has('Role') ? admin.listRoles() : []
  const policies = admin
    .listPolicies()
    .filter(({ managedBy }) =>
      wanted.has(managedBy === 'built-in' ? 'AWSManagedPolicy' : 'LocalManagedPolicy'),
    )
  return [
    ...users.map((it) => ({ kind: 'user', it }) as const),
    ...groups.map((it) => ({ kind: 'group', it }) as const),
    ...roles.map((it) => ({ kind: 'role', it }) as const),
    ...policies.map((it) => ({ kind: 'policy', it }) as const),
  ]
}

function detail(admin: Directory, thing: Thing): Members {
  switch (thing.kind) {
    case 'user':
      return {
        ...userElement(admin, thing.it),
        UserPolicyList: inlineList({ kind: 'user', name: thing.it.name }, thing.it.inlinePolicies),
        GroupList: admin.groupsOf(thing.it.name),
        AttachedManagedPolicies: attachedList(admin, thing.it.policies),
      }
    case 'group':
      return {
        ...groupElement(thing.it),
        GroupPolicyList: inlineList(
          { kind: 'group', name: thing.it.name },
          thing.it.inlinePolicies,
        ),
        AttachedManagedPolicies: attachedList(admin, thing.it.policies),
      }
    case 'role':
      return {
        ...roleElement(admin, thing.it),
        InstanceProfileList: [],
        RolePolicyList: inlineList({ kind: 'role', name: thing.it.name }, thing.it.inlinePolicies),
        AttachedManagedPolicies: attachedList(admin, thing.it.policies),
      }
    case 'policy':
      return {
        ...policyElement(admin, thing.it),
        PolicyVersionList: thing.it.versions.map((version) => ({
          ...policyVersionElement(thing.it, version),
          Document: encodeURIComponent(version.text),
        })),
      }
  }
}

function attachedList(admin: Directory, policies: readonly string[]): readonly Value[] {
  return policies.map((name) => attachedElement(admin, name))
}

function inlineList(holder: PolicyHolder, policies: readonly NamedPolicy[]): readonly Value[] {
  return policies.map(({ name, policy }) => ({
    PolicyName: ownNameOfInline(holder, name),
    PolicyDocument: documentText(policy),
  }))
}
