import type { Command } from 'commander'
import { manyOptions, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import { contextFields } from '../lists.ts'
import { table } from '../table.ts'

export function addWhoCanCommand(program: Command, setting: Setting): void {
  const whoCan = program
    .command('who-can')
    .argument('<action>', 's3:GetObject')
    .argument('<resource>', 'arn:aws:s3:::bucket/key')
    .description('list the users, groups, roles and people of a directory that may do it')
    .option('--context <key=value...>', 'suppose a condition key: aws:SourceIp=192.0.2.1')
  remote(whoCan, setting, async (client, [ActionName = '', ResourceArn = '']) => {
    const context = contextFields(manyOptions(whoCan, 'context'))
    const found = await client.list('WhoCan', 'Principals', { ActionName, ResourceArn, ...context })
    const value = found.map((each) => ({
      kind: each.text('Kind') ?? '',
      name: each.text('Name') ?? '',
      reason: each.text('Reason') ?? '',
    }))
    const rows = value.map(({ kind, name, reason }) => [kind, name, reason])
    return { value, text: table(['KIND', 'NAME', 'WHY'], rows) }
  })
}
