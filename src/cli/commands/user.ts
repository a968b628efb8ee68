import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import type { Client } from '../client.ts'
import { done, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { printable } from '../printable.ts'
import { table, whenMade } from '../table.ts'
import { addHolderCommands, attachedPolicies, inlinePolicies } from './holder.ts'
import { readTags } from './role.ts'

export function addUserCommands(admin: Command, setting: Setting): void {
  const user = admin.command('user').description('users, and which policies they have')
  remote(user.command('ls').description('list all users'), setting, async (client) =>
    showUsers((await client.list('ListUsers', 'Users')).map(readUser)),
  )
  remote(
    user.command('get').argument('<name>').description('show a user with its policies'),
    setting,
    (client, [name = '']) => getUser(client, name),
  )
  remote(
    user.command('add').argument('<name>').description('create a user, without any permission'),
    setting,
    async (client, [name = '']) => {
      const created = await client.call('iam', 'CreateUser', { UserName: name })
      return {
        value: readUser(created.member('User')),
        text: `User ${printable(name)} is created; give it policies with: daypass admin user attach`,
      }
    },
  )
  remote(
    user.command('rm').argument('<name>').description('delete a user, its keys and its sessions'),
    setting,
    async (client, [name = '']) => {
      await client.call('iam', 'DeleteUser', { UserName: name, Cascade: 'true' })
      return done(`User ${printable(name)} is deleted, with its keys and sessions`)
    },
  )
  for (const [verb, Status] of [
    ['enable', 'enabled'],
    ['disable', 'disabled'],
  ] as const) {
    remote(
      user
        .command(verb)
        .argument('<name>')
        .description(`${verb} a user with its keys and sessions`),
      setting,
      async (client, [name = '']) => {
        await client.call('iam', 'SetUserStatus', { UserName: name, Status })
        return done(`User ${printable(name)} is ${Status}`)
      },
    )
  }
  addHolderCommands(user, setting, 'User')
}

type UserRecord = Readonly<{ name: string; status: string; createdAt: string; managedBy: string }>

function readUser(user: Answer): UserRecord {
  return {
    name: user.text('UserName') ?? '',
    status: user.text('Status') ?? '',
    createdAt: user.text('CreateDate') ?? '',
    managedBy: user.text('ManagedBy') ?? '',
  }
}

function showUsers(users: readonly UserRecord[]): Output {
  const rows = users.map((user) => [
    user.name,
    user.status,
    user.managedBy,
    whenMade(user.createdAt),
  ])
  return { value: users, text: table(['NAME', 'STATUS', 'MANAGED BY', 'CREATED'], rows) }
}

async function getUser(client: Client, name: string): Promise<Output> {
  const found = (await client.call('iam', 'GetUser', { UserName: name })).member('User')
  const user = readUser(found)
  const groups = await client.list('ListGroupsForUser', 'Groups', { UserName: name })
  const value = {
    ...user,
    policies: await attachedPolicies(client, 'User', name),
    inlinePolicies: await inlinePolicies(client, 'User', name),
    groups: groups.map((group) => group.text('GroupName') ?? ''),
    boundary: found.member('PermissionsBoundary').text('PermissionsBoundaryArn'),
    tags: readTags(found),
  }
  const lines = table(
    ['NAME', 'STATUS', 'MANAGED BY', 'CREATED', 'POLICIES', 'GROUPS'],
    [
      [
        user.name,
        user.status,
        user.managedBy,
        whenMade(user.createdAt),
        [...value.policies, ...value.inlinePolicies.map((each) => `${each} (inline)`)].join(', '),
        value.groups.join(', '),
      ],
    ],
  )
  return { value, text: lines }
}
