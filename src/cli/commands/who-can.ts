import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { manyOptions, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import { contextFields } from '../lists.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'

export function addWhoCanCommand(program: Command, setting: Setting): void {
  const whoCan = program
    .command('who-can')
    .argument('<action>', 's3:GetObject')
    .argument('<resource>', 'arn:aws:s3:::bucket/key')
    .description('list who may do it: users, groups, roles and who takes them, people, everyone')
    .option('--context <key=value...>', 'suppose a condition key: aws:SourceIp=192.0.2.1')
  remote(whoCan, setting, async (client, [ActionName = '', ResourceArn = '']) => {
    const context = contextFields(manyOptions(whoCan, 'context'))
    const found = await client.list('WhoCan', 'Principals', { ActionName, ResourceArn, ...context })
    const value = found.map((each) => ({
      kind: each.text('Kind') ?? '',
      name: each.text('Name') ?? '',
      directory: each.text('Directory'),
      takenBy: each.items('AssumableBy').map(nameOf),
      takenByMore: each.flag('AssumableByMore'),
      reason: each.text('Reason') ?? '',
    }))
    const rows = value.map(({ kind, name, directory, takenBy, takenByMore, reason }) => [
      kind,
      inDirectory(name, directory),
      [...takenBy, ...(takenByMore ? ['and more'] : [])].join(', '),
      reason,
    ])
    if (rows.length === 0) return { value, text: nobody(ActionName, ResourceArn) }
    return { value, text: table(['KIND', 'NAME', 'TAKEN BY', 'WHY'], rows) }
  })
}

/** Bare titles look like an answer that was cut off. */
function nobody(action: string, resource: string): string {
  return printable(
    `Nobody but root may ${action} on ${resource}, with nothing else known about the request`,
  )
}

function nameOf(each: Answer): string {
  const name = inDirectory(each.text('Name') ?? '', each.text('Directory'))
  return `${each.text('Kind') ?? ''} ${name}`
}

function inDirectory(name: string, directory: string | undefined): string {
  return directory === undefined ? name : `${name} of ${directory}`
}
