import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { done, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import type { Client } from '../client.ts'
import { printable } from '../printable.ts'
import { table, whenMade } from '../table.ts'
import { addHolderCommands, attachedPolicies, inlinePolicies } from './holder.ts'

export function addGroupCommands(admin: Command, setting: Setting): void {
  const group = admin.command('group').description('groups of users, and which policies they have')
  remote(group.command('ls').description('list all groups'), setting, async (client) => {
    const groups = (await client.list('ListGroups', 'Groups')).map(readGroup)
    const rows = groups.map(({ name, managedBy, createdAt }) => [
      name,
      managedBy,
      whenMade(createdAt),
    ])
    return { value: groups, text: table(['NAME', 'MANAGED BY', 'CREATED'], rows) }
  })
  remote(
    group
      .command('get')
      .argument('<name>')
      .description('show a group with its members and policies'),
    setting,
    (client, [name = '']) => getGroup(client, name),
  )
  remote(
    group.command('add').argument('<name>').description('create a group'),
    setting,
    async (client, [name = '']) => {
      const created = await client.call('iam', 'CreateGroup', { GroupName: name })
      return {
        value: readGroup(created.member('Group')),
        text: `Group ${printable(name)} is created; fill it with: daypass admin group join`,
      }
    },
  )
  remote(
    group
      .command('rm')
      .argument('<name>')
      .description('delete a group; its members stay, without what it gave them'),
    setting,
    async (client, [name = '']) => {
      await client.call('iam', 'DeleteGroup', { GroupName: name, Cascade: 'true' })
      return done(`Group ${printable(name)} is deleted`)
    },
  )
  for (const [verb, action, words] of [
    ['join', 'AddUserToGroup', 'is in'],
    ['leave', 'RemoveUserFromGroup', 'is no longer in'],
  ] as const) {
    remote(
      group
        .command(verb)
        .argument('<name>')
        .argument('<user>')
        .description(verb === 'join' ? 'put a user into a group' : 'take a user out of a group'),
      setting,
      async (client, [name = '', user = '']) => {
        await client.call('iam', action, { GroupName: name, UserName: user })
        return done(`User ${printable(user)} ${words} group ${printable(name)}`)
      },
    )
  }
  addHolderCommands(group, setting, 'Group')
}

type GroupRecord = Readonly<{ name: string; createdAt: string; managedBy: string }>

function readGroup(group: Answer): GroupRecord {
  return {
    name: group.text('GroupName') ?? '',
    createdAt: group.text('CreateDate') ?? '',
    managedBy: group.text('ManagedBy') ?? '',
  }
}

async function getGroup(client: Client, name: string): Promise<Output> {
  const found = await client.call('iam', 'GetGroup', { GroupName: name, MaxItems: '1' })
  const users = await client.list('GetGroup', 'Users', { GroupName: name })
  const value = {
    ...readGroup(found.member('Group')),
    members: users.map((user) => user.text('UserName') ?? ''),
    policies: await attachedPolicies(client, 'Group', name),
    inlinePolicies: await inlinePolicies(client, 'Group', name),
  }
  const rows = [
    ['name', value.name],
    ['members', value.members.join(', ')],
    ['policies', value.policies.join(', ')],
    ['inline policies', value.inlinePolicies.join(', ')],
    ['managed by', value.managedBy],
  ]
  return { value, text: table(['', ''], rows).trimStart() }
}
