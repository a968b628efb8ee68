import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { table } from '../table.ts'

export function addKeyRingCommands(admin: Command, setting: Setting): void {
  const keys = admin.command('keys').description('the key ring that seals sessions')
  remote(keys.command('ls').description('list the keys'), setting, async (client) =>
    showKeys(await client.call('iam', 'ListSigningKeys')),
  )
  remote(
    keys.command('rotate').description('put a new key in use; live sessions go on'),
    setting,
    async (client) => showKeys(await client.call('iam', 'RotateSigningKeys')),
  )
}

function showKeys(answer: Answer): Output {
  const keys = answer.items('SigningKeys').map((key) => ({
    id: key.text('SigningKeyId') ?? '',
    status: key.text('Status') ?? '',
    createdAt: key.text('CreateDate') ?? '',
    retiredAt: key.text('RetireDate'),
    lastExpiry: key.text('LastExpiry'),
  }))
  const rows = keys.map((key) => [
    key.id,
    key.status,
    key.createdAt,
    key.retiredAt ?? '',
    key.lastExpiry ?? '',
  ])
  const titles = ['KEY', 'STATUS', 'CREATED', 'RETIRED', 'NEEDED UNTIL']
  return { value: keys, text: table(titles, rows) }
}
