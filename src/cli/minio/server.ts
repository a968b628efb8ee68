import type { Answer } from '../answer.ts'
import type { Client } from '../client.ts'

/** What is on the server when the import begins. */
export type Standing = Readonly<{
  users: ReadonlyMap<string, StandingUser>
  /** Name -> names of the attached policies. */
  groups: ReadonlyMap<string, ReadonlySet<string>>
  /** User -> ids of its keys. */
  keys: ReadonlyMap<string, readonly string[]>
}>

export type StandingUser = Readonly<{
  enabled: boolean
  policies: ReadonlySet<string>
  groups: ReadonlySet<string>
}>

export async function readStanding(client: Client): Promise<Standing> {
  const details = (kind: 'User' | 'Group'): Promise<readonly Answer[]> =>
    client.list('GetAccountAuthorizationDetails', `${kind}DetailList`, { 'Filter.member.1': kind })
  const [users, groups] = [await details('User'), await details('Group')]
  const keys = new Map<string, string[]>()
  for (const key of await client.list('ListAllAccessKeys', 'AccessKeyMetadata')) {
    const user = key.text('UserName') ?? ''
    keys.set(user, [...(keys.get(user) ?? []), key.text('AccessKeyId') ?? ''])
  }
  return {
    users: new Map(
      users.map((user) => [
        user.text('UserName') ?? '',
        {
          enabled: user.text('Status') === 'enabled',
          policies: attached(user),
          groups: new Set(user.items('GroupList').map(({ value }) => String(value))),
        },
      ]),
    ),
    groups: new Map(groups.map((group) => [group.text('GroupName') ?? '', attached(group)])),
    keys,
  }
}

function attached(holder: Answer): ReadonlySet<string> {
  const policies = holder.items('AttachedManagedPolicies')
  return new Set(policies.map((policy) => policy.text('PolicyName') ?? ''))
}
