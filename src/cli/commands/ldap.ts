import type { Command } from 'commander'
import { Option } from 'commander'
import { done, remote, textOption } from '../command.ts'
import type { Setting } from '../command.ts'
import { withPolicyArn } from '../policy-arns.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'

export function addLdapCommands(admin: Command, setting: Setting): void {
  const ldap = admin.command('ldap').description('policies of people and groups of a directory')
  remote(ldap.command('ls').description('list who has which'), setting, async (client) => {
    const found = await client.list('ListPrincipalAttachments', 'Attachments')
    const value = found.map((each) => ({
      kind: each.text('PrincipalKind') ?? '',
      name: each.text('PrincipalName') ?? '',
      directory: each.text('Directory'),
      policy: each.text('PolicyName') ?? '',
    }))
    const rows = value.map(({ kind, name, directory = '', policy }) => [
      kind.replace('ldap-', ''),
      name,
      directory,
      policy,
    ])
    return { value, text: table(['KIND', 'NAME', 'DIRECTORY', 'POLICY'], rows) }
  })
  for (const [verb, action] of [
    ['attach', 'AttachPrincipalPolicy'],
    ['detach', 'DetachPrincipalPolicy'],
  ] as const) {
    remote(
      ldap
        .command(verb)
        .argument('<dn>', 'distinguished name, in any spelling')
        .argument('<policy>')
        .description(verb === 'attach' ? 'give a policy' : 'take a policy away')
        .addOption(
          new Option('--kind <kind>', 'whose name it is')
            .choices(['user', 'group'])
            .default('group'),
        )
        .option(
          '--directory <name>',
          'as the configuration calls it; left out: the first that has such names',
        ),
      setting,
      async (client, [PrincipalName = '', policy = ''], options) => {
        const PrincipalKind = `ldap-${textOption(options, 'kind') ?? 'group'}`
        const Directory = textOption(options, 'directory')
        await withPolicyArn(policy, (PolicyArn) =>
          client.call('iam', action, { PrincipalKind, PrincipalName, Directory, PolicyArn }),
        )
        const words = verb === 'attach' ? 'is attached to' : 'is no longer attached to'
        return done(`Policy ${printable(policy)} ${words} ${printable(PrincipalName)}`)
      },
    )
  }
}
