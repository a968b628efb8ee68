import type { Attachment, Directory, LdapSubject } from '../admin/index.ts'
import type { Ceiling, Facts, NamedPolicy, PolicyPrincipal } from '../policy/index.ts'
import { account, groupArn, policyArn, roleArn, userArn } from './arn.ts'
import { findGroup, findRole, findUser } from './find.ts'
import { IamError } from './iam-error.ts'

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

const shape = /^arn:aws:iam::000000000000:(user|group|role)\/([\w+=,.@-]+)$/

/** @throws IamError `invalid_parameter` or `no_such_entity` */
export function subjectOfArn(admin: Directory, arn: string, now: Date): Subject {
  const [, kind, name = ''] = shape.exec(arn) ?? []
  if (kind === 'user') return userSubject(admin, name, now)
  if (kind === 'group') return groupSubject(admin, name, now)
  if (kind === 'role') return roleSubject(admin, name, now)
  throw new IamError(
    'invalid_parameter',
    `A principal's ARN is like ${userArn('NAME')}, ${groupArn('NAME')} or ${roleArn('NAME')}`,
  )
}

export function userSubject(admin: Directory, name: string, now: Date): Subject {
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
    ceilings: boundaryCeiling(admin.boundaryOf(name)),
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
export function groupSubject(admin: Directory, name: string, now: Date): Subject {
  const group = findGroup(admin, name)
  const arn = groupArn(name)
  return {
    kind: 'group',
    name,
    arn,
    principal: { kind: 'user', account, arn },
    identity: admin.policiesOfGroup(group.name) ?? [],
    ceilings: [],
    facts: { aws: { CurrentTime: now, PrincipalAccount: account } },
  }
}

export function roleSubject(admin: Directory, name: string, now: Date): Subject {
  const role = findRole(admin, name)
  return {
    kind: 'role',
    name,
    arn: role.arn,
    principal: { kind: 'session', account, arn: role.arn, roleArn: role.arn },
    identity: admin.policiesOfRole(name) ?? [],
    ceilings: boundaryCeiling(admin.boundaryOfRole(name)),
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
export function ldapSubject(admin: Directory, subject: LdapSubject, now: Date): Subject {
  const { kind, name, directory } = subject
  const arn = `arn:aws:sts::${account}:assumed-role/ldap=${directory ?? ''}/${name}`
  return {
    kind,
    name,
    ...(directory !== undefined && { directory }),
    principal: { kind: 'session', account, arn },
    identity: admin.policiesAttachedTo(subject),
    ceilings: [],
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

function boundaryCeiling(boundary: NamedPolicy | undefined): readonly Ceiling[] {
  return boundary ? [{ name: 'permissions boundary', policies: [boundary] }] : []
}

/** Where a policy of a decision comes from, in AWS's words (PolicySourceType). */
export function sourceType(admin: Directory, policy: string): string {
  const inline = /^(user|group|role) [^:]*: /.exec(policy)?.[1]
  if (inline !== undefined) return inline
  const found = admin.findPolicy(policy)
  if (!found) return 'none'
  return policyArn(found).startsWith('arn:aws:iam::aws:') ? 'aws-managed' : 'user-managed'
}
