import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { CliError } from '../cli-error.ts'
import type { Client, Fields } from '../client.ts'
import { done, remote, textOption } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { table, whenMade } from '../table.ts'

const userOption = ['--user <name>', 'whose key it is; else the server is asked'] as const

export function addAccessKeyCommands(admin: Command, setting: Setting): void {
  const keys = admin.command('accesskey').description('long-lived access keys of users')
  remote(
    keys.command('ls').argument('[user]').description('list the keys of one user, or of all'),
    setting,
    (client, args) => listKeys(client, args[0]),
  )
  remote(
    keys
      .command('add')
      .argument('<user>')
      .description('make a key; the answer is the only place where its secret is ever shown')
      .option('--access-key-id <id>', 'bring your own id, together with --secret-file')
      .option('--secret-file <file>', 'the secret for it; - for standard input')
      .option('--policy <file>', 'a policy document that narrows what the user may, for this key')
      .option('--expires <instant>', 'when it ends, such as 2027-01-31T12:00:00Z')
      .option('--name <name>', 'for people')
      .option('--description <text>', 'for people'),
    setting,
    async (client, [user = ''], options) => {
      const secretFile = textOption(options, 'secretFile')
      const secret =
        secretFile === undefined ? undefined : await readInput(setting.context, secretFile)
      const policyFile = textOption(options, 'policy')
      const AccessKeyId = textOption(options, 'accessKeyId')
      if ((AccessKeyId === undefined) !== (secret === undefined)) {
        throw new CliError('usage', '--access-key-id and --secret-file go together')
      }
      return addKey(client, {
        UserName: user,
        AccessKeyId,
        SecretAccessKey: secret?.trim(),
        PolicyDocument:
          policyFile === undefined ? undefined : await readInput(setting.context, policyFile),
        ExpireDate: textOption(options, 'expires'),
        KeyName: textOption(options, 'name'),
        Description: textOption(options, 'description'),
      })
    },
  )
  remote(
    keys.command('get').argument('<id>').description('show a key, and the policy that narrows it'),
    setting,
    (client, [id = '']) => getKey(client, id),
  )
  remote(
    keys
      .command('rm')
      .argument('<id>')
      .description('delete a key')
      .option(...userOption),
    setting,
    async (client, [id = ''], options) => {
      const UserName = textOption(options, 'user') ?? (await ownerOf(client, id))
      await client.call('iam', 'DeleteAccessKey', { AccessKeyId: id, UserName })
      return done(`Access key ${printable(id)} is deleted`)
    },
  )
  for (const [verb, Status] of [
    ['enable', 'Active'],
    ['disable', 'Inactive'],
  ] as const) {
    remote(
      keys
        .command(verb)
        .argument('<id>')
        .description(`${verb} a key`)
        .option(...userOption),
      setting,
      async (client, [id = ''], options) => {
        const UserName = textOption(options, 'user') ?? (await ownerOf(client, id))
        await client.call('iam', 'UpdateAccessKey', { AccessKeyId: id, UserName, Status })
        return done(`Access key ${printable(id)} is ${Status.toLowerCase()}`)
      },
    )
  }
}

async function ownerOf(client: Client, accessKeyId: string): Promise<string | undefined> {
  const found = await client.call('iam', 'GetAccessKeyLastUsed', { AccessKeyId: accessKeyId })
  return found.text('UserName')
}

type KeyRecord = Readonly<{
  accessKeyId: string
  user: string
  status: string
  createdAt: string
  managedBy: string
  name: string | undefined
  description: string | undefined
  expiresAt: string | undefined
  /** By a policy of its own; `accesskey get` shows it. */
  narrowed: boolean
}>

function readKey(key: Answer): KeyRecord {
  return {
    accessKeyId: key.text('AccessKeyId') ?? '',
    user: key.text('UserName') ?? '',
    status: key.text('Status') ?? '',
    createdAt: key.text('CreateDate') ?? '',
    managedBy: key.text('ManagedBy') ?? '',
    name: key.text('KeyName'),
    description: key.text('Description'),
    expiresAt: key.text('ExpireDate'),
    narrowed: key.flag('HasPolicy'),
  }
}

async function getKey(client: Client, AccessKeyId: string): Promise<Output> {
  const found = (await client.call('iam', 'GetAccessKey', { AccessKeyId })).member('AccessKey')
  const key = readKey(found)
  const encoded = found.text('PolicyDocument')
  const policy: unknown = encoded ? JSON.parse(decodeURIComponent(encoded)) : undefined
  const problem = found.text('Problem')
  const rows = Object.entries(key).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  const text = [
    table(['MEMBER', 'VALUE'], problem === undefined ? rows : [...rows, ['problem', problem]]),
    ...(policy === undefined ? [] : [JSON.stringify(policy, null, 2)]),
  ]
  return { value: { ...key, policy, problem }, text: text.join('\n') }
}

async function listKeys(client: Client, user: string | undefined): Promise<Output> {
  const found =
    user === undefined
      ? await client.list('ListAllAccessKeys', 'AccessKeyMetadata')
      : await client.list('ListAccessKeys', 'AccessKeyMetadata', { UserName: user })
  const keys = found.map(readKey)
  const rows = keys.map((key) => [
    key.accessKeyId,
    key.user,
    key.status,
    key.managedBy,
    whenMade(key.createdAt),
    key.expiresAt ?? '',
    [key.narrowed ? 'narrowed' : '', key.name ?? ''].filter((note) => note !== '').join(', '),
  ])
  const titles = ['ACCESS KEY ID', 'USER', 'STATUS', 'MANAGED BY', 'CREATED', 'ENDS', 'NOTE']
  return { value: keys, text: table(titles, rows) }
}

async function addKey(client: Client, fields: Fields): Promise<Output> {
  const created = (await client.call('iam', 'CreateAccessKey', fields)).member('AccessKey')
  const secretAccessKey = created.text('SecretAccessKey') ?? ''
  const key = readKey(created)
  const text = [
    `Access key id      ${printable(key.accessKeyId)}`,
    `Secret access key  ${printable(secretAccessKey)}`,
    'The secret is shown this once only.',
  ]
  return { value: { ...key, secretAccessKey }, text: text.join('\n') }
}
