import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import type { Client } from '../client.ts'
import { done, remote, textOption } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { withPolicyArn } from '../policy-arns.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { table } from '../table.ts'
import { addHolderCommands, attachedPolicies, inlinePolicies } from './holder.ts'

export function addRoleCommands(admin: Command, setting: Setting): void {
  const role = admin.command('role').description('roles: who may take them, and what they may do')
  remote(role.command('ls').description('list all roles'), setting, async (client) => {
    const roles = (await client.list('ListRoles', 'Roles')).map(readRole)
    const rows = roles.map((each) => [
      each.name,
      `${each.maxSessionSeconds} s`,
      each.managedBy,
      each.description,
    ])
    const titles = ['NAME', 'LONGEST SESSION', 'MANAGED BY', 'DESCRIPTION']
    return { value: roles, text: table(titles, rows) }
  })
  remote(
    role.command('get').argument('<name>').description('show a role with its policies'),
    setting,
    (client, [name = '']) => getRole(client, name),
  )
  remote(
    role
      .command('add')
      .argument('<name>')
      .argument('<file>', 'trust policy, JSON; - for standard input')
      .description('create a role that the trust policy gives to whom it names')
      .option('--description <text>', 'what it is for')
      .option('--max-session <seconds>', 'longest session, 3600 to 43200')
      .option('--boundary <policy>', 'policy beyond which its sessions may do nothing'),
    setting,
    async (client, [name = '', file = ''], options) => {
      const fields = {
        RoleName: name,
        AssumeRolePolicyDocument: await readInput(setting.context, file),
        Description: textOption(options, 'description'),
        MaxSessionDuration: textOption(options, 'maxSession'),
      }
      const boundary = textOption(options, 'boundary')
      const created =
        boundary === undefined
          ? await client.call('iam', 'CreateRole', fields)
          : await withPolicyArn(boundary, (PermissionsBoundary) =>
              client.call('iam', 'CreateRole', { ...fields, PermissionsBoundary }),
            )
      return {
        value: readRole(created.member('Role')),
        text: `Role ${printable(name)} is created; give it policies with: daypass admin role attach`,
      }
    },
  )
  remote(
    role
      .command('rm')
      .argument('<name>')
      .description('delete a role with its inline policies; its sessions end'),
    setting,
    async (client, [name = '']) => {
      await client.call('iam', 'DeleteRole', { RoleName: name, Cascade: 'true' })
      return done(`Role ${printable(name)} is deleted, and its sessions are over`)
    },
  )
  remote(
    role
      .command('trust')
      .argument('<name>')
      .argument('[file]', 'new trust policy, JSON; - for standard input')
      .description('print the trust policy, or replace it'),
    setting,
    async (client, [name = '', file]) => {
      if (file === undefined) {
        const found = await client.call('iam', 'GetRole', { RoleName: name })
        const { trustPolicy } = readRole(found.member('Role'))
        return { value: trustPolicy, text: JSON.stringify(trustPolicy, null, 2) }
      }
      const PolicyDocument = await readInput(setting.context, file)
      await client.call('iam', 'UpdateAssumeRolePolicy', { RoleName: name, PolicyDocument })
      return done(`Role ${printable(name)} goes by the new trust policy`)
    },
  )
  remote(
    role
      .command('update')
      .argument('<name>')
      .description('change the description or the longest session')
      .option('--description <text>')
      .option('--max-session <seconds>', '3600 to 43200'),
    setting,
    async (client, [name = ''], options) => {
      await client.call('iam', 'UpdateRole', {
        RoleName: name,
        Description: textOption(options, 'description'),
        MaxSessionDuration: textOption(options, 'maxSession'),
      })
      return done(`Role ${printable(name)} is changed`)
    },
  )
  addHolderCommands(role, setting, 'Role')
}

type RoleRecord = Readonly<{
  name: string
  arn: string
  id: string
  description: string
  maxSessionSeconds: number
  boundary: string | undefined
  trustPolicy: unknown
  tags: Readonly<Record<string, string>>
  createdAt: string
  managedBy: string
}>

function readRole(role: Answer): RoleRecord {
  const trust = decodeURIComponent(role.text('AssumeRolePolicyDocument') ?? '')
  return {
    name: role.text('RoleName') ?? '',
    arn: role.text('Arn') ?? '',
    id: role.text('RoleId') ?? '',
    description: role.text('Description') ?? '',
    maxSessionSeconds: Number(role.text('MaxSessionDuration') ?? 0),
    boundary: role.member('PermissionsBoundary').text('PermissionsBoundaryArn'),
    trustPolicy: trust === '' ? null : JSON.parse(trust),
    tags: readTags(role),
    createdAt: role.text('CreateDate') ?? '',
    managedBy: role.text('ManagedBy') ?? '',
  }
}

export function readTags(tagged: Answer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    tagged.items('Tags').map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? '']),
  )
}

async function getRole(client: Client, name: string): Promise<Output> {
  const found = await client.call('iam', 'GetRole', { RoleName: name })
  const value = {
    ...readRole(found.member('Role')),
    policies: await attachedPolicies(client, 'Role', name),
    inlinePolicies: await inlinePolicies(client, 'Role', name),
  }
  const rows = [
    ['name', value.name],
    ['arn', value.arn],
    ['description', value.description],
    ['policies', value.policies.join(', ')],
    ['inline policies', value.inlinePolicies.join(', ')],
    ['boundary', value.boundary ?? ''],
    ['longest session', `${value.maxSessionSeconds} s`],
    [
      'tags',
      Object.entries(value.tags)
        .map((pair) => pair.join('='))
        .join(', '),
    ],
    ['managed by', value.managedBy],
    ['trust policy', JSON.stringify(value.trustPolicy)],
  ]
  return { value, text: table(['', ''], rows).trimStart() }
}
