import type { Attachment, Directory, LdapSubject } from '../admin/index.ts'
import { tenantCeilings } from '../grants/index.ts'
import type { Ceiling, Facts, NamedPolicy, PolicyPrincipal } from '../policy/index.ts'
import { account, groupArn, policyArn, roleArn, userArn } from './arn.ts'
import { findGroup, findRole, findUser } from './find.ts'
import { IamError } from './iam-error.ts'
import type { ActionContext } from './types.ts'

/** Who a question about permissions is about. */
export type Subject = Readonly<{
  kind: Attachment['subject']['kind']
  name: string
  /** Absent for people of a directory service. */
  arn?: string
  /** Of people and groups of a directory service, where it is said or there is but one. */
  directory?: string
  principal: Exclude<PolicyPrincipal, { kind: 'anonymous' | 'root' }>
  identity: readonly NamedPolicy[]
  ceilings: readonly Ceiling[]
  facts: Facts
}>

/** Where subjects are looked for, and what bounds them all. */
export type Ground = Pick<ActionContext, 'admin' | 'now' | 'tenantCeiling'>

export const boundaryName = 'permissions boundary'

const shape = /^arn:aws:iam::000000000000:(user|group|role)\/([\w+=,.@-]+)$/

/** @throws IamError `invalid_parameter` or `no_such_entity` */
export function subjectOfArn(ground: Ground, arn: string): Subject {
  const [, kind, name = ''] = shape.exec(arn) ?? []
  if (kind === 'user') return userSubject(ground, name)
  if (kind === 'group') return groupSubject(ground, name)
  if (kind === 'role') return roleSubject(ground, name)
  throw new IamError(
    'invalid_parameter',
    `A principal's ARN is like ${userArn('NAME')}, ${groupArn('NAME')} or ${roleArn('NAME')}`,
  )
}

export function userSubject(ground: Ground, name: string): Subject {
  const { admin, now } = ground
  const user = findUser(admin, name)
  const arn = userArn(name)
  const disabled: NamedPolicy = {
    name: `user ${name}`,
    policy: { kind: 'broken', problem: `user ${name} is disabled` },
  }
  return {
    kind: 'user',
    name,
    arn,
    principal: { kind: 'user', account, arn },
    identity: admin.policiesOf(name) ?? [disabled],
    ceilings: ceilingsOf(ground, admin.boundaryOf(name)),
    facts: {
      aws: {
        CurrentTime: now,
        principaltype: 'User',
        username: name,
        userid: name,
        PrincipalAccount: account,
        PrincipalArn: arn,
      },
      principalTags: user.tags,
    },
  }
}

/** What a group gives its members, but for what they have besides. */
export function groupSubject(ground: Ground, name: string): Subject {
  const { admin, now } = ground
  const group = findGroup(admin, name)
  const arn = groupArn(name)
  return {
    kind: 'group',
    name,
    arn,
    principal: { kind: 'user', account, arn },
    identity: admin.policiesOfGroup(group.name) ?? [],
    ceilings: ceilingsOf(ground),
    facts: { aws: { CurrentTime: now, PrincipalAccount: account } },
  }
}

export function roleSubject(ground: Ground, name: string): Subject {
  const { admin, now } = ground
  const role = findRole(admin, name)
  return {
    kind: 'role',
    name,
    arn: role.arn,
    principal: { kind: 'session', account, arn: role.arn, roleArn: role.arn },
    identity: admin.policiesOfRole(name) ?? [],
    ceilings: ceilingsOf(ground, admin.boundaryOfRole(name)),
    facts: {
      aws: {
        CurrentTime: now,
        principaltype: 'AssumedRole',
        PrincipalAccount: account,
        PrincipalArn: role.arn,
      },
      principalTags: role.tags,
    },
  }
}

/** A session of somebody of whom no more is known than the name, or than one group. */
export function ldapSubject(ground: Ground, subject: LdapSubject): Subject {
  const { admin, now } = ground
  const { kind, name, directory } = subject
  const arn = `arn:aws:sts::${account}:assumed-role/ldap=${directory ?? ''}/${name}`
  return {
    kind,
    name,
    ...(directory !== undefined && { directory }),
    principal: { kind: 'session', account, arn },
    identity: admin.policiesAttachedTo(subject),
    ceilings: ceilingsOf(ground),
    facts: {
      aws: {
        CurrentTime: now,
        principaltype: 'AssumedRole',
        PrincipalAccount: account,
        ...(directory !== undefined && { FederatedProvider: directory }),
        ...(kind === 'ldap-group' && { groups: [name] }),
        ...(kind === 'ldap-user' && directory !== undefined && { userid: `${directory}:${name}` }),
      },
      ldap: kind === 'ldap-user' ? { user: name } : { groups: [name] },
    },
  }
}

/** A boundary of its own, and what nobody in the tenant goes beyond. */
export function ceilingsOf(
  { admin, tenantCeiling }: Ground,
  boundary?: NamedPolicy,
): readonly Ceiling[] {
  return [
    ...(boundary ? [{ name: boundaryName, policies: [boundary] }] : []),
    ...tenantCeilings({ directory: admin, tenantCeiling }),
  ]
}

/** Where a policy of a decision comes from, in AWS's words (PolicySourceType). */
export function sourceType(admin: Directory, policy: string): string {
  const inline = /^(user|group|role) [^:]*: /.exec(policy)?.[1]
  if (inline !== undefined) return inline
  const found = admin.findPolicy(policy)
  if (!found) return 'none'
  return policyArn(found).startsWith('arn:aws:iam::aws:') ? 'aws-managed' : 'user-managed'
}
