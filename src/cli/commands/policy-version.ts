import type { Command } from 'commander'
import { done, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import { withPolicyArn } from '../policy-arns.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { table } from '../table.ts'
import { documentOutput } from './holder.ts'

export function addPolicyVersionCommands(policy: Command, setting: Setting): void {
  const version = policy
    .command('version')
    .description('up to five versions of a policy, of which one acts')
  remote(
    version.command('ls').argument('<name>').description('list the versions'),
    setting,
    (client, [name = '']) =>
      withPolicyArn(name, async (PolicyArn) => {
        const versions = await client.list('ListPolicyVersions', 'Versions', { PolicyArn })
        const value = versions.map((each) => ({
          version: each.text('VersionId') ?? '',
          isDefault: each.flag('IsDefaultVersion'),
          createdAt: each.text('CreateDate') ?? '',
        }))
        const rows = value.map((each) => [
          each.version,
          each.isDefault ? 'default' : '',
          each.createdAt,
        ])
        return { value, text: table(['VERSION', '', 'CREATED'], rows) }
      }),
  )
  remote(
    version
      .command('get')
      .argument('<name>')
      .argument('<version>')
      .description('print the document of a version'),
    setting,
    (client, [name = '', VersionId = '']) =>
      withPolicyArn(name, async (PolicyArn) => {
        const found = await client.call('iam', 'GetPolicyVersion', { PolicyArn, VersionId })
        return documentOutput(found.member('PolicyVersion').text('Document') ?? '')
      }),
  )
  remote(
    version
      .command('add')
      .argument('<name>')
      .argument('<file>', 'JSON document; - for standard input')
      .description('add a version that does not act yet'),
    setting,
    async (client, [name = '', file = '']) => {
      const PolicyDocument = await readInput(setting.context, file)
      return withPolicyArn(name, async (PolicyArn) => {
        const fields = { PolicyArn, PolicyDocument, SetAsDefault: 'false' }
        const made = await client.call('iam', 'CreatePolicyVersion', fields)
        const id = made.member('PolicyVersion').text('VersionId') ?? ''
        return {
          value: { version: id },
          text: `Version ${printable(id)} is created; it acts after: daypass admin policy version default`,
        }
      })
    },
  )
  for (const [verb, action, words, description] of [
    ['default', 'SetDefaultPolicyVersion', 'acts from now on', 'let a version act'],
    ['rm', 'DeletePolicyVersion', 'is deleted', 'delete a version that does not act'],
  ] as const) {
    remote(
      version.command(verb).argument('<name>').argument('<version>').description(description),
      setting,
      (client, [name = '', VersionId = '']) =>
        withPolicyArn(name, async (PolicyArn) => {
          await client.call('iam', action, { PolicyArn, VersionId })
          return done(`Version ${printable(VersionId)} of ${printable(name)} ${words}`)
        }),
    )
  }
}
