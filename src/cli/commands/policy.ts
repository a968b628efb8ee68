import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { isWireCode } from '../client.ts'
import type { Client } from '../client.ts'
import { done, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { addPolicyVersion, withPolicyArn } from '../policy-arns.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { table } from '../table.ts'
import { addPolicyVersionCommands } from './policy-version.ts'

export function addPolicyCommands(admin: Command, setting: Setting): void {
  const policy = admin.command('policy').description('named policies')
  remote(policy.command('ls').description('list all policies'), setting, listPolicies)
  remote(
    policy.command('get').argument('<name>').description('print the document'),
    setting,
    (client, [name = '']) => getPolicy(client, name),
  )
  remote(
    policy
      .command('put')
      .argument('<name>')
      .argument('<file>', 'JSON document; - for standard input')
      .description('create a policy, or replace its document; acts at once in live sessions'),
    setting,
    async (client, [name = '', file = '']) =>
      putPolicy(client, name, await readInput(setting.context, file)),
  )
  remote(
    policy.command('holders').argument('<name>').description('list who has a policy'),
    setting,
    (client, [name = '']) => listHolders(client, name),
  )
  addPolicyVersionCommands(policy, setting)
  remote(
    policy
      .command('rm')
      .argument('<name>')
      .description('delete a policy that is attached to nobody'),
    setting,
    async (client, [name = '']) => {
      await withPolicyArn(name, (PolicyArn) =>
        client.call('iam', 'DeletePolicy', { PolicyArn, Cascade: 'true' }),
      )
      return done(`Policy ${printable(name)} is deleted`)
    },
  )
}

async function listPolicies(client: Client): Promise<Output> {
  const policies = (await client.list('ListPolicies', 'Policies')).map((policy) => ({
    name: policy.text('PolicyName') ?? '',
    arn: policy.text('Arn') ?? '',
    attached: Number(policy.text('AttachmentCount') ?? 0),
    updatedAt: policy.text('UpdateDate') ?? '',
    managedBy: policy.text('ManagedBy') ?? '',
    ...problemOf(policy),
  }))
  const rows = policies.map(({ name, attached, updatedAt, managedBy, problem }) => [
    name,
    String(attached),
    managedBy,
    // What is built in or declared in the file has no instant of its own.
    managedBy === 'api' ? updatedAt : '',
    problem ?? '',
  ])
  const titles = ['NAME', 'ATTACHED', 'MANAGED BY', 'UPDATED', '']
  return { value: policies, text: table(titles, rows) }
}

function problemOf(policy: Answer): { problem?: string } {
  const problem = policy.text('Problem')
  return problem === undefined ? {} : { problem: `broken: ${problem}` }
}

async function listHolders(client: Client, name: string): Promise<Output> {
  return withPolicyArn(name, async (PolicyArn) => {
    const holders: { kind: string; name: string }[] = []
    let Marker: string | undefined
    do {
      const page = await client.call('iam', 'ListEntitiesForPolicy', { PolicyArn, Marker })
      for (const word of ['User', 'Group', 'Role']) {
        for (const each of page.items(`Policy${word}s`)) {
          holders.push({ kind: word.toLowerCase(), name: each.text(`${word}Name`) ?? '' })
        }
      }
      for (const each of page.items('PolicyLdapSubjects')) {
        holders.push({ kind: each.text('Kind') ?? '', name: each.text('Name') ?? '' })
      }
      Marker = page.flag('IsTruncated') ? page.text('Marker') : undefined
    } while (Marker !== undefined)
    const rows = holders.map((holder) => [holder.kind, holder.name])
    return { value: holders, text: table(['KIND', 'NAME'], rows) }
  })
}

async function getPolicy(client: Client, name: string): Promise<Output> {
  return withPolicyArn(name, async (arn) => {
    const policy = await client.call('iam', 'GetPolicy', { PolicyArn: arn })
    const VersionId = policy.member('Policy').text('DefaultVersionId')
    const version = await client.call('iam', 'GetPolicyVersion', { PolicyArn: arn, VersionId })
    const text = decodeURIComponent(version.member('PolicyVersion').text('Document') ?? '')
    const value: unknown = JSON.parse(text)
    return { value, text: JSON.stringify(value, null, 2) }
  })
}

async function putPolicy(client: Client, name: string, document: string): Promise<Output> {
  const fields = { PolicyDocument: document }
  try {
    if (!name.startsWith('arn:')) {
      await client.call('iam', 'CreatePolicy', { PolicyName: name, ...fields })
      return done(`Policy ${printable(name)} is created`)
    }
  } catch (error) {
    if (!isWireCode(error, 'EntityAlreadyExists')) throw error
  }
  await withPolicyArn(name, (PolicyArn) => addPolicyVersion(client, PolicyArn, document))
  return done(`Policy ${printable(name)} is replaced; live sessions go by the new document`)
}
